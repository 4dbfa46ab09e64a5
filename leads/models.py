"""Leads, where they come from, and why some come to nothing.

Only `leads.services` changes a lead's status.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from counterparties.models import Matchable
from counterparties.name_keys import name_key
from crm.attributes.models import AttributedRecord, AttributeSet
from crm.people.names import Named
from crm.people.phones import show_phone
from crm.people.visibility import OwnedRecord
from leads.web_forms.models import FormSubmission, LeadOrigin, WebForm, WebFormField

__all__ = [
    "LEAD_KIND",
    "OPEN_STATUSES",
    "AssignmentRule",
    "FormSubmission",
    "Lead",
    "LeadOrigin",
    "LeadRule",
    "LeadShare",
    "LeadSource",
    "LeadStatus",
    "ScoreRule",
    "ScoreTest",
    "Strategy",
    "UnqualifiedReason",
    "WebForm",
    "WebFormField",
]
LEAD_KIND = "leads.lead"


class LeadSource(Named):
    """Where leads come from: an exhibition, the web page, a file."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    response_minutes = models.PositiveIntegerField(
        _("first response within (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("In working time; empty when leads of this source need not be answered by any hour."),
    )

    class Meta:
        verbose_name = _("lead source")
        verbose_name_plural = _("lead sources")
        ordering = ["position", "id"]


class UnqualifiedReason(Named):
    """Why a lead was given up."""

    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("reason for disqualifying")
        verbose_name_plural = _("reasons for disqualifying")
        ordering = ["position", "id"]


class LeadStatus(models.TextChoices):
    NEW = "new", _("new")
    IN_WORK = "in_work", _("in work")
    QUALIFIED = "qualified", _("qualified")
    UNQUALIFIED = "unqualified", _("unqualified")
    UNREACHABLE = "unreachable", _("unreachable")
    DUPLICATE = "duplicate", _("duplicate")


OPEN_STATUSES = (LeadStatus.NEW, LeadStatus.IN_WORK)


