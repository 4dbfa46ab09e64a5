"""The list of products."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.listing.fields import TAGS, Field
from crm.listing.lists import RecordList
from deals.catalogue import edit_product
from deals.models import Product, TaxRate

FIELDS = (
    Field("name", _("Name"), sort="sort_key"),
    Field("name_pl", _("Name in Polish")),
    Field("code", _("Code")),
    Field("unit", _("Unit"), editable=True),
    Field("tax_rate", _("Tax rate"), "record", dictionary=TaxRate, joins=("tax_rate",),
          offered={"is_active": True}, editable=True),
    Field("price", _("Price today"), computed=True),
    Field("is_active", _("Offered"), "bool", editable=True),
    TAGS,
    Field("note", _("Description")),
    Field("owner", _("Kept by"), "person", joins=("owner",)),
    Field("created_at", _("Added"), "moment", sort="id"),
    Field("updated_at", _("Changed"), "moment"),
)  # fmt: skip


class ProductList(RecordList):
    """One page of the catalogue, in the order of names."""

    model = Product
    url_name = "deals:product_list"
    fields = FIELDS
    default_columns = ("name", "code", "unit", "tax_rate", "price", "is_active", "updated_at")
    quick = ("tax_rate",)
    default_sort = "sort_key"

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_product(product=record, **changes)
