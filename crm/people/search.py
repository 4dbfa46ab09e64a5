"""Folded text for finding records: the same on both databases, blind to case and diacritics."""

from django.db import models

from crm.people.folding import fold, sort_key


class Searchable(models.Model):
    """A record found by fragments of `searchable_parts()` and listed in the order of its title."""

    search_text = models.TextField(editable=False, default="")
    sort_key = models.CharField(max_length=200, editable=False, default="", db_index=True)

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
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


def matching(text: str) -> models.Q:
    """The condition that every word of `text` occurs somewhere in a Searchable's text."""
    condition = models.Q()
    for word in fold(text).split()[:8]:
        condition &= models.Q(search_text__contains=word)
    return condition
