"""The scoring table, the keys that records are found by, pairs to decide about, and merges with their way back.

Records are named by (kind label, id), since leads stand above this room.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.people.kinds import kind_named


class ExactEncoder(DjangoJSONEncoder):
    """Django's, but moments keep their microseconds: rows come back exactly as they were."""

    def default(self, o):
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class Scope(models.TextChoices):
    """Between which kinds of record a row of the scoring table counts."""

    COUNTERPARTIES = "counterparty-counterparty", _("two counterparties")
    CONTACTS = "contact-contact", _("two contacts")
    LEADS = "lead-lead", _("two leads")
    LEAD_COUNTERPARTY = "counterparty-lead", _("a lead and a counterparty")
    LEAD_CONTACT = "contact-lead", _("a lead and a contact")
    CONTACT_COUNTERPARTY = "contact-counterparty", _("a contact and a counterparty")


FEATURES = (
    "tax_number",
    "tax_number_differs",
    "phone",
    "email",
    "domain",
    "name",
    "name_similar",
    "person",
    "person_similar",
    "website",
    "city",
)


def _points(label, **options) -> models.SmallIntegerField:
    return models.SmallIntegerField(label, default=0, **options)


class ScoringRow(models.Model):
    """How many points each likeness gives between two kinds of record, and from how many on they are duplicates."""

    scope = models.CharField(_("between"), max_length=30, choices=Scope.choices, unique=True, editable=False)
    tax_number = _points(_("same tax number"))
    tax_number_differs = _points(
        _("different tax numbers"), help_text=_("Usually below nought: two companies of one name.")
    )
    phone = _points(_("same phone"))
    email = _points(_("same e-mail"))
    domain = _points(_("same e-mail domain"), help_text=_("Public mailboxes such as gmail.com do not count."))
    name = _points(
        _("same name"), help_text=_("Legal forms, accents, capitals and the order of words do not count.")
    )
    name_similar = _points(_("similar name"), help_text=_("One or two typing errors, or a word more."))
    person = _points(_("same person's name"))
    person_similar = _points(_("similar person's name"))
    website = _points(_("same website"))
    city = _points(_("same city"), help_text=_("Counts only beside another likeness."))
    possible = models.SmallIntegerField(_("possible from"), default=50)
    certain = models.SmallIntegerField(_("certain from"), default=90)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("row of the scoring table")
        verbose_name_plural = _("duplicates: scoring table")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.get_scope_display())

    def clean(self) -> None:
        if self.possible < 1 or self.certain < self.possible:
            raise ValidationError(
                {
                    "certain": _(
                        "“Certain” needs at least as many points as “possible”, and that at least one."
                    )
                }
            )


class MatchKey(models.Model):
    """One thing a record can be found by, such as `p:+48221234567`; see `counterparties.matching.keys`."""

    kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()
    key = models.CharField(max_length=120)

    class Meta:
        indexes = [
            models.Index(fields=["key", "kind", "record_id"], name="records_by_key"),
            models.Index(fields=["kind", "record_id"], name="keys_of_record"),
        ]


class Scan(models.Model):
    """One search for duplicates through everything, or through what changed since the last one."""

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    is_full = models.BooleanField(default=True)
    compared = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]


class PairStatus(models.TextChoices):
    OPEN = "open", _("to decide")
    LATER = "later", _("later")
    DIFFERENT = "different", _("not duplicates")
    SETTLED = "settled", _("merged")


class PairQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> Self:
        """Pairs of which the user sees both records."""
        return self.filter(_seen("first", user, action), _seen("second", user, action))

    def between(self, one: tuple[str, int], other: tuple[str, int]) -> Self:
        (a, first), (b, second) = sorted([one, other])
        return self.filter(first_kind=a, first_id=first, second_kind=b, second_id=second)


def _seen(side: str, user, action: str) -> Q:
    """Correlated, so that a page of pairs asks about its own records only."""
    condition = Q(pk__in=[])
    for label in ("counterparties.contact", "counterparties.counterparty", "leads.lead"):
        if kind := kind_named(label):
            seen = Exists(kind.visible(user, action).filter(pk=OuterRef(f"{side}_id")))
            condition |= Q(seen, **{f"{side}_kind": label})
    return condition


class MatchPair(models.Model):
    """Two records that may be the same; (kind, id) of the first is the lesser. `reasons`: features that gave points."""

    first_kind = models.CharField(max_length=60)
    first_id = models.BigIntegerField()
    second_kind = models.CharField(max_length=60)
    second_id = models.BigIntegerField()
    score = models.SmallIntegerField()
    is_certain = models.BooleanField(default=False)
    reasons = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=PairStatus.choices, default=PairStatus.OPEN)
    scan = models.ForeignKey(Scan, models.SET_NULL, null=True, related_name="+")
    found_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = PairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["first_kind", "first_id", "second_kind", "second_id"], name="one_row_a_pair"
            )
        ]
        indexes = [
            models.Index(fields=["status", "-score", "-id"], name="pairs_to_decide"),
            models.Index(fields=["second_kind", "second_id"], name="pairs_of_second"),
        ]


class MergeQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> Self:
        """Merges whose surviving record the user sees."""
        condition = Q(pk__in=[])
        for label in self.order_by().values_list("kind", flat=True).distinct():
            if kind := kind_named(label):
                seen = Exists(kind.visible(user, action).filter(pk=OuterRef("survivor_id")))
                condition |= Q(seen, kind=label)
        return self.filter(condition)


class Merge(models.Model):
    """Some records became one. `changes`: [field, label, old, new] of the survivor, as JSON values."""

    kind = models.CharField(max_length=60)
    survivor_id = models.BigIntegerField()
    changes = models.JSONField(default=list, encoder=ExactEncoder)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "survivor_id", "-id"], name="merges_of_record")]


class MergedRecord(models.Model):
    """A record that was merged into another: its old address leads there while `is_active`."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="records")
    kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()
    title = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "record_id"], condition=Q(is_active=True), name="merged_into_one"
            )
        ]
        ordering = ["id"]


class StepKind(models.TextChoices):
    MOVED = "moved"
    CLEARED = "cleared"
    REMOVED = "removed"


class MergeStep(models.Model):
    """What a merge did to one table, for the way back.

    MOVED: `rows` are [id, former value] of `column`, which now holds the survivor (None where it would point at
    itself). CLEARED: the same, the column now holds False. REMOVED: the rows themselves, serialised.
    """

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=StepKind.choices)
    model = models.CharField(max_length=80)
    column = models.CharField(max_length=80, blank=True)
    target = models.BigIntegerField(null=True)
    rows = models.JSONField(default=list, encoder=ExactEncoder)

    class Meta:
        ordering = ["id"]


def successor_of(kind: str, record_id: int) -> int | None:
    """The record into which this one was merged at last, None when it was not. A query for each merge in between."""
    found = None
    while True:
        row = (
            MergedRecord.objects.filter(kind=kind, record_id=found or record_id, is_active=True)
            .annotate(into=F("merge__survivor_id"))
            .first()
        )
        if row is None:
            return found
        found = row.into
