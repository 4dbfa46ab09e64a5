"""The scan: what it finds, what it remembers, how it goes on after an interruption; and the queue's page."""

import pytest
from django.urls import reverse

from counterparties.matching import scanning, tasks
from counterparties.matching.merging import merge_records
from counterparties.matching.models import MatchKey, MatchPair, PairStatus, Scan
from counterparties.matching.scanning import request_scan
from counterparties.models import Counterparty
from counterparties.services import edit_counterparty
from crm.jobs.models import Job
from leads.models import Lead
from leads.services import convert_lead, mark_duplicate
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
URL = "/duplicates/"


def pairs() -> set[tuple]:
    return set(MatchPair.objects.values_list("first_kind", "first_id", "second_kind", "second_id", "status"))


def scan(run_jobs, by, *, is_full=False) -> Scan:
    request_scan(by=by, is_full=is_full)
    run_jobs()
    assert not Job.objects.filter(kind="matching.scan").exclude(status="done").exists()
    return Scan.objects.latest("id")


@pytest.fixture
def base(head):
    """Two clients and a lead that are one, a stranger, and a contact with the client's phone."""
    one = make_counterparty(head, name="Budimex Łódź", phone="22 123 45 67")
    two = make_counterparty(head, name="Łódź Budimes")
    lead = make_lead(head, company="Budimex Łódź Sp. z o.o.", first_name="", last_name="")
    make_counterparty(head, name="Stranger")
    make_contact(head, first_name="Jan", last_name="Nowak", phone="22 123 45 67")
    return one, two, lead


def test_pairs_are_found_once_and_remembered(head, base, run_jobs):
    one, two, lead = base
    MatchKey.objects.all().delete()
    kind = "counterparties.counterparty"
    wanted = {
        (kind, one.pk, kind, two.pk, "open"),
        (kind, one.pk, "leads.lead", lead.pk, "open"),
        (kind, two.pk, "leads.lead", lead.pk, "open"),
    }
    found = scan(run_jobs, head)
    assert (pairs(), found.found, found.compared, found.is_full) == (wanted, 3, 5, True)
    MatchPair.objects.filter(second_id=two.pk, second_kind=kind).update(status=PairStatus.DIFFERENT)
    again = scan(run_jobs, head, is_full=True)
    assert again.found == 3 and MatchPair.objects.get(status="different").second_id == two.pk
    edit_counterparty(counterparty=two, values={"name": "Other"}, version=two.version, by=head)
    changed = scan(run_jobs, head)
    assert changed.is_full is False
    assert {pair for pair in pairs() if pair[4] == "open"} == {(kind, one.pk, "leads.lead", lead.pk, "open")}


def test_what_was_decided_about_a_lead_is_not_asked_again(head, base, run_jobs):
    one, two, lead = base
    convert_lead(lead=lead, counterparty=one, by=head)
    mark_duplicate(lead=make_lead(head, company="Budimex Łódź", first_name="", last_name=""), by=head)
    scan(run_jobs, head)
    assert MatchPair.objects.get().second_id == two.pk


def test_a_scan_goes_on_where_it_was(head, base, run_jobs, monkeypatch):
    monkeypatch.setattr(scanning, "BATCH", 2)
    compare, turns = scanning.Comparing.compare, []

    def dying(self, kind, traits):
        turns.append(kind)
        if len(turns) == 2:
            raise RuntimeError("the worker dies")
        return compare(self, kind, traits)

    monkeypatch.setattr(tasks.Comparing, "compare", dying)
    request_scan(by=head)
    run_jobs()
    job = Job.objects.get(kind="matching.scan")
    assert job.checkpoint["phase"] == "compare"
    Job.objects.filter(pk=job.pk).update(run_at=job.created_at)
    run_jobs()
    assert len(pairs()) == 3 and Scan.objects.count() == 1


def test_crowded_keys_are_passed_over(head, run_jobs, monkeypatch):
    monkeypatch.setattr(scanning, "BLOCK", 3)
    for _each in range(5):
        make_counterparty(head, name="The same name")
    assert scan(run_jobs, head).found == 0


