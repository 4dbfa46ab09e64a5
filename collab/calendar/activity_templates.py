"""Templates of activities: what is planned again and again, kept by the company and filled into forms."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab.calendar.leads_of_time import LEADS, MOST, STANDARD
from crm.history.definitions import end_of, order_definitions, write_definition
from crm.people.names import Named
from crm.web.company import may_change_company

MOST_TEMPLATES = 100
MOST_MINUTES = 24 * 60


def check_minutes(value) -> None:
    """Minutes before the start that are offered."""
    if not isinstance(value, list) or not set(value) <= set(LEADS) or len(value) > MOST:
        raise ValidationError(_("Choose from what is offered."))


class ActivityTemplate(Named):
    """What a form is filled with. `remind`: minutes before the start, none for what is usual."""

    kind = models.CharField(gettext_lazy("kind"), max_length=10)
    subject = models.CharField(gettext_lazy("subject"), max_length=200, blank=True)
    minutes = models.PositiveSmallIntegerField(gettext_lazy("length"), default=0)
    remind = models.JSONField(gettext_lazy("reminders"), default=list, blank=True, validators=[check_minutes])
    description = models.TextField(gettext_lazy("description"), max_length=10_000, blank=True)
    is_active = models.BooleanField(gettext_lazy("offered"), default=True)
    position = models.PositiveSmallIntegerField(gettext_lazy("order"), default=0)

    class Meta:
        verbose_name = gettext_lazy("activity template")
        verbose_name_plural = gettext_lazy("activity templates")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["name"], name="one_activity_template_of_a_name")]

    def clean(self) -> None:
        """Raises ValidationError for a kind or a length that activities do not have."""
        if self.kind not in STANDARD:
            raise ValidationError({"kind": _("Choose one of the offered values.")})
        if self.minutes > MOST_MINUTES:
            raise ValidationError({"minutes": _("Choose one of the offered values.")})

    def fills(self) -> dict:
        """What a form is filled with, by field; what is empty says nothing."""
        names = ("kind", "subject", "minutes", "remind", "description")
        return {name: getattr(self, name) for name in names}


@transaction.atomic
def save_template(*, template: ActivityTemplate | None = None, values: dict, by) -> ActivityTemplate:
    """Adds a template at the end, or changes one.

    Raises PermissionDenied for whoever may not change the company, ValidationError for a name that is taken.
    """
    _demand(by)
    if template is None:
        if ActivityTemplate.objects.count() >= MOST_TEMPLATES:
            raise ValidationError(_("There are 100 templates already: change one of them."))
        template = ActivityTemplate(position=end_of(ActivityTemplate.objects.all()))
    write_definition(template, values, by)
    return template


@transaction.atomic
def retire_template(*, template: ActivityTemplate, is_active: bool, by) -> None:
    """Takes a template out of what forms offer, or offers it again. Raises PermissionDenied."""
    _demand(by)
    write_definition(template, {"is_active": is_active}, by)


@transaction.atomic
def order_templates(*, ids: list[int], by) -> None:
    """The order in which forms offer them. Raises PermissionDenied."""
    _demand(by)
    order_definitions(ActivityTemplate.objects.all(), ids, by)


def _demand(by) -> None:
    if not may_change_company(by):
        raise PermissionDenied
