"""Zadarma: posts its events, and takes orders over REST.

What it signs is little: not the event's name, not how the call ended, not for how long. One captured signature would
prove a forged end as well. So the address bears a secret of its own, and an end never beats an answer that was told.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.operations.http import AddressRefused, AnswerLost, NotReached, fetch
from crm.people.company import company_time_zone
from telephony.adapters.base import Adapter, CannotCall, CheckResult, Forged, Malformed, SettingField
from telephony.adapters.fetching import NotYet, fetch_sound, host_of
from telephony.events import CallFact, Kind, Result, Role

API = "https://api.zadarma.com"
HOSTS = frozenset({"api.zadarma.com"})
RECORDING_HOSTS = frozenset({"api.zadarma.com", "my.zadarma.com", "records.zadarma.com", "pbx.zadarma.com"})
LONGEST = 160
_ECHO = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")
_DIALLED = re.compile(r"\+?[0-9]{3,20}\Z")
_EXTENSION = re.compile(r"[0-9]{1,10}\Z")

SIGNED = {
    "NOTIFY_START": ("caller_id", "called_did", "call_start"),
    "NOTIFY_INTERNAL": ("caller_id", "called_did", "call_start"),
    "NOTIFY_END": ("caller_id", "called_did", "call_start"),
    "NOTIFY_IVR": ("caller_id", "called_did", "call_start"),
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}
RESULTS = {
    "answered": Result.ANSWERED,
    "busy": Result.BUSY,
    "cancel": Result.CANCELLED,
    "no answer": Result.NO_ANSWER,
    "failed": Result.FAILED,
    "no money": Result.FAILED,
    "unallocated number": Result.FAILED,
    "no limit": Result.FAILED,
    "no day limit": Result.FAILED,
    "line limit": Result.BUSY,
    "no money, no limit": Result.FAILED,
}


def hex_signature(secret: str, text: str) -> str:
    """Base64 of the hexadecimal HMAC-SHA1, as their own library makes it."""
    digest = hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def query_of(params: Mapping[str, str]) -> str:
    """The parameters by name, as they are sent and signed."""
    return "&".join(f"{quote_plus(name)}={quote_plus(params[name])}" for name in sorted(params))


def authorization(key: str, secret: str, method: str, params: Mapping[str, str]) -> str:
    """The header of a request over REST: the key and a signature of method, parameters and their MD5."""
    query = query_of(params)
    md5 = hashlib.md5(query.encode(), usedforsecurity=False).hexdigest()
    return f"{key}:{hex_signature(secret, f'{method}{query}{md5}')}"


class ZadarmaAdapter(Adapter):
    """Events by post; calls and recordings over REST."""

    key = "zadarma"
    label = gettext_lazy("Zadarma")
    about = gettext_lazy(
        "The provider's own exchange: it posts its events; calls and recordings over its API."
    )
    first_step = gettext_lazy(
        "Enter the address in the account under “Integrations and API”, then ring one of your numbers."
    )
    can_originate = True
    fetch_after_seconds = 45
    fields = (
        SettingField(
            "key", gettext_lazy("Key"), help_text=gettext_lazy("From “Integrations and API” in the account.")
        ),
        SettingField("secret", gettext_lazy("Secret"), is_secret=True),
    )

    # Posts

    def handshake(self, request: HttpRequest) -> HttpResponse | None:
        """The question of the set-up, which must come back as it is."""
        asked = request.GET.get("zd_echo") if request.method == "GET" else None
        if asked is None:
            return None
        if not _ECHO.match(asked):
            return HttpResponse(status=400)
        return HttpResponse(asked, content_type="text/plain")

    def verify(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str], url: str) -> None:
        """Raises Forged. An event that is not known has no signature we could prove."""
        secret, fields = self.settings.get("secret", ""), SIGNED.get(params.get("event", ""))
        if not secret or fields is None:
            raise Forged
        wanted = hex_signature(secret, "".join(params.get(name, "") for name in fields))
        given = headers.get("Signature", "").strip()
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            raise Forged

    def parse(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str]) -> list[CallFact]:
        """Raises Malformed, naming the field."""
        for name, value in params.items():
            if len(value) > LONGEST or not value.isprintable():
                raise Malformed(f"{name[:40]} must be a line of at most {LONGEST} characters.")
        if not params.get("pbx_call_id"):
            raise Malformed("pbx_call_id is missing.")
        reader = _READERS[params["event"]]
        return reader(self, params)

    def _start(self, post: Mapping[str, str]) -> list[CallFact]:
        return [self._fact(post, Kind.STARTED, **_client(post), direction="in")]

    def _internal(self, post: Mapping[str, str]) -> list[CallFact]:
        """A phone of ours rings."""
        return [
            self._fact(post, Kind.STARTED, **_client(post), direction="in"),
            self._fact(post, Kind.RINGING, **_phone(post), at=timezone.now()),
        ]

    def _answer(self, post: Mapping[str, str]) -> list[CallFact]:
        return [self._fact(post, Kind.ANSWERED, **_phone(post), direction="in", at=timezone.now())]

    def _end(self, post: Mapping[str, str]) -> list[CallFact]:
        """Says for the whole call how it ended. None of that is signed."""
        told = {"result": _result(post), "seconds": _duration(post), "is_proven": False, "at": timezone.now()}
        facts = [
            self._fact(post, Kind.STARTED, **_client(post), direction="in"),
            self._fact(post, Kind.ENDED, **told),
        ]
        if post.get("internal") and told["result"] is Result.ANSWERED:
            facts.append(self._fact(post, Kind.ENDED, **_phone(post), **told))
        return facts + self._recorded(post)

    def _out_start(self, post: Mapping[str, str]) -> list[CallFact]:
        return [
            self._fact(post, Kind.STARTED, **_phone(post), direction="out"),
            self._fact(post, Kind.RINGING, **_called(post), direction="out"),
        ]

    def _out_end(self, post: Mapping[str, str]) -> list[CallFact]:
        told = {"result": _result(post), "seconds": _duration(post), "is_proven": False, "at": timezone.now()}
        return [
            self._fact(post, Kind.STARTED, **_phone(post), direction="out"),
            self._fact(post, Kind.STARTED, **_called(post), direction="out"),
            self._fact(post, Kind.ENDED, **_called(post), **told),
            self._fact(post, Kind.ENDED, **told),
            *self._recorded(post),
        ]

    def _record(self, post: Mapping[str, str]) -> list[CallFact]:
        return self._recorded({**post, "is_recorded": "1"})

    def _recorded(self, post: Mapping[str, str]) -> list[CallFact]:
        reference = post.get("call_id_with_rec", "")
        if post.get("is_recorded") not in {"1", "true"} or not reference:
            return []
        return [
            self._fact(post, Kind.RECORDED, key=f"record:{reference}", recording=reference, at=timezone.now())
        ]

    def _nothing(self, post: Mapping[str, str]) -> list[CallFact]:
        return []

    def _fact(
        self, post: Mapping[str, str], kind: Kind, *, at: datetime | None = None, key: str = "", **more: Any
    ):
        """`call_start` is when the call began; what comes after it bears no time of its own but that of its arrival."""
        call, leg = post["pbx_call_id"], more.get("leg", "")
        began = self._began(post)
        return CallFact(
            call=call,
            kind=kind,
            at=max(at, began) if at else began,
            key=key or f"{kind}:{call}:{leg}:{more.get('result') or ''}",
            line=_line(post) if more.get("role") is Role.CLIENT else "",
            **more,
        )

    def _began(self, post: Mapping[str, str]) -> datetime:
        """In the zone of the account: the provider names none."""
        if not post.get("call_start"):
            return timezone.now()
        try:
            moment = datetime.strptime(post["call_start"], "%Y-%m-%d %H:%M:%S")
        except ValueError:
            raise Malformed("call_start must be a moment such as 2026-03-01 09:30:00.") from None
        if not 2000 <= moment.year <= 2100:
            raise Malformed("call_start must be a moment such as 2026-03-01 09:30:00.")
        return moment.replace(tzinfo=ZoneInfo(self.connection.time_zone or company_time_zone()))

    # Orders

    def originate(self, call) -> str:
        """The phone first, then the number. The provider tells its id only with the first event."""
        extension = call.extension.number if call.extension else ""
        number = call.number or call.number_raw
        if not _EXTENSION.match(extension) or not _DIALLED.match(number):
            raise CannotCall(_("This cannot be dialled: only a plus and digits can."))
        self._ask("/v1/request/callback/", {"from": extension, "to": number.lstrip("+")})
        return ""

    def fetch_recording(self, reference: str) -> BinaryIO:
        """Asks for an address and fetches what lies there, from the provider's own hosts only."""
        told = self._ask("/v1/pbx/record/request/", {"call_id": reference, "lifetime": "180"}, later=True)
        links = told.get("links") or []
        link = told.get("link") or (links[0] if isinstance(links, list) and links else "")
        if not isinstance(link, str) or not link:
            raise NotYet(_("The recording is not ready yet."))
        if host_of(link) not in RECORDING_HOSTS or not link.startswith("https://"):
            raise CannotCall(_("The recording does not lie where this provider keeps them."))
        return BytesIO(fetch_sound(link, hosts=RECORDING_HOSTS))

    def check(self) -> list[CheckResult]:
        """The key works, and the account has the extensions that people were given."""
        works = _("The provider accepts the key")
        try:
            self._ask("/v1/info/balance/", {})
        except CannotCall as error:
            return [CheckResult(works, False, str(error))]
        known = self._extensions()
        wanted = (
            set(self.connection.extensions.values_list("number", flat=True)) if self.connection.pk else set()
        )
        results = [CheckResult(works, True)]
        if known is not None:
            missing = ", ".join(sorted(wanted - known))
            remedy = _("The exchange has no extension %(numbers)s.") % {"numbers": missing}
            results.append(CheckResult(_("It has the extensions"), not missing, remedy if missing else ""))
        return results

    def _extensions(self) -> set[str] | None:
        try:
            numbers = self._ask("/v1/pbx/internal/", {}).get("numbers")
        except CannotCall:
            return None
        return {str(number) for number in numbers} if isinstance(numbers, list) else None

    def _ask(self, path: str, params: dict[str, str], *, later: bool = False) -> dict[str, Any]:
        """One request. Raises CannotCall within ten seconds; NotYet where `later` may help."""
        key, secret = self.settings.get("key", ""), self.settings.get("secret", "")
        query = query_of(params)
        headers = {"Authorization": authorization(key, secret, path, params)}
        try:
            answer = fetch(
                f"{API}{path}" + (f"?{query}" if query else ""), headers=headers, total_seconds=9, hosts=HOSTS
            )
        except AddressRefused as error:
            raise CannotCall(_("The provider's address is not reached from this server.")) from error
        except (NotReached, AnswerLost) as error:
            refusal = NotYet if later else CannotCall
            raise refusal(_("The provider does not answer. Try again in a moment.")) from error
        told = _json(answer.body)
        if answer.status == 200 and told.get("status") != "error":
            return told
        raise _refusal(answer.status, told, later)


