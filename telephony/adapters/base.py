"""What telephony asks of a provider, and the registry of those that can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from telephony.events import CallFact

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from telephony.models import Call, Connection


PATH_SECRET = "path_secret"  # noqa: S105


class Forged(Exception):
    """The post does not bear the connection's signature."""


class Stale(Forged):
    """Signed, but longer ago than a post may travel: a replay."""


class Malformed(Exception):
    """The post cannot be read; the text says why, for whoever sets the exchange up."""


class CannotCall(Exception):
    """The provider refuses or cannot be reached. The text is shown to the person who wanted to call."""


class NotOffered(CannotCall):
    """This kind of connection cannot do what was asked of it."""


@dataclass(frozen=True)
class SettingField:
    """One value a connection needs: a host, a login, a key. Secrets are never shown again.

    `is_made`: where none is given, one is made and shown once.
    """

    name: str
    label: str
    is_secret: bool = False
    is_required: bool = True
    is_made: bool = False
    default: str = ""
    help_text: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One line of the self-test: what was tried, whether it went well, and what to do where it did not."""

    what: str
    ok: bool
    say: str = ""


class Adapter:
    """One kind of exchange or provider, bound to one connection.

    Adapters translate; they write no rows. What they report goes to `telephony.ingest.take_in`.

    `about`: what it is for, where the kind is chosen. `first_step`: what makes the first event come.
    `keeps_address`: the secret of the address stays among the settings, under `PATH_SECRET`.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    about: ClassVar[str] = ""
    first_step: ClassVar[str] = ""
    keeps_address: ClassVar[bool] = False
    fields: ClassVar[tuple[SettingField, ...]] = ()
    can_originate: ClassVar[bool] = False
    needs_listener: ClassVar[bool] = False
    fetch_after_seconds: ClassVar[int] = 0

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.settings: dict[str, str] = connection.settings

    def verify(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str], url: str) -> None:
        """Raises Forged or Stale. `params`: the fields of a form post; `url`: the public address it was sent to."""
        raise Forged

    def parse(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str]) -> list[CallFact]:
        """The facts of a verified post; none where it tells of no call. Raises Malformed."""
        raise Malformed

    def handshake(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a provider's question whether we are there, None for an ordinary post."""
        return None

    def originate(self, call: Call) -> str:
        """Rings `call.extension` and then `call.number`; the provider's id of the call, or "" where it comes later.

        Raises CannotCall within ten seconds.
        """
        raise NotOffered

    def hangup(self, call: Call) -> None:
        """Ends a running call. Raises CannotCall."""
        raise NotOffered

    def fetch_recording(self, reference: str) -> BinaryIO:
        """The recording as a readable file. Raises CannotCall. Only hosts that the provider lists are asked."""
        raise NotOffered

    def history(self, since: datetime) -> Iterator[CallFact]:
        """What happened since then, for what did not reach us. Nothing where the provider keeps no history."""
        return iter(())

    def check(self) -> list[CheckResult]:
        """The self-test, line by line; it rings nobody."""
        return []


_adapters: dict[str, type[Adapter]] = {}


def register_adapter(adapter: type[Adapter]) -> type[Adapter]:
    """Called from `AppConfig.ready()`."""
    _adapters[adapter.key] = adapter
    return adapter


def all_adapters() -> list[type[Adapter]]:
    """Every kind of connection, in the order they were registered."""
    return list(_adapters.values())


def adapter_named(key: str) -> type[Adapter] | None:
    """The adapter of this key, None for one that is not offered any more."""
    return _adapters.get(key)
