"""Folded text for finding records: the same on both databases, blind to case and diacritics."""

from django.db import models

from crm.people.fields import ATTRIBUTE, unmask
from crm.people.folding import fold, sort_key


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


def matching(text: str, user=None, model: type[models.Model] | None = None) -> models.Q:
    """The condition that every word of `text` occurs somewhere in a Searchable's text.

    With `user` and `model`: for somebody from whom a text of the kind is hidden, only in the record's name, since
    finding a record by a hidden telephone number would tell the number.
    """
    condition = models.Q()
    by_name = user is not None and _hides_text(user, model)
    for word in fold(text).split()[:8]:
        condition &= (
            models.Q(sort_key__contains=sort_key(word)) if by_name else models.Q(search_text__contains=word)
        )
    return condition


def _hides_text(user, model: type[models.Model]) -> bool:
    hidden = user.access.hidden_fields(model)
    if any(name.startswith(ATTRIBUTE) for name in hidden):
        return True
    texts = models.CharField | models.TextField
    return any(field.name in hidden and isinstance(field, texts) for field in model._meta.concrete_fields)
