"""Values that point at something: a person, a record, a stored file.

A link is kept as text that says where it leads (`deals.deal/7`), so that history can show it without the schema; a
person and a file are kept by their id. Who may not see the linked record learns its kind at most, never its name.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.attributes.models import Attribute
from crm.files.models import StoredFile
from crm.files.services import check_upload
from crm.people.access import kind_label
from crm.people.folding import sort_key
from crm.people.kinds import RecordKind, kind_named, visible_pairs
from crm.people.models import User

_LINK = re.compile(r"([a-z_]{1,40}\.[a-z_]{1,40})/(\d{1,18})")


def link_text(kind: str, pk: int) -> str:
    return f"{kind}/{pk}"


def link_parts(value: object) -> tuple[str, int] | None:
    """(kind label, id) of a stored link, None for any other value."""
    match = _LINK.fullmatch(value) if isinstance(value, str) else None
    return (match[1], int(match[2])) if match else None


def linked_kind(attribute: Attribute) -> RecordKind | None:
    """The kind a link leads to, None when no area offers it or it cannot be searched."""
    kind = kind_named(attribute.link_kind)
    return kind if kind and kind.searchable else None


def clean_person(attribute: Attribute, raw, *, by=None, record=None) -> int:
    """The id of an active user named by id or login; whoever stands there already may stay."""
    pk = _pk(raw)
    if pk is not None and record is not None and record.attributes.get(attribute.key) == pk:
        return pk
    people = User.objects.filter(is_active=True)
    found = people.filter(pk=pk) if pk is not None else people.filter(username=str(raw)[:150])
    if (user := found.only("pk").first()) is None:
        raise ValidationError(_("There is no such active person."))
    return user.pk


def clean_link(attribute: Attribute, raw, *, by=None, record=None) -> str:
    """The link to a record that `by` may see, given by id, stored link or exact name; the present one may stay."""
    parts = link_parts(raw)
    named_kind = (
        kind_label(type(raw)) if isinstance(raw, Model) else parts[0] if parts else attribute.link_kind
    )
    if named_kind != attribute.link_kind:
        raise ValidationError(_("Choose one of the records offered."))
    pk = parts[1] if parts else _pk(raw)
    wanted = link_text(attribute.link_kind, pk) if pk is not None else ""
    if wanted and record is not None and record.attributes.get(attribute.key) == wanted:
        return wanted
    kind = linked_kind(attribute)
    if kind is None or by is None:
        raise ValidationError(_("Choose one of the records offered."))
    named = {"pk": pk} if pk is not None else {"sort_key": sort_key(raw)}
    found = list(kind.visible(by).filter(**named).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        raise ValidationError(_("Choose one of the records offered."))
    return link_text(attribute.link_kind, found[0])


def clean_file(attribute: Attribute, raw, *, by=None, record=None) -> int | UploadedFile:
    """A checked upload, still to be stored, or the id of a file that is on this card or was uploaded by `by`."""
    if isinstance(raw, UploadedFile):
        check_upload(raw)
        return raw
    pk = _pk(raw)
    if record is not None and pk is not None and record.attributes.get(attribute.key) == pk:
        return pk
    stored = StoredFile.objects.filter(pk=pk).first() if pk is not None else None
    if stored is None or not (_on_card(stored, record) or _loose(stored, by)):
        raise ValidationError(_("Choose a file to upload."))
    return stored.pk


def _on_card(stored: StoredFile, record) -> bool:
    return record is not None and (stored.record_kind, stored.record_id) == (
        kind_label(type(record)),
        record.pk,
    )


def _loose(stored: StoredFile, by) -> bool:
    return by is not None and not stored.record_kind and stored.uploaded_by_id == by.pk


def _pk(raw) -> int | None:
    """The id meant by a record, a number or its digits."""
    if isinstance(raw, Model):
        return raw.pk
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw if 0 < raw < 2**62 else None
    text = raw.strip() if isinstance(raw, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def show_person(value) -> str:
    user = User.objects.filter(pk=value).first() if isinstance(value, int) else None
    return str(user) if user else ""


def show_link(value) -> str:
    """What everybody may know of a link: the kind of record it leads to."""
    parts = link_parts(value)
    kind = kind_named(parts[0]) if parts else None
    with override("en"):
        return str(kind.name) if kind else ""


def show_file(value) -> str:
    stored = StoredFile.objects.filter(pk=value).first() if isinstance(value, int) else None
    return stored.name if stored else ""


def readable_links(user, values) -> dict[str, Model]:
    """The linked records by stored link, as far as `user` sees them: one query for each kind."""
    pairs = {value: parts for value in values if (parts := link_parts(value))}
    found = visible_pairs(user, set(pairs.values())) if pairs else {}
    return {value: found[parts] for value, parts in pairs.items() if parts in found}
