from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ListingConfig(AppConfig):
    name = "crm.listing"
    label = "listing"
    verbose_name = _("Lists and imports")

    def ready(self) -> None:
        from crm.history.kinds import EventKind, register_event
        from crm.listing import folded, receivers  # noqa: F401
        from crm.notify.notices import Notice, register_notice

        register_event(EventKind("record_tagged", _("changed the tags"), "tags"))
        register_notice(
            Notice("import_done", _("My import is done"), "upload"),
            Notice("import_undone", _("My import is undone"), "arrow-counterclockwise"),
            Notice("export_done", _("My export is ready"), "download"),
            Notice("bulk_done", _("My change of many records is done"), "ui-checks"),
        )
