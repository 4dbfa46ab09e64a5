"""Products from spreadsheets, with a column for each price list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.history.kinds import EventKind, register_event
from crm.history.services import record_events
from crm.listing.imports.records import RecordBatch
from crm.listing.imports.registry import Importer, ImportField, Key, Match, Values, register_importer
from crm.listing.imports.vocabulary import column, names, writable
from crm.money.fields import LIMIT
from crm.money.models import default_currency
from crm.people.folding import sort_key
from deals.catalogue import PRICES, PRODUCT, price_change, price_texts
from deals.models import Price, PriceList, Product, TaxRate

PREFIX = "price_"
_PLAIN = (
    ImportField(
        "name", _("Name"), required=True, max_length=200, aliases=names("Nazwa, Nazwa produktu, Produkt, Product")
    ),
    ImportField("name_pl", _("Name in Polish"), max_length=200, aliases=names("Nazwa po polsku, Nazwa polska")),
    ImportField("code", _("Code"), max_length=40, aliases=names("Kod, Symbol, Indeks, Kod produktu, SKU")),
    ImportField("unit", _("Unit"), max_length=20, aliases=names("Jednostka, Jm, J.m., Unit of measure")),
    ImportField("is_active", _("Offered"), kind="yes_no", aliases=names("Oferowany, W ofercie, Aktywny, Active")),
    column("note", label=_("Description"), aliases=names("Opis, Description, Notatka")),
    column("owner", label=_("Kept by")),
    column("tags"),
)  # fmt: skip


def product_columns(user) -> list[ImportField]:
    """The fields of a product, and its price on every list in use."""
    found = [*_PLAIN, _tax_rate(), *_prices()]
    behind = {one.key: (PRICES,) for one in found if one.key.startswith(PREFIX)}
    return writable(found, user, PRODUCT, behind)


def _tax_rate() -> ImportField:
    rates = tuple((one.pk, (one.name, one.name_pl, *_percents(one))) for one in _rates())
    aliases = names("VAT, Stawka VAT, Stawka podatku, Tax, VAT rate")
    return ImportField("tax_rate", _("Tax rate"), kind="choice", choices=rates, aliases=aliases)


def _rates() -> Iterable[TaxRate]:
    return TaxRate.objects.filter(is_active=True)


def _percents(rate: TaxRate) -> tuple[str, ...]:
    number = f"{rate.percent.normalize():f}"
    return (number, f"{number}%", f"{number} %", f"{rate.percent / 100:f}".rstrip("0"))


def _prices() -> Iterator[ImportField]:
    """The first list in the company's currency is meant by a price without a name."""
    lists = list(PriceList.objects.filter(is_active=True))
    usual = next((one for one in lists if one.currency_id == default_currency()), None)
    for one in lists:
        known = [name for name in (one.name, one.name_pl) if name]
        aliases = [*known, *(f"{word} {name}" for name in known for word in ("Cena", "Price"))]
        aliases += [f"Cena {one.currency_id}", f"Price {one.currency_id}"]
        if one == usual:
            aliases += names("Cena, Cena netto, Cena jednostkowa, Price, Net price, Unit price")
        yield ImportField(
            f"{PREFIX}{one.pk}", _("Price: %(list)s, %(currency)s") % {"list": one, "currency": one.currency_id},
            kind="money", aliases=tuple(aliases),
        )  # fmt: skip


def register_product_imports() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("product_imported", _("imported the product from %(file)s"), "upload"),
        EventKind("product_import_updated", _("changed the product by importing %(file)s"), "upload"),
    )
    register_importer(
        Importer(
            kind=PRODUCT,
            label=_("Products"),
            fields=product_columns,
            keys=keys_of,
            existing=existing,
            write=lambda creates, updates, run, by: ProductBatch(run, by).write(creates, updates),
            faults=faults_of,
            list_url=lambda run: reverse("deals:product_list"),
            messages={"price": _("A price is between 0 and 1,000,000,000,000.")},
            key_labels={"code": _("Code"), "name": _("Name")},
            example=_Example(),
        )
    )


class _Example:
    """A row with the prices of the first lists there are."""

    def __iter__(self) -> Iterator[dict[str, str]]:
        lists = PriceList.objects.filter(is_active=True).values_list("pk", flat=True)[:2]
        prices = {f"{PREFIX}{pk}": "3 450,00" for pk in lists}
        yield {
            "code": "RM-4",
            "name": "Regał paletowy, 4 poziomy",
            "unit": "szt.",
            "tax_rate": "23",
            **prices,
        }


