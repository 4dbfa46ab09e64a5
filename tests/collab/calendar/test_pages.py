"""The pages and fragments of activities: who may, what a form refuses, what a second click does."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from collab.calendar import services
from collab.calendar.models import Activity
from collab.calendar.selectors import my_day
from leads.models import LeadStatus
from tests.factories.collab import in_hours, make_activity, make_logged
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PAGES = ["activity_detail", "activity_update", "activity_completion", "activity_time"]


def url(name, *args, **query):
    address = reverse(f"collab_calendar:{name}", args=args)
    return address + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize("name", PAGES)
def test_outsider_finds_nothing_and_a_reader_may_not_write(signed_in, rep, teammate, outsider, name):
    activity = make_activity(rep, lead=make_lead(rep))
    assert signed_in(outsider).get(url(name, activity.pk)).status_code == 404
    assert signed_in(teammate).get(url(name, activity.pk)).status_code == (
        200 if name == "activity_detail" else 403
    )
    assert signed_in(rep).get(url(name, activity.pk)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_fragment_is_no_page(signed_in, rep, name):
    answer = signed_in(rep).get(url(name, make_activity(rep).pk), headers=HTMX)
    assert (answer.status_code, b"<html" in answer.content) == (200, False)


def test_cancellation_is_posted_by_whoever_may_edit(signed_in, rep, teammate, outsider):
    activity = make_activity(rep, lead=make_lead(rep))
    address = url("activity_cancellation", activity.pk)
    assert signed_in(rep).get(address).status_code == 405
    assert signed_in(outsider).post(address).status_code == 404
    assert signed_in(teammate).post(address).status_code == 403
    assert signed_in(rep).post(address).status_code == 302
    assert signed_in(rep).post(address).status_code == 302
    activity.refresh_from_db()
    assert activity.cancelled_at is not None


@pytest.mark.parametrize("card", ["lead", "deal", "counterparty", "contact"])
def test_parts_of_cards_follow_the_card(signed_in, rep, teammate, outsider, card):
    record = {
        "lead": make_lead,
        "deal": make_deal,
        "counterparty": make_counterparty,
        "contact": make_contact,
    }[card](rep)
    activity = make_activity(rep, subject="Ask for the drawings", **{card: record})
    for name in (f"{card}_activities", f"{card}_next"):
        assert signed_in(outsider).get(url(name, record.pk)).status_code == 404
        assert "Ask for the drawings" in signed_in(teammate).get(url(name, record.pk)).content.decode()
    create = url("activity_create", **{card: record.pk, "kind": "call"})
    assert signed_in(outsider).get(create).status_code == 404
    assert (
        signed_in(outsider).post(create, {"kind": "call", "starts_at": "2027-01-01T10:00"}).status_code == 404
    )
    services.complete_activity(activity=activity, result="Sent", by=rep)
    assert "Sent" in signed_in(rep).get(url(f"{card}_activities", record.pk)).content.decode()


def test_logging_with_a_next_step_takes_the_lead_to_work(signed_in, rep):
    lead = make_lead(rep)
    client = signed_in(rep)
    page = client.get(url("activity_create", lead=lead.pk, kind="call", done=1)).content.decode()
    assert 'name="next_kind"' in page
    tomorrow = in_hours(24).replace(second=0)
    answer = client.post(
        url("activity_create", lead=lead.pk, kind="call", done=1),
        {
            "kind": "call",
            "result": "Send an offer",
            "next_kind": "meeting",
            "next_subject": "",
            "next_at": local(tomorrow),
        },
        headers=HTMX,
    )
    lead.refresh_from_db()
    done, following = Activity.objects.order_by("pk")
    assert answer.status_code == 204
    assert all(
        name in answer["HX-Trigger"] for name in ("dialog-close", "activity-changed", "history-changed")
    )
    assert (lead.status, done.result, done.is_open) == (LeadStatus.IN_WORK, "Send an offer", False)
    assert (following.kind, following.subject, following.starts_at) == ("meeting", "Meeting", tomorrow)
    assert following.ends_at - following.starts_at == timedelta(hours=1)


def test_without_script_the_answer_leads_back_to_the_card(signed_in, rep):
    deal = make_deal(rep)
    data = {"kind": "call", "starts_at": local(in_hours(3)), "minutes": "15"}
    answer = signed_in(rep).post(url("activity_create", deal=deal.pk), data)
    assert (answer.status_code, answer["Location"]) == (302, reverse("deals:deal_detail", args=[deal.pk]))


@pytest.mark.parametrize("log", [False, True])
def test_a_form_on_its_own_page_leads_on_and_one_in_the_dialog_stays(signed_in, rep, log):
    """The browser is where the form is: nothing would close, and the same would be sent again."""
    client, create = signed_in(rep), url("activity_create", kind="call", **({"done": 1} if log else {}))
    data = {"kind": "call", "result": "Agreed", "starts_at": "" if log else local(in_hours(3))}
    alone = client.post(create, data, headers={**HTMX, "HX-Current-URL": f"http://testserver{create}"})
    assert alone["HX-Redirect"] == url("activity_detail", Activity.objects.get().pk)
    assert "dialog-close" not in alone.get("HX-Trigger", "")
    dialog = client.post(create, data, headers={**HTMX, "HX-Current-URL": "http://testserver/calendar/"})
    assert "dialog-close" in dialog["HX-Trigger"] and "HX-Redirect" not in dialog
    lead = make_lead(rep)
    create = url("activity_create", lead=lead.pk, **({"done": 1} if log else {}))
    alone = client.post(create, data, headers={**HTMX, "HX-Current-URL": f"http://testserver{create}"})
    assert alone["HX-Redirect"] == reverse("leads:lead_detail", args=[lead.pk])


def test_empty_or_senseless_forms_are_422_and_write_nothing(signed_in, rep):
    lead, client = make_lead(rep), signed_in(rep)
    log, plan = url("activity_create", lead=lead.pk, done=1), url("activity_create", lead=lead.pk)
    tomorrow = local(in_hours(24))
    for address, data in [
        (log, {"kind": "call", "result": " "}),
        (log, {"kind": "pigeon", "result": "x"}),
        (log, {"kind": "call", "result": "x", "starts_at": tomorrow}),
        (log, {"kind": "call", "result": "x", "next_kind": "call", "next_at": ""}),
        (plan, {"kind": "call", "starts_at": ""}),
        (plan, {"kind": "call", "starts_at": "2027-03-28T02:30"}),
        (plan, {"kind": "call", "starts_at": tomorrow, "minutes": "7"}),
        (plan, {"kind": "call", "starts_at": tomorrow, "contacts": ["999999"]}),
    ]:
        answer = client.post(address, data, headers=HTMX)
        assert (answer.status_code, b"notice-red" in answer.content) == (422, True), data
    lead.refresh_from_db()
    assert (Activity.objects.count(), lead.status) == (0, LeadStatus.NEW)


def test_second_click_of_one_form_logs_once(signed_in, rep):
    lead, client = make_lead(rep), signed_in(rep)
    data = {"kind": "call", "result": "Busy", "form_token": "same-token"}
    answers = [
        client.post(url("activity_create", lead=lead.pk, done=1), data, headers=HTMX) for _click in range(2)
    ]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert all("dialog-close" in answer["HX-Trigger"] for answer in answers)
    assert Activity.objects.count() == 1


def test_completion_with_next_step_and_a_late_twin(signed_in, rep):
    activity = make_activity(rep, lead=make_lead(rep))
    client = signed_in(rep)
    address = url("activity_completion", activity.pk)
    assert client.post(address, {"result": ""}, headers=HTMX).status_code == 422
    assert client.post(address, {"result": "Agreed", "next_kind": ""}, headers=HTMX).status_code == 204
    late = client.post(address, {"result": "Again"}, headers=HTMX)
    assert (late.status_code, b"already done" in late.content) == (422, True)
    activity.refresh_from_db()
    assert (activity.result, Activity.objects.count()) == ("Agreed", 1)


def test_moving_shows_and_reads_local_time(signed_in, rep):
    rep.time_zone = "America/New_York"
    rep.save()
    activity = make_activity(rep)
    client = signed_in(rep)
    client.post(url("activity_time", activity.pk), {"starts_at": "2027-07-01T09:00"})
    activity.refresh_from_db()
    assert activity.starts_at.isoformat() == "2027-07-01T13:00:00+00:00"
    assert 'value="2027-07-01T09:00"' in client.get(url("activity_time", activity.pk)).content.decode()


def test_edit_of_what_somebody_else_changed_is_a_409(signed_in, rep, head):
    activity = make_activity(rep, lead=make_lead(rep), subject="Old")
    version = activity.version
    services.edit_activity(activity=activity, values={"subject": "Theirs"}, version=version, by=head)
    data = {"version": version, "subject": "Mine", "starts_at": local(activity.starts_at), "minutes": "0"}
    answer = signed_in(rep).post(url("activity_update", activity.pk), data, headers=HTMX)
    assert (answer.status_code, b"Theirs" in answer.content, b"Mine" in answer.content) == (409, True, True)
    data["version"] = version + 1
    assert signed_in(rep).post(url("activity_update", activity.pk), data, headers=HTMX).status_code == 204
    activity.refresh_from_db()
    assert activity.subject == "Mine"


def test_day_shows_own_and_invited_and_hides_names_of_hidden_cards(signed_in, rep, outsider):
    lead = make_lead(rep, company="Secret Industries")
    make_activity(rep, lead=lead, hours=-3, subject="Late one")
    make_activity(rep, hours=-0.1, ends_at=in_hours(1), subject="Running one")
    make_activity(rep, lead=lead, hours=30, subject="Shared one", participants=[outsider])
    mine = signed_in(rep).get(reverse("web:home")).content.decode()
    theirs = signed_in(outsider).get(url("my_day")).content.decode()
    assert all(
        text in mine for text in ("Late one", "Running one", "Shared one", "Secret Industries", "Overdue")
    )
    assert ("Shared one" in theirs, "Late one" in theirs, "Secret" in theirs) == (True, False, False)


def test_list_has_tabs_and_a_head_looks_into_his_people_s(signed_in, rep, teammate, head):
    make_activity(rep, hours=-3, subject="Late one")
    make_activity(rep, hours=72, subject="Coming one")
    make_logged(rep, subject="Past one")

    def shown(user, **query):
        text = signed_in(user).get(url("activity_list", **query)).content.decode()
        return [name for name in ("Late one", "Coming one", "Past one") if name in text]

    assert shown(rep) == ["Late one", "Coming one"]
    assert shown(rep, tab="overdue") == ["Late one"]
    assert shown(rep, tab="later") == ["Coming one"]
    assert shown(rep, tab="done") == ["Past one"]
    assert shown(rep, tab="today", q="x", sort="owner", after="nonsense") == []
    assert shown(head, owner=rep.pk) == ["Late one", "Coming one"]
    assert shown(teammate, owner=rep.pk) == []


@pytest.mark.parametrize("rows", [1, 50])
def test_pages_cost_the_same_for_one_row_and_for_fifty(signed_in, rep, rows, django_assert_max_num_queries):
    lead, deal = make_lead(rep), make_deal(rep)
    for number in range(rows):
        make_activity(rep, hours=number - 5, **({"lead": lead} if number % 2 else {"deal": deal}))
    client = signed_in(rep)
    for address, most in [
        (url("activity_list"), 10),
        (url("my_day"), 8),
        (url("deal_activities", deal.pk), 10),
        (url("deal_next", deal.pk), 9),
        (reverse("web:home"), 15),
    ]:
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200


def test_many_overdue_leave_room_for_today(signed_in, rep, django_assert_max_num_queries):
    for hours in range(1, 24):
        make_activity(rep, subject=f"Late {hours}", hours=-hours)
    make_activity(rep, subject="Soon", hours=1)
    day = my_day(rep)
    assert [one.subject for one in day.overdue] == [f"Late {hours}" for hours in range(20, 0, -1)]
    assert [one.subject for one in [*day.today, *day.later]] == ["Soon"]
    client = signed_in(rep)
    page = client.get(url("my_day")).content.decode()
    with django_assert_max_num_queries(10):
        client.get(url("my_day"))
    assert "20+" in page
    assert f"{url('activity_list')}?tab=overdue" in page
