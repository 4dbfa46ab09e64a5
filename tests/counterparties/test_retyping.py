"""Another type for a counterparty: what carries over, what is put away, and all of it back again."""

import random

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from counterparties.models import Counterparty
from counterparties.retyping import change_type, plan_retyping
from counterparties.services import edit_counterparty
from crm.attributes.models import AttributeValue
from crm.history.editing import EditConflict
from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.people.models import FieldRule
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty, make_type

pytestmark = pytest.mark.django_db
SILENT = {"version", "updated_at"}
KINDS = ["text", "number", "money", "date", "choice", "choices", "bool", "url", "phone", "email"]
VALUES = {
    "text": ["Łódź", "12", "gold", "2026-01-31", "tak", "x" * 500],
    "number": ["12.5", "3"],
    "money": ["12 500,50", "3"],
    "date": ["2026-02-28"],
    "choice": ["gold", "plain"],
    "choices": [["gold"], ["gold", "new"]],
    "bool": [True, False],
    "url": ["https://a.example/x"],
    "phone": ["22 123 45 67"],
    "email": ["a@b.example"],
}


def address(record):
    return reverse("counterparties:counterparty_type", args=[record.pk])


def last_event():
    return Event.objects.filter(kind="counterparty_type_changed").order_by("-pk").first()


def state(record) -> tuple:
    """The record and its derived rows, without what counts edits."""
    row = {
        name: value
        for name, value in Counterparty.objects.filter(pk=record.pk).values().get().items()
        if name not in SILENT
    }
    derived = AttributeValue.objects.filter(record_id=record.pk).values_list(
        "attribute", "place", "text", "number", "date", "unique_key"
    )
    return row, sorted(derived, key=repr)


@pytest.fixture
def schema(rep):
    """A company with notes, size and rank; a partner with size, level and motto ("Note" by name)."""
    make_attribute("size", "number", filterable=True)
    make_attribute("note_here", "text", name_pl="Notatka")
    make_attribute("rank", "choice")
    make_attribute("size", "text", type_key="partner", filterable=True)
    make_attribute("motto", "text", type_key="partner", name_pl="Notatka")
    return make_type("partner")


@pytest.fixture
def record(rep, schema):
    return make_counterparty(
        rep, attributes={"size": "12", "note_here": "VIP", "rank": "gold", "industry": "it"}
    )


def test_the_plan_suggests_by_key_and_by_name(rep, record, schema):
    plan = {
        one.source.key: one for one in plan_retyping(counterparty=record, counterparty_type=schema, by=rep)
    }
    suggested = {key: one.suggested.key if one.suggested else "" for key, one in plan.items()}
    assert suggested == {"size": "size", "note_here": "motto", "rank": "", "industry": ""}
    assert {target.key for target, _value in plan["rank"].offers} >= {"size", "motto"}


def test_change_and_undo(rep, record, schema):
    before = state(record)
    event = change_type(
        counterparty=record, counterparty_type=schema, mapping={"size": "size", "rank": "motto"},
        further={"level": "gold"}, version=record.version, by=rep,
    )  # fmt: skip
    assert (record.counterparty_type, record.attributes) == (
        schema,
        {"size": "12", "motto": "Gold", "level": "gold"},
    )
    assert set(AttributeValue.objects.values_list("attribute__attribute_set", flat=True)) == {
        schema.attribute_set_id
    }
    changed = {change.field: (change.old, change.new) for change in event.changes.all()}
    assert changed["attr_note_here"] == ("VIP", None)
    assert changed["attr_motto"] == (None, "Gold")
    assert "attr_size" not in changed  # the same text and number
    plan = undo_event(event=event, by=rep)
    assert (plan.skipped, state(record)) == ([], before)
    undo_event(event=last_event(), by=rep)  # and back once more
    record.refresh_from_db()
    assert record.attributes == {"size": "12", "motto": "Gold", "level": "gold"}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wherever_the_undo_gives_the_state_before(rep, seed):
    rng = random.Random(seed)
    for type_key in ("company", "person"):
        for number, kind in enumerate(rng.sample(KINDS, 7)):
            key = f"a{number}" if rng.random() < 0.5 else f"{type_key}{number}"
            make_attribute(
                key, kind, type_key=type_key, filterable=rng.random() < 0.5, unique=kind == "email"
            )
    attributes = {
        one.key: rng.choice(VALUES[one.kind])
        for one in make_type("company").attribute_set.attributes.filter(position=900)
        if rng.random() < 0.8
    }
    record = make_counterparty(rep, attributes=attributes)
    before = state(record)
    target = make_type("person")
    mapping, taken = {}, {""}
    for carry in plan_retyping(counterparty=record, counterparty_type=target, by=rep):
        places = [one.key for one, _value in carry.offers if one.key not in taken]
        mapping[carry.source.key] = rng.choice(["", *places])
        taken.add(mapping[carry.source.key])
    change_type(
        counterparty=record, counterparty_type=target, mapping=mapping, version=record.version, by=rep
    )
    assert set(record.attributes) == {key for key in mapping.values() if key}
    undo_event(event=last_event(), by=rep)
    assert state(record) == before


