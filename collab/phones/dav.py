"""CalDAV: Radicale speaks the protocol, our own storage and rights stand behind it; nothing is kept in files.

A request is worked off in one thread: `_request` holds who is asking. All addresses lie under the person's own login,
`/dav/<login>/<calendar>/<name>.ics`, so that no path leads to what others keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from defusedxml import DefusedXmlException
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.http import http_date
from radicale import config, httputils, pathutils
from radicale.app import Application
from radicale.auth import BaseAuth
from radicale.item import Item
from radicale.rights import BaseRights
from radicale.storage import BaseCollection, BaseStorage

from collab.phones import incoming
from collab.phones.calendars import Entry, PhoneCalendar, calendar_of, calendars_of
from collab.phones.devices import device_of, note_use, read_password
from collab.phones.models import Device, SyncState, Way
from crm.notify.mails import as_reader

TOKEN = "https://contentum/sync/"  # noqa: S105
STATES_KEPT = 5


@dataclass
class Asking:
    """Whose phone it is, once its password has been read, and the calendars it has come upon."""

    device: Device | None = None
    known: dict[str, PhoneCalendar | None] = field(default_factory=dict)

    def calendar(self, key: str) -> PhoneCalendar | None:
        """Radicale asks for the rights of every single entry."""
        if key not in self.known:
            self.known[key] = calendar_of(self.device.owner, key)
        return self.known[key]


_request: ContextVar[Asking] = ContextVar("dav_request")


@contextmanager
def asking() -> Iterator[Asking]:
    """One request."""
    token = _request.set(Asking())
    try:
        yield _request.get()
    finally:
        _request.reset(token)


class Auth(BaseAuth):
    """A login, or an e-mail address, and the password of a device."""

    def _login(self, login: str, password: str) -> str:
        device = device_of(read_password(password), Way.ACCOUNT)
        if device is None or login.lower() not in {device.owner.username.lower(), device.owner.email.lower()}:
            return ""
        note_use(device, device.stamp, timezone.now())
        _request.get().device = device
        return device.owner.username


class Rights(BaseRights):
    """What lies under one's own login is read; the calendars one may plan in are written. Nothing else exists."""

    def authorization(self, user: str, user_groups: set, path: str) -> str:
        parts = pathutils.strip_path(path).split("/")
        if parts == [""]:
            return "R" if user else ""
        if not user or parts[0] != user:
            return ""
        if len(parts) == 1:
            return "R"
        calendar = _request.get().calendar(parts[1]) if len(parts) == 2 else None
        if calendar is None:
            return ""
        return "rwl" if calendar.may_write else "rl"


class EntryItem(Item):
    """An entry whose text is written only when somebody reads it."""

    def __init__(self, collection: Collection, entry: Entry):
        start = int(entry.starts_at.timestamp())
        end = int(entry.ends_at.timestamp()) if entry.ends_at else start
        super().__init__(
            collection=collection, href=entry.name, text="", etag=entry.etag, uid=entry.uid, name="VCALENDAR",
            component_name="VEVENT", time_range=(start, max(end, start + 1)),
            last_modified=http_date(entry.changed_at.timestamp()),
        )  # fmt: skip
        self.entry = entry

    def serialize(self) -> str:
        if not self._text:
            self._text = self.collection.calendar.text(self.entry)
        return self._text

    @property
    def vobject_item(self):
        self.serialize()
        return super().vobject_item


class Collection(BaseCollection):
    """The root, a person, or one of his calendars."""

    def __init__(self, path: str, calendar: PhoneCalendar | None = None):
        self._path, self.calendar = path, calendar
        self._known: list[Entry] | None = None

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        return f'"{_digest(self._etags())}"'

    @property
    def last_modified(self) -> str:
        return http_date(max((one.changed_at.timestamp() for one in self._entries()), default=0))

    def _entries(self) -> list[Entry]:
        if self._known is None:
            self._known = self.calendar.entries() if self.calendar else []
        return self._known

    def _etags(self) -> dict[str, str]:
        return {entry.name: entry.etag for entry in self._entries()}

    def get_meta(self, key: str | None = None):
        meta: dict[str, str] = {}
        if self.calendar is not None:
            meta = {
                "tag": "VCALENDAR", "D:displayname": self.calendar.name, "C:supported-calendar-component-set": "VEVENT",
            }  # fmt: skip
        return meta if key is None else meta.get(key)

    def get_all(self) -> Iterable[Item]:
        return [EntryItem(self, entry) for entry in self._entries()]

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        names = list(dict.fromkeys(hrefs))
        found = {entry.name: entry for entry in self.calendar.named(names)} if self.calendar else {}
        return [(name, EntryItem(self, found[name]) if name in found else None) for name in names]

    def has_uid(self, uid: str) -> bool:
        return self.calendar is not None and self.calendar.has_uid(uid)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """What changed since the phone was told `old_token`. Raises ValueError for one that nobody remembers."""
        now = self._etags()
        token = _digest(now)
        states = SyncState.objects.filter(device=_request.get().device, calendar=self.calendar.key)
        before: Mapping[str, str] = {}
        if old_token and old_token != TOKEN + token:
            state = states.filter(token=old_token.removeprefix(TOKEN)[:64]).first()
            if state is None:
                raise ValueError("unknown sync token")
            before = state.etags
        if not states.filter(token=token).exists():
            states.model.objects.bulk_create(
                [SyncState(device=_request.get().device, calendar=self.calendar.key, token=token, etags=now)],
                ignore_conflicts=True,
            )
            kept = states.order_by("-pk").values_list("pk", flat=True)[:STATES_KEPT]
            states.exclude(pk__in=list(kept)).delete()
        if old_token == TOKEN + token:
            return TOKEN + token, []
        changed = [name for name, etag in now.items() if before.get(name) != etag]
        return TOKEN + token, [*changed, *(name for name in before if name not in now)]

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        by = _request.get().device.owner
        entry = next(iter(self.calendar.named([href])), None)
        try:
            incoming.put(calendar=self.calendar, name=href, text=item.serialize(), entry=entry, by=by)
        except IntegrityError:
            # The same event came twice at one moment; one of them is there.
            raise incoming.Refused("C:no-uid-conflict", status=409) from None
        return item, None if entry is None else EntryItem(self, entry)

    def delete(self, href: str | None = None) -> None:
        entry = next(iter(self.calendar.named([href])), None) if href and self.calendar else None
        if entry is None:
            raise incoming.Refused("D:need-privileges")
        incoming.remove(entry=entry, by=_request.get().device.owner)


