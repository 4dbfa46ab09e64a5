"""Typed values of an export, and how a text stays a text in a spreadsheet."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

# What a spreadsheet takes for the start of a formula, also behind blanks and after a full-width sign.
RISKY = re.compile(r"^\s*[=+\-@\t\r\n|%＝＋－＠]")
PHONE = re.compile(r"^\+[1-9]\d{6,14}$")
# XML 1.0 has no place for these.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MOST_CHARACTERS = 32_767


def typed(value):
    """None, bool, Decimal, date, naive local datetime or text: the types a cell can have."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.replace(tzinfo=None, microsecond=0)
    if isinstance(value, bool | Decimal | date):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value)
    text = str(value) if isinstance(value, Model) else f"{value}"
    return FORBIDDEN.sub("", text)[:MOST_CHARACTERS]


def harmless(text: str) -> str:
    """A text that no spreadsheet runs when it opens a CSV file; phones in E.164 stay as they are."""
    return f"'{text}" if RISKY.match(text) and not PHONE.match(text) else text


def written(value, *, comma: bool) -> str:
    """A typed value in a CSV file; `comma`: decimals as they are written in Polish."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.replace(".", ",") if comma else text
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, date) else harmless(value)