def test_people_links_and_files_come_back(rep, teammate, schema):
    other = make_counterparty(rep, name="Other")
    for key, kind in (("keeper", "person"), ("sister", "link"), ("contract", "file")):
        make_attribute(key, kind)
    upload = SimpleUploadedFile("a.txt", b"x", "text/plain")
    record = make_counterparty(
        rep, attributes={"keeper": teammate.pk, "sister": f"counterparties.counterparty/{other.pk}", "contract": upload}
    )  # fmt: skip
    before = state(record)
    assert len(record.attributes) == 3
    change_type(counterparty=record, counterparty_type=schema, further={"level": "gold"}, version=1, by=rep)
    assert record.attributes == {"level": "gold"}
    teammate.is_active = False
    teammate.save()
    undo_event(event=last_event(), by=rep)
    assert state(record) == before


def test_what_was_changed_since_stays_as_far_as_the_type_has_a_place(rep, record, schema):
    change_type(
        counterparty=record, counterparty_type=schema, further={"level": "gold"}, version=record.version, by=rep
    )  # fmt: skip
    edit_counterparty(
        counterparty=record, values={}, attributes={"motto": "New", "size": "40"}, version=record.version, by=rep
    )  # fmt: skip
    plan = undo_event(event=last_event(), by=rep)
    assert {each.change.field for each in plan.skipped} == {"attr_motto"}
    record.refresh_from_db()
    assert record.attributes == {"size": "40", "note_here": "VIP", "rank": "gold", "industry": "it"}


def test_a_second_change_of_type_holds_the_first_ones_undo(rep, record, schema):
    event = change_type(
        counterparty=record, counterparty_type=schema, further={"level": "gold"}, version=record.version, by=rep
    )  # fmt: skip
    change_type(
        counterparty=record, counterparty_type=make_type("person"), version=record.version, by=rep
    )  # fmt: skip
    plan = undo_event(event=event, by=rep)
    assert (plan.back, record.counterparty_type.key) == ([], "person")
    assert len(plan.skipped) == event.changes.count()


def test_a_unique_value_taken_meanwhile_refuses_the_undo(rep, schema):
    make_attribute("code", "text", unique=True)
    record = make_counterparty(rep, attributes={"code": "A1"})
    change_type(counterparty=record, counterparty_type=schema, further={"level": "gold"}, version=1, by=rep)
    make_counterparty(rep, name="Taker", attributes={"code": "A1"})
    with pytest.raises(ValidationError, match="already has this value"):
        undo_event(event=last_event(), by=rep)
    record.refresh_from_db()
    assert record.counterparty_type == schema


def test_required_values_of_the_new_type_are_demanded(rep, record, schema):
    before = state(record)
    with pytest.raises(ValidationError) as error:
        change_type(counterparty=record, counterparty_type=schema, version=record.version, by=rep)
    assert "attr_level" in error.value.error_dict
    assert state(record) == before


@pytest.mark.parametrize("mapping", [{"size": "nowhere"}, {"rank": "motto", "note_here": "motto"}])
def test_a_place_must_fit_one_value(rep, record, schema, mapping):
    before = state(record)
    with pytest.raises(ValidationError):
        change_type(
            counterparty=record, counterparty_type=schema, mapping=mapping, further={"level": "gold"},
            version=record.version, by=rep,
        )  # fmt: skip
    assert state(record) == before


