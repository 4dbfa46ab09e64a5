"""Pages of leads: list, card, typing in, editing, closing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leads.models import Lead, LeadStatus
from leads.services import disqualify_lead, edit_lead
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_counterparty
from tests.factories.leads import make_lead, make_reason, make_source

HTMX = {"HX-Request": "true"}


@pytest.fixture
def lead(rep):
    return make_lead(rep, phone="601234567", source=make_source())


def address(name, *args):
    return reverse(f"leads:{name}", args=args)


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_list_shows_what_is_visible(rep, teammate, outsider, lead, signed_in):
    make_lead(outsider, company="Hidden")
    make_lead(teammate, company="Team's")
    response = signed_in(rep).get(address("lead_list"))
    html = response.content.decode()
    assert [row.name for row in response.context["list"].page] == ["Team's", "Huta Żelazna S.A."]
    assert "Hidden" not in html and "601 234 567" in html


def test_list_counts_and_filters(rep, teammate, lead, signed_in):
    disqualify_lead(lead=make_lead(rep, company="Gone"), reason=make_reason(), by=rep)
    make_lead(teammate, company="Other")
    client = signed_in(rep)
    found = client.get(address("lead_list"), {"tab": "new", "source": lead.source.pk}).context["list"]
    assert [row.name for row in found.page] == ["Huta Żelazna S.A."]
    found = client.get(address("lead_list"), {"owner": rep.pk, "q": "huta zelazna"}).context["list"]
    assert ([row.name for row in found.page], found.count) == (["Huta Żelazna S.A."], 1)
    counts = {
        value: count for value, _label, count in client.get(address("lead_list")).context["list"].tab_counts()
    }
    assert (counts["new"], counts["unqualified"], counts["qualified"]) == (2, 1, 0)


def test_list_keeps_the_leads_of_an_import(rep, lead, signed_in):
    Lead.objects.filter(pk=lead.pk).update(import_id=999)
    found = signed_in(rep).get(address("lead_list"), {"import": "999"}).context["list"]
    assert found.active_filters[-1].value == ""


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "1 OR 1", "\x00"])
def test_list_survives_hostile_filters(rep, lead, signed_in, value):
    url = address("lead_list")
    for key in ("owner", "source", "import", "tab", "sort", "after", "q"):
        assert signed_in(rep).get(url, {key: value}).status_code == 200


def test_list_costs_the_same_for_one_and_fifty(rep, lead, signed_in):
    client = signed_in(rep)
    client.get(address("lead_list"))
    make_activity(rep, lead=lead)
    one = queries(client, address("lead_list"))
    for number in range(49):
        make_activity(rep, lead=make_lead(rep, company=f"Lead {number}", source=lead.source))
    assert queries(client, address("lead_list")) == one
    assert one <= 10


def test_card_costs_at_most_fifteen(rep, lead, signed_in):
    client = signed_in(rep)
    client.get(address("lead_detail", lead.pk))
    assert queries(client, address("lead_detail", lead.pk)) <= 15


def test_card(rep, teammate, outsider, marketing, lead, signed_in):
    response = signed_in(rep).get(address("lead_detail", lead.pk))
    html = response.content.decode()
    assert "Huta Żelazna S.A." in html and "tel:+48601234567" in html
    assert address("lead_conversion", lead.pk) in html
    html = signed_in(teammate).get(address("lead_detail", lead.pk)).content.decode()
    assert address("lead_conversion", lead.pk) not in html and address("lead_closure", lead.pk) not in html
    assert signed_in(marketing).get(address("lead_detail", lead.pk)).status_code == 200
    assert signed_in(outsider).get(address("lead_detail", lead.pk)).status_code == 404


def test_card_fragment(rep, lead, signed_in):
    html = signed_in(rep).get(address("lead_detail", lead.pk), headers=HTMX).content.decode()
    assert html.strip().startswith("<section") and 'id="lead-pill" hx-swap-oob' in html


VALUES = {
    "company": "  Młyn   Nowy ",
    "phone": "22 123 45 67",
    "email": "Biuro@Mlyn.example",
    "tax_number": "526-025-02-74",
}


def test_create(rep, signed_in):
    client = signed_in(rep)
    response = client.post(address("lead_create"), VALUES)
    lead = Lead.objects.get()
    assert (response.status_code, response.url) == (302, address("lead_detail", lead.pk))
    assert (lead.name, lead.phone, lead.email, lead.tax_number, lead.owner, lead.department) == (
        "Młyn Nowy",
        "+48221234567",
        "biuro@mlyn.example",
        "5260250274",
        rep,
        rep.department,
    )


def test_create_and_type_the_next(rep, signed_in):
    source = make_source()
    response = signed_in(rep).post(
        address("lead_create"), {**VALUES, "source": source.pk, "next": "1"}, headers=HTMX
    )
    form = response.context["form"]
    assert (response.status_code, form.is_bound, form.initial["source"], form.initial["owner"]) == (
        200,
        False,
        source.pk,
        rep.pk,
    )
    assert Lead.objects.count() == 1


def test_a_double_click_creates_one(rep, signed_in):
    client = signed_in(rep)
    answers = [client.post(address("lead_create"), {**VALUES, "form_token": "once"}) for _click in range(2)]
    assert Lead.objects.count() == 1
    assert answers[0].url == answers[1].url


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tax_number": "526-025-02-75"}, "tax_number"),
        ({"phone": "12"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"company": "", "phone": "", "email": ""}, "company"),
    ],
)
def test_invalid(rep, signed_in, change, field):
    response = signed_in(rep).post(address("lead_create"), {**VALUES, **change}, headers=HTMX)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert not Lead.objects.exists()


def test_creating_is_a_right(marketing, signed_in):
    assert signed_in(marketing).get(address("lead_create")).status_code == 403
    assert signed_in(marketing).post(address("lead_create"), VALUES).status_code == 403


def test_update(rep, lead, signed_in):
    values = {"company": "Huta Nowa", "version": lead.version, "owner": rep.pk}
    response = signed_in(rep).post(address("lead_update", lead.pk), values)
    lead.refresh_from_db()
    assert (response.status_code, lead.name, lead.phone) == (302, "Huta Nowa", "")


def test_two_people_editing(rep, head, lead, signed_in):
    version = lead.version
    edit_lead(lead=lead, values={"company": "Theirs"}, version=version, by=head)
    values = {
        "company": "Mine",
        "first_name": "Ewa",
        "last_name": "Ślusarczyk",
        "version": version,
        "owner": rep.pk,
    }
    response = signed_in(rep).post(address("lead_update", lead.pk), values)
    assert response.status_code == 409
    html = response.content.decode()
    assert "Theirs" in html and "Mine" in html
    lead.refresh_from_db()
    assert lead.company == "Theirs"


def test_others_do_not_edit(teammate, outsider, lead, signed_in):
    for name in ("lead_update", "lead_closure"):
        assert signed_in(teammate).get(address(name, lead.pk)).status_code == 403
        assert signed_in(outsider).get(address(name, lead.pk)).status_code == 404
    assert signed_in(teammate).post(address("lead_reopening", lead.pk)).status_code == 403
    assert signed_in(outsider).post(address("lead_reopening", lead.pk)).status_code == 404


def test_giving_to_somebody_out_of_reach_is_refused(rep, outsider, lead, signed_in):
    values = {"company": "Huta", "version": lead.version, "owner": outsider.pk}
    assert signed_in(rep).post(address("lead_update", lead.pk), values).status_code == 422


def test_closure_and_reopening(rep, lead, signed_in):
    client, url = signed_in(rep), address("lead_closure", lead.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, {"status": "unqualified"}, headers=HTMX)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["reason"])
    response = client.post(
        url, {"status": "unqualified", "reason": make_reason().pk, "note": "small"}, headers=HTMX
    )
    assert response.status_code == 204 and "card-changed" in response["HX-Trigger"]
    assert client.post(url, {"status": "unreachable"}, headers=HTMX).status_code == 422
    assert client.get(address("lead_reopening", lead.pk)).status_code == 405
    client.post(address("lead_reopening", lead.pk))
    lead.refresh_from_db()
    assert lead.status == LeadStatus.NEW


def test_duplicates_while_typing(rep, outsider, lead, signed_in):
    make_counterparty(outsider, name="Hidden client", tax_number="5260250274")
    response = signed_in(rep).get(
        address("lead_duplicates"), {"tax_number": "526 025 02 74", "phone": "601-234-567"}
    )
    html = response.content.decode()
    assert "Huta Żelazna S.A." in html and str(outsider) in html
    assert "Hidden client" not in html and "/counterparties/" not in html
    response = signed_in(rep).get(address("lead_duplicates"), {"phone": "601-234-567", "exclude": lead.pk})
    assert response.content.decode().strip() == ""


def test_options(rep, outsider, lead, signed_in):
    url = address("lead_options")
    assert f'data-value="{lead.pk}"' in signed_in(rep).get(url, {"q": "huta"}).content.decode()
    assert "data-value" not in signed_in(outsider).get(url, {"q": "huta"}).content.decode()


def test_wrong_methods(rep, lead, signed_in):
    client = signed_in(rep)
    assert client.post(address("lead_list")).status_code == 405
    assert client.post(address("lead_detail", lead.pk)).status_code == 405
    assert client.put(address("lead_update", lead.pk)).status_code == 405
    assert client.delete(address("lead_conversion", lead.pk)).status_code == 405
