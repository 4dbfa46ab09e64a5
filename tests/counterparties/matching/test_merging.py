"""Merging records and taking it back: values, everything that is re-linked, rights, and the state before."""

import random
import time

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from collab.calendar.models import Activity
from counterparties.matching.merging import MergeRefused, merge_records
from counterparties.matching.models import Merge, successor_of
from counterparties.matching.registry import pointers
from counterparties.matching.unmerging import undo_merge
from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.services import edit_counterparty, link_contact
from crm.files.models import StoredFile
from crm.files.services import store_file
from crm.history.models import Event, EventLink
from crm.history.notes import add_comment
from crm.people.models import FieldRule
from crm.people.visibility import share
from deals.models import Deal
from leads.models import Lead, LeadStatus
from leads.services import convert_lead, mark_duplicate
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead
from tests.factories.tables import all_rows

pytestmark = pytest.mark.django_db

# What a merge and its undo leave behind of themselves.
TRACES = {
    "matching.merge",
    "matching.mergedrecord",
    "matching.mergestep",
    "matching.matchkey",
    "notify.liverow",
}
TRACES |= {"jobs.job", "sessions.session", "crm.formtoken", "attributes.attributevalue"}


def state() -> dict:
    return all_rows(without=TRACES, ignoring={"updated_at", "version"})


def assert_same(before: dict, after: dict) -> None:
    new = {key: row for key, row in after.items() if key not in before}
    assert {key: after.get(key) for key in before} == before
    events = {pk for (label, pk), row in new.items() if label == "history.event"}
    assert {row["kind"] for (label, _pk), row in new.items() if label == "history.event"} <= {
        "records_merged",
        "merge_undone",
    }
    for (label, _pk), row in new.items():
        assert label in {"history.event", "history.change", "history.eventlink"}, (label, row)
        assert label == "history.event" or row["event_id"] in events


@pytest.fixture
def pair(head):
    one = make_counterparty(head, name="Budimex Łódź Sp. z o.o.", phone="22 123 45 67", city="")
    other = make_counterparty(
        head, name="Budimex", tax_number="5260250274", city="Łódź", email="a@budimex.example"
    )
    return one, other


def test_values_are_chosen_and_filled(head, pair):
    one, other = pair
    merge = merge_records(survivor=one, merged=[other], chosen={"name": other.pk}, by=head)
    one.refresh_from_db()
    assert (one.name, one.phone, one.city, one.tax_number) == (
        "Budimex",
        "+48221234567",
        "Łódź",
        "5260250274",
    )
    names = [change[0] for change in merge.changes if change[0] not in {"phones", "emails"}]
    assert names == ["name", "tax_number", "email", "city"]
    assert [row["email"] for row in one.emails] == [one.email]
    assert not Counterparty.objects.visible_to(head).filter(pk=other.pk).exists()
    assert successor_of("counterparties.counterparty", other.pk) == one.pk
    event = Event.objects.get(kind="records_merged")
    assert (event.subject_id, event.version, event.payload["names"]) == (one.pk, one.version, "Budimex")


def make_children(head, rep, one, other) -> None:
    """Everything that can hang on two counterparties, some of it on both."""
    people = [make_contact(head, first_name=name, counterparty=one) for name in ("Anna", "Piotr")]
    link_contact(counterparty=other, contact=people[0], role="Board", is_primary=True, by=head)
    make_contact(head, first_name="Olga", counterparty=other)
    for card in (one, other):
        make_deal(head, counterparty=card)
        make_activity(head, counterparty=card)
        add_comment(record=card, text="Word", by=head, cards=[one, other])
        share(record=card, user=rep, by=head)
        store_file(upload=SimpleUploadedFile("a.txt", b"text"), by=head, record=card)


def test_everything_moves_and_comes_back(head, outsider, pair):
    one, other = pair
    make_children(head, outsider, one, other)
    before = state()
    merge = merge_records(survivor=one, merged=[other], by=head)
    assert {deal.counterparty_id for deal in Deal.objects.all()} == {one.pk}
    assert {activity.counterparty_id for activity in Activity.objects.all()} == {one.pk}
    assert ContactLink.objects.filter(counterparty=one).count() == 3
    assert ContactLink.objects.filter(counterparty=one, is_primary=True).count() == 1
    assert not ContactLink.objects.filter(counterparty=other).exists()
    assert {file.record_id for file in StoredFile.objects.all()} == {one.pk}
    assert not EventLink.objects.filter(kind="counterparties.counterparty", record_id=other.pk).exists()
    assert Counterparty.objects.visible_to(outsider).get() == one
    assert Deal.objects.filter(search_text__endswith="budimex lodz sp. z o.o.").count() == 2
    assert undo_merge(merge=merge, by=head) == []
    assert_same(before, state())
    assert successor_of("counterparties.counterparty", other.pk) is None


