from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingConfig(AppConfig):
    name = "crm.listing"
    label = "listing"
    verbose_name = _("Lists and imports")

    def ready(self) -> None:
        from crm.listing import folded, receivers  # noqa: F401
