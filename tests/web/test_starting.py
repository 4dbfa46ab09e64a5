"""Starting for real: the first steps on the administrator's home, and the demo data taken away."""

import pytest

from collab.calendar.models import Activity
from counterparties.models import Contact, Counterparty
from crm.history.models import Event
from crm.history.notes import add_comment
from crm.people.models import User
from crm.web.demo_removal import has_demo, mark_demo
from deals.models import Deal
from leads.models import Lead
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
URL = "/demo-removal/"


@pytest.fixture
def demo(company):
    """A client with a contact, a deal and a call, a lead; and another client. Then people begin to work."""
    rep = company["rep"]
    client = make_counterparty(rep, name="Demo A")
    make_contact(rep, counterparty=client)
    deal = make_deal(rep, counterparty=client)
    make_activity(rep, deal=deal)
    make_lead(rep, company="Demo lead")
    worked_on = make_counterparty(rep, name="Demo B")
    mark_demo()
    add_comment(record=worked_on, text="Really?", by=company["admin"])
    make_counterparty(rep, name="Ours")
    return company


def test_the_demo_goes_and_what_people_made_stays(demo, signed_in, run_jobs):
    admin = demo["admin"]
    browser = signed_in(admin)
    page = browser.get(URL)
    assert page.status_code == 200
    assert "Remove the demo data" in page.text
    assert browser.post(URL).status_code == 422
    assert Lead.objects.count() == 1
    assert browser.post(URL, {"sure": "1"}).status_code == 302
    assert "job-progress" in browser.get(URL).text
    run_jobs()
    assert sorted(Counterparty.objects.values_list("name", flat=True)) == ["Demo B", "Ours"]
    for model in (Contact, Deal, Lead, Activity):
        assert not model._base_manager.exists(), model
    assert not Event.objects.filter(subject_kind="deals.deal").exists()
    assert list(User.objects.filter(is_active=True)) == [admin]
    assert not has_demo()
    assert "There is no demo data here." in browser.get(URL).text


def test_only_an_administrator_removes_it(demo, signed_in):
    for login in ("rep", "head"):
        browser = signed_in(demo[login])
        assert browser.get(URL).status_code == 403
        assert browser.post(URL, {"sure": "1"}).status_code == 403


def test_first_steps_stand_on_the_administrators_home(demo, signed_in):
    page = signed_in(demo["admin"]).get("/").text
    assert "First steps" in page
    assert "/people/invitations/" in page
    assert URL in page
    assert "First steps" not in signed_in(demo["rep"]).get("/").text
