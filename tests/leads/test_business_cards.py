"""Business cards: card after card, photo kept and shown, vCards of phones."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from counterparties.vcard_reading import read_vcards
from crm.files.models import StoredFile
from leads.business_cards import fitting_values
from leads.models import Lead
from tests.factories.leads import make_lead, make_source

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
URL = "/leads/business-cards/"
OLD_PHONE = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C5=9Alimak;Ja=C5=\r\n=BA\r\n"
    b"ORG:Huta;Dzia\xc5\x82 zakup\xc3\xb3w\r\nTEL;WORK:22 123 45 67\r\nTEL;CELL;PREF:601 234 567\r\nEND:VCARD\r\n"
)
NEW_PHONE = """BEGIN:VCARD
VERSION:4.0
FN:Ewa Łoś
N:Łoś;Ewa;;;
ORG:Bud\\, Rem i Syn
item1.EMAIL;TYPE=work:ewa@los.pl
TEL;VALUE=uri:tel:+48-602-345-678
ADR;TYPE=WORK:;;ul. Długa 1;Kra
 ków;;30-001;PL
NOTE:Targi\\nPoznań
END:VCARD
""".encode()


def test_old_and_new_vcards_are_read():
    (old,) = read_vcards(OLD_PHONE)
    assert (old.last_name, old.first_name, old.organisation, old.best_phone) == (
        "Ślimak", "Jaź", "Huta", "601 234 567",
    )  # fmt: skip
    (new,) = read_vcards(NEW_PHONE)
    assert fitting_values(new) == {
        "company": "Bud, Rem i Syn", "first_name": "Ewa", "last_name": "Łoś", "position": "",
        "phone": "+48602345678", "email": "ewa@los.pl", "website": "", "city": "Kraków", "note": "Targi\nPoznań",
    }  # fmt: skip


@pytest.fixture
def desk(rep, signed_in):
    return signed_in(rep)


def test_saving_starts_the_next_card_and_keeps_source_and_owner(rep, desk):
    source = make_source("fair")
    given = {"company": "Huta S.A.", "source": source.pk, "owner": rep.pk}
    page = desk.post(URL, given, headers={"HX-Request": "true"}).text
    assert f'<option value="{source.pk}" selected>' in page
    assert "Huta S.A." in page.split("Added last")[1]
    assert 'value="Huta S.A."' not in page
    assert "autofocus" in page
    answer = desk.post(URL, {**given, "company": "Druga"})
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}?source={source.pk}&owner={rep.pk}")
    assert [lead.name for lead in desk.get(URL).context["recent"]] == ["Druga", "Huta S.A."]


def test_ten_are_listed(desk):
    for number in range(12):
        desk.post(URL, {"company": f"Firma {number}"})
    assert [lead.name for lead in desk.get(URL).context["recent"]] == [f"Firma {n}" for n in range(11, 1, -1)]


def test_the_photo_is_kept_and_shown_to_those_who_see_the_lead(rep, outsider, desk, signed_in):
    desk.post(URL, {"company": "Huta", "photo": SimpleUploadedFile("karta.png", PNG, "image/png")})
    lead = Lead.objects.get()
    url = reverse("leads:lead_photo", args=[lead.pk])
    assert f'src="{url}"' in desk.get(reverse("leads:lead_detail", args=[lead.pk])).text
    answer = desk.get(url)
    assert (answer["Content-Type"], b"".join(answer.streaming_content)) == ("image/png", PNG)
    assert signed_in(outsider).get(url).status_code == 404


def test_a_lead_without_a_photo_has_none(rep, desk):
    assert desk.get(reverse("leads:lead_photo", args=[make_lead(rep).pk])).status_code == 404


def test_only_pictures_are_photos(desk):
    upload = SimpleUploadedFile("karta.png", b"<svg onload=alert(1)>", "image/png")
    assert desk.post(URL, {"company": "Huta", "photo": upload}).status_code == 422
    assert (Lead.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_a_card_that_names_nobody_is_explained(desk):
    answer = desk.post(URL, {"city": "Opole"})
    assert answer.status_code == 422
    assert Lead.objects.count() == 0


def send(desk, content: bytes):
    return desk.post(f"{URL}vcards/", {"vcards": SimpleUploadedFile("a.vcf", content)})


def test_one_vcard_fills_the_form(desk):
    page = send(desk, NEW_PHONE).text
    assert 'value="+48602345678"' in page
    assert Lead.objects.count() == 0


def test_several_become_leads(desk):
    nobody = b"BEGIN:VCARD\nTITLE:Boss\nTEL:12\nEND:VCARD\n"
    assert send(desk, NEW_PHONE + OLD_PHONE + nobody).status_code == 302
    assert {(lead.name, lead.phone) for lead in Lead.objects.all()} == {
        ("Bud, Rem i Syn", "+48602345678"), ("Huta", "+48601234567"),
    }  # fmt: skip


def test_no_vcard_is_explained(desk):
    assert send(desk, b"\x00\x01").status_code == 422
    assert desk.post(f"{URL}vcards/").status_code == 422


def test_who_may_not_add_leads_gets_nothing(marketing, signed_in):
    client = signed_in(marketing)
    assert client.get(URL).status_code == 403
    assert client.post(f"{URL}vcards/").status_code == 403