def test_the_queue_shows_what_one_sees_and_decides(
    head, rep, outsider, base, run_jobs, signed_in, django_assert_max_num_queries
):
    one, two, lead = base
    Counterparty.objects.filter(pk=two.pk).update(owner=outsider, department=outsider.department)
    scan(run_jobs, head)
    client = signed_in(head)
    client.get(URL)
    with django_assert_max_num_queries(14):
        page = client.get(URL).content.decode()
    assert (page.count('id="pair-'), "Budimes" in page, "Budimex Łódź Sp. z o.o." in page) == (
        1,
        False,
        True,
    )
    assert reverse("leads:lead_closure", args=[lead.pk]) in page
    pair = MatchPair.objects.get(first_id=one.pk, second_kind="leads.lead")
    hidden = MatchPair.objects.exclude(pk=pair.pk).first()
    assert (
        client.post(reverse("matching:pair_decision", args=[hidden.pk]), {"status": "different"}).status_code
        == 404
    )
    client.post(reverse("matching:pair_decision", args=[pair.pk]), {"status": "nonsense"})
    assert MatchPair.objects.get(pk=pair.pk).status == "open"
    client.post(reverse("matching:pair_decision", args=[pair.pk]), {"status": "different"})
    assert "pair-" not in client.get(URL).content.decode()
    assert f'id="pair-{pair.pk}"' in client.get(URL, {"status": "different"}).content.decode()
    client.post(reverse("matching:pair_reopening", args=[pair.pk]))
    assert f'id="pair-{pair.pk}"' in client.get(URL, {"kind": "mixed"}).content.decode()
    assert (
        "pair-" not in client.get(URL, {"kind": "leads.lead", "sure": "1", "after": "9_x"}).content.decode()
    )
    assert client.get(reverse("matching:pair_decision", args=[pair.pk])).status_code == 405


def test_merging_settles_the_pair(head, base, run_jobs):
    one, two, _lead = base
    scan(run_jobs, head)
    merge_records(survivor=one, merged=[two], by=head)
    settled = MatchPair.objects.get(status="settled")
    assert (settled.first_id, settled.second_id, settled.decided_by) == (one.pk, two.pk, head)


def test_pages_of_the_queue(head, signed_in):
    leads = [make_lead(head) for _each in range(9)]
    for place, first in enumerate(leads):
        for second in leads[place + 1 :]:
            MatchPair.objects.create(
                first_kind="leads.lead", first_id=first.pk, second_kind="leads.lead", second_id=second.pk,
                score=60 + first.pk % 3, reasons=["name"],
            )  # fmt: skip
    client = signed_in(head)
    first = client.get(URL)
    assert first.content.decode().count('id="pair-') == 30
    rest = client.get(URL, {"after": first.context["queue"].next_cursor})
    assert (rest.content.decode().count('id="pair-'), rest.context["queue"].next_cursor) == (6, "")


def test_asking_for_a_scan_needs_the_right_to_merge(head, rep, signed_in):
    rep.roles.get().scopes.filter(action="delete").update(scope="none")
    assert signed_in(rep).post(reverse("matching:scan_create")).status_code == 403
    assert signed_in(rep).get(URL).status_code == 403
    assert signed_in(head).post(reverse("matching:scan_create")).status_code == 302
    assert Job.objects.filter(kind="matching.scan").count() == 1
    signed_in(head).post(reverse("matching:scan_create"))
    assert Job.objects.filter(kind="matching.scan").count() == 1
    assert Lead.objects.count() == 0


def test_an_administrator_tries_the_table_out(admin_user, head, base, signed_in):
    one, two, _lead = base
    url, card = reverse("matching:score_trial"), "http://crm.example/counterparties/{}/?tab=1"
    client = signed_in(admin_user)
    page = client.get(url, {"first": card.format(one.pk), "second": card.format(two.pk)}).content.decode()
    assert "A similar name" in page and "perhaps duplicates" in page
    assert client.get(url, {"first": "/nowhere/", "second": card.format(10**25)}).status_code == 422
    assert signed_in(head).get(url).status_code == 403
    assert (
        client.login
        and signed_in(admin_user).get(reverse("admin:matching_scoringrow_changelist")).status_code == 200
    )