def _digest(etags: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(etags.items())).encode()).hexdigest()[:40]


class Storage(BaseStorage):
    """Collections over our tables; what it locks is a transaction."""

    _is_collision_free = _supports_unicode = _supports_trailing_whitespace = _supports_problematic_chars = (
        True
    )

    def discover(self, path: str, depth: str = "0", child_context_manager=None, user_groups=frozenset()):
        parts = [part for part in pathutils.strip_path(path).split("/") if part]
        device = _request.get().device
        if not parts:
            yield Collection("")
            return
        if device is None or parts[0] != device.owner.username or len(parts) > 3:
            return
        if len(parts) == 1:
            yield from self._principal(parts[0], depth)
            return
        calendar = _request.get().calendar(parts[1])
        if calendar is None:
            return
        collection = Collection("/".join(parts[:2]), calendar)
        if len(parts) == 3:
            yield from (item for _name, item in collection.get_multi([parts[2]]) if item is not None)
            return
        yield collection
        if depth != "0":
            yield from collection.get_all()

    @staticmethod
    def _principal(login: str, depth: str):
        yield Collection(login)
        if depth != "0":
            for calendar in calendars_of(_request.get().device.owner):
                yield Collection(f"{login}/{calendar.key}", calendar)

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args, **kwargs):
        device = _request.get().device
        with as_reader(device.owner):
            if mode == "w":
                with transaction.atomic():
                    yield
            else:
                yield

    def create_collection(self, href: str, items=None, props=None):
        raise incoming.Refused("D:need-privileges")

    def move(self, item, to_collection, to_href: str) -> None:
        raise incoming.Refused("D:need-privileges")

    def verify(self) -> bool:
        return True


class Door(Application):
    """Radicale, with our refusals in the words of the protocol."""

    def _read_xml_request_body(self, environ, request_info):
        try:
            found = super()._read_xml_request_body(environ, request_info)
        except DefusedXmlException as bomb:
            raise RuntimeError("a DOCTYPE or an entity") from bomb
        if found is not None and not len(found):
            raise RuntimeError("nothing is asked for")
        return found

    def do_REPORT(self, environ, base_prefix, path, user, user_groups, request_info):
        """A filter that no entry can be held against is the phone's mistake."""
        try:
            return super().do_REPORT(environ, base_prefix, path, user, user_groups, request_info)
        except RuntimeError:
            return httputils.BAD_REQUEST

    def _refused(self, refusal: incoming.Refused, request_info: dict):
        return self._webdav_error_response(refusal.status, refusal.condition, request_info)

    def do_PUT(self, environ, base_prefix, path, user, user_groups, request_info):
        """What was stored is not octet for octet what came, so no ETag is given: the phone reads it back."""
        try:
            status, headers, *rest = super().do_PUT(
                environ, base_prefix, path, user, user_groups, request_info
            )
        except incoming.Refused as refusal:
            return self._refused(refusal, request_info)
        return (status, {name: value for name, value in dict(headers).items() if name != "ETag"}, *rest)

    def do_DELETE(self, environ, base_prefix, path, user, user_groups, request_info):
        try:
            return super().do_DELETE(environ, base_prefix, path, user, user_groups, request_info)
        except incoming.Refused as refusal:
            return self._refused(refusal, request_info)

    def do_MOVE(self, environ, base_prefix, path, user, user_groups, request_info):
        """Calendars are made here, and what stands in one belongs to somebody: it does not move to another."""
        return httputils.NOT_ALLOWED

    do_MKCALENDAR = do_MKCOL = do_PROPPATCH = do_MOVE


@cache
def door() -> Door:
    """The one application of this process."""
    settings = config.load()
    settings.update(
        {
            "auth": {"type": Auth, "delay": 0, "realm": "Contentum CRM"},
            "rights": {
                "type": Rights,
                "permit_delete_collection": False,
                "permit_overwrite_collection": False,
            },
            "storage": {"type": Storage},
            "web": {"type": "none"},
            "server": {"delay_on_error": 0},
        },
        "Contentum CRM",
        privileged=True,
    )
    return Door(settings)
