"""What tells that a row of an import is already a lead, a client or a contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model
from django.utils.translation import gettext as _

from counterparties.finding import find_by_columns
from counterparties.models import Contact, Counterparty
from counterparties.name_keys import name_key, person_key
from crm.listing.imports.registry import Key, Match, Values
from crm.people.access import kind_label
from crm.people.models import User
from leads.models import OPEN_STATUSES, Lead, LeadStatus

COLUMNS = ("tax_number", "phone", "email")
_BETWEEN = "|"
_READ = ("name", "company", "first_name", "last_name", "name_key", "status", "owner")


def person_of(values: Values) -> tuple[str, str]:
    """First and last name, whichever way the sheet gives them."""
    first, last = values.get("first_name", ""), values.get("last_name", "")
    if not (first or last) and values.get("person"):
        first, _space, last = values["person"].rpartition(" ")
    if not (first or last) and values.get("person_turned"):
        last, _space, first = values["person_turned"].partition(" ")
    return first, last


def keys_of(values: Values) -> list[Key]:
    """The surest first. A name counts only with the company, or when nothing else is known."""
    found = [(column, str(values[column])) for column in COLUMNS if values.get(column)]
    if not values.get("phone") and values.get("phone_2"):
        found.append(("phone", values["phone_2"]))
    company, person = name_key(values.get("company", "")), person_key(*person_of(values))
    if company or (person and not found):
        found.append(("name", f"{company}{_BETWEEN}{person}"))
    return found


@dataclass(frozen=True)
class _Hit:
    record: Model
    key: Key


def existing(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    """The records that carry any of these keys: leads before counterparties before contacts."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for column, value in keys:
        wanted[column].add(value)
    hits: list[_Hit] = []
    for model in (Lead, Counterparty, Contact):
        hits += _hits(model, wanted)
    return _matches(hits, by)


def _hits(model: type[Model], wanted: dict[str, set[str]]) -> list[_Hit]:
    fields = {field.name for field in model._meta.fields}
    rows = model._base_manager.filter(deleted_at=None).only(*fields & {*COLUMNS, *_READ})
    hits = []
    for column in COLUMNS:
        if wanted[column] and column in fields:
            # Without the second condition SQLite does not use the partial index.
            found = rows.filter(**{f"{column}__in": wanted[column]}).exclude(**{column: ""}).order_by("pk")
            hits += [_Hit(record, (column, getattr(record, column))) for record in found]
    return hits + _name_hits(model, rows, wanted["name"])


def _name_hits(model: type[Model], rows, names: set[str]) -> list[_Hit]:
    """Names are compared in two steps: by the indexed key, then company and person apart."""
    if not names:
        return []
    by_key = defaultdict(list)
    for name in names:
        company, _between, person = name.partition(_BETWEEN)
        if company or model is not Counterparty:
            by_key[person if model is Contact or not company else company].append((company, person, name))
    if model is Contact:
        by_key = {key: [entry for entry in entries if not entry[0]] for key, entries in by_key.items()}
    found = rows.filter(name_key__in=[key for key, entries in by_key.items() if entries]).order_by("pk")
    return [
        _Hit(record, ("name", name))
        for record in found
        for company, person, name in by_key[record.name_key]
        if _same_name(record, company, person)
    ]


def _same_name(record: Model, company: str, person: str) -> bool:
    if isinstance(record, Counterparty):
        return bool(company)
    own = person_key(record.first_name, record.last_name)
    if isinstance(record, Contact) or not company:
        return own == person and not getattr(record, "company", "")
    return not own or not person or own == person


def _matches(hits: list[_Hit], by) -> dict[Key, Match]:
    visible = {model: _allowed(model, hits, by, "view") for model in (Lead, Counterparty, Contact)}
    editable = _allowed(Lead, hits, by, "edit")
    hidden = {hit.record.owner_id for hit in hits if hit.record.pk not in visible[type(hit.record)]}
    owners = User.objects.in_bulk(hidden - {None})
    matches: dict[Key, Match] = {}
    for hit in hits:
        if hit.key in matches:
            continue
        record, model = hit.record, type(hit.record)
        seen = record.pk in visible[model]
        text = (
            str(record)
            if seen
            else _("exists, belongs to %(owner)s") % {"owner": owners.get(record.owner_id, "–")}
        )
        updatable = model is Lead and record.pk in editable and record.status != LeadStatus.QUALIFIED
        matches[hit.key] = Match(kind_label(model), record.pk if seen else 0, text, seen and updatable)
    return matches


def _allowed(model: type[Model], hits: list[_Hit], by, action: str) -> set[int]:
    pks = {hit.record.pk for hit in hits if type(hit.record) is model}
    if not pks:
        return set()
    return set(model.objects.visible_to(by, action).filter(pk__in=pks).values_list("pk", flat=True))


def find_leads(texts: Iterable[str], *, by) -> dict[str, list[int]]:
    """The open leads a text may mean: by company or person, tax number, phone or e-mail."""
    return find_by_columns(
        Lead.objects.visible_to(by).filter(status__in=OPEN_STATUSES), texts, by_name=name_key
    )
