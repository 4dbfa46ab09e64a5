"""Whom a deal is up against: rows of a dictionary, with a note and who won."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deals.models import Deal, DealCompetitor
from deals.parts import Part, add_row


def _describe(row: DealCompetitor) -> str:
    said = [row.competitor.name, row.note, "won it" if row.has_won else ""]
    return ", ".join(text for text in said if text)


def _prepare(row: DealCompetitor, changed: set) -> None:
    """Nobody is named twice; the deal is locked meanwhile."""
    same = DealCompetitor.objects.filter(deal=row.deal, competitor=row.competitor).exclude(pk=row.pk)
    if same.exists():
        raise ValidationError({"competitor": _("“%(name)s” is named already.") % {"name": row.competitor}})


COMPETITORS = Part(
    key="competitors", label=gettext_lazy("competitors"), model=DealCompetitor, event="deal_competitors_changed",
    describe=_describe, columns=("competitor", "note", "has_won"), prepare=_prepare,
)  # fmt: skip


def add_competitor(*, deal: Deal, competitor, note: str = "", has_won: bool = False, by, via: str = ""):
    """Names a competitor of the deal. Raises PermissionDenied, ValidationError."""
    values = {"competitor": competitor, "note": " ".join(note.split()), "has_won": has_won}
    return add_row(part=COMPETITORS, deal=deal, values=values, by=by, via=via)


def competitor_names(deal: Deal) -> str:
    """Those of a list's row."""
    return ", ".join(str(row.competitor) for row in deal.competitors.all())


def ask_competitors(operator: str, values: tuple) -> Q:
    """Up against any, all or none of them."""
    rows = DealCompetitor.objects.all()
    if operator == "all":
        whole = Q()
        for value in values:
            whole &= Q(pk__in=rows.filter(competitor=value).values("deal_id"))
        return whole
    wanted = rows.filter(competitor__in=values) if values else rows
    found = Q(pk__in=wanted.values("deal_id"))
    return ~found if operator in {"none", "empty"} else found
