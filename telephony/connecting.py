"""Administrators connect exchanges: what they enter, the address and keys they are shown once, what is on record."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.history.services import record_event
from crm.people.models import User
from telephony.adapters.base import PATH_SECRET, SettingField, adapter_named
from telephony.listening import mark_wanted
from telephony.models import Connection, Extension
from telephony.sealing import Unreadable

OWN_FIELDS = (
    "name", "region", "time_zone", "lines", "ignored", "lead_rule", "return_minutes", "retention_days",
)  # fmt: skip
ADDED, CHANGED, RENEWED, SWITCHED_ON, SWITCHED_OFF = (
    "connection_added", "connection_changed", "connection_renewed", "connection_on", "connection_off",
)  # fmt: skip


def may_keep_connections(user) -> bool:
    """Whether he connects exchanges."""
    return user.is_active and user.is_staff and user.has_perm("telephony.change_connection")


def demand_keeper(user) -> None:
    """Raises PermissionDenied."""
    if not may_keep_connections(user):
        raise PermissionDenied


def fields_of(provider: str) -> tuple[SettingField, ...]:
    """The settings that a kind of connection needs; none for one that is not offered."""
    adapter = adapter_named(provider)
    return adapter.fields if adapter else ()


def kept_settings(connection: Connection) -> dict[str, str]:
    """Its settings; none where they were sealed with a key that is not ours any more."""
    try:
        return dict(connection.settings)
    except Unreadable:
        return {}


@transaction.atomic
def create_connection(
    *, provider: str, values: dict, given: dict[str, str], by
) -> tuple[Connection, dict[str, str]]:
    """A connection, and what is shown once: the secret of its address and the keys that were made for it.

    `given`: the adapter's settings. Raises PermissionDenied, ValidationError.
    """
    demand_keeper(by)
    if adapter_named(provider) is None:
        raise ValidationError({"provider": _("Choose one of the offered values.")})
    connection = Connection(provider=provider, author=by, **{name: values[name] for name in OWN_FIELDS})
    shown = {"secret": connection.new_secret()}
    for one in fields_of(provider):
        if one.is_made and not given.get(one.name):
            given = {**given, one.name: secrets.token_hex(24)}
            shown[one.name] = given[one.name]
    if connection.adapter.keeps_address:
        given = {**given, PATH_SECRET: shown["secret"]}
    connection.settings = given
    connection.full_clean()
    connection.save()
    record_event(kind=ADDED, subject=connection, by=by)
    mark_wanted()
    return connection, shown


@transaction.atomic
def edit_connection(
    *, connection: Connection, values: dict, given: dict[str, str], rota: Iterable[User], by
) -> list[str]:
    """Changes a connection; an empty secret leaves the one that is kept. Names of what changed, never its values.

    Whoever saves it is who acts for its callers from now on. Raises PermissionDenied, ValidationError.
    """
    demand_keeper(by)
    row = Connection.objects.select_for_update(of=("self",)).get(pk=connection.pk)
    kept = kept_settings(row)
    wanted = {**kept}
    for one in fields_of(row.provider):
        if given.get(one.name) or not one.is_secret:
            wanted[one.name] = given.get(one.name, "")
    changed = [name for name in OWN_FIELDS if getattr(row, name) != values[name]]
    changed += [name for name in wanted if wanted[name] != kept.get(name, "")]
    if {user.pk for user in rota} != set(row.rota.values_list("pk", flat=True)):
        row.rota.set(rota)
        changed.append("rota")
    if not changed:
        return []
    for name in OWN_FIELDS:
        setattr(row, name, values[name])
    row.settings, row.author = wanted, by
    row.full_clean()
    row.save()
    record_event(kind=CHANGED, subject=row, by=by, payload={"note": ", ".join(changed)})
    mark_wanted()
    return changed


@transaction.atomic
def renew_secret(*, connection: Connection, by) -> str:
    """A new secret for the address; the old one ends at once. Raises PermissionDenied."""
    demand_keeper(by)
    row = Connection.objects.select_for_update(of=("self",)).get(pk=connection.pk)
    secret = row.new_secret()
    adapter = adapter_named(row.provider)
    if adapter is not None and adapter.keeps_address:
        row.settings = kept_settings(row) | {PATH_SECRET: secret}
    row.save(update_fields=["secret_hash", "sealed"])
    record_event(kind=RENEWED, subject=row, by=by)
    return secret


@transaction.atomic
def switch_connection(*, connection: Connection, on: bool, by) -> bool:
    """In use or out of use; its calls stay. False where it was so already. Raises PermissionDenied."""
    demand_keeper(by)
    if not Connection.objects.filter(pk=connection.pk, is_active=not on).update(is_active=on):
        return False
    record_event(kind=SWITCHED_ON if on else SWITCHED_OFF, subject=connection, by=by)
    mark_wanted()
    return True


@transaction.atomic
def set_extension(*, connection: Connection, number: str, user: User | None, by) -> Extension:
    """Whose telephone it is; empty for one that stands at nobody's desk. Raises PermissionDenied, ValidationError."""
    demand_keeper(by)
    row = Extension.objects.filter(connection=connection, number=number).first()
    row = row or Extension(connection=connection, number=number)
    row.user = user
    row.full_clean()
    row.save()
    record_event(kind=CHANGED, subject=connection, by=by, payload={"note": f"{number}: {user or '–'}"})
    return row


@transaction.atomic
def remove_extension(*, extension: Extension, by) -> None:
    """The telephone is not there any more; its calls stay with whom they were. Raises PermissionDenied."""
    demand_keeper(by)
    record_event(
        kind=CHANGED, subject=extension.connection, by=by, payload={"note": f"{extension.number}: –"}
    )
    extension.delete()