def _refusal(status: int, told: dict[str, Any], later: bool) -> CannotCall:
    why = str(told.get("message", ""))[:120]
    if status == 401:
        return CannotCall(_("The provider does not accept key and secret. Copy both anew from the account."))
    if status == 429:
        return NotYet(_("Too many requests to the provider. Try again in a minute."))
    text = _("The provider refuses: %(why)s") % {"why": why or status}
    return NotYet(text) if later and (status >= 500 or status == 404) else CannotCall(text)


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _number(text: str) -> str:
    """Numbers come without their plus; what is short stays an extension."""
    digits = text.strip().lstrip("+")
    return f"+{digits}" if digits.isascii() and digits.isdecimal() and len(digits) > 8 else text.strip()


def _line(post: Mapping[str, str]) -> str:
    return _number(post.get("called_did", "") or post.get("caller_id", ""))[:40]


def _client(post: Mapping[str, str]) -> dict[str, Any]:
    return {"leg": "client", "role": Role.CLIENT, "party": _number(post.get("caller_id", ""))[:80]}


def _called(post: Mapping[str, str]) -> dict[str, Any]:
    return {"leg": "client", "role": Role.CLIENT, "party": _number(post.get("destination", ""))[:80]}


def _phone(post: Mapping[str, str]) -> dict[str, Any]:
    """The extension; an answer names it as `internal`, sometimes only as `destination`."""
    extension = post.get("internal") or post.get("destination", "")
    return {"leg": f"phone:{extension}", "role": Role.MANAGER, "party": extension[:80]}


def _result(post: Mapping[str, str]) -> Result | None:
    said = post.get("disposition", "").strip().lower()
    return RESULTS.get(said, Result.FAILED) if said else None


def _duration(post: Mapping[str, str]) -> int | None:
    said = post.get("duration", "")
    if not said:
        return None
    if not said.isascii() or not said.isdecimal() or int(said) > 1_000_000:
        raise Malformed("duration must be a number of seconds.")
    return int(said)


_READERS = {
    "NOTIFY_START": ZadarmaAdapter._start,
    "NOTIFY_INTERNAL": ZadarmaAdapter._internal,
    "NOTIFY_ANSWER": ZadarmaAdapter._answer,
    "NOTIFY_END": ZadarmaAdapter._end,
    "NOTIFY_OUT_START": ZadarmaAdapter._out_start,
    "NOTIFY_OUT_END": ZadarmaAdapter._out_end,
    "NOTIFY_RECORD": ZadarmaAdapter._record,
    "NOTIFY_IVR": ZadarmaAdapter._nothing,
}
