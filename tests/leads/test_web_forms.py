"""Web forms: shown, framed by allowed sites, guarded, taken in once, made into leads with their origin."""

import re
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from crm.attributes.models import Attribute, AttributeSet
from crm.celery import app
from crm.history.models import Event
from crm.jobs import doorbell
from leads.models import LEAD_KIND, AssignmentRule, FormSubmission, Lead, LeadOrigin, Strategy, WebForm
from leads.web_forms import guard
from leads.web_forms.services import accept, drop
from tests.deals.test_concurrent_requests import at_once
from tests.factories.leads import make_source
from tests.factories.web_forms import FORM_TYPE, TYPED, filled, make_form, old_token, post

Status = FormSubmission.Status


@pytest.fixture
def form(admin_user):
    make_source("website")
    return make_form(admin_user, title="Ask us", title_pl="Zapytaj nas", sites="https://www.firma.pl")


def stored() -> list[tuple[str, str]]:
    return list(FormSubmission.objects.order_by("pk").values_list("status", "reason"))


def test_the_page_speaks_both_languages_and_sets_no_cookie(form):
    client = Client()
    english = client.get(form.get_absolute_url(), {"lang": "en"})
    polish = client.get(form.get_absolute_url(), {"lang": "pl"})
    assert "<h1>Ask us</h1>" in english.text
    assert "<h1>Zapytaj nas</h1>" in polish.text
    assert "Firma" in polish.text
    assert not english.cookies
    assert not polish.cookies


def test_only_allowed_sites_may_frame_it(form):
    answer = Client().get(form.get_absolute_url())
    assert "frame-ancestors 'self' https://www.firma.pl" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer


def test_a_post_becomes_one_lead_with_its_origin(form, run_jobs):
    page = "https://www.firma.pl/oferta?utm_source=google&utm_campaign=Jesień"
    values = filled(form, page=page, referrer="https://www.google.com/")
    answer = post(form, values)
    assert answer.status_code == 200
    assert "Thank you" in answer.text or "Dziękujemy" in answer.text
    run_jobs()
    lead = Lead.objects.get()
    assert (lead.company, lead.email, lead.phone) == ("Ślimak S.A.", "biuro@slimak.pl", "+48601234567")
    assert (lead.source.key, lead.note) == ("website", "Proszę o ofertę")
    origin = lead.origin
    assert (origin.page, origin.referrer) == (page, "https://www.google.com/")
    assert (origin.utm_source, origin.utm_campaign, origin.utm_medium) == ("google", "Jesień", "")
    assert Event.objects.get(kind="lead_created", subject_id=lead.pk).via == "web form"
    assert FormSubmission.objects.get().values == {}


def test_however_often_it_is_posted_it_is_one_lead(form, run_jobs):
    values = filled(form)
    assert [post(form, values).status_code for _time in range(3)] == [200, 200, 200]
    run_jobs()
    assert [post(form, values).status_code for _time in range(2)] == [200, 200]
    run_jobs()
    assert Lead.objects.count() == 1


def test_rules_and_owner(form, rep, outsider, admin_user, run_jobs):
    AssignmentRule.objects.create(author=admin_user, name="R", strategy=Strategy.PERSON, person=rep)
    post(form, filled(form))
    run_jobs()
    assert Lead.objects.get().owner == rep
    WebForm.objects.update(owner=outsider)
    post(form, filled(form, company="Druga"))
    run_jobs()
    assert Lead.objects.get(company="Druga").owner == outsider


def test_it_accepts_while_worker_and_broker_are_down(
    form, monkeypatch, settings, django_capture_on_commit_callbacks, run_jobs
):
    settings.JOBS_RING = True
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    with django_capture_on_commit_callbacks(execute=True):
        assert post(form, filled(form)).status_code == 200
    assert stored() == [(Status.RECEIVED, "")]
    settings.JOBS_RING = False
    run_jobs()
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"proof": ""}, guard.NO_PROOF),
        ({"proof": "zzz"}, guard.NO_PROOF),
        ({guard.HONEYPOT: "cheap pills"}, guard.TRAPPED),
        ({"seconds": 1}, guard.TOO_QUICK),
    ],
)
def test_what_looks_like_a_robot_waits_for_a_person(form, run_jobs, changes, reason):
    seconds = changes.pop("seconds", 10)
    assert post(form, {**filled(form, seconds=seconds), **changes}).status_code == 200
    run_jobs()
    assert stored() == [(Status.HELD, reason)]
    assert Lead.objects.count() == 0


