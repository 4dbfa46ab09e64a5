"""Finding a record by whatever a spreadsheet calls it: its name, tax number, phone or e-mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from django.db.models import Q, QuerySet

from counterparties.models import Contact, Counterparty
from counterparties.name_keys import name_key, person_key
from crm.listing.imports.cells import tax_number_of
from crm.people.company import company_country
from crm.people.phones import normalise_phone


def find_counterparties_by_text(texts: Iterable[str], *, by) -> dict[str, list[int]]:
    return find_by_columns(Counterparty.objects.visible_to(by), texts, by_name=name_key)


def find_contacts_by_text(texts: Iterable[str], *, by) -> dict[str, list[int]]:
    return find_by_columns(Contact.objects.visible_to(by), texts, by_name=lambda text: person_key(text, ""))


def find_by_columns(
    records: QuerySet, texts: Iterable[str], *, by_name: Callable[[str], str]
) -> dict[str, list[int]]:
    """{text: ids}, one query. A text that is a phone, e-mail or tax number is not looked for as a name."""
    known = {field.name for field in records.model._meta.fields}
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text in texts:
        if place := _place(text, known, by_name):
            wanted[place].append(text)
    condition, columns = Q(pk__in=[]), {column for column, _value in wanted}
    for column in sorted(columns):
        values = [value for name, value in wanted if name == column]
        # The partial indexes hold no empty values, and SQLite uses them only when the query says so too.
        condition |= Q(**{f"{column}__in": values}) & ~Q(**{column: ""})
    found: dict[str, list[int]] = defaultdict(list)
    for pk, *values in records.filter(condition).order_by("pk").values_list("pk", *sorted(columns)):
        for pair in zip(sorted(columns), values, strict=True):
            for text in wanted.get(pair, ()):
                found[text].append(pk)
    return dict(found)


def _place(text: str, known: set[str], by_name: Callable[[str], str]) -> tuple[str, str] | None:
    """The column a text is looked for in, with the value in its stored spelling."""
    if "@" in text:
        return "email", text.strip().lower()
    if "tax_number" in known and (number := tax_number_of(text, company_country())):
        return "tax_number", number
    digits = sum(char.isdigit() for char in text)
    if digits > 6 and (phone := normalise_phone(text)):
        return "phone", phone
    key = by_name(text)
    return ("name_key", key) if key else None
