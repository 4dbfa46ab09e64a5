"""Who calls: every notation of a number, rights, and how many queries it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterparties.callers import CallerNumber, read_caller, who_calls
from crm.history.bin import delete_record
from crm.people.models import FieldRule, User
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.leads import make_lead

MOBILE, LANDLINE = "+48601234567", "+48221234567"


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("601234567", "", MOBILE),
        ("601 234 567", "", MOBILE),
        ("0048601234567", "", MOBILE),
        ("48601234567", "", MOBILE),
        ("+48 (601) 234-567", "", MOBILE),
        ("sip:+48601234567@exchange.example;transport=udp", "", MOBILE),
        ("<sip:601234567@10.0.0.1>", "", MOBILE),
        ("tel:+48-601-234-567", "", MOBILE),
        ("+48601234567;ext=12", "", MOBILE),
        ("601 234 567 wew. 12", "", MOBILE),
        ("(022) 123 45 67", "", LANDLINE),
        ("٦٠١٢٣٤٥٦٧", "", MOBILE),
        ("６０１２３４５６７", "", MOBILE),
        ("030 123456", "DE", "+4930123456"),
        ("00 49 30 123456", "", "+4930123456"),
        (601234567, "", MOBILE),
    ],
)
def test_every_notation_is_one_number(text, region, e164):
    assert read_caller(text, region) == CallerNumber(e164=e164)


@pytest.mark.parametrize("text", ["12", "101", "*101", "2001", "10 01", "sip:2001@exchange"])
def test_short_internal_numbers(text):
    found = read_caller(text)
    assert (found.e164, found.is_withheld) == ("", False)
    assert found.internal.isdigit()


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "anonymous",
        "Anonymous",
        "sip:anonymous@anonymous.invalid",
        "+266696687",
        "Unknown",
        "   ",
        "<>",
    ],
)
def test_withheld_numbers(text):
    assert read_caller(text) == CallerNumber(is_withheld=True)


@pytest.mark.parametrize(
    "text", ["123456789012345678901234", "1" * 5000, "\x00\x00601", "0", "99999999", "+48 1"]
)
def test_nonsense_is_no_number(text):
    assert read_caller(text).e164 == ""


@pytest.fixture
def known(rep):
    """Four records that the mobile reaches, one of them by a further phone, and one that it does not."""
    firm = make_counterparty(rep, phones="22 123 45 67; 601 234 567")
    person = make_contact(rep, phone="601234567", counterparty=firm)
    lead = make_lead(rep, phone="+48 601 234 567")
    make_contact(rep, last_name="Other", phone="602234567")
    return [person, firm, lead]


@pytest.mark.django_db
def test_contacts_then_counterparties_then_leads(rep, known):
    calling = who_calls("601 234 567", by=rep)
    assert (calling.number.e164, calling.seen) == (MOBILE, known)
    assert [one.url for one in calling.known] == [one.kind.url(one.record.pk) for one in calling.known]
    assert who_calls("022 123 45 67", by=rep).seen == [known[1]]
    assert who_calls("603 234 567", by=rep).known == []


@pytest.mark.django_db
def test_of_the_invisible_only_kind_and_owner_are_told(rep, outsider, known):
    own = make_contact(outsider, last_name="Own", phone="601234567")
    calling = who_calls(MOBILE, by=outsider)
    assert calling.seen == [own]
    assert calling.known[0].record == own
    rest = [(one.kind.label, one.record.owner, one.is_visible, one.url) for one in calling.known[1:]]
    assert rest == [
        ("counterparties.contact", rep, False, ""),
        ("counterparties.counterparty", rep, False, ""),
        ("leads.lead", rep, False, ""),
    ]


@pytest.mark.django_db
def test_who_may_not_see_phones_does_not_find_by_them(rep, known):
    [role] = rep.roles.all()
    FieldRule.objects.create(role=role, kind="counterparties.contact", field="phone", level="hidden")
    assert who_calls(MOBILE, by=User.objects.get(pk=rep.pk)).seen == known[1:]


@pytest.mark.django_db
def test_deleted_records_do_not_call(rep, admin_user, known):
    delete_record(record=known[0], by=admin_user)
    assert who_calls(MOBILE, by=rep).seen == known[1:]


@pytest.mark.django_db
def test_three_queries_at_most_and_none_for_no_number(rep, known):
    for number in range(25):
        make_contact(rep, last_name=str(number), phone="601234567")
    rep.access.hidden_fields("leads.lead")
    who_calls(MOBILE, by=rep)
    with CaptureQueriesContext(connection) as captured:
        assert len(who_calls(MOBILE, by=rep).known) == 22  # twenty contacts, the newest
    assert len(captured) == 3
    with CaptureQueriesContext(connection) as captured:
        who_calls("anonymous", by=rep)
        who_calls("2001", by=rep)
    assert len(captured) == 0
