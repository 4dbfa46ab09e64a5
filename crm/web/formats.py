"""How amounts, dates and people are written: the same on every page and in every export of a page."""

import zlib
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm.listing.lists import COUNT_CAP

NBSP = "\u00a0"
COLOURS = 12


def number(value) -> str:
    """A whole number in groups of three."""
    return formats.number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True)


def capped(count: int) -> str:
    """The count of a list; beyond its limit nobody has counted: "1,000+"."""
    return f"{number(COUNT_CAP)}+" if count > COUNT_CAP else number(count)


def exact(moment) -> str:
    """A date or a moment in full, in the reader's zone and language."""
    if isinstance(moment, datetime):
        local = _local(moment)
        return f"{_written(local.date(), 'DATE_FORMAT', get_language())}, {local:%H:%M}"
    return _written(moment, "DATE_FORMAT", get_language())


def relative(moment, now=None) -> str:
    """How long ago or how soon, in as few words as leave no doubt."""
    now = now or timezone.now()
    if not isinstance(moment, datetime):
        return _day(moment, timezone.localdate(now), get_language())
    local = _local(moment)
    gap = moment - now if timezone.is_aware(moment) else local - timezone.make_naive(now)
    minutes = round(abs(gap) / timedelta(minutes=1))
    past = gap < timedelta(0)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        text = _("%(count)s min ago") if past else _("in %(count)s min")
        return text % {"count": minutes}
    if past and minutes < 6 * 60:
        return _("%(count)s h ago") % {"count": minutes // 60}
    today = _local(now).date()
    day = _day(local.date(), today, get_language())
    return f"{day}{NBSP}{local:%H:%M}" if abs((local.date() - today).days) <= 1 else day


def _local(moment):
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment


@lru_cache(maxsize=4096)
def _written(day: date, pattern: str, language: str) -> str:
    """Lists write the same days over and over; Django's formatting is slow."""
    return formats.date_format(day, pattern)


@lru_cache(maxsize=4096)
def _day(day: date, today: date, language: str) -> str:
    days = (day - today).days
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}
    if days in near:
        return near[days]
    if 0 < days < 7:
        return ngettext("in %(count)s day", "in %(count)s days", days) % {"count": days}
    if -7 < days < 0:
        return ngettext("%(count)s day ago", "%(count)s days ago", -days) % {"count": -days}
    # Polish writes months in small letters, English does not.
    month = "b" if (language or "").startswith("pl") else "M"
    return formats.date_format(day, f"j {month}" if day.year == today.year else f"j {month} Y")


def time_tag(moment, css=""):
    """``<time>`` with the relative text, and the exact one on hover."""
    if not moment:
        return ""
    if not isinstance(moment, datetime):
        return _date_tag(moment, timezone.localdate(), get_language(), css)
    kind = format_html(' class="{}"', css) if css else ""
    title, text = escape(exact(moment)), escape(relative(moment))
    # The moment's ISO form holds digits and separators only.
    stamp = moment.isoformat(timespec="minutes").replace("+00:00", "Z")
    return mark_safe(f'<time datetime="{stamp}" title="{title}"{kind}>{text}</time>')


@lru_cache(maxsize=4096)
def _date_tag(day: date, today: date, language: str, css: str):
    title, text = exact(day), _day(day, today, language)
    hover = format_html(' title="{}"', title) if title != text else ""
    kind = format_html(' class="{}"', css) if css else ""
    return format_html('<time datetime="{}"{}{}>{}</time>', day.isoformat(), hover, kind, text)


def is_past(moment) -> bool:
    if isinstance(moment, datetime):
        return moment < timezone.now()
    return moment < timezone.localdate()


def initials(name: str) -> str:
    """One or two capitals to stand for a name."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def colour_of(name: str) -> int:
    """The same colour number for the same name, on every machine."""
    return zlib.crc32(name.encode()) % COLOURS
