from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarConfig(AppConfig):
    name = "collab.calendar"
    label = "collab_calendar"
    verbose_name = _("Calendar")

    def ready(self) -> None:
        from collab.calendar import imports, receivers, registration, requirements

        assert receivers
        registration.register_all()
        imports.register()
        requirements.register()
