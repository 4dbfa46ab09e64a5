from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FunnelConfig(AppConfig):
    name = "funnel"
    label = "funnel"
    verbose_name = _("Sales funnels")

    def ready(self) -> None:
        from crm.web.registry import MenuEntry, register_menu
        from funnel.requiring import may_change_funnels

        register_menu(
            MenuEntry(
                "funnels",
                _("Funnels and stages"),
                "funnel",
                "funnel:funnel_list",
                195,
                allowed=may_change_funnels,
            )
        )
