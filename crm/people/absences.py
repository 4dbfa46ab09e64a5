"""Who is away, and who stands in for him."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _


class Absence(models.Model):
    """Days on which somebody does not work, both ends included; `substitute` takes what would come to him."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="absences", verbose_name=_("who")
    )
    first_day = models.DateField(_("from"))
    last_day = models.DateField(_("to"))
    substitute = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("substitute"),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["-first_day"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="absence_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(substitute=None) | ~Q(substitute=F("user")), name="absence_not_own_substitute"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "last_day"], name="absences_of_user"),
            models.Index(fields=["last_day", "first_day"], name="absences_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.first_day} – {self.last_day}"


def substitutes(day: date | None = None) -> dict[int, int | None]:
    """{id of somebody away: id of his substitute or None} on a day, today by default. One query.

    Of two absences on the same day the one with a substitute counts.
    """
    day = day or localdate()
    rows = Absence.objects.filter(first_day__lte=day, last_day__gte=day)
    return chosen_substitutes(rows.values_list("pk", "user_id", "substitute_id"))


def chosen_substitutes(absences: Iterable[tuple[int, int, int | None]]) -> dict[int, int | None]:
    """The same from the (id, user, substitute) of the day's absences."""
    found: dict[int, int | None] = {}
    for _pk, user, substitute in sorted(absences, key=lambda absence: absence[0]):
        found[user] = substitute or found.get(user)
    return found


def represented_by(user_id: int, away: dict[int, int | None]) -> list[int]:
    """Ids of the people away whose work comes to `user_id`."""
    return sorted(pk for pk in away if stand_in(pk, away) == user_id)


def stand_in(user_id: int, away: dict[int, int | None]) -> int | None:
    """Who takes what comes to `user_id`: himself, else the first present one along his substitutes, None for nobody."""
    seen: set[int] = set()
    current: int | None = user_id
    while current is not None and current in away:
        if current in seen:
            return None
        seen.add(current)
        current = away[current]
    return current


def present(user_ids: Iterable[int], away: dict[int, int | None]) -> list[int]:
    """Those of `user_ids` who are not away, in their order."""
    return [pk for pk in user_ids if pk not in away]
