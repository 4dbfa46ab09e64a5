from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LeadsConfig(AppConfig):
    name = "leads"
    label = "leads"
    verbose_name = _("Leads")

    def ready(self) -> None:
        from leads import imports, receivers  # noqa: F401
        from leads.registration import register_leads

        register_leads()
        imports.register()
