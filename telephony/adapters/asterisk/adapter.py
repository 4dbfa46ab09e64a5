"""Asterisk, also as FreePBX, Issabel or VitalPBX, by its manager interface."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, BinaryIO, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from telephony.adapters.asterisk.protocol import (
    ActionFailed,
    AsteriskError,
    ConnectionLost,
    LoginRefused,
    Manager,
    Message,
    NotReachable,
    UnsafeValue,
    dialable,
    is_loopback,
)
from telephony.adapters.asterisk.session import OpenCalls, Take, follow
from telephony.adapters.asterisk.translate import ORIGINATED, Layout
from telephony.adapters.base import (
    Adapter,
    CannotCall,
    CheckResult,
    SettingField,
)
from telephony.adapters.fetching import fetch_by_pattern

_Answer = TypeVar("_Answer")
_PHONE = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_CONTEXT = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z")
RING_MILLISECONDS, TOTAL_SECONDS = 30_000, 9.0
MOST_SKEW_SECONDS = 5 * 60


class AsteriskAdapter(Adapter):
    """Follows the exchange's events; starts and ends calls on it."""

    key = "asterisk"
    label = gettext_lazy("Asterisk, FreePBX, Issabel, VitalPBX")
    about = gettext_lazy("Asterisk, FreePBX, Issabel or VitalPBX: a listener follows its manager interface.")
    first_step = gettext_lazy("Start the listener, then ring one of your telephones.")
    can_originate = True
    needs_listener = True
    fields = (
        SettingField(
            "host", gettext_lazy("Host"), help_text=gettext_lazy("Name or address of the exchange.")
        ),
        SettingField("port", gettext_lazy("Port"), default="5038", help_text=gettext_lazy("5039 with TLS.")),
        SettingField("username", gettext_lazy("Login"), help_text=gettext_lazy("As in manager.conf.")),
        SettingField("secret", gettext_lazy("Password"), is_secret=True),
        SettingField(
            "tls",
            gettext_lazy("TLS"),
            is_required=False,
            help_text=gettext_lazy("“yes” where the exchange has tlsenable=yes and a trusted certificate."),
        ),
        SettingField(
            "trunks",
            gettext_lazy("Trunks"),
            is_required=False,
            help_text=gettext_lazy(
                "Names of the lines to the outside, separated by commas. "
                "Empty: whatever is not a number of up to six digits."
            ),
        ),
        SettingField(
            "technology",
            gettext_lazy("Phones"),
            default="PJSIP",
            help_text=gettext_lazy("PJSIP or SIP: what stands before the extension."),
        ),
        SettingField(
            "context",
            gettext_lazy("Context"),
            default="from-internal",
            help_text=gettext_lazy("Where the phones dial; with FreePBX from-internal."),
        ),
        SettingField(
            "plus",
            gettext_lazy("Written for +"),
            is_required=False,
            default="+",
            help_text=gettext_lazy("00 where the exchange does not dial numbers with a plus."),
        ),
        SettingField(
            "recordings",
            gettext_lazy("Address of the recordings"),
            is_required=False,
            help_text=gettext_lazy(
                "Such as https://pbx.example/rec/{file}.wav; {file} is the name of the recording."
            ),
        ),
    )

    # Listening

    @property
    def layout(self) -> Layout:
        """Which names on the exchange are ours."""
        trunks = self.settings.get("trunks", "").replace("\n", ",").split(",")
        numbers = self.connection.extensions.values_list("number", flat=True)
        return Layout(frozenset(numbers), frozenset(name.strip() for name in trunks if name.strip()))

    def manager(self, **more: Any) -> Manager:
        """A session that has not been opened yet."""
        port = self.settings.get("port", "") or "5038"
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise NotReachable(_("The port is a number up to 65535."))
        return Manager(
            host=self.settings.get("host", "").strip(),
            port=int(port),
            username=self.settings.get("username", ""),
            secret=self.settings.get("secret", ""),
            tls=ssl.create_default_context() if self.is_encrypted else None,
            **more,
        )

    @property
    def is_encrypted(self) -> bool:
        return self.settings.get("tls", "").strip().lower() in {"yes", "1", "true", "on", "tak"}

    async def listen(
        self, *, layout: Layout, take: Take, open_calls: OpenCalls, connected: Callable[[], None]
    ) -> None:
        """One session, until it is lost. Raises AsteriskError."""
        async with self.manager() as manager:
            connected()
            await follow(manager, layout, take=take, open_calls=open_calls)

    # Calling

    def originate(self, call) -> str:
        """The phone first, then the number. Our id of the call becomes the exchange's."""
        call_id = str(call.uuid)
        headers = self._call(
            call_id, call.extension.number if call.extension else "", call.number or call.number_raw
        )
        self._act(lambda manager: manager.action("Originate", headers, action_id=f"{ORIGINATED}{call_id}"))
        return call_id

    def _call(self, call_id: str, extension: str, number: str) -> list[tuple[str, str]]:
        context, technology = self.settings.get("context", ""), self.settings.get("technology", "") or "PJSIP"
        plus = self.settings.get("plus", "+")
        try:
            number = dialable(number)
            dialled = dialable(number.replace("+", plus)) if plus else number.lstrip("+")
        except UnsafeValue:
            raise CannotCall(_("This cannot be dialled: only a plus and digits can.")) from None
        if not _PHONE.match(extension):
            raise CannotCall(
                _("This extension cannot be rung; it has characters that an extension does not have.")
            )
        if not _CONTEXT.match(context) or not technology.isalnum():
            raise CannotCall(_("The settings of the connection are wrong: see Context and Phones."))
        return [
            ("Channel", f"{technology}/{extension}"),
            ("ChannelId", call_id),
            ("Context", context),
            ("Exten", dialled),
            ("Priority", "1"),
            ("Timeout", str(RING_MILLISECONDS)),
            ("CallerID", dialled),
            ("Async", "true"),
        ]

    def hangup(self, call) -> None:
        """Ends every channel of the call."""

        async def end(manager: Manager) -> None:
            for row in await manager.listing("CoreShowChannels"):
                if row.get("Linkedid") == call.provider_id and row.get("Channel"):
                    try:
                        await manager.action("Hangup", [("Channel", row["Channel"])])
                    except ActionFailed:
                        continue  # gone meanwhile

        self._act(end)

    def _act(self, what: Callable[[Manager], Coroutine[Any, Any, _Answer]]) -> _Answer:
        """In a session of its own that hears no events. Raises CannotCall within ten seconds."""

        async def once() -> _Answer:
            async with asyncio.timeout(TOTAL_SECONDS), self.manager(events="off") as manager:
                return await what(manager)

        try:
            return asyncio.run(once())
        except (AsteriskError, TimeoutError) as error:
            raise CannotCall(said_of(error)) from error

    # Recordings

    def fetch_recording(self, reference: str) -> BinaryIO:
        stem, dot, ending = reference.rpartition(".")
        name = stem if dot and ending.lower() in {"wav", "mp3", "gsm"} else reference
        return fetch_by_pattern(self.settings.get("recordings", ""), name)

    # Self-test

    def check(self) -> list[CheckResult]:
        """Reached, logged in, events allowed, calling allowed, the clock right, ids unmistakable."""

        async def ask() -> tuple[str, Message, list[Message]]:
            async with asyncio.timeout(TOTAL_SECONDS), self.manager() as manager:
                return (
                    manager.banner,
                    await manager.action("CoreStatus"),
                    await manager.listing("CoreShowChannels"),
                )

        reached, entered = _("The exchange answers"), _("It lets us in")
        try:
            banner, status, channels = asyncio.run(ask())
        except NotReachable as error:
            return [CheckResult(reached, False, said_of(error))]
        except LoginRefused as error:
            return [CheckResult(reached, True), CheckResult(entered, False, said_of(error))]
        except (AsteriskError, TimeoutError) as error:
            return [
                CheckResult(reached, True),
                CheckResult(entered, True),
                CheckResult(_("It lists its calls"), False, said_of(error)),
            ]
        return [
            CheckResult(reached, True, banner),
            CheckResult(entered, True),
            self._encryption(),
            CheckResult(
                _("It lists its calls"), True, _("%(count)s channels now") % {"count": len(channels)}
            ),
            _clock(status),
            self._trunks(),
            self._phones(),
        ]

    def _encryption(self) -> CheckResult:
        ok = self.is_encrypted or is_loopback(self.settings.get("host", ""))
        remedy = _("The way is not encrypted. Use TLS, or a tunnel that ends on this machine.")
        return CheckResult(_("Nobody listens in"), ok, "" if ok else remedy)

    def _trunks(self) -> CheckResult:
        ok = bool(self.settings.get("trunks", "").strip())
        guess = _("No trunk is named: a line to the outside is guessed by its name. Enter the trunks.")
        return CheckResult(_("Lines to the outside are known"), ok, "" if ok else guess)

    def _phones(self) -> CheckResult:
        count = self.connection.extensions.exclude(user=None).count() if self.connection.pk else 0
        remedy = _("Nobody has an extension yet. Enter who sits at which one.")
        return CheckResult(_("People have extensions"), bool(count), str(count) if count else remedy)


