from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PhonesConfig(AppConfig):
    name = "collab.phones"
    label = "collab_phones"
    verbose_name = _("Phones and other calendars")

    def ready(self) -> None:
        from collab.phones import receivers
        from collab.phones.guests import ANSWERED, INVITED
        from crm.history.kinds import EventKind, Group, register_event
        from crm.notify.notices import Notice, register_notice
        from crm.web.registry import ProfileSection, register_profile_section

        assert receivers
        register_event(EventKind(INVITED, _("invited %(names)s"), "envelope", Group.MEETING, "blue"))
        register_notice(Notice(ANSWERED, _("A guest answers an invitation"), "person-check", mail="hourly"))
        register_profile_section(
            ProfileSection(
                key="devices",
                label=_("Calendars on your devices"),
                text=_(
                    "Your calls and meetings in the calendar of your phone or mail program, kept up to date."
                ),
                action=_("Phones and computers"),
                icon="phone",
                url_name="collab_phones:device_list",
                order=30,
            )
        )
