from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarConfig(AppConfig):
    name = "collab.calendar"
    label = "collab_calendar"
    verbose_name = _("Calendar")

    def ready(self) -> None:
        from collab.calendar import (
            imports,
            money_layers,
            receivers,
            registration,
            requirements,
            series_undo,
            telling,
        )

        assert receivers
        assert telling
        registration.register_all()
        imports.register()
        requirements.register()
        money_layers.register()
        series_undo.register()
