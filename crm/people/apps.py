from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "crm.people"
    label = "people"
    verbose_name = _("People and rights")

    def ready(self) -> None:
        from crm import checks  # noqa: F401
        from crm.jobs.registry import register_surroundings
        from crm.people.company import surroundings_of
        from crm.people.fragments import index_fragments

        post_migrate.connect(index_fragments, sender=self)
        register_surroundings(surroundings_of)
