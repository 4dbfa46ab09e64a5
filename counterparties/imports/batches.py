"""Writing rows as counterparties, with the people named in them, and as contacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from counterparties.imports import consenting
from counterparties.imports.columns import COUNTERPARTY_KIND, active_types
from counterparties.imports.keys import person_of
from counterparties.imports.linking import COMPANION as LINK
from counterparties.imports.linking import link_people
from counterparties.imports.reach import reach_of
from counterparties.imports.requisites import rows_added
from counterparties.models import Contact, ContactLink, Counterparty, Industry, Region, write_points
from counterparties.name_keys import name_key, person_key
from counterparties.signals import contacts_written, counterparties_written
from crm.listing.imports.records import RecordBatch
from crm.listing.imports.registry import Values

PERSON = "contact_"
_PLAIN = (
    "name", "tax_number", "registry_number", "statistical_number", "country", "website", "address", "postal_code",
    "city", "employee_count", "note",
)  # fmt: skip
_REACHED = ("phone", "phones", "email", "emails")
_ADDED = ("accounts", "addresses", "categories")
_DICTIONARIES = {"industry": Industry, "region": Region}


class CounterpartyBatch(RecordBatch):
    model = Counterparty
    created_kind = "counterparty_imported"
    updated_kind = "counterparty_import_updated"
    updates = (*_PLAIN, *_REACHED, *_ADDED, *_DICTIONARIES)
    related = ("owner", "counterparty_type", "industry", "region")

    def __init__(self, run, by) -> None:
        super().__init__(run, by)
        self.types = active_types()

    def fields_of(self, values: Values, record=None) -> dict[str, Any]:
        found = {key: values[key] for key in _PLAIN if values.get(key)}
        for key, dictionary in _DICTIONARIES.items():
            if entry := self.entry(dictionary, key, values.get(key)):
                found[key] = entry
        record = record or Counterparty()
        return found | reach_of(values, record) | rows_added(record, values)

    def complete(self, record: Counterparty, values: Values) -> None:
        if not self.types:
            raise ValidationError(_("There is no type of counterparty yet."))
        wanted = values.get("counterparty_type")
        record.counterparty_type = next((one for one in self.types if one.pk == wanted), self.types[0])

    def after_create(self, records: dict[int, Counterparty], rows: dict[int, Values]) -> None:
        write_points([*records.values()])
        counterparties_written.send(Counterparty, counterparties=[*records.values()], by=self.by)
        self._add_people(records, rows)

    after_update = after_create

    def _add_people(self, records: dict[int, Counterparty], rows: dict[int, Values]) -> None:
        """The person of each row, unless the counterparty has him already."""
        wanted = {}
        for number, record in records.items():
            values = {
                key.removeprefix(PERSON): value
                for key, value in rows[number].items()
                if key.startswith(PERSON)
            }
            if person_key(*person_of(values)):
                wanted[number] = {
                    **values, "owner": record.owner_id, "counterparty": [COUNTERPARTY_KIND, record.pk]
                }  # fmt: skip
        present = people_of({records[number].pk for number in wanted})
        fresh = {}
        for number, values in wanted.items():
            place, traits = records[number].pk, traits_of(values)
            if not traits & present.setdefault(place, set()):
                fresh[number] = values
                present[place] |= traits
        if fresh:
            places = {records[number].pk: records[number] for number in fresh}
            people = ContactBatch(self.run, self.by, places)
            people.write(list(fresh.items()), [])
            for number, pk in people.written.created.items():
                self.written.companions.setdefault(number, []).append(["counterparties.contact", pk])


def traits_of(values: Values) -> set[tuple[str, str]]:
    """What makes a person the same at one counterparty."""
    found = {("name", person_key(*person_of(values))), ("email", values.get("email", ""))}
    return {trait for trait in found if trait[1]}


def people_of(counterparties: Iterable[int]) -> dict[int, set[tuple[str, str]]]:
    """The traits of the people at each counterparty, one query."""
    found: dict[int, set[tuple[str, str]]] = {}
    links = ContactLink.objects.filter(counterparty__in=set(counterparties), contact__deleted_at=None)
    for pk, name, email in links.values_list("counterparty_id", "contact__name_key", "contact__email"):
        found.setdefault(pk, set()).update({("name", name), ("email", email)})
    return {pk: {trait for trait in traits if trait[1]} for pk, traits in found.items()}


class ContactBatch(RecordBatch):
    model = Contact
    created_kind = "contact_imported"
    updated_kind = "contact_import_updated"
    updates = ("first_name", "last_name", "position", "note", *_REACHED)

    def __init__(self, run, by, places: dict[int, Counterparty] | None = None) -> None:
        super().__init__(run, by)
        self.places = places
        self.made: dict[str, Counterparty] = {}
        self._place_of: dict[int, Counterparty] = {}

    def begin(self, rows: list[Values]) -> None:
        if self.places is None:
            self.places = self.load(COUNTERPARTY_KIND, rows, "counterparty")

    def fields_of(self, values: Values, record=None) -> dict[str, Any]:
        found = {key: values[key] for key in ("position", "note") if values.get(key)}
        first, last = person_of(values)
        if first or last:
            found |= {"first_name": first, "last_name": last}
        return found | reach_of(values, record or Contact())

    def create(self, rows: dict[int, Values]) -> None:
        self._make_places(rows)
        super().create(rows)

    def _make_places(self, rows: dict[int, Values]) -> None:
        """Counterparties that are not there yet and shall be made from their names."""
        firsts: dict[str, tuple[int, str]] = {}
        for number, values in rows.items():
            text = values.get("counterparty")
            if isinstance(text, str) and name_key(text) not in self.made:
                firsts.setdefault(name_key(text), (number, text))
        made = make_counterparties(firsts, run=self.run, by=self.by)
        self.made |= made
        for key, (number, _text) in firsts.items():
            if key in made:
                self.accompany(number, made[key])

    def place_of(self, values: Values) -> Counterparty | None:
        meant = values.get("counterparty")
        if isinstance(meant, str):
            return self.made.get(name_key(meant))
        return (self.places or {}).get(meant[1]) if meant else None

    def complete(self, record: Contact, values: Values) -> None:
        if place := self.place_of(values):
            self._place_of[id(record)] = place

    def cards_of(self, records) -> dict[int, list]:
        return {one.pk: [self._place_of[id(one)]] for one in records if id(one) in self._place_of}

    def after_create(self, records: dict[int, Contact], rows: dict[int, Values]) -> None:
        pairs = [
            (self._place_of[id(one)], one, rows[number].get("role", ""))
            for number, one in records.items()
            if id(one) in self._place_of
        ]
        link_people(pairs, by=self.by)
        self._note_consents(records, rows)
        self._tell([*records.values()])

    def _note_consents(self, records: dict[int, Contact], rows: dict[int, Values]) -> list:
        pairs = [(contact, rows[number]) for number, contact in records.items()]
        return consenting.write_consents(pairs, run=self.run, by=self.by, payload=self.payload)

    def _tell(self, contacts: list[Contact]) -> None:
        write_points(contacts)
        contacts_written.send(Contact, contacts=contacts, by=self.by)

    def after_update(self, records: dict[int, Contact], rows: dict[int, Values]) -> None:
        self._tell([*records.values()])
        numbers = {contact.pk: number for number, contact in records.items()}
        pairs = [
            (place, one, rows[number].get("role", ""))
            for number, one in records.items()
            if (place := self.place_of(rows[number]))
        ]
        for link in link_people(pairs, by=self.by, payload=self.payload):
            self.written.companions.setdefault(numbers[link.contact_id], []).append([LINK, link.pk])
        for consent in self._note_consents(records, rows):
            companion = [consenting.COMPANION, consent.pk]
            self.written.companions.setdefault(numbers[consent.contact_id], []).append(companion)


def make_counterparties(firsts: dict[str, tuple[int, str]], *, run, by) -> dict[str, Counterparty]:
    """New counterparties known by name alone, by their name key; one that another batch has made is taken again."""
    known = Counterparty.objects.visible_to(by).filter(name_key__in=list(firsts)).order_by("-pk")
    found = {one.name_key: one for one in known}
    lacking = {number: text for key, (number, text) in firsts.items() if key and key not in found}
    if lacking:
        batch = CounterpartyBatch(run, by)
        batch.write([(number, {"name": text}) for number, text in lacking.items()], [])
        made = Counterparty._base_manager.filter(pk__in=batch.written.created.values())
        found |= {one.name_key: one for one in made}
    return {key: found[key] for key in firsts if key in found}
