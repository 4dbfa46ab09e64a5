from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingConfig(AppConfig):
    name = "crm.listing"
    label = "listing"
    verbose_name = _("Lists and imports")

    def ready(self) -> None:
        from crm.history.kinds import EventKind, register_event
        from crm.listing import folded, receivers  # noqa: F401

        register_event(EventKind("record_tagged", _("changed the tags"), "tags"))
