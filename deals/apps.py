from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DealsConfig(AppConfig):
    name = "deals"
    label = "deals"
    verbose_name = _("Deals")

    def ready(self) -> None:
        from crm.files.guards import register_guard
        from deals import receivers  # noqa: F401
        from deals.events import register_deal_events
        from deals.imports.payments import register_payment_imports
        from deals.imports.products import register_product_imports
        from deals.imports.registration import register_imports
        from deals.operations import register_deal_operations
        from deals.quotes import may_read_quote
        from deals.registration import (
            register_deals,
            register_dictionaries,
            register_payments,
            register_products,
        )
        from deals.requirement_kinds import register_requirements
        from deals.retiring import register_retiring

        register_deals()
        register_guard(may_read_quote)
        register_products()
        register_payments()
        register_dictionaries()
        register_deal_events()
        register_deal_operations()
        register_imports()
        register_product_imports()
        register_payment_imports()
        register_requirements()
        register_retiring()
