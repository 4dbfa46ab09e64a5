from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotifyConfig(AppConfig):
    name = "crm.notify"
    label = "notify"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from crm.notify import receivers  # noqa: F401
        from crm.web.registry import TopbarSlot, register_topbar

        register_topbar(TopbarSlot(key="bell", template="notify/_bell_slot.html", order=20))
