"""The scoring table an installation starts with. An administrator changes it afterwards."""

from django.db import transaction

from counterparties.matching.models import Scope, ScoringRow
from counterparties.matching.scoring import STANDARD
from crm.web.standard import standard_data


@standard_data(15)
@transaction.atomic
def create_scoring_table() -> None:
    """Creates the rows that are missing."""
    for scope in Scope.values:
        ScoringRow.objects.get_or_create(scope=scope, defaults=STANDARD[scope])
