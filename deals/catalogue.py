"""The catalogue: adding and changing products, and their prices on the price lists."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.history.editing import edit_record
from crm.history.services import FieldChange, record_event
from crm.money.format import show_money
from crm.notify.services import publish
from crm.people.visibility import demand, demand_kind
from deals.models import Price, PriceList, Product

PRODUCT_FIELDS = {"code", "name", "name_pl", "unit", "tax_rate", "is_active", "note", "owner"}
PRICES = "prices"
PRODUCT = "deals.product"


def _cleaned(values: dict, product: Product) -> dict:
    """Texts without stray blanks, an empty code as none. Raises ValidationError for a code that is taken."""
    found = dict(values)
    for name in ("code", "name", "name_pl", "unit"):
        if name in found:
            found[name] = " ".join(str(found[name] or "").replace("\x00", "").split())
    if "code" in found:
        found["code"] = found["code"] or None
        taken = Product.objects.filter(code=found["code"], deleted_at=None).exclude(pk=product.pk)
        if found["code"] and taken.exists():
            raise ValidationError({"code": _("Another product has this code already.")})
    return found


@transaction.atomic
def create_product(*, values: dict, by, via: str = "") -> Product:
    """Raises PermissionDenied, ValidationError (keyed by field)."""
    demand_kind(by, "create", Product)
    product = Product(owner=by)
    for name, value in _cleaned(values, product).items():
        setattr(product, name, value)
    product.full_clean(exclude=["owner", "department"])
    product.save()
    record_event(kind="product_created", subject=product, by=by, via=via, version=product.version)
    publish(kind=PRODUCT, record=product)
    return product


@transaction.atomic
def edit_product(
    *, product: Product, values: dict, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """Changes fields; returns the names of those that differ. Raises PermissionDenied, EditConflict, ValidationError.

    `values` may hold `prices` as history keeps them, which an undo puts back.
    """
    if unknown := set(values) - PRODUCT_FIELDS - {PRICES}:
        raise ValueError(f"not editable: {sorted(unknown)}")
    if "owner" in values and values["owner"] != product.owner:
        demand(by, "assign", product)
    fields = []
    if PRICES in values:
        amounts = dict.fromkeys((int(key) for key in prices_of(product)), None)
        amounts |= {int(key): Decimal(amount) for key, amount in values[PRICES].items()}
        fields = [PRICES] if set_prices(product=product, amounts=amounts, by=by, via=via) else []
        version = product.version
    plain = _cleaned({name: value for name, value in values.items() if name != PRICES}, product)
    event = edit_record(record=product, values=plain, version=version, by=by, kind="product_changed", via=via)
    if event is None:
        return fields
    publish(kind=PRODUCT, record=product)
    return [*fields, *(change.field for change in event.changes.all())]


def prices_of(product: Product) -> dict[str, str]:
    """{id of the price list: amount}, as history keeps them."""
    rows = (
        Price.objects.filter(product=product).order_by("price_list_id").values_list("price_list_id", "amount")
    )
    return price_texts(dict(rows))


def price_texts(amounts: dict[int, Decimal]) -> dict[str, str]:
    return {str(pk): str(amount) for pk, amount in sorted(amounts.items())}


def price_change(lists: dict[int, PriceList], before: dict[str, str], after: dict[str, str]) -> FieldChange:
    """What history keeps of other prices; `lists` holds those that differ."""
    texts = (_texts(lists, one, other) for one, other in ((before, after), (after, before)))
    return FieldChange(PRICES, gettext_noop("prices"), before, after, *texts)


@transaction.atomic
def set_prices(*, product: Product, amounts: dict[int, Decimal | None], by, via: str = "") -> bool:
    """Makes these the product's prices, {id of a price list: amount}; None takes one away. Whether anything changed.

    Lists that are not named keep theirs. Raises PermissionDenied, ValidationError.
    """
    demand(by, "edit", product)
    Product.objects.select_for_update().values_list("pk").get(pk=product.pk)
    lists = {one.pk: one for one in PriceList.objects.select_related("currency")}
    before = prices_of(product)
    for pk, amount in amounts.items():
        if pk in lists:
            _set_price(product, lists[pk], amount)
    after = prices_of(product)
    if before == after:
        return False
    Product.objects.filter(pk=product.pk).update(version=F("version") + 1, updated_at=timezone.now())
    product.refresh_from_db(fields=["version", "updated_at"])
    record_event(
        kind="product_prices_changed", subject=product, by=by, via=via, version=product.version,
        changes=[price_change(lists, before, after)],
    )  # fmt: skip
    publish(kind=PRODUCT, record=product)
    return True


def _set_price(product: Product, price_list: PriceList, amount: Decimal | None) -> None:
    found = Price.objects.filter(product=product, price_list=price_list)
    if amount is None:
        found.delete()
        return
    price = found.first() or Price(product=product, price_list=price_list)
    price.amount = amount
    price.full_clean(exclude=["product", "price_list"])
    price.save()


def _texts(lists: dict[int, PriceList], amounts: dict[str, str], other: dict[str, str]) -> str:
    """The prices that differ from the others, as a text."""
    differing = [(lists[int(pk)], amount) for pk, amount in amounts.items() if other.get(pk) != amount]
    return "; ".join(
        f"{one.name}: {show_money(Decimal(amount), one.currency_id)}" for one, amount in differing
    )
