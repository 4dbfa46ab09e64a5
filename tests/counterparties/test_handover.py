"""Handing a portfolio over and taking it back."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from collab.calendar.models import Activity
from counterparties.handover import hand_over, preview_handover, undo_handover
from counterparties.models import Contact, Counterparty, HandOver
from counterparties.services import edit_counterparty
from crm.jobs.models import Job
from crm.jobs.worker import run_job
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db

KINDS = ["counterparties.counterparty", "counterparties.contact", "collab_calendar.activity"]


def work():
    for job in Job.objects.open().filter(kind__startswith="listing.bulk"):
        run_job(job.pk)


@pytest.fixture
def portfolio(rep):
    records = [make_counterparty(rep, name=f"Client {number}") for number in range(3)]
    person = make_contact(rep, counterparty=records[0])
    planned = make_activity(rep, counterparty=records[0], hours=24)
    return records, person, planned


def test_preview_counts_what_there_is(head, rep, portfolio):
    make_lead(rep)
    found = {kind.kind: number for kind, number in preview_handover(source=rep, by=head)}
    assert {**found, "deals.deal": 0} == {
        "counterparties.counterparty": 3,
        "counterparties.contact": 1,
        "leads.lead": 1,
        "deals.deal": 0,
        "collab_calendar.activity": 1,
    }


def test_all_goes_and_comes_back(head, rep, teammate, portfolio):
    records, person, planned = portfolio
    made = hand_over(source=rep, successors=[teammate], kinds=KINDS, by=head)
    work()
    assert {one.owner for one in Counterparty.objects.all()} == {teammate}
    assert Contact.objects.get().owner == teammate and Activity.objects.get(pk=planned.pk).owner == teammate
    third = Counterparty.objects.get(pk=records[2].pk)
    edit_counterparty(counterparty=third, values={"owner": head}, version=third.version, by=head)
    undo_handover(made=made, by=head)
    work()
    owners = Counterparty.objects.order_by("pk").values_list("owner__username", flat=True)
    assert list(owners) == ["rep", "rep", "head"]
    assert Contact.objects.get(pk=person.pk).owner == rep
    assert Activity.objects.get(pk=planned.pk).owner == rep


def test_several_share_equally(head, rep, teammate, portfolio):
    hand_over(source=rep, successors=[teammate, head], kinds=KINDS[:1], by=head)
    work()
    owners = Counterparty.objects.order_by("pk").values_list("owner__username", flat=True)
    assert sorted(owners) == ["head", "teammate", "teammate"] or sorted(owners) == [
        "head",
        "head",
        "teammate",
    ]


def test_refused(head, rep, teammate, outsider, portfolio):
    with pytest.raises(ValidationError):
        hand_over(source=rep, successors=[rep], kinds=KINDS[:1], by=head)
    with pytest.raises(ValidationError):
        hand_over(source=rep, successors=[outsider], kinds=KINDS[:1], by=head)
    with pytest.raises(ValidationError):
        hand_over(source=teammate, successors=[rep], kinds=KINDS[:1], by=head)
    with pytest.raises(PermissionDenied):
        hand_over(source=rep, successors=[teammate], kinds=["nothing.there"], by=head)
    made = hand_over(source=rep, successors=[teammate], kinds=KINDS[:1], by=head)
    with pytest.raises(PermissionDenied):
        undo_handover(made=made, by=rep)


def test_pages(head, rep, teammate, outsider, portfolio, signed_in):
    create = reverse("counterparties:handover_create")
    assert signed_in(rep).get(create).status_code == 403
    client = signed_in(head)
    html = client.get(create, {"source": rep.pk}).content.decode()
    assert "Counterparties: 3" in html and "Activities: 1" in html
    assert client.post(create, {"source": rep.pk, "kinds": KINDS}).status_code == 422
    sent = {"source": rep.pk, "kinds": KINDS, "successors": [teammate.pk]}
    assert client.post(create, sent).status_code == 302
    made = HandOver.objects.get()
    detail = reverse("counterparties:handover_detail", args=[made.pk])
    undo = reverse("counterparties:handover_undo", args=[made.pk])
    assert client.get(detail).status_code == 200 and client.get(undo).status_code == 405
    work()
    assert "Undo the whole hand-over" in client.get(detail).content.decode()
    assert str(rep) in client.get(reverse("counterparties:handover_list")).content.decode()
    assert signed_in(outsider).get(detail).status_code == 404
    assert signed_in(outsider).post(undo).status_code == 404
    assert signed_in(head).post(undo).status_code == 302
    work()
    assert set(Counterparty.objects.values_list("owner", flat=True)) == {rep.pk}
