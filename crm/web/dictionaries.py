"""Dictionaries that people keep outside the administration: reasons, sources, competitors and the like.

An entry is never deleted: it is retired, so that records which name it can still be read. Who may change the entries of
a dictionary is the administration's right to change its model; every change stands on the administration's record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from crm.history.definitions import end_of, order_definitions, write_definition
from crm.people.access import kind_label
from crm.people.folding import fold

MOST_ENTRIES = 500


@dataclass(frozen=True)
class Dictionary:
    """A dictionary: a model of named entries with `is_active` and `position`.

    `about`: a sentence on what its entries are for. `fields`: what an entry holds beside its names.
    `group`: the one of `fields` within which names are told apart and entries are ordered.
    `prepare(entry)`: fills what a new entry needs and nobody types.
    """

    model: type[models.Model]
    about: object
    fields: tuple[str, ...] = ()
    group: str = ""
    prepare: Callable[[models.Model], None] = lambda entry: None

    @property
    def key(self) -> str:
        return kind_label(self.model).replace(".", "-")

    @property
    def label(self) -> str:
        text = str(self.model._meta.verbose_name_plural)
        return text[:1].upper() + text[1:]

    def may_change(self, user) -> bool:
        app, name = kind_label(self.model).split(".")
        return user.is_active and user.is_staff and user.has_perm(f"{app}.change_{name}")


_dictionaries: dict[str, Dictionary] = {}


def register_dictionary(*dictionaries: Dictionary) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _dictionaries.update({one.key: one for one in dictionaries})


def dictionary(key: str) -> Dictionary | None:
    return _dictionaries.get(key)


def dictionaries_of(user) -> list[Dictionary]:
    """Those whose entries the user may change, by name."""
    return sorted(
        (one for one in _dictionaries.values() if one.may_change(user)), key=lambda one: fold(one.label)
    )


def may_keep_dictionaries(user) -> bool:
    return any(one.may_change(user) for one in _dictionaries.values())


@transaction.atomic
def save_entry(*, book: Dictionary, entry: models.Model | None = None, values: dict, by) -> models.Model:
    """Adds an entry at the end, or changes one. Raises PermissionDenied, ValidationError (a name that is there)."""
    _demand(book, by)
    if entry is None:
        if book.model._default_manager.count() >= MOST_ENTRIES:
            raise ValidationError(_("A dictionary has at most %(most)s entries.") % {"most": MOST_ENTRIES})
        entry = book.model(position=end_of(book.model._default_manager.all()))
    _demand_own_name(book, entry, values)
    for name in book.fields if entry.pk is None else ():
        setattr(entry, name, values.get(name, getattr(entry, name)))
    if entry.pk is None:
        entry.name = values["name"]
        book.prepare(entry)
    write_definition(entry, values, by)
    return entry


def _demand_own_name(book: Dictionary, entry: models.Model, values: dict) -> None:
    """Two entries of one name could not be told apart, whether they are offered or not."""
    others = book.model._default_manager.exclude(pk=entry.pk)
    if book.group:
        others = others.filter(**{book.group: values.get(book.group, getattr(entry, book.group))})
    taken = {fold(name) for pair in others.values_list("name", "name_pl") for name in pair if name}
    for name in ("name", "name_pl"):
        if fold(values.get(name, "")) in taken:
            raise ValidationError({name: _("There is an entry of this name already.")})


@transaction.atomic
def retire_entry(*, book: Dictionary, entry: models.Model, is_active: bool, by) -> None:
    """Takes an entry out of what is offered, or offers it again. Records that name it keep it."""
    _demand(book, by)
    write_definition(entry, {"is_active": is_active}, by)


@transaction.atomic
def order_entries(*, book: Dictionary, ids: list[int], by) -> None:
    """The order in which entries are offered. Raises PermissionDenied."""
    _demand(book, by)
    order_definitions(book.model._default_manager.all(), ids, by)


def _demand(book: Dictionary, by) -> None:
    if not book.may_change(by):
        raise PermissionDenied
