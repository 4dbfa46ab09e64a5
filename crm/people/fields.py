"""Field rights: which fields of a kind an administrator may restrict, and how a record is shown without them.

`user.access.hidden_fields(kind)` and `locked_fields(kind)` are the one list that forms, cards, lists, filters, sorting,
search, history, imports and exports ask. Attributes go by `attr_key`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

ATTRIBUTE = "attr_"
# Who owns a record and where it stands decides who sees it and what may be done: never restricted.
_STRUCTURE = {"owner", "department", "status", "stage", "funnel", "attributes"}
# A record without its name could not be told from another.
_NAMES = {"name", "first_name", "last_name"}


# kind → further field → the field whose restrictions hold for it too.
_followers: dict[str, dict[str, str]] = {}


def register_followers(kind: str, followers: dict[str, str]) -> None:
    """Fields that tell the same as another one and more, such as all phones beside the first: {further: first}.

    A rule on the first holds for both. Called from `AppConfig.ready()`.
    """
    _followers.setdefault(kind, {}).update(followers)


def followers_of(kind: str) -> dict[str, str]:
    return _followers.get(kind, {})


# kind → field → the fields of other kinds that it repeats, as (kind, field).
_echoes: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {}


def register_echoes(kind: str, echoes: dict[str, tuple[tuple[str, str], ...]]) -> None:
    """Fields that repeat what stands on records of other kinds, such as the number of a call: {field: (kind, field) …}.

    Such a field is hidden from whoever may not see any one of them. Called from `AppConfig.ready()`.
    """
    _echoes.setdefault(kind, {}).update(echoes)


def echoes_of(kind: str) -> dict[str, tuple[tuple[str, str], ...]]:
    return _echoes.get(kind, {})


def restrictable(model: type[models.Model]) -> dict[str, tuple[str, bool]]:
    """{field: (label, whether it may be hidden)} of the model's own fields; the others may only be read-only."""
    return {
        field.name: (str(field.verbose_name), _may_be_empty(field) and field.name not in _NAMES)
        for field in model._meta.concrete_fields
        if field.editable
        and not field.primary_key
        and field.name not in _STRUCTURE
        and not isinstance(field, models.OneToOneField)
        and field.name not in followers_of(model._meta.label_lower)
        and not field.name.endswith("_at")
    }


def _may_be_empty(field: models.Field) -> bool:
    return field.null or (
        field.blank and isinstance(field, models.CharField | models.TextField | models.JSONField)
    )


def mask(user, records: Iterable[models.Model | None]) -> None:
    """Empties what `user` must not see on loaded records, so that no template can show it.

    A masked record that is saved after all gets its values back first: see `unmask`.
    """
    for record in records:
        if record is not None and (hidden := user.access.hidden_fields(type(record))):
            _mask(record, hidden)


def _mask(record: models.Model, hidden: frozenset[str]) -> None:
    kept = record.__dict__.setdefault("_masked", {})
    for field in record._meta.concrete_fields:
        if field.name not in hidden:
            continue
        if field.attname not in kept:
            kept[field.attname] = getattr(record, field.attname)
            setattr(record, field.attname, None if field.null else "")
    keys = {name.removeprefix(ATTRIBUTE) for name in hidden if name.startswith(ATTRIBUTE)}
    if keys and hasattr(record, "attributes"):
        kept.setdefault("", {}).update(
            {key: value for key, value in record.attributes.items() if key in keys}
        )
        record.attributes = {key: value for key, value in record.attributes.items() if key not in keys}


def unmask(record: models.Model) -> None:
    """Puts hidden values back, unless something was written in their place; `save()` calls it."""
    kept = record.__dict__.pop("_masked", {})
    for attname, value in kept.items():
        if not attname:
            record.attributes = value | record.attributes
        elif getattr(record, attname) in (None, ""):
            setattr(record, attname, value)
