"""Folded text for finding records: the same on both databases, blind to case and diacritics."""

import re

from django.db import models

from crm.people.fields import ATTRIBUTE, unmask
from crm.people.folding import fold, sort_key
from crm.people.fragments import LENGTH

_MARKS = re.compile(r"[\s()+/.\-\u2010-\u2015]")
_NUMBER = re.compile(r"(?:[a-z]{2})?(\d{3,})")
# So many digits are a number.
_SHORT = 3
_MOST_WORDS = 8


@models.CharField.register_lookup
class Resembles(models.Lookup):
    """`sort_key__resembles="l_o_%"`: the pattern as it is, underscores and all."""

    lookup_name = "resembles"

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", [*left_params, *right_params]


class Searchable(models.Model):
    """A record found by fragments of `searchable_parts()` and listed in the order of its title."""

    search_text = models.TextField(editable=False, default="")
    sort_key = models.CharField(max_length=200, editable=False, default="", db_index=True)

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        unmask(self)
        self.refresh_search()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text", "sort_key"}
        super().save(*args, **kwargs)

    def searchable_parts(self) -> list[str]:
        """The texts a person may type to find the record; empty ones are dropped."""
        raise NotImplementedError(type(self).__name__)

    def refresh_search(self) -> None:
        """Fills the derived columns from the record's present values; `save()` calls it."""
        self.search_text = fold(" ".join(part for part in self.searchable_parts() if part))
        self.sort_key = sort_key(str(self))[:200]


def digits_of(text: str) -> str:
    """The digits of a telephone, tax or other number in whichever notation; empty when `text` is not one.

    Without what notations differ in: marks, a country's letters, the zeros one dials before a number.
    """
    found = _NUMBER.fullmatch(_MARKS.sub("", fold(text)))
    if found is None:
        return ""
    digits = found[1].lstrip("0")
    return digits if len(digits) >= _SHORT else found[1]


def matching(text: str, user=None, model: type[models.Model] | None = None) -> models.Q:
    """The condition that every word of `text` occurs in a Searchable's text, or that its number does.

    With `user` and `model`: for somebody from whom a text of the kind is hidden, only in the record's name, since
    finding a record by a hidden telephone number would tell the number.
    """
    holds = _in_name if hides_text(user, model) else _in_text
    condition = models.Q()
    for word in fold(text).split()[:_MOST_WORDS]:
        condition &= holds(word)
    digits = digits_of(text)
    return condition | holds(digits) if digits and digits != fold(text) else condition


def starting(text: str, user=None, model: type[models.Model] | None = None) -> models.Q:
    """The condition that the record's name begins with `text`."""
    folded = fold(text)
    if hides_text(user, model):
        return models.Q(sort_key__resembles=f"{_name_pattern(folded)}%")
    # By an index of its own: the one of fragments would bring every text that holds these letters anywhere.
    return models.Q(search_text__begins=folded)


def _in_text(word: str) -> models.Q:
    """A word too short for the index of fragments is taken for the beginning of a word."""
    if len(word) >= LENGTH:
        return models.Q(search_text__holds=word)
    inside = f" {word}"
    if len(inside) < LENGTH:
        # One letter begins words everywhere: reading the newest records finds some before an index has sorted them all.
        return models.Q(search_text__startswith=word) | models.Q(search_text__contains=inside)
    return models.Q(search_text__begins=word) | models.Q(search_text__holds=inside)


def _in_name(word: str) -> models.Q:
    return models.Q(sort_key__resembles=f"%{_name_pattern(word)}%")


def _name_pattern(folded: str) -> str:
    """The pattern of a folded text in sort keys, where each letter is followed by the weight of its accent."""
    return "".join(f"{char}_" if "a" <= char <= "z" else sort_key(char) or "00" for char in folded)


def hides_text(user, model: type[models.Model] | None) -> bool:
    """Whether a text of the kind is hidden from the user."""
    if user is None or model is None:
        return False
    hidden = user.access.hidden_fields(model)
    if any(name.startswith(ATTRIBUTE) for name in hidden):
        return True
    texts = models.CharField | models.TextField
    return any(field.name in hidden and isinstance(field, texts) for field in model._meta.concrete_fields)
