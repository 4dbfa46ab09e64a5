"""The catalogue from spreadsheets: new products with prices, changed ones, refused rows, and the undo of it all."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from crm.history.bin import delete_record, restore_record
from crm.history.models import Event
from crm.listing.imports import undoing
from crm.listing.imports.registry import importers_of
from deals.models import Price, Product
from tests.factories import sheets
from tests.factories.imports import finished_import
from tests.factories.products import make_price_list, make_product, make_tax_rate, price_on

pytestmark = pytest.mark.django_db
PRODUCT = "deals.product"


@pytest.fixture
def marketing(company):
    return company["marketing"]


def bring(rows, *, by, tmp_path, run_jobs, mode="both"):
    path = sheets.write_workbook(tmp_path / "cennik.xlsx", rows)
    return finished_import(path, by=by, run_jobs=run_jobs, mode=mode, kind=PRODUCT)


def take_back(run, by, run_jobs):
    undoing.start_undo(run=run, by=by)
    run_jobs()
    run.refresh_from_db()
    return {name: run.counts[name] for name in ("undone", "reverted", "kept")}


def test_products_come_with_their_prices_and_go_again(marketing, tmp_path, run_jobs):
    own, export = make_price_list("Catalogue"), make_price_list("Export", "EUR")
    make_tax_rate("23")
    low = make_tax_rate("8", is_default=False)
    rack = make_product(marketing, "Rack", code="RM-4", price="100", price_list=own)
    rows = [
        ["Symbol", "Nazwa", "Jm", "VAT", "Cena netto", "Cena Export", "Opis"],
        ["RM-4", "Rack, 4 levels", "pc", "8%", "120,50", "30", ""],
        ["WF-16", "Wózek widłowy", "szt.", "23", "96 500,00 zł", "", "1,6 t"],
        ["", "Montaż", "dzień", "", "", "0", ""],
    ]
    run = bring(rows, by=marketing, tmp_path=tmp_path, run_jobs=run_jobs)
    assert run.counts == {"created": 2, "updated": 1}
    rack.refresh_from_db()
    assert (rack.name, rack.tax_rate, rack.version) == ("Rack, 4 levels", low, 4)
    assert [price_on(rack, one) for one in (own, export)] == [Decimal("120.50"), Decimal(30)]
    truck, work = Product.objects.get(code="WF-16"), Product.objects.get(name="Montaż")
    assert (price_on(truck, own), price_on(truck, export), truck.note) == (Decimal(96500), None, "1,6 t")
    assert (price_on(work, export), work.code, work.tax_rate.percent) == (Decimal(0), None, Decimal(23))
    changes = Event.objects.get(kind="product_prices_changed", payload__import=run.pk).changes.get()
    assert (changes.old, changes.new) == (
        {str(own.pk): "100.00"},
        {str(own.pk): "120.50", str(export.pk): "30.00"},
    )

    assert take_back(run, marketing, run_jobs) == {"undone": 2, "reverted": 1, "kept": 0}
    rack.refresh_from_db()
    assert (rack.name, price_on(rack, own), price_on(rack, export)) == ("Rack", Decimal(100), None)
    # What was taken back does not keep its code.
    assert bring(rows, by=marketing, tmp_path=tmp_path, run_jobs=run_jobs).counts == {
        "created": 2,
        "updated": 1,
    }


def test_rows_that_cannot_be_products_are_refused_one_by_one(marketing, tmp_path, run_jobs):
    make_price_list("Catalogue")
    make_tax_rate("23")
    rows = [
        ["Symbol", "Nazwa", "VAT", "Cena netto"],
        ["A", "Below nothing", "23", "-1"],
        ["B", "Too much", "23", "9999999999999"],
        ["C", "Dollars of nowhere", "23", "100 XYZ"],
        ["D", "No such rate", "101", "1"],
        ["E", "", "23", "1"],
        ["F", "Sound", "23", "1"],
        ["F", "Twice", "23", "2"],
    ]
    run = bring(rows, by=marketing, tmp_path=tmp_path, run_jobs=run_jobs, mode="create")
    assert run.counts == {"created": 1, "skipped": 1, "bad": 5}
    assert [one["code"] for row in run.rows.order_by("number") for one in row.errors] == [
        "price", "money", "money", "choice", "required",
    ]  # fmt: skip
    assert Price.objects.get().product.name == "Sound"


def test_only_who_keeps_the_catalogue_imports_it(company):
    offered = {
        name: PRODUCT in {one.kind for one in importers_of(company[name])} for name in ("rep", "marketing")
    }
    assert offered == {"rep": False, "marketing": True}


def test_a_code_is_free_while_its_product_lies_in_the_bin(marketing):
    first = make_product(marketing, "First", code="X")
    gone = delete_record(record=first, by=marketing)
    second = make_product(marketing, "Second", code="X")
    with pytest.raises(ValidationError, match="code"):
        restore_record(deletion=gone, by=marketing)
    delete_record(record=second, by=marketing)
    assert restore_record(deletion=gone, by=marketing) == first
