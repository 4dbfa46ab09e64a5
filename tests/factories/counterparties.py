"""Counterparties and contacts, made through the services."""

from counterparties.models import Contact, Counterparty, CounterpartyType
from counterparties.schema import create_attributes
from counterparties.services import create_contact, create_counterparty
from counterparties.standard import create_standard_types

_COMPANY = [
    {
        "key": "industry",
        "name": "Industry",
        "name_pl": "Branża",
        "kind": "choice",
        "choices": [
            ["manufacturing", "Manufacturing", "Produkcja"],
            ["trade", "Trade", "Handel"],
            ["services", "Services", "Usługi"],
            ["construction", "Construction", "Budownictwo"],
            ["it", "IT", "IT"],
            ["public", "Public sector", "Sektor publiczny"],
        ],
        "filterable": True,
    },
    {
        "key": "employees",
        "name": "Employees",
        "name_pl": "Liczba pracowników",
        "kind": "number",
        "sortable": True,
    },
]


def make_type(key: str = "company") -> CounterpartyType:
    """One of the standard types: company, person, partner; a company has an industry and employees as attributes."""
    found = CounterpartyType.objects.filter(key=key).first()
    if found is None:
        types = create_standard_types()
        create_attributes(types["company"].attribute_set, _COMPANY)
        found = types[key]
    return found


def make_counterparty(
    by, *, name: str = "Łódź Sp. z o.o.", type_key: str = "company", attributes=None, **values
) -> Counterparty:
    """A counterparty owned by `by` unless `owner` says otherwise."""
    return create_counterparty(
        counterparty_type=make_type(type_key), values={"name": name, **values}, attributes=attributes, by=by
    )


def make_contact(
    by,
    *,
    first_name: str = "Jan",
    last_name: str = "Łukasik",
    counterparty=None,
    role: str = "",
    attributes=None,
    **values,
) -> Contact:
    """A contact owned by `by`, standing for `counterparty` when one is given."""
    return create_contact(
        values={"first_name": first_name, "last_name": last_name, **values},
        attributes=attributes,
        by=by,
        counterparty=counterparty,
        role=role,
    )
