"""A form is carried out once, however often its button is pressed."""

import contextlib
import sqlite3
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from crm.people.models import Department
from crm.web import htmx
from crm.web.models import FormToken
from crm.web.tokens import new_token, once, purge_tokens

NAME = "Made by the form"


def submit(view, user, token, *, by_htmx=False):
    headers = {"HX-Request": "true"} if by_htmx else {}
    request = RequestFactory().post("/x/", {"form_token": token} if token else {}, headers=headers)
    request.user = user
    request.htmx = HtmxDetails(request)
    return view(request)


@once
def create(request):
    made = Department.objects.create(name=NAME)
    return htmx.redirect(request, f"/departments/{made.pk}/")


def made_count():
    return Department.objects.filter(name=NAME).count()


def test_a_replay_is_answered_like_the_first_submit(rep):
    token = new_token()
    first, second = submit(create, rep, token), submit(create, rep, token)
    assert made_count() == 1
    assert (second.status_code, second["Location"]) == (302, first["Location"])


def test_a_replay_by_htmx_gets_the_address_too(rep):
    token = new_token()
    first = submit(create, rep, token, by_htmx=True)
    second = submit(create, rep, token, by_htmx=True)
    assert made_count() == 1
    assert (second.status_code, second["HX-Redirect"]) == (204, first["HX-Redirect"])


def test_a_replay_of_a_dialog_repeats_its_events(rep):
    @once
    def save(request):
        Department.objects.create(name=NAME)
        return htmx.done(request, "/x/", "deal-changed")

    token = new_token()
    first, second = (submit(save, rep, token, by_htmx=True) for _ in range(2))
    assert made_count() == 1
    assert second["HX-Trigger"] == first["HX-Trigger"]


def test_two_users_and_forms_without_token_do_not_meet(rep, teammate):
    token = new_token()
    submit(create, rep, token)
    submit(create, teammate, token)
    submit(create, rep, "")
    submit(create, rep, "")
    assert made_count() == 4


def test_an_invalid_form_may_be_sent_again_and_leaves_nothing(rep):
    @once
    def refuse(request):
        Department.objects.create(name=NAME)
        return HttpResponse(status=422)

    token = new_token()
    assert submit(refuse, rep, token).status_code == 422
    assert (made_count(), FormToken.objects.count()) == (0, 0)
    submit(create, rep, token)
    assert made_count() == 1


def test_an_error_frees_the_token(rep):
    @once
    def fail(request):
        raise ValueError

    token = new_token()
    with pytest.raises(ValueError):
        submit(fail, rep, token)
    submit(create, rep, token)
    assert made_count() == 1


@pytest.fixture
def shared_database(transactional_db, tmp_path):
    """A database that threads can share: SQLite in memory is copied into a file for them."""
    if connection.vendor != "sqlite" or not connection.is_in_memory_db():
        yield
        return
    file = tmp_path / "shared.sqlite3"
    with contextlib.closing(sqlite3.connect(file)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    memory = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(file)
    yield
    connection.settings_dict["NAME"] = memory


def in_threads(count, work):
    """Runs *work* in so many threads at once, each on its own connection; their results."""
    start, results = threading.Barrier(count), []

    def run():
        start.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_eight_clicks_at_once_do_it_once(shared_database, django_user_model):
    [user] = in_threads(1, lambda: django_user_model.objects.create_user("clicker"))
    token = new_token()
    answers = in_threads(8, lambda: submit(create, user, token)["Location"])
    [made] = in_threads(1, lambda: list(Department.objects.filter(name=NAME).values_list("pk", flat=True)))
    assert len(made) == 1
    assert answers == [f"/departments/{made[0]}/"] * 8


def test_old_tokens_are_forgotten(rep):
    submit(create, rep, new_token())
    FormToken.objects.update(created_at=FormToken.objects.get().created_at - timedelta(days=8))
    submit(create, rep, new_token())
    assert (purge_tokens(), FormToken.objects.count()) == (1, 1)


def test_reading_the_form_spends_nothing(rep):
    request = RequestFactory().get("/x/")
    request.user = rep
    assert isinstance(create(request), HttpResponseRedirect | HttpResponse)
    assert FormToken.objects.count() == 0
