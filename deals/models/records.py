"""Deals, their types and their people.

Only `deals.services` writes a deal's stage and status: `Deal.save()` and `update()` refuse to.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from crm.attributes.models import AttributedRecord
from crm.money.fields import NOT_NEGATIVE, MoneyField
from crm.money.models import default_currency
from crm.people.names import Named
from crm.people.search import Searchable
from crm.people.visibility import OwnedRecord, VisibleQuerySet
from deals.models.reasons import LossReason, OutcomeReason
from deals.patterns import LENGTH, validate_pattern


class DealStatus(models.TextChoices):
    ACTIVE = "active", _("active")
    POSTPONED = "postponed", _("postponed")
    WON = "won", _("won")
    LOST = "lost", _("lost")


OPEN_STATUSES = (DealStatus.ACTIVE, DealStatus.POSTPONED)
CLOSED_STATUSES = (DealStatus.WON, DealStatus.LOST)


class DealType(Named):
    """A schema of deals: its funnel and its attributes."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    funnel = models.ForeignKey("funnel.Funnel", models.PROTECT, related_name="+", verbose_name=_("funnel"))
    attribute_set = models.OneToOneField(
        "attributes.AttributeSet",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("attributes"),
    )
    number_pattern = models.CharField(
        _("pattern of numbers"),
        max_length=LENGTH,
        blank=True,
        validators=[validate_pattern],
        help_text=_("Where its deals are numbered apart from others, such as SRV/{year}/{number:4}."),
    )
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("deal type")
        verbose_name_plural = _("deal types")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_deal_type"
            )
        ]


class StageWriteError(RuntimeError):
    """Code tried to write a deal's stage or status past `deals.services`."""


PLACE = (
    "stage",
    "stage_id",
    "status",
    "funnel",
    "funnel_id",
    "stage_since",
    "proven_stage",
    "proven_stage_id",
)


class DealQuerySet(VisibleQuerySet):
    """Deals; `place()` is the one way to write where a deal stands, and `deals.services` the one caller."""

    def update(self, **values) -> int:
        """Raises StageWriteError for the columns that say where a deal stands."""
        if not set(values).isdisjoint(PLACE):
            raise StageWriteError("stage and status change through deals.services.request_stage")
        return super().update(**values)

    def place(self, **values) -> int:
        """Writes stage and status: for `deals.services` alone, beside its ledger row."""
        return super().update(**values)

    def open(self) -> DealQuerySet:
        return self.filter(status__in=OPEN_STATUSES)