def test_a_held_post_is_accepted_or_dropped(form, admin_user, signed_in, run_jobs):
    for company in ("Dobra", "Zła"):
        post(form, {**filled(form, company=company), "proof": ""})
    good, bad = FormSubmission.objects.order_by("pk")
    url = reverse("admin:leads_formsubmission_changelist")
    client = signed_in(admin_user)
    assert "Dobra" in client.get(url).text
    for action, post_pk in (("accept_posts", good.pk), ("drop_posts", bad.pk)):
        client.post(url, {"action": action, "_selected_action": [post_pk]})
    run_jobs()
    assert [lead.company for lead in Lead.objects.all()] == ["Dobra"]
    assert [status for status, _reason in stored()] == [Status.TAKEN, Status.DROPPED]
    assert accept(FormSubmission.objects.all()) == drop(FormSubmission.objects.all()) == 0


def test_too_many_from_one_address(form):
    WebForm.objects.update(hourly_limit=2)
    codes = [post(form, filled(form), REMOTE_ADDR=ip).status_code for ip in ("10.0.0.1",) * 3 + ("10.0.0.2",)]
    assert codes == [200, 200, 429, 200]
    assert len(stored()) == 3


def test_a_stale_or_foreign_token_asks_to_send_again(form, admin_user):
    other = make_form(admin_user, name="Inny")
    for token in (old_token(form, 25 * 3600), old_token(other), "rubbish", "", "a:b:c"):
        answer = post(form, {"token": token, **TYPED})
        assert answer.status_code == 422
        assert "biuro@slimak.pl" in answer.text
        assert re.search(r'name="token" value="[^"]{40,}"', answer.text)
    assert stored() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"company": ""}, "company"),
        ({"email": "nobody"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"note": "x" * 4001}, "note"),
        ({"company": "a\x00b"}, "company"),
    ],
)
def test_wrong_values_are_explained_and_nothing_is_stored(form, changes, said):
    answer = post(form, filled(form, **changes))
    assert answer.status_code == 422
    assert f'id="id_{said}_error"' in answer.text
    assert stored() == []


def test_hostile_posts_are_refused(form):
    url = form.get_absolute_url()
    client = Client(raise_request_exception=False)
    sent = urlencode(filled(form))
    answers = {
        "1 MB": client.post(url, sent + "&x=" + "y" * 2**20, content_type=FORM_TYPE),
        "foreign page": client.post(url, sent, content_type=FORM_TYPE, HTTP_ORIGIN="https://evil.example"),
        "null origin": client.post(url, sent, content_type=FORM_TYPE, HTTP_ORIGIN="null"),
        "file": client.post(url, {"token": "x"}),
        "json": client.post(url, "{}", content_type="application/json"),
        "many fields": client.post(url, "&".join(f"f{n}=1" for n in range(2000)), content_type=FORM_TYPE),
        "put": client.put(url, sent),
    }
    codes = {name: answer.status_code for name, answer in answers.items()}
    assert codes == {
        "1 MB": 413, "foreign page": 403, "null origin": 403, "file": 415, "json": 415, "many fields": 413, "put": 405,
    }  # fmt: skip
    assert stored() == []


def test_a_page_of_our_own_origin_may_post(form):
    assert post(form, filled(form), HTTP_ORIGIN="http://testserver").status_code == 200


def test_ten_kilobytes_of_utm_are_cut(form, run_jobs):
    values = filled(form, utm_source="x" * 10_000, utm_term="a\x00\u202e\nb", referrer="r" * 9000)
    assert post(form, values).status_code == 200
    run_jobs()
    origin = LeadOrigin.objects.get()
    assert (len(origin.utm_source), origin.utm_term, len(origin.referrer)) == (200, "ab", 500)


