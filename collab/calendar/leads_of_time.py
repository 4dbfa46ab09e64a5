"""How long before an activity a reminder may come, and what is usual."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

LEADS = (0, 5, 10, 15, 30, 60, 120, 1440, 2880, 10080)
STANDARD = {"call": (5,), "meeting": (15,), "letter": ()}
MOST = 8
DAY = 1440


def lead_label(minutes: int) -> str:
    """“15 min before” in the reader's language."""
    if minutes == 0:
        return _("at the start")
    if minutes % DAY == 0:
        return ngettext_lazy("%(count)s day before", "%(count)s days before", minutes // DAY) % {
            "count": minutes // DAY
        }
    if minutes % 60 == 0:
        return ngettext_lazy("%(count)s hour before", "%(count)s hours before", minutes // 60) % {
            "count": minutes // 60
        }
    return _("%(count)s min before") % {"count": minutes}


def lead_choices(*more: int) -> list[tuple[int, str]]:
    """What a form offers; unusual values that are set already as well."""
    return [(each, lead_label(each)) for each in sorted({*LEADS, *more})]
