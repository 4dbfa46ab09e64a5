from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "crm.people"
    label = "people"
    verbose_name = _("People and rights")

    def ready(self) -> None:
        from crm import checks  # noqa: F401
        from crm.jobs.registry import register_surroundings
        from crm.people.company import surroundings_of

        register_surroundings(surroundings_of)
