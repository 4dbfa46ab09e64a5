"""What is like what: points, typing errors, what may be told, and the cost of a look-up."""

import pytest

from counterparties.matching.finding import find_matches
from counterparties.matching.keys import (
    errors_allowed,
    make_traits,
    ordered,
    sought_keys,
    sought_segments,
    stored_segments,
    traits_of,
)
from counterparties.matching.models import FEATURES, MatchKey, Scope, ScoringRow
from counterparties.matching.scoring import LABELS, ScoringTable, are_similar, distance, features
from counterparties.matching.standard import create_scoring_table
from counterparties.services import edit_counterparty
from crm.history.bin import delete_record
from crm.people.models import FieldRule
from leads.services import create_lead
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.leads import make_lead

CONTACT, COUNTERPARTY, LEAD = "counterparties.contact", "counterparties.counterparty", "leads.lead"


def found(user, kind, exclude=None, **values) -> list:
    matches = find_matches(user, kind, traits_of(kind, values), exclude=exclude)
    return [
        (str(one.record) if one.is_visible else "?", one.score.points, one.score.level) for one in matches
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Budimex", "Budimes", True),
        ("Budimex Polska", "Budimex", True),
        ("Zakłady Metalowe Brzoza S.A.", "Brzoza Zaklady Metalowe", True),
        ("Hurtownia Łącznik", "Hurtownia Łancznik", True),
        ("Alfa", "Alfy", False),
        ("Kowalski Transport", "Nowak Transport", False),
        ("Budimex", "Budimex Kraków Południe", False),
    ],
)
def test_similar_names(one, other, same):
    one, other = ordered(one), ordered(other)
    assert (one == other or are_similar(one, other)) is same


def test_distance_counts_up_to_a_limit():
    assert [distance("kowalski", text, 2) for text in ("kowalski", "kowalsky", "kwoalski", "nowak")] == [
        0,
        1,
        2,
        3,
    ]


def test_every_error_allowed_meets_a_stored_segment():
    """Letters put in, taken out or changed anywhere, as many as the length allows."""
    for text in ("kowal", "kowalski", "zakladymetalowebrzoza"):
        stored = stored_segments("s", text)
        for place in range(len(text)):
            for typed in (
                text[:place] + text[place + 1 :],
                text[:place] + "x" + text[place:],
                text[:place] + "x" + text[place + 1 :],
            ):
                if min(errors_allowed(len(text)), errors_allowed(len(typed))):
                    assert stored & sought_segments("s", typed), typed


def test_every_feature_has_points_and_words():
    assert set(LABELS) == set(FEATURES)
    row = ScoringRow()
    assert all(hasattr(row, name) for name in FEATURES)


def test_a_shared_city_or_public_mailbox_tells_nothing():
    one = make_traits(emails=["a@gmail.com"], cities=["Łódź"], names=["Alfa"])
    other = make_traits(emails=["b@gmail.com"], cities=["Lodz"], names=["Beta"])
    assert features(one, other) == ["city"]
    table = ScoringTable([])
    assert table.score(COUNTERPARTY, one, COUNTERPARTY, other).level == ""


@pytest.mark.django_db
def test_across_kinds_with_points_and_rights(head, outsider):
    make_counterparty(head, name="Budimex Łódź Sp. z o.o.", tax_number="5260250274", city="Łódź")
    make_lead(outsider, company="Lodz Budimes", first_name="", last_name="", phone="601 234 567")
    assert found(head, LEAD, company="Łódź Budimex", city="lodz") == [
        ("Budimex Łódź Sp. z o.o.", 70, "possible"),
        ("?", 50, "possible"),
    ]
    assert found(head, LEAD, company="Budimex", tax_number="5260250274")[0][1:] == (140, "certain")
    # Two companies of one name: other numbers part them.
    assert ("Budimex Łódź Sp. z o.o.", 0, "") not in found(
        head, LEAD, company="Łódź Budimex", tax_number="1132191233"
    )
    assert len(found(head, LEAD, company="Łódź Budimex", tax_number="1132191233")) == 1


@pytest.mark.django_db
def test_people_are_the_same_by_name_and_not_by_their_company(head):
    client = make_counterparty(head, name="Alfa", phone="22 123 45 67", email="biuro@alfa.example")
    person = make_contact(head, first_name="Jan", last_name="Łukasik", counterparty=client)
    assert found(head, CONTACT, first_name="Łukasik", last_name="Jan") == [("Jan Łukasik", 50, "possible")]
    assert found(head, CONTACT, exclude=person.pk, first_name="Jan", last_name="Łukasik") == []
    assert (
        found(
            head,
            CONTACT,
            first_name="Ola",
            last_name="Nowak",
            phone="+48221234567",
            email="biuro@alfa.example",
        )
        == []
    )


@pytest.mark.django_db
def test_keys_follow_the_record(head):
    record = make_counterparty(head, name="Alfa Bravo", phone="22 123 45 67")
    edit_counterparty(counterparty=record, values={"name": "Gamma Delta"}, version=record.version, by=head)
    assert found(head, COUNTERPARTY, name="Alfa Bravo") == []
    assert len(found(head, COUNTERPARTY, name="Delta Gama")) == 1
    delete_record(record=record, by=head)
    assert not MatchKey.objects.filter(kind=COUNTERPARTY).exists()


@pytest.mark.django_db
def test_a_hidden_field_is_not_told(head):
    make_counterparty(head, name="Alfa", phone="22 123 45 67")
    for role in head.roles.all():
        FieldRule.objects.create(role=role, kind=COUNTERPARTY, field="phone", level="hidden")
    head.__dict__.pop("access", None)
    assert found(head, COUNTERPARTY, phone="+48221234567") == []


@pytest.mark.django_db
def test_an_administrator_changes_the_points(head, admin_user, client):
    create_scoring_table()
    make_counterparty(head, name="Alfa", phone="22 123 45 67")
    assert found(head, COUNTERPARTY, phone="+48221234567") == [("Alfa", 50, "possible")]
    ScoringRow.objects.filter(scope=Scope.COUNTERPARTIES).update(phone=95)
    assert found(head, COUNTERPARTY, phone="+48221234567") == [("Alfa", 95, "certain")]


@pytest.mark.django_db
def test_few_queries_however_many_match(head, signed_in, django_assert_max_num_queries):
    for number in range(12):
        make_counterparty(head, name="Alfa Bravo", phone="22 123 45 67", city=str(number))
        create_lead(values={"company": "Alfa Bravo", "phone": "22 123 45 67"}, by=head)
        make_contact(head, first_name="Jan", last_name="Bravo", phone="22 123 45 67")
    client = signed_in(head)
    client.get("/leads/duplicates/")
    with django_assert_max_num_queries(10):
        page = client.get(
            "/leads/duplicates/", {"company": "Alfa Bravo", "phone": "22 123 45 67", "last_name": "Bravo"}
        )
    assert page.content.decode().count("<li>") == 8


def test_a_look_up_asks_for_dozens_of_keys_only():
    strong, weak = sought_keys(
        make_traits(names=["Przedsiębiorstwo Budowlane Kowalski"], persons=["Jan Kowalski"])
    )
    assert len(strong) + len(weak) < 120