def _clock(status: Message) -> CheckResult:
    """The exchange says when it started in its own zone; only an impossible moment can be told."""
    said = f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}"
    what = _("Its clock is believable")
    try:
        started = datetime.strptime(said, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return CheckResult(what, True, _("not told"))
    ahead = (started - datetime.now(UTC)).total_seconds() - 14 * 3600
    ok = ahead < MOST_SKEW_SECONDS
    remedy = _("It says that it started in the future. Set its clock by NTP.")
    return CheckResult(what, ok, _("started %(moment)s") % {"moment": said} if ok else remedy)


def said_of(error: BaseException) -> str:
    """What a person should do about an error."""
    match error:
        case LoginRefused():
            return _(
                "It refuses the login. Compare login and password with manager.conf, and see that its “permit” "
                "names this server."
            )
        case NotReachable():
            return _(
                "It cannot be reached: %(why)s. See that the host and the port are right, that manager.conf has "
                "enabled=yes, and that no firewall stands between."
            ) % {"why": error}
        case ActionFailed():
            return _(
                "It refuses: %(why)s. The login needs read = call,agent and write = call,originate,reporting."
            ) % {"why": error}
        case ConnectionLost() | TimeoutError():
            return _(
                "It did not answer in time. Try again; if it stays so, look at the load of the exchange."
            )
        case _:
            return str(error)
