"""The page of figures: per person and per hour, each figure opening its calls."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.views.decorators.http import require_safe

from crm.listing.periods import PERIODS as NAMES
from crm.web.htmx import page
from telephony.models import Call
from telephony.statistics import PERIODS, HourLine, Statistics, read_statistics

# Of the chart, in its own units.
WIDTH, HEIGHT, FOOT, GAP = 720, 160, 20, 4


@dataclass(frozen=True)
class Bar:
    """One hour as the chart draws it: from `x`, answered calls at the bottom, missed ones on top of them."""

    line: HourLine
    x: float
    width: float
    answered_y: float
    answered_height: float
    missed_y: float
    missed_height: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def label_y(self) -> float:
        return self.missed_y - 4


@require_safe
def statistics(request):
    """What the reader may see of a period."""
    if not request.user.access.may(Call, "view"):
        raise PermissionDenied
    period = request.GET.get("period", "")
    period = period if period in PERIODS else "this_month"
    given = request.GET.get("person", "")
    person = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None
    found = read_statistics(request.user, period, person)
    within = f"f=started_at:period:{period}"
    context = {
        "found": found,
        "bars": bars_of(found),
        "within": within,
        "chosen": within + (f"&f=owner:any:{person}" if person else ""),
        "period": period,
        "periods": [(key, NAMES[key]) for key in PERIODS],
        "person": person,
        "width": WIDTH,
        "height": HEIGHT + FOOT,
        "foot": HEIGHT + FOOT - 4,
    }
    return page(request, "telephony/statistics.html", context)


def bars_of(found: Statistics) -> list[Bar]:
    """The hours from the first to the last that has calls, an ordinary working day at least."""
    busy = [line.hour for line in found.hours if line.incoming]
    first, last = min([8, *busy]), max([17, *busy])
    lines = found.hours[first : last + 1]
    most, each = max([1, *(line.incoming for line in lines)]), WIDTH / len(lines)
    bars = []
    for place, line in enumerate(lines):
        answered = round((HEIGHT - 14) * line.figures.answered / most, 1)
        missed = round((HEIGHT - 14) * line.figures.missed / most, 1)
        bars.append(
            Bar(
                line, round(place * each + GAP / 2, 1), round(each - GAP, 1), HEIGHT - answered, answered,
                HEIGHT - answered - missed, missed,
            )
        )  # fmt: skip
    return bars
