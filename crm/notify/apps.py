from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotifyConfig(AppConfig):
    name = "crm.notify"
    label = "notify"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from crm.notify import receivers  # noqa: F401
        from crm.notify.notices import Notice, register_notice
        from crm.web.registry import ProfileSection, TopbarSlot, register_profile_section, register_topbar

        register_notice(Notice("mention", _("Somebody mentions me in a note"), "at", mail="hourly"))

        register_topbar(TopbarSlot(key="bell", template="notify/_bell_slot.html", order=20))
        register_profile_section(
            ProfileSection(
                key="notifications",
                label=_("Notifications"),
                text=_(
                    "Choose what you are told of: in the page, by mail at once, or in an hourly or daily letter."
                ),
                action=_("What I am told of"),
                icon="sliders",
                url_name="notify:choice_list",
                order=10,
            )
        )
