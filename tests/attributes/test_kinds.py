"""The kinds of attributes: what each keeps, refuses and shows, whoever writes it."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from counterparties.services import edit_counterparty
from crm.attributes.cards import attribute_facts
from crm.attributes.models import Attribute, AttributeValue
from crm.attributes.values import clean_value, derived_rows, show_value
from crm.files.models import StoredFile
from crm.history.cards import card_history
from crm.history.models import Change
from tests.factories.attributes import CHOICES, make_attribute
from tests.factories.counterparties import make_counterparty
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db


def attribute(kind: str, **options) -> Attribute:
    choices = CHOICES if kind in {"choice", "choices"} else []
    return Attribute(pk=1, key="x", name="X", kind=kind, choices=choices, **options)


def set_value(record, by, **attributes):
    edit_counterparty(counterparty=record, values={}, attributes=attributes, version=record.version, by=by)
    record.refresh_from_db()
    return record.attributes


def facts(record, user) -> dict:
    return {
        fact.name: fact.value
        for _section, facts in attribute_facts(record, user)
        for fact in facts
        if fact.value
    }


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("choices", ["new", "złoty", "gold"], ["gold", "new"]),
        ("choices", "Plain; nowy", ["plain", "new"]),
        ("choices", [], None),
        ("url", "example.com/a?b=1", "https://example.com/a?b=1"),
        ("url", "http://example.com", "http://example.com"),
        ("phone", "(22) 123-45-67", "+48221234567"),
        ("email", "Anna@Example.COM", "anna@example.com"),
        ("number", "1 000", "1000"),
        ("number", "12\u00a0500,5", "12500.5"),
        ("date", "28.02.2026", "2026-02-28"),
        ("text", "a\x00b\ud800c", "abc"),
        ("text", "\x00", None),
    ],
)
def test_stored_in_one_spelling(kind, raw, stored):
    assert clean_value(attribute(kind), raw) == stored


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("url", "javascript:alert(1)"),
        ("url", "javascript://example.com/%0aalert(1)"),
        ("url", "data:text/html,<script>alert(1)</script>"),
        ("url", "ftp://example.com"),
        ("url", "https://example.com/" + "x" * 1000),
        ("url", "not an address"),
        ("phone", "12"),
        ("phone", "phone"),
        ("email", "nobody"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("choices", ["gold", "silver"]),
        ("number", "9" * 1_000_000),
        ("text", "x" * 1_000_000),
        ("choice", "x" * 1_000_000),
        ("url", "x" * 1_000_000),
        ("person", "x" * 1_000_000),
        ("person", "0"),
        ("person", "999999999"),
        ("person", "9" * 30),
        ("person", True),
        ("link", "1"),
        ("file", "1"),
        ("file", "x"),
    ],
)
def test_wrong_and_hostile_values_are_refused(kind, raw):
    with pytest.raises(ValidationError) as caught:
        clean_value(attribute(kind, link_kind="deals.deal"), raw)
    assert len(" ".join(caught.value.messages)) < 300


def test_several_choices_make_a_row_each(rep):
    make_attribute("tags", "choices", filterable=True, unique=True)
    record = make_counterparty(rep, attributes={"tags": ["new", "gold"]})
    assert record.attributes["tags"] == ["gold", "new"]
    rows = AttributeValue.objects.filter(record_id=record.pk, attribute__key="tags").order_by("place")
    assert list(rows.values_list("place", "text", "unique_key")) == [
        (0, "gold", "gold,new"),
        (1, "new", None),
    ]
    assert facts(record, rep)["Tags"] == "Gold, New"
    set_value(record, rep, tags=["plain"])
    assert list(rows.values_list("text", flat=True)) == ["plain"]
    change = Change.objects.get(field="attr_tags")
    assert (change.old, change.new, change.old_text, change.new_text) == (
        ["gold", "new"], ["plain"], "Gold, New", "Plain",
    )  # fmt: skip


def test_a_choice_that_is_offered_no_more_stays_until_it_is_changed(rep, signed_in):
    taken = make_attribute("tier", "choice")
    several = make_attribute("tags", "choices")
    record = make_counterparty(rep, attributes={"tier": "gold", "tags": ["gold", "new"]})
    for one in (taken, several):
        one.choices = CHOICES[1:]
        one.save()
    assert set_value(record, rep, tier="gold", tags=["gold", "plain"]) == {
        "tier": "gold", "tags": ["plain", "gold"],
    }  # fmt: skip
    answer = signed_in(rep).get(reverse("counterparties:counterparty_update", args=[record.pk]))
    assert '<option value="gold" selected>gold</option>' in answer.content.decode()
    with pytest.raises(ValidationError):
        make_counterparty(rep, attributes={"tier": "gold"})


def test_a_person_is_an_active_colleague(rep, teammate):
    person = make_attribute("expert", "person", filterable=True)
    record = make_counterparty(rep, attributes={"expert": "teammate"})
    assert record.attributes["expert"] == teammate.pk
    assert AttributeValue.objects.get(attribute=person).number == teammate.pk
    assert facts(record, rep)["Expert"] == str(teammate)
    gone = make_user("gone")
    gone.is_active = False
    gone.save()
    with pytest.raises(ValidationError):
        set_value(record, rep, expert=gone.pk)
    teammate.is_active = False
    teammate.save()
    assert set_value(record, rep, expert=teammate.pk)["expert"] == teammate.pk


def test_a_link_leads_only_to_what_the_editor_sees(rep, outsider):
    link = make_attribute("parent", "link", filterable=True)
    mine, foreign = make_counterparty(rep, name="Mine"), make_counterparty(outsider, name="Secret")
    record = make_counterparty(rep, attributes={"parent": mine.pk})
    assert record.attributes["parent"] == f"counterparties.counterparty/{mine.pk}"
    row = AttributeValue.objects.get(attribute=link)
    assert (row.text, row.number) == (f"counterparties.counterparty/{mine.pk}", mine.pk)
    url = reverse("counterparties:counterparty_detail", args=[mine.pk])
    assert facts(record, rep)["Parent"] == f'<a href="{url}">Mine</a>'
    for raw in (
        foreign.pk,
        f"counterparties.counterparty/{foreign.pk}",
        "Secret",
        foreign,
        f"deals.deal/{mine.pk}",
    ):
        with pytest.raises(ValidationError):
            set_value(record, rep, parent=raw)
    assert set_value(record, rep, parent="mine")["parent"] == f"counterparties.counterparty/{mine.pk}"


def test_a_link_says_nothing_to_who_does_not_see_its_record(rep, outsider):
    make_attribute("parent", "link")
    foreign = make_counterparty(outsider, name="Secret")
    record = make_counterparty(outsider, owner=outsider, attributes={"parent": foreign.pk})
    assert "Secret" in str(facts(record, outsider))
    assert "Parent" not in facts(record, rep)
    set_value(record, outsider, parent=None)
    change = Change.objects.get(field="attr_parent")
    assert (change.old_text, change.new_text) == ("counterparty", "")
    line, told = (
        card_history(user=outsider, record=record).lines[0],
        card_history(user=rep, record=record).lines,
    )
    assert line.changes[0].old_text == "Secret"
    assert "Secret" not in str([change.old_text for one in told for change in one.changes])


def test_an_unseen_link_survives_somebody_elses_edit(admin_user, rep, outsider, signed_in):
    make_attribute("parent", "link", required=True)
    foreign = make_counterparty(outsider, name="Secret")
    record = make_counterparty(admin_user, name="Ours", owner=rep, attributes={"parent": foreign.pk})
    url = reverse("counterparties:counterparty_update", args=[record.pk])
    client = signed_in(rep)
    assert "Secret" not in client.get(url).content.decode()
    data = {
        "name": "Ours",
        "counterparty_type": record.counterparty_type_id,
        "country": "PL",
        "city": "Łódź",
        "owner": rep.pk,
    }
    assert client.post(url, {**data, "attr_parent": ""}).status_code == 302
    record.refresh_from_db()
    assert (record.city, record.attributes) == (
        "Łódź",
        {"parent": f"counterparties.counterparty/{foreign.pk}"},
    )
    assert client.post(url, {**data, "attr_parent": str(foreign.pk)}).status_code == 422


def test_a_file_is_private_to_the_card(rep, outsider, signed_in):
    make_attribute("contract", "file")
    client = signed_in(rep)
    form = {
        "name": "With file",
        "counterparty_type": make_counterparty(rep).counterparty_type_id,
        "country": "PL",
        "owner": rep.pk,
    }
    upload = SimpleUploadedFile("umowa.pdf", b"%PDF-1.4")
    answer = client.post(reverse("counterparties:counterparty_create"), {**form, "attr_contract": upload})
    assert answer.status_code == 302
    stored = StoredFile.objects.get(name="umowa.pdf")
    pk = int(answer["Location"].rstrip("/").rsplit("/", 1)[1])
    assert (stored.record_kind, stored.record_id) == ("counterparties.counterparty", pk)
    card = client.get(answer["Location"]).content.decode()
    assert f'<a href="/files/{stored.pk}/">umowa.pdf</a>' in card
    assert client.get(f"/files/{stored.pk}/").status_code == 200
    edit = reverse("counterparties:counterparty_update", args=[pk])
    assert client.post(edit, form).status_code == 302
    assert StoredFile.objects.count() == 1
    assert client.get(edit).content.decode().count("umowa.pdf") == 1
    assert client.post(edit, {**form, "attr_contract-clear": "on"}).status_code == 302
    assert Change.objects.get(field="attr_contract", new__isnull=True).old_text == "umowa.pdf"
    assert signed_in(outsider).get(f"/files/{stored.pk}/").status_code == 404


def test_files_of_others_and_programs_are_refused(rep, outsider):
    make_attribute("contract", "file")
    record, foreign = make_counterparty(rep), make_counterparty(outsider, name="Other")
    set_value(foreign, outsider, contract=SimpleUploadedFile("a.pdf", b"x"))
    for raw in (
        foreign.attributes["contract"],
        SimpleUploadedFile("a.exe", b"x"),
        SimpleUploadedFile("a.pdf", b""),
    ):
        with pytest.raises(ValidationError):
            set_value(record, rep, contract=raw)
    assert StoredFile.objects.count() == 1


def test_addresses_and_phones_can_be_followed(rep):
    for kind in ("url", "phone", "email"):
        make_attribute(kind, kind)
    record = make_counterparty(
        rep, attributes={"url": "example.com/?a=1&b=<i>", "phone": "601 234 567", "email": "a@b.example"}
    )
    assert facts(record, rep) == {
        "Url": '<a href="https://example.com/?a=1&amp;b=&lt;i&gt;" target="_blank" rel="noopener noreferrer">'
        "https://example.com/?a=1&amp;b=&lt;i&gt;</a>",
        "Phone": '<a href="tel:+48601234567">601 234 567</a>',
        "Email": '<a href="mailto:a@b.example">a@b.example</a>',
    }


def test_what_is_not_of_the_kind_is_shown_as_it_is():
    assert show_value(attribute("date"), "yesterday") == "yesterday"
    assert show_value(attribute("number"), "many") == "many"
    assert derived_rows(attribute("number"), "k", 1, "many")[0].number is None


@pytest.mark.parametrize("kind", ["counterparties.contact", "nothing.here", ""])
def test_the_picker_offers_only_visible_records_of_real_kinds(rep, outsider, signed_in, kind):
    make_counterparty(outsider, name="Secret")
    make_counterparty(rep, name="Secretariat")
    client, url = signed_in(rep), reverse("attributes:record_options")
    answer = client.get(url, {"kind": "counterparties.counterparty", "q": "secret"}).content.decode()
    assert ("Secretariat" in answer, 'data-text="Secret"' in answer) == (True, False)
    assert client.get(url, {"kind": kind, "q": "secret"}).status_code == (200 if "contact" in kind else 404)
    assert client.post(url).status_code == 405
