"""Quotes: only known placeholders, both languages, Polish letters, versions among the files, rights."""

import re
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from crm.files.models import StoredFile
from crm.people.models import FieldRule, Role
from deals.lines import add_line
from deals.models import QuoteTemplate
from deals.placeholders import KNOWN, fill, find_faults
from deals.quotes import make_quote, placeholder_values
from deals.standard import create_standard_deals
from deals.sums import total_of
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
HOSTILE = [
    "{deal.owner.password}", "{0}", "{}", "{deal.__class__}", "{settings.SECRET_KEY}", "{net:>100}", "{net!r}",
    "{net.real}",    "{deal.name", "}", "{deal[name]}",
]  # fmt: skip


def template(language: str = "pl", **texts) -> QuoteTemplate:
    given = {"name": "Quote", "title": "Oferta {deal.number}", **texts}
    return QuoteTemplate.objects.create(language=language, **given)


def sold(rep, **values):
    deal = make_deal(
        rep, name="Łącze światłowodowe", counterparty=make_counterparty(rep, name="Gęś i Źdźbło"), **values
    )
    add_line(deal=deal, name="Zażółć gęślą jaźń", quantity=Decimal("2.5"), unit_price=Decimal("1000"), by=rep)
    return deal


def month() -> object:
    return timezone.localdate() + timedelta(30)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_placeholder_is_refused_when_the_template_is_saved(text, admin_user, signed_in):
    assert find_faults(text)
    data = {"name": "Q", "language": "pl", "title": "T", "opening": text, "closing": "", "valid_days": "30",
            "is_active": "on", "position": "1"}  # fmt: skip
    answer = signed_in(admin_user).post(reverse("admin:deals_quotetemplate_add"), data)
    assert answer.status_code == 200 and not QuoteTemplate.objects.exists()
    data["opening"] = "{{ {deal.name} }}"
    assert signed_in(admin_user).post(reverse("admin:deals_quotetemplate_add"), data).status_code == 302


def test_every_known_placeholder_is_filled_and_nothing_in_a_value_is_read_again(rep):
    deal = sold(rep)
    deal.name = "{company.name}"
    values = placeholder_values(deal, total_of(deal.lines.all()), month())
    assert set(values) == set(KNOWN)
    assert fill("{{x}} {deal.name} {gross}", values).startswith("{x} {company.name} 2")


def text_of(content: bytes) -> int:
    """The pages that a PDF has."""
    return len(re.findall(rb"/Type /Page\b", content))


@pytest.mark.parametrize("language", ["pl", "en"])
def test_a_quote_is_drawn_and_kept_among_the_files(rep, language):
    create_standard_deals()
    deal = sold(rep)
    stored = make_quote(
        deal=deal, template=QuoteTemplate.objects.get(language=language), valid_until=month(), by=rep
    )
    content = stored.content.read()
    assert content.startswith(b"%PDF-") and text_of(content) == 1 and len(content) > 5000
    number = deal.number.replace("/", "-")
    assert stored.name == {"pl": f"Oferta {number}.pdf", "en": f"Quote {number}.pdf"}[language]
    assert (stored.record_kind, stored.record_id) == ("deals.deal", deal.pk)


def test_many_lines_go_on_over_pages(rep):
    deal = sold(rep)
    for number in range(60):
        add_line(deal=deal, name=f"Pozycja {number} " + "ł" * 80, unit_price=Decimal(1), by=rep)
    stored = make_quote(deal=deal, template=template(), valid_until=month(), by=rep)
    assert text_of(stored.content.read()) >= 2


def test_the_second_quote_is_the_second_version(rep, signed_in):
    deal, one = sold(rep), template()
    client, url = signed_in(rep), reverse("deals:deal_quote", args=[deal.pk])
    assert client.get(url).status_code == 200
    for _time in range(2):
        answer = client.post(
            url, {"template": one.pk, "valid_until": month().isoformat()}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 204 and "files-changed" in answer["HX-Trigger"]
    body = client.get(
        reverse("deals:deal_files", args=[deal.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert body.count("version 2") == 1 and body.count("version 1") == 1
    first = StoredFile.objects.order_by("pk").first()
    download = client.get(reverse("files:file_download", args=[first.pk]))
    assert BytesIO(b"".join(download.streaming_content)).read(5) == b"%PDF-"


@pytest.mark.parametrize(
    "form", [{}, {"template": "x"}, {"valid_until": "2020-01-01"}, {"valid_until": "soon"}]
)
def test_a_quote_that_cannot_be_is_refused(rep, signed_in, form):
    deal, one = sold(rep), template()
    given = {"template": one.pk, "valid_until": month().isoformat(), **form} if form else {}
    assert signed_in(rep).post(reverse("deals:deal_quote", args=[deal.pk]), given).status_code == 422
    assert not StoredFile.objects.exists()


def test_a_deal_without_lines_has_no_quote(rep):
    with pytest.raises(ValidationError, match="A quote needs lines"):
        make_quote(deal=make_deal(rep), template=template(), valid_until=month(), by=rep)


def test_who_may_not_see_edit_or_know_amounts(rep, outsider, teammate, signed_in):
    deal, one = sold(rep), template()
    stored = make_quote(deal=deal, template=one, valid_until=month(), by=rep)
    url, file = reverse("deals:deal_quote", args=[deal.pk]), reverse("files:file_download", args=[stored.pk])
    form = {"template": one.pk, "valid_until": month().isoformat()}
    client = signed_in(outsider)
    assert [
        client.get(url).status_code,
        client.post(url, form).status_code,
        client.get(file).status_code,
    ] == [404] * 3
    client = signed_in(teammate)
    assert [client.post(url, form).status_code, client.get(file).status_code] == [403, 200]
    FieldRule.objects.create(
        role=Role.objects.get(key="seller"), kind="deals.deal", field="amount", level="hidden"
    )
    client = signed_in(rep)
    assert [
        client.get(url).status_code,
        client.post(url, form).status_code,
        client.get(file).status_code,
    ] == [404] * 3
    assert "Oferta" not in client.get(reverse("deals:deal_files", args=[deal.pk])).content.decode()
    with pytest.raises(PermissionDenied):
        make_quote(deal=deal, template=one, valid_until=month(), by=type(rep).objects.get(pk=rep.pk))
