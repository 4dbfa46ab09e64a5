"""Attributes of the standard company type, made as an administrator would."""

from crm.attributes.models import Attribute
from tests.factories.counterparties import make_type

CHOICES = [["gold", "Gold", "złoty"], ["plain", "Plain", "zwykły"], ["new", "New", "nowy"]]


def make_attribute(key: str, kind: str = "text", *, type_key: str = "company", **options) -> Attribute:
    """A checked attribute of counterparties of that type; choices are CHOICES unless given."""
    if kind in {"choice", "choices"}:
        options.setdefault("choices", CHOICES)
    if kind == "link":
        options.setdefault("link_kind", "counterparties.counterparty")
    schema = make_type(type_key).attribute_set
    attribute = Attribute(attribute_set=schema, key=key, name=key.title(), kind=kind, position=900, **options)
    attribute.full_clean()
    attribute.save()
    return attribute
