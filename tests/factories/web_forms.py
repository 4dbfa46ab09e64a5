"""Web forms, and posts to them as a browser sends them."""

from datetime import timedelta
from urllib.parse import urlencode

import time_machine
from django.test import Client
from django.utils import timezone

from leads.web_forms import guard
from leads.web_forms.models import WebForm, WebFormField

TYPED = {
    "company": "Ślimak S.A.",
    "email": "biuro@slimak.pl",
    "phone": "601 234 567",
    "note": "Proszę o ofertę",
}
FORM_TYPE = "application/x-www-form-urlencoded"


def make_form(author, fields=("company", "email", "phone", "note"), **values) -> WebForm:
    """A form of `author`'s; the first field is required."""
    form = WebForm.objects.create(author=author, **{"name": "Kontakt", **values})
    WebFormField.objects.bulk_create(
        WebFormField(form=form, field=field, position=place, is_required=place == 0)
        for place, field in enumerate(fields)
    )
    return form


def proof_for(token: str) -> str:
    return next(str(n) for n in range(10**7) if guard.is_proof(token, str(n)))


def old_token(form: WebForm, seconds: int = 10) -> str:
    """The token of a form that was opened some seconds ago."""
    with time_machine.travel(timezone.now() - timedelta(seconds=seconds), tick=False):
        return guard.new_token(form)


def filled(form: WebForm, *, seconds: int = 10, **values) -> dict:
    """What a patient visitor's browser sends."""
    token = old_token(form, seconds)
    return {"token": token, "proof": proof_for(token), **TYPED, **values}


def post(form: WebForm, values: dict, client: Client | None = None, **headers):
    """The answer to a post without cookies, CSRF checks on."""
    client = client or Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post(
        form.get_absolute_url(), urlencode(values, doseq=True), content_type=FORM_TYPE, **headers
    )
