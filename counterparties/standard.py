"""The types of counterparties an installation starts with. An administrator changes them afterwards."""

from django.db import transaction

from counterparties.models import CONTACT_KIND, CounterpartyType
from counterparties.schema import create_attributes
from crm.attributes.models import AttributeSet
from crm.web.standard import standard_data

_INDUSTRIES = [
    ["manufacturing", "Manufacturing", "Produkcja"],
    ["trade", "Trade", "Handel"],
    ["services", "Services", "Usługi"],
    ["construction", "Construction", "Budownictwo"],
    ["it", "IT", "IT"],
    ["public", "Public sector", "Sektor publiczny"],
]
_LEVELS = [["gold", "Gold", "Złoty"], ["silver", "Silver", "Srebrny"], ["bronze", "Bronze", "Brązowy"]]
_TYPES = [
    # key, name, Polish name, icon, is a person, attributes
    (
        "company",
        "Company",
        "Firma",
        "building",
        False,
        [
            {
                "key": "industry",
                "name": "Industry",
                "name_pl": "Branża",
                "kind": "choice",
                "choices": _INDUSTRIES,
                "filterable": True,
            },
            {
                "key": "employees",
                "name": "Employees",
                "name_pl": "Liczba pracowników",
                "kind": "number",
                "sortable": True,
            },
            {
                "key": "turnover",
                "name": "Yearly turnover",
                "name_pl": "Roczny obrót",
                "kind": "money",
                "section": "Finances",
                "section_pl": "Finanse",
            },
            {
                "key": "krs",
                "name": "Court register number",
                "name_pl": "KRS",
                "section": "Registers",
                "section_pl": "Rejestry",
            },
        ],
    ),
    (
        "person",
        "Private person",
        "Osoba prywatna",
        "person",
        True,
        [
            {"key": "birthday", "name": "Date of birth", "name_pl": "Data urodzenia", "kind": "date"},
            {
                "key": "newsletter",
                "name": "Wants the newsletter",
                "name_pl": "Chce newsletter",
                "kind": "bool",
            },
        ],
    ),
    (
        "partner",
        "Partner",
        "Partner",
        "people",
        False,
        [
            {
                "key": "level",
                "name": "Partner level",
                "name_pl": "Poziom partnerstwa",
                "kind": "choice",
                "choices": _LEVELS,
                "required": True,
                "filterable": True,
            },
            {"key": "commission", "name": "Commission, %", "name_pl": "Prowizja, %", "kind": "number"},
            {"key": "since", "name": "Partner since", "name_pl": "Partner od", "kind": "date"},
        ],
    ),
]


@standard_data(10)
@transaction.atomic
def create_standard_types() -> dict[str, CounterpartyType]:
    """Creates the missing types with their attributes, and the set for contacts; what is there is left alone."""
    types = {}
    for position, (key, name, name_pl, icon, is_person, attributes) in enumerate(_TYPES, start=1):
        found = CounterpartyType.objects.filter(key=key).first()
        if found is None:
            schema = AttributeSet.objects.create(
                name=name, name_pl=name_pl, kind="counterparties.counterparty"
            )
            create_attributes(schema, attributes)
            found = CounterpartyType.objects.create(
                key=key,
                name=name,
                name_pl=name_pl,
                icon=icon,
                is_person=is_person,
                position=position,
                attribute_set=schema,
            )
        types[key] = found
    AttributeSet.objects.get_or_create(
        kind=CONTACT_KIND, defaults={"name": "Contacts", "name_pl": "Kontakty"}
    )
    return types
