"""What the rows of one page need beside their own columns: tags, and names for what attributes point at."""

from __future__ import annotations

from collections.abc import Iterable

from crm.attributes.models import AttributeKind
from crm.attributes.references import readable_links
from crm.files.models import StoredFile
from crm.listing.fields import Field
from crm.listing.tags.services import tags_of
from crm.people.models import User


def attach(rows: list, columns: Iterable[Field], kind: str, user) -> None:
    """Puts `tag_list` and `named_values` ({attribute key: what it points at}) on the rows, a query for each need."""
    if not rows:
        return
    columns = [one for one in columns if isinstance(one, Field)]
    if any(one.kind == "tags" for one in columns):
        found = tags_of(kind, [row.pk for row in rows])
        for row in rows:
            row.tag_list = found.get(row.pk, [])
    pointing = [one.attributes[0] for one in columns if one.attributes and one.attributes[0].kind in _readers]
    for row in rows if pointing else ():
        row.named_values = {}
    for attribute in pointing:
        values = {row.attributes.get(attribute.key) for row in rows} - {None}
        named = _readers[attribute.kind](user, [value for value in values if isinstance(value, int | str)])
        for row in rows:
            row.named_values[attribute.key] = named.get(row.attributes.get(attribute.key))


_readers = {
    AttributeKind.PERSON: lambda user, values: User.objects.in_bulk(
        [v for v in values if isinstance(v, int)]
    ),
    AttributeKind.LINK: lambda user, values: {
        value: str(record) for value, record in readable_links(user, values).items()
    },
    AttributeKind.FILE: lambda user, values: {
        pk: stored.name
        for pk, stored in StoredFile.objects.in_bulk([v for v in values if isinstance(v, int)]).items()
    },
}
