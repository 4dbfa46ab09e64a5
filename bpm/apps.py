from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BpmConfig(AppConfig):
    name = "bpm"
    label = "bpm"
    verbose_name = _("Business processes")

    def ready(self) -> None:
        from bpm import calendar_layer, receivers, registration  # noqa: F401
        from bpm.operations import register_operations

        register_operations()
        registration.register()
        calendar_layer.register()
