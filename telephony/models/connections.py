"""A connection to one exchange or provider, and whose extension is whose."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from crm.people.time_zones import validate_time_zone
from telephony.adapters.base import Adapter, adapter_named
from telephony.sealing import seal, unseal


class LeadRule(models.TextChoices):
    """When a number that nobody knows becomes a lead by itself."""

    HAND = "hand", _("only by hand")
    MISSED = "missed", _("when nobody answered")
    ALWAYS = "always", _("after every call")


class Connection(models.Model):
    """`provider`: the key of an adapter. `sealed`: its settings, encrypted; read and written as `settings`.

    `secret_hash`: of the secret part of the address that the provider posts to. `lines`: our numbers, one a line.
    `ignored`: numbers that are never logged, one a line, `*` at the end for all that begin so. `rota`: who calls back
    where nobody owns the caller. `author` acts for callers: the last administrator who saved it.
    `health`: what its listener last said, as `listener_at` has it.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    provider = models.CharField(_("kind"), max_length=20)
    is_active = models.BooleanField(_("in use"), default=True)
    sealed = models.TextField(blank=True, editable=False)
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    region = models.CharField(
        _("country of numbers without a prefix"), max_length=2, blank=True, help_text=_("Such as PL.")
    )
    time_zone = models.CharField(
        _("time zone of the exchange"), max_length=64, blank=True, validators=[validate_time_zone]
    )
    lines = models.TextField(_("our numbers"), blank=True, help_text=_("One a line."))
    ignored = models.TextField(
        _("numbers left out"), blank=True, help_text=_("One a line; +48800* for all that begin so.")
    )
    rota = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name=_("who calls back"),
        help_text=_("In turn, where the caller has no owner."),
    )
    lead_rule = models.CharField(
        _("unknown numbers become leads"), max_length=6, choices=LeadRule.choices, default=LeadRule.HAND
    )
    return_minutes = models.PositiveIntegerField(
        _("missed calls are returned within (minutes of working time)"),
        default=60,
        validators=[MaxValueValidator(10_000)],
        help_text=_("Then the head of whoever has to call back is told. 0: nobody is."),
    )
    retention_days = models.PositiveIntegerField(
        _("recordings are kept for (days)"),
        default=180,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    listener_at = models.DateTimeField(_("listener seen"), null=True, editable=False)
    health = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("telephony connection")
        verbose_name_plural = _("telephony connections")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def settings(self) -> dict[str, str]:
        """The adapter's settings, secrets among them. Raises Unreadable."""
        return unseal(self.sealed)

    @settings.setter
    def settings(self, values: dict[str, str]) -> None:
        self.sealed = seal(values)

    @property
    def adapter(self) -> Adapter:
        """The adapter of its kind, bound to this connection. Raises LookupError for a kind that is not offered."""
        found = adapter_named(self.provider)
        if found is None:
            raise LookupError(self.provider)
        return found(self)

    @property
    def fetch_after(self) -> timedelta:
        """How long after the end its recordings are ready to be fetched."""
        adapter = adapter_named(self.provider)
        return timedelta(seconds=adapter.fetch_after_seconds if adapter else 0)

    def is_ignored(self, *numbers: str) -> bool:
        """Whether calls with this number, in any of its notations, are left out."""
        patterns = [line.replace(" ", "") for line in self.ignored.splitlines() if line.strip()]
        written = [number.replace(" ", "") for number in numbers if number]
        return any(
            number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern
            for pattern in patterns
            for number in written
        )

    def new_secret(self) -> str:
        """A new secret for the address; shown once, kept as a hash. The row is not saved."""
        secret = secrets.token_urlsafe(24)
        self.secret_hash = _hash(secret)
        return secret

    def is_secret(self, given: str) -> bool:
        return bool(self.secret_hash) and constant_time_compare(_hash(given), self.secret_hash)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Extension(models.Model):
    """A telephone on somebody's desk. `number` as the exchange writes it; `user` may be empty: the reception's."""

    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="extensions", verbose_name=_("connection")
    )
    number = models.CharField(_("extension"), max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="extensions",
        verbose_name=_("person"),
    )

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="one_extension_per_number"),
            models.UniqueConstraint(fields=["connection", "user"], name="one_extension_per_user"),
        ]

    def __str__(self) -> str:
        return self.number