def faults_of(values: Values) -> list[tuple[str, str]]:
    return [("price", key) for key, amount in _amounts(values).items() if not 0 <= amount <= LIMIT]


def _amounts(values: Values) -> dict[str, Decimal]:
    return {key: Decimal(text) for key, text in values.items() if key.startswith(PREFIX) and text is not None}


def keys_of(values: Values) -> list[Key]:
    """Its code; a row without one is known by its name."""
    if values.get("code"):
        return [("code", values["code"])]
    name = sort_key(values.get("name", ""))[:200]
    return [("name", name)] if name else []


def existing(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    """The products that carry any of the keys: those of a code too that the user may not see."""
    wanted = set(keys)
    codes, titles = ({value for key, value in wanted if key == name} for name in ("code", "name"))
    known = Product.objects.filter(deleted_at=None).order_by("pk")
    seen = Product.objects.visible_to(by).order_by("pk")
    rows = [*known.filter(code__in=codes), *seen.filter(sort_key__in=titles)] if wanted else []
    pks = [one.pk for one in rows]
    editable, visible = (
        set(Product.objects.visible_to(by, action).filter(pk__in=pks).values_list("pk", flat=True))
        for action in ("edit", "view")
    )
    found: dict[Key, Match] = {}
    for one in rows:
        match = Match(
            PRODUCT, one.pk if one.pk in visible else 0, f"{one.code or ''} {one}".strip(), one.pk in editable
        )
        for key in (("code", one.code or ""), ("name", one.sort_key)):
            if key in wanted:
                found.setdefault(key, match)
    return found


class ProductBatch(RecordBatch):
    """Writes products; prices are part of what a row says."""

    model = Product
    created_kind = "product_imported"
    updated_kind = "product_import_updated"
    updates = ("name", "name_pl", "unit", "tax_rate", "is_active", "note")
    appended = ()
    related = ("owner", "tax_rate")

    def begin(self, rows: list[Values]) -> None:
        self.rates = {one.pk: one for one in _rates()}
        self.lists = {one.pk: one for one in PriceList.objects.filter(is_active=True)}

    def fields_of(self, values: Values, record: Product | None = None) -> dict[str, Any]:
        texts = ("name", "name_pl", "unit", "note", *(() if record else ("code",)))
        found: dict[str, Any] = {key: values[key] for key in texts if values.get(key)}
        if values.get("is_active") is not None:
            found["is_active"] = values["is_active"]
        if values.get("tax_rate") in self.rates:
            found["tax_rate"] = self.rates[values["tax_rate"]]
        return found

    def complete(self, record: Product, values: Values) -> None:
        if record.tax_rate is None:
            record.tax_rate = next((one for one in self.rates.values() if one.is_default), None)

    def after_create(self, records: dict[int, Product], rows: dict[int, Values]) -> None:
        Price.objects.bulk_create(
            [
                Price(product=record, price_list_id=pk, amount=amount)
                for number, record in records.items()
                for pk, amount in self._prices(rows[number]).items()
            ],
            batch_size=500,
        )

    def _prices(self, values: Values) -> dict[int, Decimal]:
        found = {int(key.removeprefix(PREFIX)): amount for key, amount in _amounts(values).items()}
        return {pk: amount for pk, amount in found.items() if pk in self.lists}

    def after_update(self, records: dict[int, Product], rows: dict[int, Values]) -> None:
        """Prices that differ, each product's as one change of its own."""
        before: dict[int, dict[int, Decimal]] = {record.pk: {} for record in records.values()}
        present = Price.objects.filter(product__in=before).order_by("price_list_id")
        for product, price_list, amount in present.values_list("product_id", "price_list_id", "amount"):
            before[product][price_list] = amount
        after = {pk: dict(amounts) for pk, amounts in before.items()}
        for number, record in records.items():
            after[record.pk] |= self._prices(rows[number])
        changed = {record.pk: record for record in records.values() if before[record.pk] != after[record.pk]}
        Price.objects.bulk_create(
            [Price(product_id=pk, price_list_id=one, amount=after[pk][one]) for pk in changed for one in after[pk]],
            update_conflicts=True, unique_fields=["product", "price_list"], update_fields=["amount"],
        )  # fmt: skip
        Product.objects.filter(pk__in=changed).update(version=F("version") + 1, updated_at=timezone.now())
        record_events(
            kind="product_prices_changed", subjects=[*changed.values()], by=self.by, payload=self.payload,
            changes={
                pk: [price_change(self.lists, price_texts(before[pk]), price_texts(after[pk]))] for pk in changed
            },
        )  # fmt: skip
