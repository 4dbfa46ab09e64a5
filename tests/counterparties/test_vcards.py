"""Contacts as vCards: out, in, and as a code to scan."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from counterparties.models import Contact
from counterparties.vcard_reading import read_vcards
from counterparties.vcards import organisation_vcard, vcard
from crm.people.models import FieldRule, RoleScope, User
from tests.factories.counterparties import make_contact, make_counterparty

ELDER = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C5=81ukasik;Jan\r\n"
    b"TEL;CELL:601 234 567\r\nitem1.EMAIL;TYPE=INTERNET:Jan@A.example\r\nEND:VCARD\r\n"
)
FOLDED = (
    "BEGIN:VCARD\nVERSION:3.0\nFN:Ewa Żak\nORG:Huta\\, Żelazna;Sprzedaż\nNOTE:pier\n wsza\\nlinia\n"
    "TEL;TYPE=WORK,VOICE:+48 22 123 45 67;ext=12\nTEL:nonsense\nEND:VCARD\n"
)


def address(name, *args):
    return reverse(f"counterparties:{name}", args=args)


def test_reading_both_generations():
    first, second = read_vcards(ELDER + FOLDED.encode())
    assert (first.first_name, first.last_name, first.emails) == ("Jan", "Łukasik", ["Jan@A.example"])
    assert first.phones == [{"raw": "601 234 567", "label": "mobile"}]
    assert (second.name, second.organisation, second.note) == ("Ewa Żak", "Huta, Żelazna", "pierwsza\nlinia")
    assert second.phones[0] == {"raw": "+48 22 123 45 67 ext. 12", "label": "work"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"name;phone",
        b"BEGIN:VCARD\nN:x",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b"BEGIN:VCARD\nFN:A\nEND:VCARD\n" * 201,
        b"x" * 2_000_001,
    ],
)
def test_what_is_no_vcard_file(content):
    with pytest.raises(ValidationError):
        read_vcards(content)


@pytest.mark.django_db
def test_out_and_in_again(rep):
    made = make_contact(
        rep,
        last_name="Żak; Młodszy, " + "bardzo długie nazwisko " * 3,
        phones=[{"raw": "22 123 45 67 wew. 12", "label": "work"}, {"raw": "601 234 567", "label": "mobile"}],
        emails="jan@a.example",
        note="dwie\nlinie",
        position="prezes",
    )
    text = vcard(made, "Huta")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    [read] = read_vcards(text.encode())
    assert (read.first_name, read.last_name, read.position) == ("Jan", made.last_name, "prezes")
    assert (read.organisation, read.note, read.emails) == ("Huta", "dwie\nlinie", ["jan@a.example"])
    assert [row["label"] for row in read.phones] == ["work", "mobile"]


@pytest.mark.django_db
def test_pages_of_one_contact(rep, outsider, signed_in):
    person = make_contact(rep, counterparty=make_counterparty(rep), phone="601234567")
    names = ("contact_vcard", "contact_vcf", "contact_qr")
    client = signed_in(rep)
    answers = [client.get(address(name, person.pk)) for name in names]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "ORG:Łódź Sp. z o.o." in answers[1].content.decode()
    assert answers[2]["Content-Type"] == "image/svg+xml" and b"<svg" in answers[2].content
    assert [client.post(address(name, person.pk)).status_code for name in names] == [405] * 3
    client = signed_in(outsider)
    assert [client.get(address(name, person.pk)).status_code for name in names] == [404] * 3


@pytest.fixture
def exporting(rep):
    """May export both kinds, as far as he sees them."""
    [role] = rep.roles.all()
    for kind in ("counterparties.contact", "counterparties.counterparty"):
        RoleScope.objects.update_or_create(role=role, kind=kind, action="export", defaults={"scope": "team"})
    return User.objects.get(pk=rep.pk)


def cards(client, kind, **given) -> str:
    answer = client.get(address("vcards"), {"kind": f"counterparties.{kind}", **given})
    assert answer.status_code == 200
    return answer.content.decode()


def names(text: str) -> list[str]:
    return [line.removeprefix("FN:") for line in text.split("\r\n") if line.startswith("FN:")]


@pytest.mark.django_db
def test_ticked_rows_and_whole_lists_go_out_as_one_file(exporting, outsider, signed_in):
    firm = make_counterparty(
        exporting, name="Huta", city="Łódź", address="Długa 1", website="huta.pl", phone="221234567"
    )
    make_counterparty(exporting, name="Bank")
    hidden = make_counterparty(outsider, name="Hidden")
    people = [
        make_contact(exporting, first_name="", last_name=name, counterparty=firm)
        for name in ("Seen", "Filtered")
    ]
    ghost = make_contact(outsider, first_name="", last_name="Ghost")
    client = signed_in(exporting)
    ids = ",".join(str(one.pk) for one in (*people, ghost))
    assert names(cards(client, "contact", ids=ids + ",x,0")) == ["Filtered", "Seen"]
    assert names(cards(client, "contact", all=1, query="q=seen")) == ["Seen"]
    assert names(cards(client, "contact")) == []
    text = cards(client, "counterparty", ids=f"{firm.pk},{hidden.pk}")
    assert names(text) == ["Huta"]
    for line in (
        "ORG:Huta",
        "ADR;TYPE=WORK:;;Długa 1;Łódź;;;PL",
        "URL:https://huta.pl",
        "TEL;TYPE=VOICE:+48221234567",
    ):
        assert line in text
    [read] = read_vcards(text.encode())
    assert (read.organisation, read.city, read.best_phone) == ("Huta", "Łódź", "+48221234567")
    assert names(cards(client, "counterparty", all=1)) == ["Bank", "Huta"]
    assert f'formaction="{address("vcards")}"' in client.get(address("counterparty_list")).content.decode()


@pytest.mark.django_db
def test_a_private_person_is_no_organisation(rep):
    person = make_counterparty(rep, name="Jan Kos", type_key="person")
    assert "ORG" not in organisation_vcard(person)


@pytest.mark.django_db
def test_hidden_fields_stay_out_of_the_file(exporting, signed_in):
    make_counterparty(exporting, name="Huta", phone="221234567", email="a@b.example", note="secret")
    [role] = exporting.roles.all()
    for field in ("phone", "note"):
        FieldRule.objects.create(role=role, kind="counterparties.counterparty", field=field, level="hidden")
    text = cards(signed_in(User.objects.get(pk=exporting.pk)), "counterparty", all=1)
    assert "TEL" not in text and "NOTE" not in text and "a@b.example" in text


@pytest.mark.django_db
def test_who_may_not_export_gets_no_file(rep, marketing, signed_in):
    [role] = rep.roles.all()
    RoleScope.objects.filter(role=role, action="export").update(scope="none")
    client = signed_in(User.objects.get(pk=rep.pk))
    assert client.get(address("vcards"), {"kind": "counterparties.contact", "all": 1}).status_code == 403
    assert client.get(address("vcards"), {"kind": "leads.lead", "all": 1}).status_code == 404
    assert client.get(address("vcards")).status_code == 404
    assert client.post(address("vcards")).status_code == 405


@pytest.mark.django_db
def test_upload_shows_then_adds(rep, signed_in):
    make_contact(rep, first_name="Jan", last_name="Łukasik", phone="601234567")
    client, url = signed_in(rep), address("contact_upload")
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 422
    assert client.post(url, {"file": SimpleUploadedFile("a.vcf", b"nothing")}).status_code == 422
    answer = client.post(url, {"file": SimpleUploadedFile("a.vcf", ELDER + FOLDED.encode())})
    html = answer.content.decode()
    assert answer.status_code == 200 and "nonsense" in html and html.count(" checked") == 1
    packed = answer.context["packed"]
    assert client.post(url, {"people": packed, "chosen": ["1", "77"]}).status_code == 302
    made = Contact.objects.get(last_name="Żak")
    assert [(row["number"], row["ext"]) for row in made.phones] == [("+48221234567", "12")]
    assert client.post(url, {"people": packed + "x", "chosen": ["1"]}).status_code == 404
    assert Contact.objects.count() == 2