def test_what_was_changed_since_is_kept_and_named(head, pair):
    one, other = pair
    deal, moved = make_deal(head, counterparty=other), make_deal(head, counterparty=other, name="Elsewhere")
    third = make_counterparty(head, name="Third")
    merge = merge_records(survivor=one, merged=[other], by=head)
    Deal.objects.filter(pk=moved.pk).update(counterparty=third)
    edit_counterparty(
        counterparty=one,
        values={"city": "Kutno"},
        version=Counterparty.objects.get(pk=one.pk).version,
        by=head,
    )
    kept = undo_merge(merge=merge, by=head)
    assert [(one.name, one.reason) for one in kept] == [
        ("city", "changed since"),
        ("deal: Elsewhere", "changed since"),
    ]
    one.refresh_from_db()
    assert (one.city, one.tax_number) == ("Kutno", "")
    assert set(Deal.objects.filter(counterparty=other)) == {deal}


def test_merged_twice_comes_back_in_turn(head, pair):
    one, other = pair
    third = make_counterparty(head, name="Budimex SA")
    first = merge_records(survivor=one, merged=[other], by=head)
    second = merge_records(survivor=third, merged=[one], by=head)
    assert successor_of("counterparties.counterparty", other.pk) == third.pk
    with pytest.raises(Exception, match="merged or deleted later"):
        undo_merge(merge=first, by=head)
    undo_merge(merge=second, by=head)
    undo_merge(merge=first, by=head)
    assert Counterparty.objects.visible_to(head).count() == 3


def test_only_whole_groups_of_one_kind(head, rep, outsider, pair):
    one, other = pair
    for group in ([one], [], [other, make_contact(head)], [make_counterparty(head) for _each in range(5)]):
        with pytest.raises(MergeRefused):
            merge_records(survivor=one, merged=group, by=head)
    foreign = make_counterparty(outsider, name="Foreign")
    for by in (head, rep):
        with pytest.raises(PermissionDenied):
            merge_records(survivor=one, merged=[foreign], by=by)
    merge_records(survivor=one, merged=[other], by=head)
    with pytest.raises(MergeRefused):
        merge_records(survivor=other, merged=[one], by=head)
    assert Merge.objects.count() == 1


def test_hidden_and_read_only_fields_are_not_chosen(head, pair):
    one, other = pair
    other.phone = "+48221112233"
    other.save()
    for role in head.roles.all():
        FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="phone", level="hidden")
        FieldRule.objects.create(
            role=role, kind="counterparties.counterparty", field="tax_number", level="readonly"
        )
    head.__dict__.pop("access", None)
    merge_records(survivor=one, merged=[other], chosen={"phone": other.pk, "tax_number": one.pk}, by=head)
    one.refresh_from_db()
    assert (one.phone, one.tax_number) == ("+48221234567", "5260250274")


def test_leads_and_contacts(head):
    one, other = (
        make_lead(head, company="Alfa"),
        make_lead(head, company="Alfa Sp. z o.o.", phone="22 123 45 67"),
    )
    mark_duplicate(lead=other, of=one, by=head)
    third = make_lead(head, company="Beta")
    mark_duplicate(lead=third, of=other, by=head)
    before = state()
    merge = merge_records(survivor=one, merged=[other], by=head)
    third.refresh_from_db()
    assert third.duplicate_of == one
    undo_merge(merge=merge, by=head)
    assert_same(before, state())
    left, right = make_contact(head), make_contact(head, email="b@b.example")
    participant = make_activity(head, contact=right)
    merge_records(survivor=left, merged=[right], by=head)
    participant.refresh_from_db()
    assert (participant.contact_id, Contact.objects.get(pk=left.pk).email) == (left.pk, "b@b.example")