def test_meanwhile_changed_values_are_a_conflict(rep, head, record, schema):
    edit_counterparty(counterparty=record, values={}, attributes={"rank": "plain"}, version=1, by=head)
    with pytest.raises(EditConflict):
        change_type(
            counterparty=record, counterparty_type=schema, further={"level": "gold"}, version=1, by=rep
        )


def test_rights(rep, teammate, outsider, record, schema, signed_in):
    assert signed_in(outsider).get(address(record)).status_code == 404
    assert signed_in(teammate).get(address(record)).status_code == 403
    assert signed_in(teammate).post(address(record), {"to": schema.pk, "version": 1}).status_code == 403
    with pytest.raises(PermissionDenied):
        change_type(counterparty=record, counterparty_type=schema, version=1, by=teammate)


def test_hidden_and_locked_values_are_not_lost(rep, record, schema, signed_in):
    [role] = rep.roles.all()
    FieldRule.objects.create(
        role=role, kind="counterparties.counterparty", field="attr_note_here", level="hidden"
    )
    rep = type(rep).objects.get(pk=rep.pk)
    page = signed_in(rep).get(address(record), {"to": schema.pk}).content.decode()
    assert "VIP" not in page and "Notatka" not in page
    with pytest.raises(ValidationError, match="may not change"):
        change_type(
            counterparty=record, counterparty_type=schema, mapping={}, further={"level": "gold"}, version=1, by=rep
        )  # fmt: skip
    FieldRule.objects.create(
        role=role, kind="counterparties.counterparty", field="counterparty_type", level="readonly"
    )
    assert signed_in(rep).get(address(record)).status_code == 403
    assert address(record) not in signed_in(rep).get(record_page(record)).content.decode()


def record_page(record):
    return reverse("counterparties:counterparty_detail", args=[record.pk])


def test_the_page_shows_asks_and_does_it(rep, record, schema, signed_in):
    client = signed_in(rep)
    assert address(record) in client.get(record_page(record)).content.decode()
    page = client.get(address(record), {"to": schema.pk}, headers={"HX-Request": "true"}).content.decode()
    for text in (
        "Carries over",
        "Size: 12",
        "Choose where it goes",
        "Rank: Gold",
        "The new type also asks for",
        "attr_level",
    ):
        assert text in page, text
    sent = {"to": schema.pk, "version": record.version, "map_size": "size", "map_note_here": "motto"}
    refused = client.post(address(record), sent)
    assert refused.status_code == 422
    assert "This value is required." in refused.content.decode()
    assert client.post(address(record), sent | {"version": 99, "attr_level": "gold"}).status_code == 302
    record.refresh_from_db()
    assert (record.counterparty_type, record.attributes["motto"]) == (schema, "VIP")
    history = client.get(reverse("history:card_history", args=["counterparties.counterparty", record.pk]))
    assert "changed the type: Company → Partner" in history.content.decode()
    undo = reverse("history:event_undo", args=[last_event().pk])
    assert "<del>Partner</del> → <ins>Company</ins>" in client.get(undo).content.decode()
    assert client.post(undo).status_code == 302
    record.refresh_from_db()
    assert record.attributes["note_here"] == "VIP"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"to": "0"},
        {"to": "x", "version": "1"},
        {"to": "TYPE", "version": "1", "map_size": "evil"},
        {"to": "TYPE", "version": "-1"},
    ],
)
def test_hostile_input(rep, record, schema, signed_in, sent):
    before = state(record)
    sent = {key: schema.pk if value == "TYPE" else value for key, value in sent.items()}
    assert signed_in(rep).post(address(record), sent | {"attr_level": "gold"}).status_code == 422
    assert state(record) == before


def test_a_change_meanwhile_is_shown_before_it_goes_on(rep, head, record, schema, signed_in):
    edit_counterparty(counterparty=record, values={}, attributes={"rank": "plain"}, version=1, by=head)
    sent = {"to": schema.pk, "version": 1, "attr_level": "gold"}
    answer = signed_in(rep).post(address(record), sent)
    assert answer.status_code == 409
    assert "Rank: Plain" in answer.content.decode()
