"""Handing a portfolio over and taking it back."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from collab.calendar.models import Activity
from counterparties.handover import hand_over, preview_handover, undo_handover
from counterparties.models import Category, CategoryGroup, Contact, Counterparty, HandOver, Region
from counterparties.services import edit_counterparty
from counterparties.splitting import Split, preview_groups, proposed_shares, rules_for
from crm.jobs.models import Job
from crm.jobs.worker import run_job
from crm.people.models import FieldRule
from deals.models import Deal
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
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


@pytest.fixture
def regions():
    return [Region.objects.create(name=name, country="PL") for name in ("Mazowieckie", "Pomorskie")]


@pytest.fixture
def spread(rep, regions):
    """Three clients in the first region, one in the second, one nowhere; a deal, a contact and a call follow one."""
    first = [make_counterparty(rep, name=f"M{n}", region=regions[0], city="Warszawa") for n in range(3)]
    second = make_counterparty(rep, name="P", region=regions[1], city="gdansk")
    nowhere = make_counterparty(rep, name="Nowhere", city="Gdańsk")
    deal = make_deal(rep, counterparty=second)
    person = make_contact(rep, counterparty=second)
    call = make_activity(rep, deal=deal, hours=24)
    return first, second, nowhere, deal, person, call


def test_groups_are_counted_with_what_hangs_on_their_counterparties(head, rep, spread, regions):
    found = preview_groups(source=rep, by=head, rule="region")
    assert [(group.label, group.total) for group in found] == [("Pomorskie", 4), ("Mazowieckie", 3)]
    assert {kind.kind: number for kind, number in found[0].counts} == {
        "counterparties.counterparty": 1,
        "counterparties.contact": 1,
        "deals.deal": 1,
        "collab_calendar.activity": 1,
    }
    found = preview_groups(source=rep, by=head, rule="city")
    assert [(group.label, group.total) for group in found] == [("gdansk", 5), ("Warszawa", 3)]
    assert preview_groups(source=rep, by=head, rule="category") == []


def test_about_as_much_for_everybody_is_proposed(head, teammate, spread, rep):
    groups = preview_groups(source=rep, by=head, rule="region")
    shares = proposed_shares(groups, [teammate, head])
    assert [shares[group.key] for group in groups] == [teammate.pk, head.pk]


def test_split_by_region_and_undo(head, rep, teammate, spread, regions):
    first, second, nowhere, deal, person, call = spread
    split = Split("region", {str(regions[0].pk): head.pk, str(regions[1].pk): teammate.pk})
    kinds = [*KINDS, "deals.deal"]
    made = hand_over(source=rep, successors=[teammate, head], kinds=kinds, split=split, by=head)
    work()
    owners = dict(Counterparty.objects.values_list("name", "owner__username"))
    assert owners == {"M0": "head", "M1": "head", "M2": "head", "P": "teammate", "Nowhere": "teammate"}
    followers = [type(one).objects.get(pk=one.pk).owner for one in (deal, person, call)]
    assert followers == [teammate] * 3
    undo_handover(made=made, by=head)
    work()
    records = [*first, second, nowhere, deal, person, call]
    assert {type(one).objects.get(pk=one.pk).owner for one in records} == {rep}


def test_split_by_category(head, rep, teammate, spread):
    first, *_rest = spread
    group = CategoryGroup.objects.create(name="Size")
    big = Category.objects.create(name="Big", group=group)
    for one in first:
        edit_counterparty(counterparty=one, values={"categories": [big.pk]}, version=one.version, by=rep)
    assert [group.label for group in preview_groups(source=rep, by=head, rule="category")] == ["Big"]
    split = Split("category", {str(big.pk): head.pk})
    hand_over(source=rep, successors=[head, teammate], kinds=KINDS[:1], split=split, by=head)
    work()
    owners = dict(Counterparty.objects.values_list("name", "owner__username"))
    assert [owners[f"M{n}"] for n in range(3)] == ["head"] * 3
    assert sorted([owners["P"], owners["Nowhere"]]) == ["head", "teammate"]


def test_what_is_hidden_makes_no_group(head, rep, outsider, spread):
    other = make_counterparty(outsider, name="Hidden", city="Tajne")
    deal = spread[3]
    Deal.objects.filter(pk=deal.pk).update(counterparty=other)
    assert "Tajne" not in {group.label for group in preview_groups(source=rep, by=head, rule="city")}
    [role] = head.roles.all()
    FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="city", level="hidden")
    head = type(head).objects.get(pk=head.pk)
    assert "city" not in rules_for(head)
    with pytest.raises(PermissionDenied):
        hand_over(source=rep, successors=[head], kinds=KINDS[:1], split=Split("city"), by=head)


def test_the_page_shows_who_gets_what(head, rep, teammate, spread, regions, signed_in):
    create = reverse("counterparties:handover_create")
    client = signed_in(head)
    chosen = {"source": rep.pk, "rule": "region", "successors": [teammate.pk, head.pk]}
    html = client.get(create, chosen).content.decode()
    assert "Pomorskie" in html and "Counterparties: 1, Contacts: 1, Deals: 1, Activities: 1" in html
    names = {one.label: name for name, one in client.get(create, chosen).context["form"].groups.items()}
    sent = chosen | {"kinds": KINDS[:1], names["Pomorskie"]: head.pk, names["Mazowieckie"]: teammate.pk}
    assert client.post(create, sent | {names["Pomorskie"]: 999_999}).status_code == 422
    assert not HandOver.objects.exists()
    assert client.post(create, sent).status_code == 302
    work()
    owners = dict(Counterparty.objects.values_list("name", "owner__username"))
    assert (owners["P"], owners["M0"]) == ("head", "teammate")
    detail = client.get(reverse("counterparties:handover_detail", args=[HandOver.objects.get().pk]))
    assert "By region" in detail.content.decode()


@pytest.mark.parametrize(
    "given", [{"rule": "evil"}, {"successors": ["x", "9" * 40]}, {"source": "x", "rule": "city"}]
)
def test_hostile_choices(head, rep, portfolio, signed_in, given):
    client = signed_in(head)
    create = reverse("counterparties:handover_create")
    assert client.get(create, {"source": rep.pk, **given}).status_code == 200
    assert client.post(create, {"source": rep.pk, "kinds": KINDS, **given}).status_code == 422
