"""The one way out over HTTP to addresses that people typed: never into our own network, never without limits.

A name is resolved once, every address it has must be public, and the connection goes to the very address that was
checked, so that a name which changes in between gains nothing. Redirects are not followed by whoever posts; a GET
follows a few, each checked anew. `settings.CRM_HTTP_ALLOWED` lists hosts (`intranet.example`, `10.1.2.3:8080`) that
an installation trusts although they are not public.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 20.0
MOST_BYTES, MOST_URL, MOST_REDIRECTS = 1_000_000, 2000, 3
REDIRECTS = {301, 302, 303, 307, 308}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]


class AddressRefused(ValueError):
    """The address is malformed, not public, or of another scheme: asking again makes no sense."""


class NotReached(OSError):
    """Nothing was sent: the name is unknown, nobody listens there, or the certificate is wrong."""


class AnswerLost(OSError):
    """The request was sent, but what came of it is not known: no answer in time, or one that is cut or too long."""


@dataclass(frozen=True)
class Answer:
    """What the other side said. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a name, also of numbers in any notation."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(text: str) -> bool:
    """Whether an address lies on the open internet, whatever it is wrapped in."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    resolver: Resolver = system_resolver,
    total_seconds: float = TOTAL_SECONDS,
    most_bytes: int = MOST_BYTES,
    hosts: Collection[str] | None = None,
    trusted: Collection[str] = (),
) -> Answer:
    """Asks and answers within `total_seconds` a redirect. Raises AddressRefused, NotReached, AnswerLost.

    `hosts`: the only ones that may be asked, also after a redirect, in small letters. `trusted`: those that an
    administrator named for this very purpose, which need not be public.
    """
    for _turn in range(MOST_REDIRECTS + 1):
        parts = checked(url)
        if hosts is not None and parts.hostname not in hosts:
            raise AddressRefused("a host that is not listed")
        address = checked_address(parts, resolver, trusted)
        answer = _ask(parts, address, method, body, headers or {}, total_seconds, most_bytes)
        onward = answer.headers.get("location", "")
        if method != "GET" or answer.status not in REDIRECTS or not onward:
            return answer
        url = urljoin(url, onward)
    raise AddressRefused("too many redirects")


def checked(url: str) -> SplitResult:
    """The address taken apart. Raises AddressRefused for anything but http and https without a password."""
    if len(url) > MOST_URL or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise AddressRefused("malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("malformed") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise AddressRefused("not an http address")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("with a password")
    return parts


def checked_address(
    parts: SplitResult, resolver: Resolver = system_resolver, trusted: Collection[str] = ()
) -> str:
    """The address to connect to. Raises NotReached for an unknown name, AddressRefused if any address is not public."""
    host, port = str(parts.hostname), _port(parts)
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise NotReached(str(error)) from error
    if not addresses:
        raise NotReached("no address")
    allowed = {entry.strip().lower() for entry in settings.CRM_HTTP_ALLOWED}
    if host not in trusted and not {host, f"{host}:{port}"} & allowed and not all(map(is_public, addresses)):
        raise AddressRefused("not a public address")
    return addresses[0]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _ask(
    parts: SplitResult, address: str, method: str, body, headers: dict, seconds: float, most: int
) -> Answer:
    host, port = str(parts.hostname), _port(parts)
    try:
        plain = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise NotReached(str(error)) from error
    guard = threading.Timer(seconds, _cut, [plain])
    guard.daemon = True
    guard.start()
    try:
        plain.settimeout(seconds)
        wire = _secured(plain, host) if parts.scheme == "https" else plain
        connection = http.client.HTTPConnection(host, port)
        connection.sock = wire
        return _exchange(connection, parts, method, body, headers, most)
    finally:
        guard.cancel()
        _cut(plain)
        plain.close()


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except (OSError, ValueError) as error:
        raise NotReached(str(error)) from error


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, method: str, body, headers: dict, most: int
) -> Answer:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = {"User-Agent": "ContentumCRM", "Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        connection.request(method, target, body=body, headers=given)
        response = connection.getresponse()
        content = response.read(most + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AnswerLost(str(error) or type(error).__name__) from error
    if len(content) > most:
        raise AnswerLost("the answer is too long")
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def _cut(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
