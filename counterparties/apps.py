from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CounterpartiesConfig(AppConfig):
    name = "counterparties"
    label = "counterparties"
    verbose_name = _("Counterparties")

    def ready(self) -> None:
        import counterparties.receivers  # noqa: F401
        from counterparties.imports.registration import register_imports
        from counterparties.registration import register_counterparties

        register_counterparties()
        register_imports()