class Lead(Matchable, AttributedRecord, OwnedRecord):
    """Somebody who may become a client. `name` is the company or the person, whichever is known.

    `phone` is E.164, `tax_number` compact as on a counterparty. `import_id` names the import that made the lead.
    `respond_by`: the agreed moment of the first response; `response_minutes`: the working time it took.
    `score_parts`: points by the id of the score rule that gave them.
    `duplicate_of` and `status_note` say what a status means; `counterparty`, `contact`, `deal` came of a conversion.
    """

    name = models.CharField(_("name"), max_length=200)
    company = models.CharField(_("company"), max_length=200, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    position = models.CharField(_("position"), max_length=120, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=20, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.URLField(_("website"), blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    note = models.TextField(_("note"), blank=True)
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("source")
    )
    status = models.CharField(
        _("status"), max_length=12, choices=LeadStatus.choices, default=LeadStatus.NEW, editable=False
    )
    reason = models.ForeignKey(
        UnqualifiedReason, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reason")
    )
    status_note = models.TextField(_("note on the status"), blank=True)
    duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("duplicate of")
    )
    first_response_at = models.DateTimeField(_("first response"), null=True, editable=False)
    respond_by = models.DateTimeField(_("respond by"), null=True, editable=False)
    response_minutes = models.PositiveIntegerField(_("minutes to respond"), null=True, editable=False)
    escalated_at = models.DateTimeField(null=True, editable=False)
    score = models.IntegerField(_("score"), default=0, editable=False)
    score_parts = models.JSONField(default=dict, editable=False)
    converted_at = models.DateTimeField(_("converted"), null=True, editable=False)
    counterparty = models.ForeignKey(
        "counterparties.Counterparty",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="leads",
        verbose_name=_("counterparty"),
    )
    contact = models.ForeignKey(
        "counterparties.Contact",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="leads",
        verbose_name=_("contact"),
    )
    deal = models.ForeignKey(
        "deals.Deal", models.PROTECT, null=True, editable=False, related_name="leads", verbose_name=_("deal")
    )
    import_id = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="unqualified") | Q(reason__isnull=False), name="unqualified_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(status="qualified", converted_at__isnull=False, counterparty__isnull=False)
                | (~Q(status="qualified") & Q(converted_at__isnull=True)),
                name="qualified_by_conversion",
            ),
            models.CheckConstraint(condition=Q(status__in=LeadStatus.values), name="lead_has_a_known_status"),
            models.CheckConstraint(
                condition=Q(duplicate_of=None) | (Q(status="duplicate") & ~Q(duplicate_of=F("id"))),
                name="duplicate_of_another_lead",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="leads_by_status"),
            models.Index(fields=["status", "respond_by"], name="leads_to_answer"),
            models.Index(fields=["respond_by", "id"], name="leads_by_deadline"),
            models.Index(fields=["score", "id"], name="leads_by_score"),
            models.Index(fields=["owner", "status", "-id"], name="leads_of_owner"),
            models.Index(fields=["department", "status", "-id"], name="leads_of_department"),
            models.Index(fields=["tax_number"], condition=~Q(tax_number=""), name="lead_tax_number"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="lead_phone"),
            models.Index(fields=["email"], condition=~Q(email=""), name="lead_email"),
            models.Index(fields=["import_id"], condition=Q(import_id__isnull=False), name="leads_of_import"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def person(self) -> str:
        """The name of the person, empty when only the company is known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    def refresh_search(self) -> None:
        """A lead without a name of its own is called by its company, person, e-mail or phone."""
        self.name = self.company or self.person or self.name or self.email or self.phone
        super().refresh_search()

    def searchable_parts(self) -> list[str]:
        phone = [self.phone, show_phone(self.phone)] if self.phone else []
        return [
            self.name,
            self.company,
            self.first_name,
            self.last_name,
            self.tax_number,
            *phone,
            self.email,
            self.city,
        ]

    def make_name_key(self) -> str:
        return name_key(self.company or self.name)

    def get_attribute_set_id(self) -> int | None:
        """All leads share the one set made for their kind. One query."""
        return AttributeSet.objects.filter(kind=LEAD_KIND).order_by("pk").values_list("pk", flat=True).first()


class LeadShare(UserObjectPermissionBase):
    """A lead shared with one user beyond his roles."""

    content_object = models.ForeignKey(Lead, models.CASCADE)


Lead.share_model = LeadShare


class LeadRule(Named):
    """Something that holds for the leads of one filtered list: the list's address, read with its author's rights."""

    query = models.TextField(
        _("filters"),
        blank=True,
        help_text=_("Filter the list of leads and paste its address here; empty: all leads."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("author")
    )
    is_active = models.BooleanField(_("in use"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        abstract = True


class Strategy(models.TextChoices):
    PERSON = "person", _("one person")
    ROUND_ROBIN = "round_robin", _("department, in turn")
    LOAD = "load", _("department, whoever has the fewest open leads")


class AssignmentRule(LeadRule):
    """Who gets a new lead; the first rule that fits and finds somebody present decides. `turn` counts what it gave."""

    strategy = models.CharField(_("to whom"), max_length=12, choices=Strategy.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    department = models.ForeignKey(
        "people.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("department"),
    )
    only_working_hours = models.BooleanField(_("only in working hours"), default=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("assignment rule")
        verbose_name_plural = _("assignment rules")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(strategy="person", person__isnull=False)
                | Q(strategy__in=["round_robin", "load"], department__isnull=False),
                name="assignment_rule_has_a_target",
            )
        ]


class ScoreTest(models.TextChoices):
    FILTERS = "filters", _("the filters below")
    COMPANY_EMAIL = "company_email", _("the e-mail is not a free mailbox")
    ANSWERED = "answered", _("somebody has worked on it")


class ScoreRule(LeadRule):
    """Points for what is true of a lead."""

    test = models.CharField(
        _("points for"), max_length=14, choices=ScoreTest.choices, default=ScoreTest.FILTERS
    )
    points = models.SmallIntegerField(
        _("points"), validators=[MinValueValidator(-100), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = _("score rule")
        verbose_name_plural = _("score rules")
        ordering = ["position", "id"]
