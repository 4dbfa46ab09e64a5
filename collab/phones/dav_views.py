"""Where phones with an account come in: the request goes to Radicale as it is, but for what could mislead it."""

from __future__ import annotations

import base64
import binascii

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from collab.phones import dav
from collab.phones.limits import is_too_often, was_too_often

MOST_BYTES = 1024 * 1024
# Of one address in a minute: passwords that open nothing, and requests (a first synchronisation is many).
MOST_MISSES, MOST_REQUESTS = 20, 3000
READING = {"GET", "HEAD", "PROPFIND", "REPORT"}
METHODS = READING | {"OPTIONS", "PUT", "DELETE", "MKCALENDAR", "MKCOL", "MOVE", "PROPPATCH"}
# What a proxy may have written for us must not tell Radicale where it stands.
_MISLEADING = ("HTTP_X_SCRIPT_NAME", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SERVER",
               "HTTP_X_FORWARDED_FOR", "HTTP_X_REMOTE_ADDR", "QUERY_STRING")  # fmt: skip


@csrf_exempt
@login_not_required
def well_known(request):
    """RFC 6764: where calendars are."""
    return HttpResponsePermanentRedirect(reverse("dav:door"))


@csrf_exempt
@login_not_required
def door(request, rest: str):
    """One request of a phone. Its password is read anew each time; there is no session and no cookie."""
    if was_too_often(request, "dav-miss", MOST_MISSES) or is_too_often(request, "dav", MOST_REQUESTS):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    if request.method not in METHODS:
        return HttpResponse(status=405, headers={"Allow": ", ".join(sorted(METHODS))})
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdecimal():
        return HttpResponse(status=400)
    if int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    if rest.startswith("."):
        return HttpResponse(status=404)
    with dav.asking():
        response = _answer(_environ(request, rest))
    if response.status_code == 401 and request.META.get("HTTP_AUTHORIZATION"):
        is_too_often(request, "dav-miss", MOST_MISSES)
    return response


def _environ(request, rest: str) -> dict:
    environ = {name: value for name, value in request.environ.items() if name not in _MISLEADING}
    environ |= {"SCRIPT_NAME": reverse("dav:door").rstrip("/"), "PATH_INFO": f"/{rest}", "QUERY_STRING": ""}
    environ.setdefault("SERVER_PROTOCOL", "HTTP/1.1")
    environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0]
    if not _is_readable(environ.get("HTTP_AUTHORIZATION", "")):
        del environ["HTTP_AUTHORIZATION"]
    return environ


def _is_readable(authorization: str) -> bool:
    """Whether it is empty or Basic with a name and a password, as Radicale expects without looking."""
    scheme, _blank, value = authorization.partition(" ")
    if not authorization:
        return True
    try:
        return scheme == "Basic" and ":" in base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return False


def _answer(environ: dict) -> HttpResponse:
    started: list = []
    body = b"".join(dav.door()(environ, lambda status, headers: started.extend([status, headers])))
    status, headers = int(started[0].split()[0]), dict(started[1])
    if (
        status == 403
        and environ["REQUEST_METHOD"] in READING
        and headers.get("Content-Type", "").startswith("text/plain")
    ):
        status, body = 404, b""
    response = HttpResponse(body, status=status)
    for name, value in headers.items():
        if name != "Content-Length":
            response[name] = value
    response["Cache-Control"] = "no-store"
    return response
