"""Adding and revoking devices, and knowing them again by their secret."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from collab.phones.models import Device, Way

MOST_DEVICES = 20
SECRET_BYTES, PASSWORD_BYTES = 32, 16
# How exactly it is known when a device was here last: not every request writes.
EXACTNESS = timedelta(minutes=15)


def devices_of(user) -> QuerySet[Device]:
    """Those that have not been revoked."""
    return Device.objects.filter(owner=user, revoked_at=None)


@transaction.atomic
def add_device(*, values: dict, by) -> tuple[Device, str]:
    """A new device of `by` and its secret, which nobody can read again. Raises ValidationError."""
    if devices_of(by).count() >= MOST_DEVICES:
        raise ValidationError(_("That is enough devices. Revoke one that you do not use any more."))
    is_feed = values.get("way", Way.FEED) == Way.FEED
    secret = secrets.token_urlsafe(SECRET_BYTES) if is_feed else _new_password()
    device = Device(owner=by, digest=digest_of(secret if is_feed else read_password(secret)), **values)
    device.full_clean(exclude=["owner"])
    device.save()
    return device, secret


@transaction.atomic
def revoke_device(*, device: Device, by) -> bool:
    """Its secret opens nothing from now on. False for one that is not of `by` or was revoked before."""
    return bool(devices_of(by).filter(pk=device.pk).update(revoked_at=timezone.now()))


def _new_password() -> str:
    """128 random bits in groups of letters and digits that nobody mistakes for another."""
    letters = b32encode(secrets.token_bytes(PASSWORD_BYTES)).decode().rstrip("=").lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def read_password(typed: str) -> str:
    """A password as it was meant, with or without its hyphens, spaces and capitals."""
    return re.sub(r"[\s-]", "", typed).lower()


def digest_of(secret: str) -> str:
    """What is kept of a secret: it is random and long, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def device_of(secret: str, way: str) -> Device | None:
    """The device whose secret this is, with its owner; None for a revoked one or one of somebody dismissed."""
    rows = Device.objects.select_related("owner", "owner__department")
    return rows.filter(digest=digest_of(secret), way=way, revoked_at=None, owner__is_active=True).first()


def note_use(device: Device, stamp: str, now: datetime) -> None:
    """Remembers that the device was here, and since when it is given what `stamp` names."""
    values: dict = {}
    if device.stamp != stamp:
        values = {"stamp": stamp, "changed_at": now}
    if values or device.last_used_at is None or now - device.last_used_at > EXACTNESS:
        values["last_used_at"] = now
        Device.objects.filter(pk=device.pk).update(**values)
        for name, value in values.items():
            setattr(device, name, value)
