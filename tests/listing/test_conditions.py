"""Filters of the address: by every kind of field and by attributes, as alternatives too; hostile ones do nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.utils import timezone

from crm.attributes.models import Attribute
from crm.listing.conditions import OPERATORS, read_condition
from crm.listing.periods import PERIODS, span
from deals.lists import DealList
from leads.lists import LeadList
from leads.models import Lead
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_deal_type
from tests.factories.leads import make_lead, make_source


def names(rows) -> list[str]:
    return sorted(row.name for row in rows.page)


def leads(user, query: str) -> list[str]:
    return names(LeadList(user, QueryDict(query)))


def deals(user, query: str) -> list[str]:
    return names(DealList(user, QueryDict(query)))


@pytest.fixture
def three(rep):
    """Three leads in three cities."""
    source = make_source()
    make_lead(rep, company="Ada", city="Łódź", phone="601 234 567", source=source)
    make_lead(rep, company="Bolek", city="Poznań", first_name="", last_name="")
    make_lead(rep, company="Cezar", city="")
    return source


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("city:has:LODZ", ["Ada"]),
        ("city:is:łódź", ["Ada"]),
        ("city:starts:poz", ["Bolek"]),
        ("city:lacks:LODZ", ["Bolek", "Cezar"]),
        ("city:lacks:x", ["Ada", "Bolek", "Cezar"]),
        ("city:empty", ["Cezar"]),
        ("city:filled", ["Ada", "Bolek"]),
        ("phone:has:234 567", ["Ada"]),
        ("source:empty", ["Bolek", "Cezar"]),
        ("status:any:new", ["Ada", "Bolek", "Cezar"]),
        ("status:none:new,in_work", []),
        ("owner:any:me", ["Ada", "Bolek", "Cezar"]),
        ("created_at:period:today", ["Ada", "Bolek", "Cezar"]),
        ("created_at:period:last_month", []),
        ("first_response_at:filled", []),
        ("city:has:100%", []),
        ("city:has:_", []),
    ],
)
def test_leads_by_condition(rep, three, condition, found):
    assert leads(rep, f"f={condition}") == found


def test_by_a_record_of_a_dictionary(rep, three):
    assert leads(rep, f"f=source:any:{three.pk}") == ["Ada"]
    assert leads(rep, f"f=source:none:{three.pk}") == ["Bolek", "Cezar"]


def test_conditions_hold_together_and_groups_are_alternatives(rep, three):
    assert leads(rep, "f=city:filled&f=phone:empty") == ["Bolek"]
    assert leads(rep, "f.1=city:has:lodz&f.1=city:has:poznan") == ["Ada", "Bolek"]
    assert leads(rep, "f.1=city:has:lodz&f.1=city:empty&f=phone:filled") == ["Ada"]
    assert leads(rep, "f.1=city:has:lodz&f.1=city:empty&f.2=name:has:ada&f.2=name:has:bolek") == ["Ada"]


def test_amounts_and_dates(rep):
    shared = {"counterparty": make_counterparty(rep, name="Żabka")}
    make_deal(rep, name="Small", amount=Decimal("999.99"), close_date=date(2026, 12, 31), **shared)
    make_deal(rep, name="Large", amount=Decimal(50_000), close_date=date(2027, 1, 1), **shared)
    make_deal(rep, name="Open", **shared)
    assert deals(rep, "f=amount:min:1 000,50") == ["Large"]
    assert deals(rep, "f=amount:max:999.99") == ["Small"]
    assert deals(rep, "f=amount:between:999,99..50000") == ["Large", "Small"]
    assert deals(rep, "f=amount:empty") == ["Open"]
    assert deals(rep, "f=close_date:until:2026-12-31") == ["Small"]
    assert deals(rep, "f=close_date:since:2027-01-01") == ["Large"]
    assert deals(rep, "f=close_date:between:2026-12-31..2027-01-01") == ["Large", "Small"]
    assert deals(rep, "f=counterparty:has:zabka&f=close_date:on:2027-01-01") == ["Large"]


def test_by_attribute(rep):
    deal_type = make_deal_type()
    texts = {"attribute_set": deal_type.attribute_set, "filterable": True, "sortable": True}
    for key, kind, choices in [
        ("weight", "number", []), ("budget", "money", []), ("signed", "date", []), ("urgent", "bool", []),
        ("size", "choice", [["s", "Small", "Mały"], ["l", "Large", "Duży"]]),
    ]:  # fmt: skip
        Attribute.objects.create(key=key, name=key.title(), kind=kind, choices=choices, **texts)
    Attribute.objects.create(attribute_set=deal_type.attribute_set, key="secret", name="Not asked for")
    make_deal(
        rep, name="One", deal_type=deal_type,
        attributes={"source_note": "Z targów", "weight": "12.5", "budget": "900", "signed": "2026-05-01",
                    "urgent": True, "size": "s", "secret": "x"},
    )  # fmt: skip
    make_deal(rep, name="Two", deal_type=deal_type, attributes={"weight": "7", "size": "l", "urgent": False})
    assert deals(rep, "f=attr_source_note:has:TARGOW") == ["One"]
    assert deals(rep, "f=attr_source_note:empty") == ["Two"]
    assert deals(rep, "f=attr_weight:min:7.1") == ["One"]
    assert deals(rep, "f=attr_budget:between:900..900") == ["One"]
    assert deals(rep, "f=attr_signed:until:2026-05-01") == ["One"]
    assert deals(rep, "f=attr_urgent:yes") == ["One"]
    assert deals(rep, "f=attr_urgent:no") == ["Two"]
    assert deals(rep, "f=attr_size:any:s,l") == ["One", "Two"]
    assert deals(rep, "f=attr_size:none:s") == ["Two"]
    assert deals(rep, "f=attr_secret:filled") == ["One", "Two"]  # not repeated in the index: not asked
    assert [row.name for row in DealList(rep, QueryDict("sort=attr_weight")).page] == ["Two", "One"]
    assert [row.name for row in DealList(rep, QueryDict("sort=-attr_signed")).page] == ["One", "Two"]


def test_attributes_of_one_key_in_two_schemas_are_one_field(rep):
    first, second = make_deal_type(), make_deal_type("service", is_default=False)
    make_deal(rep, name="One", deal_type=first, attributes={"source_note": "fair"})
    make_deal(rep, name="Two", deal_type=second, attributes={"source_note": "fair"})
    rows = DealList(rep, QueryDict("f=attr_source_note:is:fair"))
    assert names(rows) == ["One", "Two"]
    assert len([one for one in rows.all_fields if one.key == "attr_source_note"]) == 1


def test_an_attribute_sorts_over_pages(rep):
    deal_type, counterparty = make_deal_type(), make_counterparty(rep)
    Attribute.objects.filter(key="source_note").update(sortable=True)
    for number in range(60):
        make_deal(
            rep, name=f"{number:02}", counterparty=counterparty, deal_type=deal_type,
            attributes={"source_note": f"note {59 - number:02}"} if number % 4 else {},
        )  # fmt: skip
    first = DealList(rep, QueryDict("sort=attr_source_note"))
    second = DealList(rep, QueryDict(f"sort=attr_source_note&after={first.next_cursor}"))
    found = [row.name for row in (*first.page, *second.page)]
    filled = [f"{number:02}" for number in range(59, -1, -1) if number % 4]
    assert found == filled + [f"{number:02}" for number in range(0, 60, 4)]


HOSTILE = [
    "owner__password:has:a", "owner:has:a", "password:has:a", "search_text:has:ada", "city__x:has:a", "name:regex:.*",
    "attributes:has:a", "attr_:has:a", "attr_x__y:has:a", "created_at:on:9999-99-99", "created_at:on:0001-01-01",
    "created_at:between:2026-01-01",
    "source:any:1e9", "source:any:-1", "source:any:99999999999999999999", "status:any:x",
    "close_date_slips:min:NaN", "f", ":::", "", "id:any:1", "city:has:", "city:has:\x00", "amount:min:1e400",
    "deleted_at:filled", "counterparty__owner__password:has:pbkdf2", "created_at:period:never", "owner:any:me'--",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("parameter", ["f", "f.1", "sort", "cols"])
def test_hostile_conditions_change_nothing(rep, three, signed_in, text, parameter):
    params = QueryDict(mutable=True)
    params[parameter] = text
    plain = LeadList(rep, QueryDict("view=0"))
    rows = LeadList(rep, params)
    assert rows.conditions == []
    assert [row.pk for row in rows.page] == [row.pk for row in plain.page]
    assert [one.key for one in rows.columns] == list(LeadList.default_columns)
    assert signed_in(rep).get("/leads/", params.dict()).status_code == 200


def test_a_flood_of_conditions_is_cut(rep, three):
    rows = LeadList(rep, QueryDict("&".join(f"f=city:has:{number}" for number in range(500))))
    assert len(rows.conditions) == 20
    assert rows.page == []


def test_a_condition_never_widens_what_is_visible(rep, outsider):
    make_deal(rep, name="Mine", amount=Decimal(5))
    assert deals(outsider, "f.1=amount:filled&f.1=amount:empty&f=owner:filled") == []


def test_periods_meet_without_gaps():
    today = date(2026, 11, 23)
    assert span("today", today) == (today, today + timedelta(days=1))
    assert span("this_week", today) == (date(2026, 11, 23), date(2026, 11, 30))
    assert span("last_month", date(2026, 1, 15)) == (date(2025, 12, 1), date(2026, 1, 1))
    assert span("next_month", date(2026, 12, 15)) == (date(2027, 1, 1), date(2027, 2, 1))
    assert span("this_quarter", today) == (date(2026, 10, 1), date(2027, 1, 1))
    assert span("last_year", today) == (date(2025, 1, 1), date(2026, 1, 1))
    assert all(first is None or after is None or first < after for first, after in map(span, PERIODS))


def test_every_kind_of_field_has_operators_and_is_written_as_it_is_read(rep, three):
    samples = {
        "text": "a:b..c",
        "phone": "+48 601",
        "number": "12.5",
        "money": "1000",
        "choice": "new",
        "bool": "",
    }
    for one in (*LeadList.fields, *DealList.fields):
        for operator in OPERATORS[one.kind]:
            text = samples.get(one.kind, "7")
            if one.kind in {"date", "moment"}:
                text = "this_week" if operator == "period" else "2026-01-01"
            text = (
                f"{text}..{text}"
                if operator == "between"
                else "active"
                if one.key == "status" and one.pairs[0][0] == "active"
                else text
            )
            condition = read_condition(one, operator, text)
            if condition is not None:
                assert read_condition(one, operator, condition.raw) == condition
            assert (condition is not None) == one.is_filterable, (one.key, operator)


def test_deleted_records_stay_away(rep, three):

    Lead.objects.filter(name="Ada").update(deleted_at=timezone.now())
    assert leads(rep, "f=city:filled") == ["Bolek"]
