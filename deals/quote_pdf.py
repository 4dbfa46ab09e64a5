"""Drawing a quote: A4, the company above, the lines in a table that goes on over pages, the sums below."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from crm.money.format import show_money
from crm.people.company import company
from deals.models import DealLine
from deals.sums import Totals

FONT = "Lato"
INK, SOFT, ACCENT = (24, 33, 38), (92, 105, 112), (13, 96, 102)
WIDTHS = (5, 31, 8, 12, 15, 8, 8, 16)


@dataclass(frozen=True)
class QuoteText:
    """The texts of a quote with everything filled in."""

    title: str
    opening: str
    closing: str
    currency: str


class _Sheet(FPDF):
    """Pages with the company's name above and their number below."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        folder = files("fontpkg_lato") / "files"
        self.add_font(FONT, "", str(folder / "Lato-Regular.ttf"))
        self.add_font(FONT, "B", str(folder / "Lato-Bold.ttf"))
        self.set_margins(18, 16, 18)
        self.set_auto_page_break(True, 20)

    def header(self) -> None:
        own = company()
        self.write_line(own.name, size=11, bold=True, colour=ACCENT)
        self.write_line(own.postal_line.removeprefix(own.name).lstrip(", "), size=8, colour=SOFT)
        self.ln(4)

    def footer(self) -> None:
        self.set_y(-14)
        self.write_line(f"{self.page_no()} / {{nb}}", size=8, colour=SOFT, align="R")

    def write_line(
        self, text: str, *, size: float = 10, bold: bool = False, colour=INK, align: str = "L"
    ) -> None:
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def draw_quote(text: QuoteText, lines: list[DealLine], totals: Totals) -> bytes:
    """The PDF, in the present language."""
    sheet = _Sheet()
    sheet.set_title(text.title)
    sheet.set_creator("Contentum CRM")
    sheet.add_page()
    sheet.write_line(text.title, size=18, bold=True)
    sheet.ln(3)
    _paragraphs(sheet, text.opening)
    _table(sheet, lines, text.currency)
    _sums(sheet, totals, text.currency)
    _paragraphs(sheet, text.closing)
    return bytes(sheet.output())


def _paragraphs(sheet: _Sheet, text: str) -> None:
    if text.strip():
        sheet.write_line(text.replace("\r\n", "\n").strip())
        sheet.ln(5)


def _plain(number: Decimal) -> str:
    return number_format(number.normalize(), use_l10n=True)


def _money(amount: Decimal, currency: str) -> str:
    return show_money(amount, currency, cents=True)


def _table(sheet: _Sheet, lines: list[DealLine], currency: str) -> None:
    sheet.set_font(FONT, "", 9)
    sheet.set_text_color(*INK)
    sheet.set_draw_color(210, 216, 219)
    names = (
        _("No."), _("Product"), _("Quantity"), _("Unit"), _("Unit price"), _("Discount, %"), _("Tax, %"),
        _("Without tax"),
    )  # fmt: skip
    aligns = ("R", "L", "R", "L", "R", "R", "R", "R")
    with sheet.table(
        col_widths=WIDTHS, text_align=aligns, borders_layout=TableBordersLayout.HORIZONTAL_LINES, line_height=5,
        headings_style=FontFace(emphasis="BOLD", color=SOFT), padding=(1, 1.2),
    ) as table:  # fmt: skip
        table.row(names)
        for number, line in enumerate(lines, start=1):
            discount = _plain(line.discount) if line.discount else ""
            table.row(
                (
                    str(number), line.name, _plain(line.quantity), line.unit, _money(line.unit_price, currency),
                    discount, _plain(line.tax_percent), _money(line.net, currency),
                )
            )  # fmt: skip
    sheet.ln(3)


def _sums(sheet: _Sheet, totals: Totals, currency: str) -> None:
    rows = [(_("Without tax"), totals.net)]
    rows += [
        (_("Tax %(rate)s %%") % {"rate": _plain(rate)}, tax)
        for rate, (_net, tax) in totals.by_rate.items()
        if tax
    ]
    for name, amount in rows:
        sheet.write_line(f"{name}:  {_money(amount, currency)}", align="R")
    sheet.write_line(f"{_('With tax')}:  {_money(totals.gross, currency)}", size=12, bold=True, align="R")
    sheet.ln(5)