class Deal(Searchable, AttributedRecord, OwnedRecord):
    """A running negotiation with one counterparty; `status` says whether it is alive, `stage` how far it is."""

    number = models.CharField(_("number"), max_length=LENGTH, unique=True, null=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    counterparty = models.ForeignKey(
        "counterparties.Counterparty", models.PROTECT, related_name="deals", verbose_name=_("counterparty")
    )
    deal_type = models.ForeignKey(DealType, models.PROTECT, related_name="+", verbose_name=_("deal type"))
    funnel = models.ForeignKey("funnel.Funnel", models.PROTECT, related_name="+", verbose_name=_("funnel"))
    stage = models.ForeignKey("funnel.Stage", models.PROTECT, related_name="+", verbose_name=_("stage"))
    # The last stage reached through its gate: another one than `stage` after an override or an import.
    proven_stage = models.ForeignKey(
        "funnel.Stage",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("proven stage"),
    )
    status = models.CharField(
        _("status"), max_length=10, choices=DealStatus.choices, default=DealStatus.ACTIVE
    )
    amount = MoneyField(_("amount"), null=True, blank=True, validators=NOT_NEGATIVE)
    currency = models.ForeignKey(
        "money.Currency", models.PROTECT, related_name="+", verbose_name=_("currency")
    )
    worth = MoneyField(_("in the company's currency"), null=True, blank=True, editable=False)
    close_date = models.DateField(_("close date"), null=True, blank=True)
    close_date_slips = models.PositiveSmallIntegerField(_("times put off"), default=0, editable=False)
    stage_since = models.DateTimeField(_("at this stage since"), default=timezone.now, editable=False)
    postponed_until = models.DateField(_("postponed until"), null=True, blank=True)
    loss_reason = models.ForeignKey(
        LossReason, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reason of loss")
    )
    outcome_reason = models.ForeignKey(
        OutcomeReason, models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("reason of winning or postponing"),
    )  # fmt: skip
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    contacts = models.ManyToManyField("counterparties.Contact", through="DealContact", related_name="deals")

    attribute_set_lookup = "deal_type__attribute_set_id"
    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = _("deal")
        verbose_name_plural = _("deals")
        indexes = [
            models.Index(fields=["funnel", "stage", "status", "-stage_since", "-id"], name="deals_of_column"),
            models.Index(fields=["owner", "status", "-id"], name="deals_of_owner"),
            models.Index(fields=["department", "status", "-id"], name="deals_of_department"),
            models.Index(fields=["status", "-id"], name="deals_by_status"),
            models.Index(fields=["close_date", "id"], name="deals_by_close_date"),
            models.Index(fields=["status", "close_date", "id"], name="deals_of_status_by_close"),
            models.Index(fields=["amount", "id"], name="deals_by_amount"),
            models.Index(fields=["worth", "id"], name="deals_by_worth"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=DealStatus.LOST) | Q(loss_reason__isnull=False), name="loss_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(cls, db, field_names, values):
        deal = super().from_db(db, field_names, values)
        deal._remember_place()
        return deal

    def refresh_from_db(self, *args, **kwargs) -> None:
        super().refresh_from_db(*args, **kwargs)
        self._remember_place()

    def _remember_place(self) -> None:
        self._place = {name: self.__dict__[name] for name in ("stage_id", "status") if name in self.__dict__}

    def save(self, *args, **kwargs) -> None:
        """Raises StageWriteError when stage or status differ from what was read."""
        if not self._state.adding and any(
            self.__dict__.get(name) != value for name, value in getattr(self, "_place", {}).items()
        ):
            raise StageWriteError("stage and status change through deals.services.request_stage")
        super().save(*args, **kwargs)
        self._remember_place()

    def searchable_parts(self) -> list[str]:
        return [self.name, self.number or "", self.counterparty.name]

    def get_attribute_set_id(self) -> int | None:
        return self.deal_type.attribute_set_id

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_foreign(self) -> bool:
        """An amount in another currency than the company's."""
        return self.amount is not None and self.currency_id != default_currency()

    @property
    def is_proven(self) -> bool:
        """Whether the deal stands where its gates let it, and not where somebody or a file put it."""
        return self.proven_stage_id == self.stage_id

    @property
    def is_past_close_date(self) -> bool:
        return self.is_open and self.close_date is not None and self.close_date < timezone.localdate()

    @property
    def days_at_stage(self) -> int:
        return max((timezone.now() - self.stage_since).days, 0)

    @property
    def is_overridden(self) -> bool:
        """Whether a running deal stands ahead of where its gates let it; reads both stages."""
        proven = self.proven_stage
        return self.status == DealStatus.ACTIVE and (proven is None or proven.position < self.stage.position)

    def is_rotting(self, rot_days: int | None) -> bool:
        """Whether the deal has stood longer than its stage allows."""
        return self.status == DealStatus.ACTIVE and rot_days is not None and self.days_at_stage > rot_days


class DealShare(UserObjectPermissionBase):
    """A deal shared with one user beyond his roles."""

    content_object = models.ForeignKey(Deal, models.CASCADE)


Deal.share_model = DealShare


class DealContact(models.Model):
    """A person of the negotiation."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="deal_contacts")
    contact = models.ForeignKey(
        "counterparties.Contact", models.CASCADE, related_name="+", verbose_name=_("contact")
    )
    role = models.CharField(_("role"), max_length=80, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["deal", "contact"], name="contact_once_on_a_deal")]
