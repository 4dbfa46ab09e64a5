"""Web forms, what was sent through them, and where a lead came from."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named, localised


def new_key() -> str:
    """The name of a form in its address; nobody guesses it."""
    return secrets.token_urlsafe(9).replace("_", "a").replace("-", "b")


class WebForm(Named):
    """A form on the company's web page. Every text stands in both languages of the interface.

    `sites`: the origins of pages that may show it, one a line. `author` acts for the sender: the last administrator
    who saved it. Leads go to `owner`, else by the assignment rules. `hourly_limit`: posts from one address; 0 for any.
    """

    key = models.CharField(max_length=24, unique=True, default=new_key, editable=False)
    title = models.CharField(_("heading"), max_length=200, blank=True)
    title_pl = models.CharField(_("heading in Polish"), max_length=200, blank=True)
    intro = models.TextField(_("introduction"), blank=True)
    intro_pl = models.TextField(_("introduction in Polish"), blank=True)
    button = models.CharField(_("text of the button"), max_length=60, blank=True)
    button_pl = models.CharField(_("text of the button in Polish"), max_length=60, blank=True)
    thanks = models.TextField(_("thanks"), blank=True)
    thanks_pl = models.TextField(_("thanks in Polish"), blank=True)
    redirect_url = models.URLField(
        _("page opened afterwards"), blank=True, help_text=_("Instead of the thanks.")
    )
    consent = models.TextField(_("consent"), blank=True, help_text=_("Empty: no consent is asked for."))
    consent_pl = models.TextField(_("consent in Polish"), blank=True)
    consent_required = models.BooleanField(_("consent is required"), default=True)
    sites = models.TextField(
        _("allowed sites"), blank=True, help_text=_("One a line, such as https://www.example.com")
    )
    source = models.ForeignKey(
        "leads.LeadSource",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("source"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("Empty: the assignment rules decide."),
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    hourly_limit = models.PositiveIntegerField(
        _("posts an hour from one address"),
        default=20,
        validators=[MaxValueValidator(100_000)],
        help_text=_("0: as many as come."),
    )
    is_active = models.BooleanField(_("accepts"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("web form")
        verbose_name_plural = _("web forms")
        ordering = ["name", "id"]

    def clean(self) -> None:
        """Raises ValidationError for a site that is not an origin; keeps them one a line."""
        found = []
        for line in self.sites.split():
            parts = urlsplit(line)
            plain = not parts.username and "*" not in line and ";" not in line and "," not in line
            if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
                raise ValidationError({"sites": _("“%(line)s” is not a site.") % {"line": line[:80]}})
            found.append(f"{parts.scheme}://{parts.netloc.lower()}")
        self.sites = "\n".join(dict.fromkeys(found))

    def get_absolute_url(self) -> str:
        return reverse("web_forms:form_page", args=[self.key])

    @property
    def origins(self) -> list[str]:
        """The sites that may show it."""
        return self.sites.split()

    def text(self, name: str) -> str:
        """`title`, `intro`, … in the reader's language."""
        return localised(getattr(self, name), getattr(self, f"{name}_pl"))


class WebFormField(models.Model):
    """One field of a web form: a field of the lead, or an attribute as `attr_key`."""

    form = models.ForeignKey(WebForm, models.CASCADE, related_name="fields")
    field = models.CharField(_("field"), max_length=80)
    label = models.CharField(_("label"), max_length=120, blank=True)
    label_pl = models.CharField(_("label in Polish"), max_length=120, blank=True)
    is_required = models.BooleanField(_("required"), default=False)
    position = models.PositiveSmallIntegerField(
        _("order"), default=0, validators=[MinValueValidator(0), MaxValueValidator(999)]
    )

    class Meta:
        verbose_name = _("field of a web form")
        verbose_name_plural = _("fields of a web form")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["form", "field"], name="one_place_per_form_field")]

    def __str__(self) -> str:
        return localised(self.label, self.label_pl) or self.field


class FormSubmission(models.Model):
    """What one visitor sent, until a job makes a lead of it. One row for each token, however often it is posted.

    `values` and `attributes` are cleaned and are forgotten once the lead has them. `address` is a keyed hash.
    `reason`: why a doubtful one is held, a msgid.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        TAKEN = "taken", _("became a lead")
        HELD = "held", _("held for review")
        DROPPED = "dropped", _("dropped")

    form = models.ForeignKey(WebForm, models.PROTECT, related_name="submissions", verbose_name=_("web form"))
    token = models.CharField(max_length=64, unique=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.RECEIVED)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    values = models.JSONField(_("values"), default=dict)
    attributes = models.JSONField(default=dict)
    origin = models.JSONField(_("origin"), default=dict)
    address = models.CharField(max_length=64)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    lead = models.ForeignKey(
        "leads.Lead", models.SET_NULL, null=True, related_name="+", verbose_name=_("lead")
    )

    class Meta:
        verbose_name = _("web form post")
        verbose_name_plural = _("web form posts")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["received", "taken", "held", "dropped"]),
                name="submission_has_a_known_status",
            )
        ]
        indexes = [
            models.Index(fields=["address", "received_at"], name="submissions_of_address"),
            models.Index(fields=["status", "id"], name="submissions_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.form} #{self.pk}"


class LeadOrigin(models.Model):
    """How a lead found us: the form, the page it stood on, what led there, and the consent that was given."""

    lead = models.OneToOneField("leads.Lead", models.CASCADE, related_name="origin")
    form = models.ForeignKey(WebForm, models.PROTECT, related_name="+", verbose_name=_("web form"))
    received_at = models.DateTimeField(_("received"))
    page = models.CharField(_("page"), max_length=500, blank=True)
    referrer = models.CharField(_("came from"), max_length=500, blank=True)
    utm_source = models.CharField(max_length=200, blank=True)
    utm_medium = models.CharField(max_length=200, blank=True)
    utm_campaign = models.CharField(max_length=200, blank=True)
    utm_term = models.CharField(max_length=200, blank=True)
    utm_content = models.CharField(max_length=200, blank=True)
    consent_at = models.DateTimeField(_("consent given"), null=True)
    consent_text = models.TextField(_("consent"), blank=True)

    class Meta:
        verbose_name = _("origin of a lead")
        verbose_name_plural = _("origins of leads")
        indexes = [models.Index(fields=["utm_campaign", "lead"], name="leads_of_campaign")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(consent_at=None) | ~models.Q(consent_text=""), name="consent_has_a_text"
            )
        ]

    def __str__(self) -> str:
        return self.page or str(self.form)
