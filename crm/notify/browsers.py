"""The browsers in which people turned pushed notifications on."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.notify.models import Browser
from crm.operations.http import AddressRefused, NotReached, checked, checked_address

MOST_BROWSERS = 20
AUTH_BYTES = 16


def browsers_of(user) -> QuerySet[Browser]:
    """Those of one person, in the order they were added."""
    return Browser.objects.filter(user=user).order_by("pk")


def browsers_by_user(users: Iterable[int]) -> dict[int, list[int]]:
    """The ids of their browsers, for those of the users who have any. One query."""
    found: dict[int, list[int]] = {}
    for user, browser in Browser.objects.filter(user__in=users).order_by("pk").values_list("user_id", "pk"):
        found.setdefault(user, []).append(browser)
    return found


def add_browser(*, values: dict[str, str], agent: str, by) -> Browser:
    """Messages for `by` go to this browser from now on, and for nobody else who turned it on there before.

    `values`: `endpoint`, `public_key` and `auth` as the browser gave them. Asks the name server. Raises
    ValidationError for an address that is not https and public, and for keys that are none.
    """
    check_endpoint(values["endpoint"])
    _check_keys(values["public_key"], values["auth"])
    fields = {**values, "user": by, "agent": agent[: Browser._meta.get_field("agent").max_length]}
    with transaction.atomic():
        others = browsers_of(by).exclude(endpoint=values["endpoint"])
        if others.count() >= MOST_BROWSERS:
            raise ValidationError(_("That is enough browsers. Turn off one that you do not use any more."))
        Browser(**fields).full_clean(exclude=["user"], validate_unique=False)
        browser, _added = Browser.objects.update_or_create(
            endpoint=values["endpoint"], defaults={**fields, "last_used_at": None}
        )
    return browser


@transaction.atomic
def remove_browser(*, browser: Browser, by) -> bool:
    """Nothing is pushed to it any more. False for one that is not of `by` (any more)."""
    return bool(browsers_of(by).filter(pk=browser.pk).delete()[0])


def check_endpoint(endpoint: str) -> None:
    """Raises ValidationError for anything but a public https address."""
    refused = ValidationError(_("The push service of this browser has an address that is not used here."))
    if not endpoint.isascii() or len(endpoint) > Browser._meta.get_field("endpoint").max_length:
        raise refused
    try:
        parts = checked(endpoint)
        if parts.scheme != "https":
            raise refused
        checked_address(parts)
    except AddressRefused:
        raise refused from None
    except NotReached:
        raise ValidationError(
            _("The push service of this browser is not found from here; try again later.")
        ) from None


def decoded(text: str) -> bytes:
    """The bytes of base64url without its padding. Raises ValueError."""
    if not text.isascii() or set(text) & set("+/"):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _check_keys(public_key: str, auth: str) -> None:
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(public_key))
        right = len(decoded(public_key)) == 65 and len(decoded(auth)) == AUTH_BYTES
    except ValueError:
        right = False
    if not right:
        raise ValidationError(_("The keys that this browser gave are none."))
