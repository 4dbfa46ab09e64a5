"""What a company does before it works here: a list on the administrator's home until all is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.listing.models import Import
from crm.people.calendar import WorkingSpan
from crm.people.invitations import Invitation
from crm.people.models import User
from crm.web.demo_removal import has_demo


@dataclass(frozen=True)
class FirstStep:
    """One line of the list. `url()` where it is done; `is_done()` asks the database at most once."""

    label: str
    text: str
    icon: str
    url: Callable[[], str]
    is_done: Callable[[], bool]


def _several_people() -> bool:
    return Invitation.objects.exists() or User.objects.filter(is_active=True).count() > 1


STEPS = (
    FirstStep(
        _("Remove the demo data"),
        _("Made-up clients and deals go; what you made yourself stays."),
        "eraser",
        lambda: reverse("web:demo_removal"),
        lambda: not has_demo(),
    ),
    FirstStep(
        _("Connect the mail server"),
        _("Invitations and reminders go by mail: EMAIL_URL and CRM_URL in the environment."),
        "envelope-at",
        lambda: "",
        lambda: bool(os.environ.get("EMAIL_URL")),
    ),
    FirstStep(
        _("Invite your colleagues"),
        _("Each gets a link, a department and roles."),
        "person-plus",
        lambda: reverse("people:invitation_list"),
        _several_people,
    ),
    FirstStep(
        _("Check the company settings"),
        _("Address, currency and working hours: response times are counted in them."),
        "building-gear",
        lambda: reverse("web:company_settings"),
        WorkingSpan.objects.exists,
    ),
    FirstStep(
        _("Import your clients"),
        _("From a spreadsheet, with their contacts, deals and calls; an import can be undone."),
        "upload",
        lambda: reverse("imports:import_list"),
        lambda: Import.objects.filter(status=Import.Status.DONE).exists(),
    ),
)


def render_first_steps(request) -> str:
    """The list, for an administrator who has not done everything yet."""
    if not request.user.is_superuser:
        return ""
    lines = [(step, step.url(), step.is_done()) for step in STEPS]
    if all(done for _step, _url, done in lines):
        return ""
    return render_to_string("web/_first_steps.html", {"lines": lines}, request=request)
