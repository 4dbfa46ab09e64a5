"""The company's settings: who changes them, what they change, and what stands of it in history."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from crm.history.editing import EditConflict
from crm.history.models import Change, Event
from crm.money.models import Rate, default_currency
from crm.notify.mails import letter
from crm.notify.models import Notification
from crm.people.calendar import WorkingSpan, read_hours, show_hours, working_calendar
from crm.people.company import Company, company, company_of_environment
from crm.people.invitations import Invitation, accept, invite
from crm.people.models import User
from crm.people.phones import normalise_phone, show_phone
from crm.web.company import edit_company

pytestmark = pytest.mark.django_db
URL = "/company/"
STANDARD = {f"hours_{day}": "09:00–17:00" if day < 5 else "" for day in range(7)}


def sent(**values):
    given = {
        "version": 0, "name": "Contentum", "country": "PL", "currency": "PLN", "time_zone": "Europe/Warsaw",
        "language": "en", **STANDARD,
    }  # fmt: skip
    return given | values


def test_company_settings(signed_in, admin_user):
    client = signed_in(admin_user)
    page = client.get(URL).content.decode()
    assert 'value="09:00–17:00"' in page
    assert "Company settings" in client.get("/").content.decode()
    answer = client.post(
        URL,
        sent(
            name="Młyn Sp. z o.o.",
            tax_number="526-104-08-28",
            city="Łódź",
            hours_0="8-12, 12:30–16",
            hours_5="9-13",
        ),
    )
    assert (answer.status_code, answer["Location"]) == (302, URL)
    saved = company()
    assert (saved.name, saved.tax_number, saved.city, saved.version) == (
        "Młyn Sp. z o.o.",
        "5261040828",
        "Łódź",
        1,
    )
    assert saved.postal_line == "Młyn Sp. z o.o., Łódź, Tax number: 5261040828"
    page = client.get(URL).content.decode()
    assert "<title>Company settings · Młyn Sp. z o.o.</title>" in page
    assert "<del>09:00–17:00</del> → <ins>08:00–12:00, 12:30–16:00</ins>" in page
    assert set(Change.objects.values_list("field", flat=True)) == {
        "name",
        "tax_number",
        "city",
        "hours_0",
        "hours_5",
    }
    assert working_calendar().week[0] == [(time(8), time(12)), (time(12, 30), time(16))]
    assert 6 not in working_calendar().week


def test_nothing_changed_leaves_no_trace(signed_in, admin_user):
    assert signed_in(admin_user).post(URL, sent()).status_code == 302
    assert not Event.objects.exists()
    assert WorkingSpan.objects.count() == 5


@pytest.mark.parametrize("persona", ["rep", "head", "marketing"])
def test_only_the_administration_changes_the_company(signed_in, persona, request):
    user = request.getfixturevalue(persona)
    client = signed_in(user)
    assert [client.get(URL).status_code, client.post(URL, sent(name="X")).status_code] == [403, 403]
    with pytest.raises(PermissionDenied):
        edit_company(values={"name": "X"}, week={}, version=0, by=user)
    assert not Company.objects.exists()


def test_country_currency_and_zone_count_at_once(admin_user, rep):
    values = {"country": "CZ", "currency": "EUR", "time_zone": "America/New_York", "language": "pl"}
    assert edit_company(values=values, week={}, version=0, by=admin_user)
    assert normalise_phone("222 123 456") == "+420222123456"
    assert show_phone("+420222123456") == "222 123 456"
    assert default_currency() == "EUR"
    calendar = working_calendar()
    assert (calendar.country, calendar.zone) == ("CZ", ZoneInfo("America/New_York"))
    assert calendar.is_working(datetime(2026, 11, 23, 20, tzinfo=UTC))
    invitation = invite(email="new@demo.example", by=admin_user)
    assert invitation.language == "pl"
    newcomer = User(username="new", first_name="N", language=invitation.language)
    assert accept(invitation=Invitation.objects.get(pk=invitation.pk), user=newcomer)
    assert newcomer.time_zone == "America/New_York"


def test_jobs_of_nobody_run_in_the_companys_language_and_zone(admin_user, run_jobs, monkeypatch):
    from django.utils import timezone, translation

    from crm.jobs import registry
    from crm.jobs.services import enqueue

    edit_company(values={"time_zone": "Asia/Tokyo", "language": "pl"}, week={}, version=0, by=admin_user)
    seen = []
    monkeypatch.setattr(registry, "_handlers", dict(registry._handlers))
    registry.handler("test.surroundings")(
        lambda run: seen.append((translation.get_language(), timezone.get_current_timezone_name()))
    )
    enqueue(kind="test.surroundings", key="1", args={}, by=None)
    run_jobs()
    assert seen == [("pl", "Asia/Tokyo")]


def test_letters_carry_the_companys_address(admin_user, rep):
    edit_company(
        values={"address": "Piotrkowska 1", "postal_code": "90-001", "city": "Łódź"}, week={}, version=0, by=admin_user
    )  # fmt: skip
    row = Notification.objects.create(user=rep, kind="record_shared", text="x")
    assert "Contentum, Piotrkowska 1, 90-001 Łódź" in letter(rep, [row], "<1@x>").body


def test_two_administrators_at_once(signed_in, admin_user):
    edit_company(values={"city": "Gdynia"}, week={0: [(time(7), time(15))]}, version=0, by=admin_user)
    edit_company(values={"name": "Other"}, week={}, version=0, by=admin_user)  # another field: both stay
    with pytest.raises(EditConflict) as conflict:
        edit_company(values={"city": "Sopot"}, week={0: []}, version=0, by=admin_user)
    assert {clash.field for clash in conflict.value.clashes} == {"city", "hours_0"}
    client = signed_in(admin_user)
    mine = sent(version=0, name="Other", city="Sopot", hours_0="07:00–15:00")
    answer = client.post(URL, mine)
    assert answer.status_code == 409
    assert "Gdynia" in answer.content.decode()
    assert client.post(URL, mine | {"version": 2, "choice-city": "theirs"}).status_code == 302
    assert (company().city, company().name) == ("Gdynia", "Other")


def test_rates_hold_the_currency(admin_user):
    Rate.objects.create(currency_id="EUR", date="2026-01-01", millionths=4_000_000)
    with pytest.raises(ValidationError, match="exchange rates to PLN"):
        edit_company(values={"currency": "EUR"}, week={}, version=0, by=admin_user)
    assert default_currency() == "PLN"


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""}, {"name": "x" * 200}, {"country": "XX"}, {"country": "pl"}, {"currency": "ABC"}, {"version": "x"},
        {"time_zone": "Mars/Base"}, {"language": "xx"}, {"tax_number": "123"}, {"hours_0": "17-9"}, {"hours_0": "9"},
        {"hours_0": "25:00-26:00"}, {"hours_0": "8-12, 11-13"}, {"hours_0": "9-9"}, {"version": 10**30},
        {f"hours_{day}": "" for day in range(7)},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_nothing_is_written(signed_in, admin_user, values):
    answer = signed_in(admin_user).post(URL, sent(city="Wrong") | values)
    assert answer.status_code == 422
    assert company().city == ""
    assert not WorkingSpan.objects.exists()


def test_the_environment_speaks_until_something_is_saved(db, settings):
    settings.CRM_COMPANY = "Of the environment"
    assert company_of_environment().name == "Of the environment"
    Company.objects.create(
        pk=1, name="Saved", country="PL", currency="PLN", time_zone="Europe/Warsaw", language="en"
    )
    assert Company.objects.first().name == "Saved"


@pytest.mark.parametrize("text", ["", "09:00–17:00", "00:00–08:00, 09:00–12:00, 13:00–24:00"])
def test_hours_read_as_they_are_shown(text):
    assert show_hours(read_hours(text)) == text