def test_a_converted_lead_stays(head, pair):
    one, other = make_lead(head), make_lead(head)
    convert_lead(lead=other, counterparty=pair[0], by=head)
    other.refresh_from_db()
    with pytest.raises(MergeRefused, match="has to be the one that stays"):
        merge_records(survivor=one, merged=[other], by=head)
    merge_records(survivor=other, merged=[one], by=head)
    assert Lead.objects.get(pk=other.pk).status == LeadStatus.QUALIFIED


@pytest.mark.parametrize("seed", range(6))
def test_merge_and_undo_is_as_if_nothing_had_been(head, outsider, seed):
    """Random cards with random things on them, two to five of them, in a random order."""
    dice = random.Random(seed)
    values = [("city", ["", "Łódź", "Kutno"]), ("tax_number", ["", "5260250274"]), ("note", ["", "a\nb"])]
    cards = [
        make_counterparty(
            head, name=f"Firma {dice.randrange(3)}", **{name: dice.choice(some) for name, some in values}
        )
        for _each in range(dice.randint(2, 5))
    ]
    people = [make_contact(head, first_name=str(number)) for number in range(4)]
    for _each in range(25):
        card = dice.choice(cards)
        deed = dice.randrange(6)
        if deed == 0:
            link_contact(
                counterparty=card, contact=dice.choice(people), is_primary=dice.random() < 0.5, by=head
            )
        elif deed == 1:
            make_deal(head, counterparty=card, contacts=[dice.choice(people)])
        elif deed == 2:
            make_activity(head, counterparty=card, contact=dice.choice(people))
        elif deed == 3:
            add_comment(record=card, text="Word", by=head, cards=dice.sample(cards, 2))
        elif deed == 4:
            share(record=card, user=outsider, by=head)
        else:
            store_file(upload=SimpleUploadedFile("a.txt", b"text"), by=head, record=card)
    before = state()
    dice.shuffle(cards)
    chosen = {name: dice.choice(cards).pk for name in ("name", "city", "tax_number", "note")}
    merge = merge_records(survivor=cards[0], merged=cards[1:], chosen=chosen, by=head)
    assert Counterparty.objects.visible_to(head).count() == 1
    assert undo_merge(merge=merge, by=head) == []
    assert_same(before, state())


# Rows that only tell what happened once, or name a record in their own way.
LEFT_BEHIND = {
    "history.deletion", "notify.liverow", "attributes.attributevalue", "counterparties.contactpoint",
    "matching.matchkey", "matching.mergedrecord",
}  # fmt: skip


def test_every_table_that_names_records_is_known():
    """A table with a kind and an id of a record follows a merge, or somebody has said why not."""
    known = {pointer.model._meta.label_lower for pointer in pointers()}
    naming = {
        model._meta.label_lower
        for model in apps.get_models()
        if {"record_id", "subject_id"} & {field.name for field in model._meta.fields}
        and {"record_kind", "subject_kind", "kind"} & {field.name for field in model._meta.fields}
    }
    assert naming - known - LEFT_BEHIND == set(), "register_pointer in the area, or add it to LEFT_BEHIND"


@pytest.mark.slow
def test_five_thousand_children_in_two_seconds(head, pair):
    one, other = pair
    sample = make_deal(head, counterparty=other)
    rows = [
        Deal(
            **{
                field.attname: getattr(sample, field.attname)
                for field in Deal._meta.concrete_fields
                if field.name not in ("id", "number")
            }
        )
        for _each in range(2500)
    ]
    Deal.objects.bulk_create(rows, batch_size=500)
    events = Event.objects.bulk_create(
        [
            Event(kind="comment_added", subject_kind="counterparties.counterparty", subject_id=other.pk)
            for _each in range(2500)
        ],
        batch_size=500,
    )
    EventLink.objects.bulk_create(
        [
            EventLink(event=event, kind="counterparties.counterparty", record_id=other.pk, at=event.at)
            for event in events
        ],
        batch_size=500,
    )
    began = time.monotonic()
    merge = merge_records(survivor=one, merged=[other], by=head)
    middle = time.monotonic()
    assert undo_merge(merge=merge, by=head) == []
    ended = time.monotonic()
    print("merge", middle - began, "undo", ended - middle)
    assert middle - began < 2
    assert Deal.objects.filter(counterparty=other, search_text__endswith=" budimex").count() == 2501
