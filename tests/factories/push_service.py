"""A push service with the browser behind it: https on this machine, opening what it is handed as a browser would.

Decryption (RFC 8291, 8188) and the check of the signature (RFC 8292) are written here from the standards, and not by
the library that encrypts.
"""

import json
import ssl
import struct
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from secrets import token_bytes

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(private) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(length: int, salt: bytes, info: bytes, secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


class Receiver:
    """The browser's half: its keys, and what it makes of a message."""

    def __init__(self) -> None:
        self.private, self.auth = ec.generate_private_key(ec.SECP256R1()), token_bytes(16)

    @property
    def keys(self) -> dict[str, str]:
        return {"public_key": b64(point_of(self.private)), "auth": b64(self.auth)}

    def opened(self, body: bytes) -> dict:
        salt, size, length = body[:16], *struct.unpack("!LB", body[16:21])
        sender, content = body[21 : 21 + length], body[21 + length :]
        assert len(content) <= size, "one record"
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        info = b"WebPush: info\0" + point_of(self.private) + sender
        secret = _derived(32, self.auth, info, self.private.exchange(ec.ECDH(), peer))
        key = _derived(16, salt, b"Content-Encoding: aes128gcm\0", secret)
        nonce = _derived(12, salt, b"Content-Encoding: nonce\0", secret)
        plain = AESGCM(key).decrypt(nonce, content, None)
        assert plain.rstrip(b"\0")[-1] == 2, "the last record"
        return json.loads(plain.rstrip(b"\0")[:-1])


def claims_of(header: str) -> tuple[dict, str]:
    """What the sender says of himself, and his key; fails unless he signed it."""
    scheme, _, rest = header.partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = given["t"].split(".")
    assert (scheme, json.loads(unb64(head))["alg"]) == ("vapid", "ES256")
    raw = unb64(signature)
    assert len(raw) == 64
    halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(given["k"]))
    key.verify(encode_dss_signature(*halves), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    return json.loads(unb64(claims)), given["k"]


def certificate(folder) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key, as files."""
    private = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "push")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(private, SHA256())
    )
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(cert), str(key)


class PushService:
    """Keeps what it is handed; `answers` are given in turn instead of 201, "silent" gives none."""

    def __init__(self, cert: str, key: str) -> None:
        self.taken: list[tuple[str, dict, bytes]] = []
        self.answers: list = []
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def endpoint(self, name: str) -> str:
        return f"https://{self.host}/push/{name}"

    def stop(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def _handler_of(service: PushService):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.taken.append((self.path, dict(self.headers), body))
            answer = service.answers.pop(0) if service.answers else 201
            if answer == "silent":
                service.over.wait(60)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args):
            pass

    return Handler
