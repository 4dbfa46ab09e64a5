"""What tells that a row is already a counterparty or a contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from counterparties.imports.reach import main_of
from counterparties.models import Contact, Counterparty, Matchable
from counterparties.name_keys import name_key, person_key
from crm.listing.imports.registry import Key, Match, Values
from crm.people.access import kind_label

BETWEEN = "|"


def person_of(values: Values, prefix: str = "") -> tuple[str, str]:
    """First and last name, whichever way the sheet gives them."""
    first, last = values.get(f"{prefix}first_name", ""), values.get(f"{prefix}last_name", "")
    whole, turned = values.get(f"{prefix}person", ""), values.get(f"{prefix}person_turned", "")
    if not (first or last) and whole:
        first, _space, last = whole.rpartition(" ")
    if not (first or last) and turned:
        last, _space, first = turned.partition(" ")
    return first[:100], last[:100]


def counterparty_keys(values: Values) -> list[Key]:
    """The surest first. Two firms of one name with different tax numbers are two."""
    tax = values.get("tax_number", "")
    found = [("tax_number", tax)] if tax else []
    found += [(single, text) for single in ("phone", "email") if (text := main_of(values, single))]
    key = name_key(values.get("name", ""))
    return [*found, ("name", f"{key}{BETWEEN}{tax}")] if key else found


def contact_keys(values: Values) -> list[Key]:
    """An e-mail is a person's own; a phone may be the whole office's, so it counts with the name."""
    person = person_key(*person_of(values))
    email, phone = main_of(values, "email"), main_of(values, "phone")
    found = [("email", email)] if email else []
    if phone and person:
        found.append(("phone", f"{phone}{BETWEEN}{person}"))
    place = values.get("counterparty")
    if person and place:
        where = BETWEEN.join(map(str, place)) if isinstance(place, list) else name_key(place)
        found.append(("name", f"{person}{BETWEEN}{where}"))
    elif person and not found:
        found.append(("name", f"{person}{BETWEEN}"))
    return found


def _wanted(keys: Iterable[Key]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for column, value in keys:
        wanted[column].add(value)
    return wanted


def existing_counterparties(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    """Counterparties that carry any of the keys, also those the user may not see."""
    wanted = _wanted(keys)
    rows = Counterparty._base_manager.filter(deleted_at=None).select_related("owner").order_by("pk")
    hits: list[tuple[Key, Counterparty]] = []
    for column in ("tax_number", "phone", "email"):
        if wanted[column]:
            # Without the second condition SQLite does not use the partial index.
            found = rows.filter(**{f"{column}__in": wanted[column]}).exclude(**{column: ""})
            hits += [((column, getattr(one, column)), one) for one in found]
    hits += _same_names(rows, wanted["name"])
    return matches_of(hits, by)


def _same_names(rows, names: set[str]) -> list[tuple[Key, Counterparty]]:
    by_name: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in names:
        key, _between, tax = name.rpartition(BETWEEN)
        by_name[key].append((tax, name))
    if not by_name:
        return []
    return [
        (("name", name), one)
        for one in rows.filter(name_key__in=list(by_name))
        for tax, name in by_name[one.name_key]
        if not tax or not one.tax_number or tax == one.tax_number
    ]


def existing_contacts(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    wanted = _wanted(keys)
    rows = Contact._base_manager.filter(deleted_at=None).select_related("owner").order_by("pk")
    hits: list[tuple[Key, Contact]] = []
    if wanted["email"]:
        found = rows.filter(email__in=wanted["email"]).exclude(email="")
        hits += [(("email", one.email), one) for one in found]
    if wanted["phone"]:
        numbers = {value.partition(BETWEEN)[0] for value in wanted["phone"]}
        for one in rows.filter(phone__in=numbers).exclude(phone=""):
            key = ("phone", f"{one.phone}{BETWEEN}{one.name_key}")
            hits += [(key, one)] if key[1] in wanted["phone"] else []
    hits += _same_people(rows, wanted["name"])
    return matches_of(hits, by)


def _same_people(rows, names: set[str]) -> list[tuple[Key, Contact]]:
    """People of the same name at the same counterparty; without one, of the same name at none."""
    people = {name.partition(BETWEEN)[0]: name for name in names}
    if not people:
        return []
    hits: list[tuple[Key, Contact]] = []
    for one in rows.filter(name_key__in=list(people)).prefetch_related("links"):
        places = [f"counterparties.counterparty{BETWEEN}{link.counterparty_id}" for link in one.links.all()]
        for place in places or [""]:
            if (name := f"{one.name_key}{BETWEEN}{place}") in names:
                hits.append((("name", name), one))
    return hits


def matches_of(hits: list[tuple[Key, Matchable]], by) -> dict[Key, Match]:
    """What the importing user may be told of the records found: of hidden ones only that they exist, and whose."""
    if not hits:
        return {}
    model = type(hits[0][1])
    pks = {record.pk for _key, record in hits}
    seen, editable = (
        set(model.objects.visible_to(by, action).filter(pk__in=pks).values_list("pk", flat=True))
        for action in ("view", "edit")
    )
    found: dict[Key, Match] = {}
    for key, record in hits:
        if key in found and found[key].id:
            continue
        is_seen = record.pk in seen
        text = str(record) if is_seen else _("exists, belongs to %(owner)s") % {"owner": record.owner or "–"}
        found[key] = Match(
            kind_label(model), record.pk if is_seen else 0, text, is_seen and record.pk in editable
        )
    return found
