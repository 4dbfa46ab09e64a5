from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MoneyConfig(AppConfig):
    name = "crm.money"
    label = "money"
    verbose_name = _("Currencies")

    def ready(self) -> None:
        from crm.money.access import may_change_rates
        from crm.web.registry import MenuEntry, register_menu

        register_menu(
            MenuEntry(
                "rates",
                _("Exchange rates"),
                "currency-exchange",
                "money:rate_list",
                191,
                allowed=may_change_rates,
            )
        )
