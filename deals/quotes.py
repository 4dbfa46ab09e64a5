"""Quotes: a deal's lines between the texts of a template, as a PDF among the deal's files."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.files.models import StoredFile
from crm.money.format import show_money
from crm.people.company import company
from crm.people.visibility import demand
from deals.lines import LINES
from deals.models import Deal, QuoteTemplate
from deals.placeholders import fill
from deals.services import attach_to_deal
from deals.sums import Totals, total_of

QUOTE = "quote"


@transaction.atomic
def make_quote(*, deal: Deal, template: QuoteTemplate, valid_until: date, by, via: str = "") -> StoredFile:
    """Draws the quote in the template's language and stores it; one of the same name becomes its older version.

    Raises PermissionDenied (also where amounts are hidden from `by`), ValidationError for a deal without lines.
    """
    demand(by, "edit", deal)
    if LINES.is_hidden(by):
        raise PermissionDenied
    # Drawing wants a library that a web process need not load beforehand.
    from deals.quote_pdf import QuoteText, draw_quote

    lines = LINES.rows(deal)
    if not lines:
        raise ValidationError(_("A quote needs lines. Add products to the deal first."))
    with override(template.language):
        totals = total_of(lines)
        values = placeholder_values(deal, totals, valid_until)
        text = QuoteText(
            title=fill(template.title, values), opening=fill(template.opening, values),
            closing=fill(template.closing, values), currency=deal.currency_id,
        )  # fmt: skip
        content = draw_quote(text, lines, totals)
        name = _("Quote %(number)s.pdf") % {"number": (deal.number or str(deal.pk)).replace("/", "-")}
    upload = SimpleUploadedFile(name, content, "application/pdf")
    return attach_to_deal(deal=deal, upload=upload, label=QUOTE, by=by, via=via)


def placeholder_values(deal: Deal, totals: Totals, valid_until: date) -> dict[str, str]:
    """{name: value} of every known placeholder, in the present language."""
    client, owner, own = deal.counterparty, deal.owner, company()
    contact = deal.contacts.filter(deleted_at=None).order_by("pk").first()
    town = " ".join(part for part in (client.postal_code, client.city) if part)
    return {
        "deal.name": deal.name,
        "deal.number": deal.number or "",
        "deal.close_date": _day(deal.close_date),
        "counterparty.name": client.name,
        "counterparty.address": ", ".join(part for part in (client.address, town) if part),
        "counterparty.tax_number": client.tax_number,
        "contact.name": str(contact or ""),
        "owner.name": str(owner or ""),
        "owner.email": owner.email if owner else "",
        "company.name": own.name,
        "company.address": own.postal_line,
        "today": _day(timezone.localdate()),
        "valid_until": _day(valid_until),
        "net": show_money(totals.net, deal.currency_id, cents=True),
        "tax": show_money(totals.tax, deal.currency_id, cents=True),
        "gross": show_money(totals.gross, deal.currency_id, cents=True),
    }


def _day(day: date | None) -> str:
    return date_format(day, "DATE_FORMAT") if day else ""


def may_read_quote(user, stored: StoredFile) -> bool:
    """A quote tells the amounts, so it is nothing for whom they are hidden from."""
    return stored.record_kind != "deals.deal" or stored.label != QUOTE or not LINES.is_hidden(user)
