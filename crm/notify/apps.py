from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotifyConfig(AppConfig):
    name = "crm.notify"
    label = "notify"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from crm.notify import receivers  # noqa: F401
        from crm.notify.notices import Notice, register_notice
        from crm.web.registry import TopbarSlot, register_topbar

        register_notice(Notice("mention", _("Somebody mentions me in a note"), "at", mail="hourly"))

        register_topbar(TopbarSlot(key="bell", template="notify/_bell_slot.html", order=20))
