from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "crm.operations"
    label = "operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from crm.operations.outgoing import register_outgoing

        register_outgoing()
