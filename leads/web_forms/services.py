"""Taking in what visitors send: a row at once, a lead by a job."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext_noop

from crm.jobs.services import enqueue
from leads.intake import receive_lead
from leads.models import Lead, LeadSource
from leads.web_forms.models import FormSubmission, LeadOrigin, WebForm

JOB = "leads.form_intake"
KEY = "all"
VIA = gettext_noop("web form")
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
NOT_ALLOWED = gettext_noop("The author of the form may not add leads any more.")
NOT_ACCEPTED = gettext_noop("The values do not make a lead any more.")
Status = FormSubmission.Status


def origin_of(given) -> dict[str, str]:
    """Page, referrer and UTM of a visit, each cut to its length; the page's own query counts where no UTM is given."""
    page = _short(given.get("page", ""), 500)
    query = dict(parse_qsl(urlsplit(page).query)) if "?" in page else {}
    found = {name: _short(given.get(name) or query.get(name, ""), 200) for name in UTM}
    return {"page": page, "referrer": _short(given.get("referrer", ""), 500), **found}


def _short(text: str, length: int) -> str:
    """One line without control characters."""
    return "".join(char for char in str(text) if char.isprintable())[:length]


@transaction.atomic
def store_submission(
    *, form: WebForm, token: str, values: dict, attributes: dict, origin: dict, consent: str, address: str,
    doubt: str = "",
) -> bool:  # fmt: skip
    """Keeps what was sent, once for each token; False when that token is known already.

    `doubt`: why a person should look first; else a job makes the lead.
    """
    submission = FormSubmission(
        form=form, token=token, values=values, attributes=attributes, address=address,
        origin={**origin, "consent": consent}, reason=doubt, status=Status.HELD if doubt else Status.RECEIVED,
    )  # fmt: skip
    before = FormSubmission.objects.filter(token=token)
    if before.exists():
        return False
    FormSubmission.objects.bulk_create([submission], ignore_conflicts=True)
    if not doubt:
        enqueue(kind=JOB, key=KEY)
    return True


def waiting(most: int = 5) -> list[FormSubmission]:
    """The next submissions to make leads of; few, so that visitors do not wait long for the write lock of SQLite."""
    rows = FormSubmission.objects.filter(status=Status.RECEIVED).order_by("pk")
    return list(rows.select_related("form__author", "form__owner", "form__source")[:most])


def take_in(submission: FormSubmission) -> Lead | None:
    """Makes the lead, inside the caller's transaction; one that cannot be made is held for review."""
    form = submission.form
    values = {**submission.values, "source": _source(form)}
    if form.owner:
        values["owner"] = form.owner
    try:
        with transaction.atomic():
            lead = receive_lead(
                values=values, attributes=submission.attributes or None, by=form.author, via=VIA
            )
    except (ValidationError, PermissionDenied) as error:
        submission.reason = NOT_ALLOWED if isinstance(error, PermissionDenied) else NOT_ACCEPTED
        submission.status = Status.HELD
        submission.save(update_fields=["status", "reason"])
        return None
    _keep_origin(lead, submission)
    submission.status, submission.lead, submission.reason = Status.TAKEN, lead, ""
    submission.values, submission.attributes = {}, {}
    submission.save(update_fields=["status", "lead", "reason", "values", "attributes"])
    return lead


def _source(form: WebForm) -> LeadSource | None:
    return form.source or LeadSource.objects.filter(key="website").first()


def _keep_origin(lead: Lead, submission: FormSubmission) -> None:
    origin = dict(submission.origin)
    consent = origin.pop("consent", "")
    LeadOrigin.objects.create(
        lead=lead,
        form=submission.form,
        received_at=submission.received_at,
        consent_at=submission.received_at if consent else None,
        consent_text=consent,
        **origin,
    )


@transaction.atomic
def accept(submissions) -> int:
    """Lets held submissions become leads after all."""
    count = submissions.filter(status=Status.HELD).update(status=Status.RECEIVED)
    if count:
        enqueue(kind=JOB, key=KEY)
    return count


@transaction.atomic
def drop(submissions) -> int:
    """Throws held submissions away; what they carried is forgotten, their tokens are not."""
    return submissions.filter(status=Status.HELD).update(
        status=Status.DROPPED, values={}, attributes={}, origin={}
    )
