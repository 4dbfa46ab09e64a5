"""The searchable copies of attribute values, for records that are loaded in bulk."""

from __future__ import annotations

from crm.attributes.models import AttributeValue
from crm.attributes.services import attributes_of
from crm.attributes.values import derived_rows
from crm.web.scale.bulk import Bulk


class DerivedRows:
    """Writes what `crm.attributes.services.write_derived` would for records of one set."""

    def __init__(self, bulk: Bulk, kind: str, attribute_set_id: int | None) -> None:
        self._table = bulk.table(AttributeValue)
        self._kind = kind
        self._attributes = [one for one in attributes_of(attribute_set_id) if one.is_derived]

    def add(self, record_id: int, values: dict) -> None:
        for attribute in self._attributes:
            if values.get(attribute.key) is not None:
                for row in derived_rows(attribute, self._kind, record_id, values[attribute.key]):
                    self._table.add_record(row)
