"""One URL answers the page or its fragment; the headers htmx reads."""

import json

import pytest
from django.contrib import messages
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from crm.web import htmx


def make_request(**headers):
    request = RequestFactory().get("/", headers=headers)
    request.htmx = HtmxDetails(request)
    return request


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_only_a_plain_htmx_request_wants_a_fragment(headers, fragment):
    assert htmx.wants_fragment(make_request(**headers)) is fragment


def test_page_answers_whole_or_partial_by_the_header(signed_in, rep):
    client = signed_in(rep)
    whole = client.get("/search/?q=zzz")
    part = client.get("/search/?q=zzz", headers={"HX-Request": "true"})
    assert whole.content.lstrip().startswith(b"<!doctype html>")
    assert part.content.strip().startswith(b'<div id="results">')
    assert {name.strip() for name in whole["Vary"].split(",")} >= {"HX-Request"}
    assert {name.strip() for name in part["Vary"].split(",")} >= {"HX-Request"}


def test_trigger_keeps_events_that_are_already_there():
    response = htmx.trigger(HttpResponse(headers={"HX-Trigger": "one, two"}), "deal-changed")
    htmx.trigger(response, stage_moved={"pk": 7})
    assert json.loads(response["HX-Trigger"]) == {
        "one": None,
        "two": None,
        "deal-changed": None,
        "stage-moved": {"pk": 7},
    }


def test_redirect_and_done_with_and_without_htmx():
    plain, by_htmx = make_request(), make_request(**{"HX-Request": "true"})
    assert (htmx.redirect(plain, "/a/").status_code, htmx.redirect(plain, "/a/")["Location"]) == (302, "/a/")
    assert (htmx.redirect(by_htmx, "/a/").status_code, htmx.redirect(by_htmx, "/a/")["HX-Redirect"]) == (
        204,
        "/a/",
    )
    assert htmx.done(plain, "/a/", "deal-changed")["Location"] == "/a/"
    answer = htmx.done(by_htmx, "/a/", "deal-changed")
    assert (answer.status_code, json.loads(answer["HX-Trigger"])) == (
        204,
        {"dialog-close": None, "deal-changed": None},
    )


def test_messages_of_a_fragment_become_a_toast_event():
    from crm.web.middleware import FragmentMiddleware
    from crm.web.toasts import toast

    request = make_request(**{"HX-Request": "true"})
    request.session = {}
    request._messages = messages.storage.session.SessionStorage(request)

    def view(request):
        toast(request, "Zapisano.", undo_url="/undo/1/")
        return HttpResponse("x")

    response = FragmentMiddleware(view)(request)
    assert json.loads(response["HX-Trigger"]) == {
        "toast": {"messages": [{"text": "Zapisano.", "level": "success", "undo": "/undo/1/"}]}
    }


def test_an_ended_session_leaves_the_page_instead_of_filling_a_corner_of_it(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/deals/7/?panel=calls"}
    response = client.get("/search/?q=a", headers=headers)
    assert response.status_code == 204
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fdeals%2F7%2F%3Fpanel%3Dcalls"
