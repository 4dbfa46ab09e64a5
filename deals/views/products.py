"""The catalogue: list, card, adding and editing products, and offers for pickers."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.history.editing import EditConflict
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.search import matching
from crm.people.visibility import demand_kind
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.catalogue import PRODUCT, create_product, edit_product, set_prices
from deals.models import Price, Product
from deals.prices import prices_on
from deals.product_forms import ProductForm
from deals.product_lists import ProductList

OFFERS = 20


def _priced(products: list[Product], currency: str) -> list[Product]:
    """The products with today's `price` as people read it. One query."""
    prices = prices_on(timezone.localdate(), currency, [one.pk for one in products])
    for one in products:
        one.price = show_money(prices.get(one.pk), currency)
    return products


@require_safe
def product_list(request):
    """What we sell, with today's price in the company's currency."""
    found = ProductList(request.user, request.GET)
    _priced(found.page, default_currency())
    context = {"list": found, "may_create": request.user.access.may(Product, "create")}
    return page(request, "deals/product_list.html", context)


@require_safe
def product_detail(request, pk: int):
    """The card; its fragment is the facts with the prices."""
    records = Product.objects.select_related("owner", "tax_rate").with_rights(request.user, "edit", "delete")
    record = get_visible(Product, request.user, pk, queryset=records)
    prices = Price.objects.filter(product=record).select_related("price_list")
    context = {
        "record": record, "card_kind": PRODUCT, "may_edit": record.may_edit, "facts": _facts(record),
        "prices": prices.order_by("price_list__position", "price_list_id"), "today": timezone.localdate(),
    }  # fmt: skip
    return page(request, "deals/product_detail.html", context, partial="facts")


def _facts(product: Product) -> list[tuple[str, object]]:
    return [
        (_("Name"), product.name),
        (_("Name in Polish"), product.name_pl),
        (_("Code"), product.code or ""),
        (_("Unit"), product.unit),
        (_("Tax rate"), str(product.tax_rate or "")),
        (_("Offered"), _("yes") if product.is_active else _("no")),
        (_("Description"), product.note),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@once
def product_create(request):
    """A product with its prices."""
    demand_kind(request.user, "create", Product)
    form = ProductForm(request.POST or None, user=request.user)
    product = None
    if request.method == "POST" and form.is_valid():
        try:
            product = create_product(values=form.field_values(), by=request.user)
            set_prices(product=product, amounts=form.prices(), by=request.user)
        except ValidationError as error:
            product = None
            form.refuse(error)
    if product is None:
        status = 422 if request.method == "POST" else 200
        return page(request, "deals/product_create.html", {"form": form}, partial="form", status=status)
    toast(request, _("“%(name)s” added.") % {"name": product})
    return redirect(request, reverse("deals:product_detail", args=[product.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@once
def product_update(request, pk: int):
    """409 when somebody changed the same field meanwhile."""
    record = get_visible(
        Product, request.user, pk, "edit", queryset=Product.objects.select_related("owner", "tax_rate")
    )
    url = reverse("deals:product_detail", args=[pk])
    form = ProductForm(request.POST or None, instance=record, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            edit_product(
                product=record, values=form.field_values(), by=request.user,
                version=form.cleaned_data["version"] or record.version,
            )  # fmt: skip
            set_prices(product=record, amounts=form.prices(), by=request.user)
        except EditConflict as conflict:
            return conflict_page(request, conflict, cancel_url=url)
        except ValidationError as error:
            form.refuse(error)
        else:
            toast(request, _("Product saved."))
            return done(request, url, "history-changed", "card-changed")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "record": record}
    return page(request, "deals/product_update.html", context, partial="form", status=status)


@require_safe
def product_options(request):
    """A fragment: offered products whose name or code matches `q`, with today's price in `currency`."""
    text, currency = request.GET.get("q", "").strip()[:100], request.GET.get("currency", "")[:3]
    found = []
    if text:
        offered = Product.objects.visible_to(request.user).filter(is_active=True)
        found = list(
            offered.filter(matching(text, request.user, Product)).order_by("sort_key", "pk")[:OFFERS]
        )
    context = {"records": _priced(found, currency or default_currency()), "text": text}
    return page(request, "deals/product_options.html", context)
