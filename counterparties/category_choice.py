"""The categories chosen by hand: reading what was given, and what must be chosen."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from counterparties.models import Category, CategoryGroup


def clean_categories(value) -> list[int]:
    """Ids of categories that are chosen by hand, in order, from ids, records or names. Raises ValidationError."""
    given = value.split(",") if isinstance(value, str) else list(value or [])
    wanted = [str(getattr(one, "pk", one)).strip() for one in given]
    wanted = [one for one in wanted if one]
    if not wanted:
        return []
    known: dict[str, int] = {}
    for one in Category.objects.filter(rule=""):
        known |= {str(one.pk): one.pk, one.name.lower(): one.pk, one.name_pl.lower(): one.pk}
    if unknown := [one for one in wanted if one.lower() not in known]:
        text = _("There is no category “%(name)s” to choose.") % {"name": unknown[0][:80]}
        raise ValidationError({"categories": text})
    return sorted({known[one.lower()] for one in wanted})


def demand_required(chosen: list[int]) -> None:
    """Raises ValidationError when a required group has categories to choose and none of them is chosen."""
    for group in CategoryGroup.objects.filter(is_required=True).prefetch_related("categories"):
        offered = {one.pk for one in group.categories.all() if one.is_active and not one.rule}
        if offered and not offered & set(chosen):
            raise ValidationError({"categories": _("Choose a category of “%(name)s”.") % {"name": group}})
