"""The traits of stored records, and keeping their keys in step with them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models

from counterparties.matching.keys import Traits, index_records, make_traits, traits_of
from crm.people.access import kind_label
from crm.people.kinds import kind_named


def texts_of(values: Mapping, one: str, several: str, part: str) -> list[str]:
    """The text of the column `one` and those of the rows `several` ([{part: text}] or [text]), where there are any."""
    rows = values.get(several) or []
    more = [row.get(part, "") if isinstance(row, Mapping) else row for row in rows if row]
    return [text for text in [values.get(one, ""), *more] if isinstance(text, str) and text]


def organisation_traits(values: Mapping) -> Traits:
    """Of a counterparty; a private person is compared with people too."""
    name = str(values.get("name", ""))
    return make_traits(
        tax_numbers=[values.get("tax_number", "")],
        phones=texts_of(values, "phone", "phones", "number"),
        emails=texts_of(values, "email", "emails", "email"),
        names=[name],
        persons=[name] if values.get("is_person") else [],
        websites=[values.get("website", "")],
        cities=[values.get("city", "")],
    )


def person_traits(values: Mapping) -> Traits:
    """Of a contact."""
    return make_traits(
        phones=texts_of(values, "phone", "phones", "number"),
        emails=texts_of(values, "email", "emails", "email"),
        persons=[f"{values.get('first_name', '')} {values.get('last_name', '')}"],
        cities=[values.get("city", "")],
    )


class RecordValues(dict):
    """A record's fields as the traits ask for them: read when asked, empty where the model has none."""

    def __init__(self, record: models.Model) -> None:
        super().__init__()
        self.record = record

    def get(self, name, default=None):
        if name == "is_person":
            return getattr(getattr(self.record, "counterparty_type", None), "is_person", False)
        return getattr(self.record, name, default)


def traits_of_record(label: str, record: models.Model) -> Traits:
    return traits_of(label, RecordValues(record))


def read_traits(label: str, pks: list[int]) -> dict[int, Traits]:
    """The traits of standing records, one query."""
    rows = kind_named(label).model._base_manager.filter(pk__in=pks, deleted_at=None)
    return {record.pk: traits_of_record(label, record) for record in with_type(rows)}


def with_type(rows: models.QuerySet) -> models.QuerySet:
    names = {one.name for one in rows.model._meta.fields}
    return rows.select_related("counterparty_type") if "counterparty_type" in names else rows


def index_record(record: models.Model) -> None:
    """Writes the keys of one record anew; called in the transaction that wrote the record."""
    label = kind_label(type(record))
    index_records(label, {record.pk: traits_of_record(label, record)})


def index_many(records: list) -> None:
    """Writes the keys of many records of one kind anew, as `index_record` does."""
    if records:
        label = kind_label(type(records[0]))
        index_records(label, {record.pk: traits_of_record(label, record) for record in records})
