"""Each person chooses what he is told of and how; an administrator proposes; the areas register what there is."""

import ast
from pathlib import Path

import pytest
from django.conf import settings as project

from crm.notify.models import Choice, Notification
from crm.notify.notices import Way, all_notices, choose, way_of, ways_of
from crm.notify.services import notify

pytestmark = pytest.mark.django_db
ADDRESS = "/notifications/choices/"


def tell(user, kind="mention"):
    return notify(user=user, kind=kind, text="Something happened")


def sources():
    for folder in ("crm", "funnel", "counterparties", "deals", "leads", "collab", "telephony", "bpm"):
        yield from (Path(project.BASE_DIR) / folder).rglob("*.py")


def test_every_kind_the_code_tells_of_is_registered():
    told = {
        word.value.value
        for file in sources()
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "notify"
        for word in call.keywords
        if word.arg == "kind" and isinstance(word.value, ast.Constant)
    }
    assert told - {notice.kind for notice in all_notices()} == set()
    assert len(told) >= 8


def test_own_choice_beats_the_administrators_and_that_the_areas(rep, head):
    assert way_of(rep, "mention") == Way(True, "hourly")
    Choice.objects.create(kind="mention", page=True, mail="daily")
    assert (way_of(rep, "mention"), ways_of(rep)["mention"]) == (Way(True, "daily"),) * 2
    choose(user=rep, ways={"mention": Way(False, "now")})
    assert (way_of(rep, "mention"), ways_of(rep)["mention"]) == (Way(False, "now"),) * 2
    assert way_of(head, "mention") == Way(True, "daily")


def test_what_nobody_wants_leaves_no_row(rep):
    choose(user=rep, ways={"mention": Way(False, "never")})
    assert tell(rep) is None
    choose(user=rep, ways={"mention": Way(False, "daily")})
    row = tell(rep)
    assert (row.in_page, row.mail) == (False, "daily")


def test_mail_alone_does_not_stand_in_the_page(signed_in, rep):
    choose(user=rep, ways={"mention": Way(False, "daily")})
    tell(rep)
    assert "Something happened" not in signed_in(rep).get("/notifications/").content.decode()
    assert "Something happened" not in signed_in(rep).get("/notifications/bell/").content.decode()


def test_without_a_mail_server_or_an_address_nothing_waits(rep, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert tell(rep).mail == ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    rep.email = ""
    assert tell(rep).mail == ""


def form_of(**changes):
    values = {f"mail-{one.kind}": "never" for one in all_notices()}
    return {**values, **changes}


def test_the_page_saves_and_takes_back(signed_in, rep):
    client = signed_in(rep)
    page = client.get(ADDRESS).content.decode()
    assert page.count('name="mail-') == len(all_notices())
    answer = client.post(ADDRESS, form_of(**{"page-mention": "on", "mail-bpm.task": "now"}))
    assert (answer.status_code, answer["Location"]) == (302, ADDRESS)
    found = ways_of(rep)
    assert (found["mention"], found["bpm.task"], found["bulk_done"]) == (
        Way(True, "never"),
        Way(False, "now"),
        Way(False, "never"),
    )
    client.post(ADDRESS, {"reset": "1"})
    assert not Choice.objects.filter(user=rep).exists()


@pytest.mark.parametrize("mail", ["", "x" * 5000, "\x00", "weekly"])
def test_nonsense_is_refused_whole(signed_in, rep, mail):
    answer = signed_in(rep).post(ADDRESS, form_of(**{"mail-mention": mail}), headers={"HX-Request": "true"})
    assert (answer.status_code, Choice.objects.count()) == (422, 0)


def test_an_administrator_proposes(signed_in, admin_user, rep):
    client = signed_in(admin_user)
    choose(user=rep, ways={"mention": Way(False, "now")})
    page = client.get("/admin/notify/choice/").content.decode()
    assert "Somebody mentions me" not in page
    answer = client.post("/admin/notify/choice/add/", {"kind": "bulk_done", "page": "on", "mail": "daily"})
    assert answer.status_code == 302
    assert list(Choice.objects.filter(user=None).values_list("kind", "page", "mail")) == [
        ("bulk_done", True, "daily")
    ]


def test_centre_filters_pages_and_marks_without_leaving(signed_in, rep, django_assert_max_num_queries):
    for number in range(55):
        notify(user=rep, kind="mention" if number % 2 else "bulk_done", text=f"Event {number:02}.")
    client = signed_in(rep)
    with django_assert_max_num_queries(10):
        page = client.get("/notifications/").content.decode()
    assert ("Event 54." in page, "Event 05." in page, "Event 04." in page) == (True, True, False)
    oldest = Notification.objects.order_by("-pk")[49].pk
    assert f'href="?before={oldest}"' in page
    assert "Event 04." in client.get("/notifications/", {"before": oldest}).content.decode()
    only = client.get("/notifications/", {"kind": "bulk_done"}).content.decode()
    assert ("Event 54." in only, "Event 53." in only) == (True, False)
    row = Notification.objects.order_by("-pk").first()
    back = client.post(
        f"/notifications/{row.pk}/reading/", {"stay": "1", "next": "/notifications/?show=unread"}
    )
    assert back["Location"] == "/notifications/?show=unread"
    assert "Event 54." not in client.get("/notifications/", {"show": "unread"}).content.decode()
    evil = client.post("/notifications/reading/", {"next": "https://evil.example/"})
    assert evil["Location"] == "/notifications/"
    assert "Event" not in client.get("/notifications/", {"show": "unread"}).content.decode()


@pytest.mark.parametrize("asked", [{"before": "x"}, {"before": "9" * 30}, {"kind": "\x00"}, {"show": "'"}])
def test_the_centre_bears_nonsense(signed_in, rep, asked):
    assert signed_in(rep).get("/notifications/", asked).status_code == 200
