"""Taking in a file, and putting it on a card."""

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from crm.files.guards import is_open_to
from crm.files.models import StoredFile
from crm.people.access import kind_label

REFUSED = {".exe", ".bat", ".cmd", ".com", ".scr", ".msi", ".js", ".vbs", ".ps1", ".jar", ".lnk", ".hta"}


def safe_name(name: str) -> str:
    """The last part of the name without control characters, at most 200 characters, its extension kept."""
    name = PurePath(name.replace("\\", "/")).name
    name = "".join(
        char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char)[0] != "C"
    )
    path = PurePath(name.strip(". ") or "file")
    return path.stem[: 200 - len(path.suffix)] + path.suffix[:20]


def check_upload(upload: UploadedFile) -> None:
    """Raises ValidationError for an empty, too large or executable file."""
    if not upload.size:
        raise ValidationError(_("The file is empty."))
    if upload.size > settings.MAX_UPLOAD_BYTES:
        raise ValidationError(
            _("The file is larger than %(limit)s.") % {"limit": filesizeformat(settings.MAX_UPLOAD_BYTES)}
        )
    if PurePath(upload.name or "").suffix.lower() in REFUSED:
        raise ValidationError(_("Programs cannot be attached. Send a document, a picture or an archive."))


@transaction.atomic
def store_file(*, upload: UploadedFile, by, record=None, label: str = "") -> StoredFile:
    """Stores an upload, on `record`'s card when given. Raises ValidationError as `check_upload` does."""
    check_upload(upload)
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    stored = StoredFile(
        content=upload,
        name=safe_name(upload.name or ""),
        size=upload.size,
        content_type=(upload.content_type or "application/octet-stream")[:100],
        sha256=digest.hexdigest(),
        label=label,
        uploaded_by=by,
    )
    if record is not None:
        stored.record_kind, stored.record_id = kind_label(type(record)), record.pk
    stored.save()
    return stored


def attach_file(*, stored: StoredFile, record, label: str = "") -> None:
    """Puts a stored file on a record's card."""
    stored.record_kind, stored.record_id = kind_label(type(record)), record.pk
    stored.label = label or stored.label
    stored.save(update_fields=["record_kind", "record_id", "label"])


@transaction.atomic
def copy_file(*, stored: StoredFile, record, by) -> StoredFile:
    """The same content once more, on another record's card."""
    with stored.content.open("rb") as content:
        copy = StoredFile(
            content=File(content, name=stored.name),
            name=stored.name,
            size=stored.size,
            content_type=stored.content_type,
            sha256=stored.sha256,
            label=stored.label,
            record_kind=kind_label(type(record)),
            record_id=record.pk,
            uploaded_by=by,
        )
        copy.save()
    return copy


def files_of(record):
    """The files on a record's card, newest first. The caller has checked that the reader sees the record."""
    return StoredFile.objects.filter(record_kind=kind_label(type(record)), record_id=record.pk).order_by(
        "-id"
    )


@dataclass(frozen=True)
class Document:
    """Files of one name on one card are versions of a document, the latest first."""

    files: tuple[StoredFile, ...]

    @property
    def newest(self) -> StoredFile:
        return self.files[0]

    @property
    def version(self) -> int:
        return len(self.files)

    @property
    def older(self) -> list[tuple[int, StoredFile]]:
        """(number of the version, file), the latest first."""
        return [(self.version - place, stored) for place, stored in enumerate(self.files[1:], start=1)]


def documents_of(record, user, most: int = 200) -> list[Document]:
    """The documents on a record's card that the reader may open, latest changes first. One query."""
    found: dict[str, list[StoredFile]] = {}
    for stored in files_of(record)[:most]:
        if is_open_to(user, stored):
            found.setdefault(stored.name, []).append(stored)
    return [Document(tuple(files)) for files in found.values()]
