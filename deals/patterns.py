"""The patterns that numbers of deals follow, such as `{year}/{number:5}`."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LENGTH = 40
"""So long a number may be."""
MOST_DIGITS = 9
_NUMBER = re.compile(r"\{number(?::([1-9]))?\}")
_WORDS = {"{year}": "2000", "{month}": "01"}


def split_pattern(pattern: str) -> tuple[str, int, str]:
    """(what stands before the number, its least digits, what stands after it). Of a checked pattern."""
    found = _NUMBER.search(pattern)
    return pattern[: found.start()], int(found[1] or 1), pattern[found.end() :]


def validate_pattern(pattern: str) -> None:
    """Raises ValidationError unless there is one number in it, no word but the known ones, and room for it."""
    if len(_NUMBER.findall(pattern)) != 1:
        raise ValidationError(_("The pattern needs one {number}, or {number:4} for at least four digits."))
    before, _digits, after = split_pattern(pattern)
    for word, sample in _WORDS.items():
        before, after = before.replace(word, sample), after.replace(word, sample)
    around = before + after
    if "{" in around or "}" in around:
        raise ValidationError(_("Only {number}, {year} and {month} may stand in curly brackets."))
    if "{month}" in pattern and "{year}" not in pattern:
        raise ValidationError(_("A pattern with {month} needs {year} too."))
    if before[-1:].isdecimal() or after[:1].isdecimal():
        raise ValidationError(_("Put a sign between {number} and other digits, such as / or -."))
    if len(around) + MOST_DIGITS > LENGTH:
        raise ValidationError(_("Such numbers would be longer than %(length)s signs.") % {"length": LENGTH})
