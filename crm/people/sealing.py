"""Secrets at rest: encrypted with keys derived from the project's own, another one for each purpose."""

from __future__ import annotations

import base64
import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """Sealed with a key that is not ours any more."""


def _fernet(purpose: str) -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([_key(secret, purpose) for secret in secrets])


@lru_cache(32)
def _key(secret: str, purpose: str) -> Fernet:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(kdf.derive(secret.encode())))


def seal(values: dict[str, str], purpose: str) -> str:
    """`purpose` names what the secrets are for: what was sealed for one opens for no other."""
    return _fernet(purpose).encrypt(json.dumps(values).encode()).decode()


def unseal(sealed: str, purpose: str) -> dict[str, str]:
    """Raises Unreadable."""
    if not sealed:
        return {}
    try:
        return json.loads(_fernet(purpose).decrypt(sealed.encode()))
    except InvalidToken:
        raise Unreadable from None
