from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "crm.web"
    label = "web"
    verbose_name = _("Pages")

    def ready(self):
        from crm.history.kinds import EventKind, register_event
        from crm.notify.notices import Notice, register_notice
        from crm.people.kinds import kind_named
        from crm.web.registry import CardAction, MenuEntry, register_card_action, register_menu

        register_menu(MenuEntry("home", _("My day"), "sun", "web:home", 0, phone=True))
        register_menu(
            MenuEntry(
                "access",
                _("Who may see what"),
                "shield-check",
                "web:access_overview",
                200,
                allowed=_administers,
            )
        )
        register_event(
            EventKind("shared_view", _("shared the record with %(user)s, to look at"), "person-plus"),
            EventKind("shared_edit", _("shared the record with %(user)s, to edit"), "person-plus"),
            EventKind("share_withdrawn", _("took the share back from %(user)s"), "person-dash"),
        )
        register_notice(
            Notice("record_shared", _("Somebody shares a record with me"), "person-plus", mail="daily")
        )
        register_card_action(
            CardAction(
                "shares",
                _("Who has it"),
                "people",
                50,
                url_name="web:record_shares",
                allowed=lambda user, card, record: kind_named(card).model.share_model is not None,
            )
        )


def _administers(user) -> bool:
    return user.is_staff
