from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    name = "counterparties.matching"
    label = "matching"
    verbose_name = _("Duplicates")

    def ready(self) -> None:
        from counterparties.matching import receivers  # noqa: F401
        from counterparties.matching.registration import register_matching

        register_matching()
