"""Two people edit the same field: both values are shown, and the second one decides."""

import html
import re

from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from counterparties.services import edit_counterparty
from crm.history.editing import EditConflict
from crm.web.conflicts import conflict_page
from tests.factories.counterparties import make_counterparty


def conflict_of(rep, teammate):
    record = make_counterparty(rep, name="Before")
    version = record.version
    edit_counterparty(counterparty=record, values={"name": "Theirs"}, version=version, by=rep)
    try:
        edit_counterparty(counterparty=record, values={"name": 'Mine & "more"'}, version=version, by=rep)
    except EditConflict as conflict:
        return conflict
    raise AssertionError("no conflict")


def test_both_values_are_shown_and_the_form_goes_on_with_the_fresh_version(rep, teammate):
    conflict = conflict_of(rep, teammate)
    posted = {"name": 'Mine & "more"', "city": "Łódź", "version": "1", "form_token": "old"}
    request = RequestFactory().post("/counterparties/1/edit/", posted, headers={"HX-Request": "true"})
    request.user, request.htmx = rep, HtmxDetails(request)
    response = conflict_page(request, conflict, cancel_url="/counterparties/1/")
    page = response.content.decode()
    assert response.status_code == 409
    assert html.escape('Mine & "more"') in page
    assert "Theirs" in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert fields.pop("form_token") != "old"
    assert fields.pop("csrfmiddlewaretoken")
    assert fields == {
        "name": html.escape('Mine & "more"'),
        "city": "Łódź",
        "version": str(conflict.record.version),
    }


def test_what_is_next_on_a_card_follows_its_visibility(signed_in, rep, outsider):
    record = make_counterparty(rep)
    address = f"/card/counterparties.counterparty/{record.pk}/next/"
    assert signed_in(rep).get(address).status_code == 200
    assert signed_in(outsider).get(address).status_code == 404
    assert signed_in(rep).get("/card/no.such/1/next/").status_code == 404
