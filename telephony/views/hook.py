"""What providers post: proved, stored, answered at once. Nothing is slow here; what follows from a call is jobs."""

from __future__ import annotations

import logging
import time
from functools import cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm.people.prepared import PreparedRecord
from telephony.adapters.base import Adapter, Forged, Malformed, Stale
from telephony.health import note_refusal
from telephony.ingest import take_in
from telephony.models import Connection, Refusal
from telephony.sealing import Unreadable

logger = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
_LOG_EVERY_SECONDS = 60
_logged: dict[int, float] = {}
_places: dict[UUID, int] = {}


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, connection: UUID, secret: str) -> HttpResponse:
    """200 for events that are stored (again or for the first time), 4xx for what no retry can mend."""
    found = _connection(connection)
    if found is None or not found.is_secret(secret):
        raise Http404
    try:
        adapter = found.adapter
    except (LookupError, Unreadable):
        note_refusal(found, Refusal.Kind.UNREADY)
        return _refused(409, "The connection is not set up completely.")
    if (answer := adapter.handshake(request)) is not None:
        return answer
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    return _undersized(request) or _taken(request, found, adapter)


def _connection(number: UUID) -> Connection | None:
    """The connection in use that bears this number, read anew; where it stands in the table is remembered."""
    pk = _places.get(number)
    found = _reading().first(pk) if pk else None
    if found is None or found.uuid != number:
        found = Connection.objects.filter(uuid=number, is_active=True).first()
        if found is not None:
            _places[number] = found.pk
    return found


@cache
def _reading() -> PreparedRecord:
    return PreparedRecord(lambda pk: Connection.objects.filter(pk=pk, is_active=True).order_by(), 1)


def _undersized(request: HttpRequest) -> HttpResponse | None:
    """A refusal of a body without or beyond its size, before it is read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdecimal():
        return _refused(411, "The length of the body is missing.")
    if int(length) > MOST_BYTES:
        return _refused(413, f"A body has at most {MOST_BYTES} bytes.")
    return None


def _taken(request: HttpRequest, connection: Connection, adapter: Adapter) -> HttpResponse:
    raw = request.body
    params = request.POST.dict() if request.content_type in _FORMS else request.GET.dict()
    try:
        adapter.verify(raw, request.headers, params, f"{settings.CRM_URL}{request.get_full_path()}")
        facts = adapter.parse(raw, request.headers, params)
    except Forged as forged:
        _log_forged(connection, forged)
        note_refusal(connection, Refusal.Kind.STALE if isinstance(forged, Stale) else Refusal.Kind.FORGED)
        return _refused(403, "")
    except Malformed as malformed:
        note_refusal(connection, Refusal.Kind.MALFORMED)
        return _refused(400, str(malformed))
    calls = take_in(connection=connection, facts=facts)
    return JsonResponse({"events": len(facts), "changed": len(calls)})


def _log_forged(connection: Connection, forged: Forged) -> None:
    """Once a minute for each connection: whoever guesses does not fill the disk."""
    now = time.monotonic()
    if now - _logged.get(connection.pk, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS:
        _logged[connection.pk] = now
        logger.warning("%s post to the connection %s refused", type(forged).__name__, connection.pk)


def _refused(status: int, text: str) -> JsonResponse:
    return JsonResponse({"error": text} if text else {}, status=status)
