"""The score: points by rules, explained on the card, computed anew after every change."""

import pytest
from django.urls import reverse

from collab.calendar.services import log_activity
from leads.models import Lead, ScoreRule, ScoreTest
from leads.scoring import EVERYTHING, is_company_email, watch_scores
from leads.services import edit_lead
from tests.factories.leads import make_lead


def rule(author, points: int, **values) -> ScoreRule:
    return ScoreRule.objects.create(author=author, points=points, **values)


@pytest.fixture
def rules(admin_user):
    rule(admin_user, 10, name="Company e-mail", test=ScoreTest.COMPANY_EMAIL)
    rule(admin_user, 5, name="Phone known", query="f=phone:filled")
    rule(admin_user, -20, name="Student", query="f=position:has:student")
    rule(admin_user, 15, name="Answered", test=ScoreTest.ANSWERED)


def score(lead) -> int:
    return Lead.objects.values_list("score", flat=True).get(pk=lead.pk)


@pytest.mark.parametrize(
    ("email", "expected"),
    [("jan@huta.pl", True), ("jan@gmail.com", False), ("Jan@WP.PL", False), ("", False), ("jan@", False)],
)
def test_free_mailboxes_are_no_companies(email, expected):
    assert is_company_email(email) is expected


def test_points_add_up_and_follow_every_change(rep, rules, run_jobs):
    lead = make_lead(rep, email="jan@huta.pl", phone="601 234 567")
    run_jobs()
    assert score(lead) == 15
    edit_lead(lead=lead, values={"position": "Student"}, version=lead.version, by=rep)
    run_jobs()
    assert score(lead) == -5
    log_activity(kind="call", subject="Call", result="ok", by=rep, lead=lead)
    run_jobs()
    assert score(lead) == 10


def test_a_changed_rule_is_applied_to_all(rep, rules, run_jobs):
    lead = make_lead(rep, email="jan@huta.pl")
    run_jobs()
    ScoreRule.objects.filter(name="Company e-mail").update(points=40)
    watch_scores(EVERYTHING)
    run_jobs()
    assert score(lead) == 40


def test_the_card_explains_and_the_list_sorts(rep, rules, run_jobs, signed_in):
    plain = make_lead(rep, company="Zwykła")
    good = make_lead(rep, company="Dobra", email="jan@huta.pl")
    run_jobs()
    page = signed_in(rep).get(reverse("leads:lead_detail", args=[good.pk])).text
    assert '<span class="score-points">+10</span> Company e-mail' in page
    rows = signed_in(rep).get(reverse("leads:lead_list"), {"sort": "-score"}).context["list"].page
    assert [row.pk for row in rows] == [good.pk, plain.pk]


def test_the_administrator_edits_rules(admin_user, rep, signed_in, run_jobs):
    lead = make_lead(rep, city="Opole")
    client, url = signed_in(admin_user), reverse("admin:leads_scorerule_add")
    given = {"name": "From Opole", "test": "filters", "points": "7", "position": "1", "is_active": "on"}
    assert client.post(url, given).status_code == 200
    assert client.post(url, {**given, "query": "f=city:is:Opole", "points": "101"}).status_code == 200
    assert ScoreRule.objects.count() == 0
    assert client.post(url, {**given, "query": "/leads/?f=city:is:Opole"}).status_code == 302
    run_jobs()
    assert score(lead) == 7