def test_consent_is_kept_with_its_text_and_moment(admin_user, run_jobs):
    form = make_form(admin_user, consent="I agree to be called.", consent_pl="Zgadzam się na telefon.")
    assert post(form, filled(form)).status_code == 422
    assert post(form, filled(form, consent="on"), HTTP_ACCEPT_LANGUAGE="pl").status_code == 200
    run_jobs()
    origin = LeadOrigin.objects.get()
    assert origin.consent_text == "Zgadzam się na telefon."
    assert origin.consent_at == origin.received_at


def test_attributes_are_asked_for(admin_user, run_jobs):
    make_source()
    own = AttributeSet.objects.get(kind=LEAD_KIND)
    Attribute.objects.create(
        attribute_set=own, name="Employees", key="employees", kind="number", filterable=True
    )
    form = make_form(admin_user, fields=("company", "attr_employees"))
    assert post(form, filled(form, attr_employees="many")).status_code == 422
    assert post(form, filled(form, attr_employees="1 200")).status_code == 200
    run_jobs()
    assert Lead.objects.get().attributes == {"employees": "1200"}


def test_a_redirect_leads_on(admin_user):
    form = make_form(admin_user, redirect_url="https://www.firma.pl/dziekujemy")
    answer = post(form, filled(form))
    assert (answer.status_code, answer["Location"]) == (302, "https://www.firma.pl/dziekujemy")
    assert (
        "form-action 'self' https://www.firma.pl"
        in Client().get(form.get_absolute_url())["Content-Security-Policy"]
    )


def test_a_closed_form_is_not_there(form):
    WebForm.objects.update(is_active=False)
    assert Client().get(form.get_absolute_url()).status_code == 404
    assert post(form, filled(form)).status_code == 404


def test_a_lead_that_cannot_be_made_is_held(form, admin_user, run_jobs):
    post(form, filled(form))
    admin_user.roles.clear()
    run_jobs()
    assert stored() == [(Status.HELD, "The author of the form may not add leads any more.")]


def test_the_administrator_builds_a_form(admin_user, signed_in):
    client, url = signed_in(admin_user), reverse("admin:leads_webform_add")
    given = {
        "name": "Kontakt", "hourly_limit": "20", "is_active": "on", "sites": "https://www.firma.pl/kontakt",
        "fields-TOTAL_FORMS": "2", "fields-INITIAL_FORMS": "0",
        "fields-0-field": "company", "fields-0-position": "1", "fields-0-is_required": "on",
        "fields-1-field": "city", "fields-1-position": "2",
    }  # fmt: skip
    assert client.post(url, {**given, "fields-0-field": "note"}).status_code == 200
    assert client.post(url, {**given, "sites": "*"}).status_code == 200
    assert WebForm.objects.count() == 0
    assert client.post(url, given).status_code == 302
    form = WebForm.objects.get()
    assert (form.author, form.origins) == (admin_user, ["https://www.firma.pl"])
    page = client.get(reverse("admin:leads_webform_change", args=[form.pk])).text
    assert f"data-form=&quot;http://testserver{form.get_absolute_url()}&quot;" in page


@pytest.mark.parametrize(
    "line", ["*", "firma.pl", "javascript:alert(1)", "https://a.pl;script-src", "https://x@a.pl"]
)
def test_a_site_is_an_origin(admin_user, line):
    with pytest.raises(ValidationError):
        WebForm(author=admin_user, name="x", sites=line).clean()


def test_the_card_shows_where_the_lead_came_from(form, admin_user, run_jobs, signed_in):
    post(form, filled(form, utm_campaign="Jesień 2026", page="https://www.firma.pl/"))
    run_jobs()
    page = signed_in(admin_user).get(reverse("leads:lead_detail", args=[Lead.objects.get().pk])).text
    assert "Jesień 2026" in page
    assert "https://www.firma.pl/" in page


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite has one connection")
@pytest.mark.django_db(transaction=True)
def test_posts_of_the_same_moment_are_each_stored_once(company):
    """Twenty visitors press at once, each of them twice."""
    web_form = make_form(company["admin"], hourly_limit=0)
    sent = [filled(web_form, company=f"Firma {number}") for number in range(20)]
    answers = at_once(*[lambda values=values: post(web_form, values).status_code for values in sent * 2])
    assert answers == [200] * 40
    assert FormSubmission.objects.count() == 20
