"""The types of counterparties an installation starts with. An administrator changes them afterwards."""

from django.db import transaction

from counterparties.models import CONTACT_KIND, CounterpartyType, Industry, Region, home_country
from counterparties.schema import create_attributes
from crm.attributes.models import AttributeSet
from crm.web.standard import standard_data

_INDUSTRIES = [
    ("Manufacturing", "Produkcja"),
    ("Trade", "Handel"),
    ("Services", "Usługi"),
    ("Construction", "Budownictwo"),
    ("IT", "IT"),
    ("Transport and logistics", "Transport i logistyka"),
    ("Food and farming", "Żywność i rolnictwo"),
    ("Health", "Ochrona zdrowia"),
    ("Education", "Edukacja"),
    ("Finance", "Finanse"),
    ("Energy", "Energetyka"),
    ("Public sector", "Sektor publiczny"),
]
_POLISH_REGIONS = [
    ("Lower Silesia", "dolnośląskie"),
    ("Kuyavia-Pomerania", "kujawsko-pomorskie"),
    ("Lublin", "lubelskie"),
    ("Lubusz", "lubuskie"),
    ("Łódź", "łódzkie"),
    ("Lesser Poland", "małopolskie"),
    ("Masovia", "mazowieckie"),
    ("Opole", "opolskie"),
    ("Subcarpathia", "podkarpackie"),
    ("Podlachia", "podlaskie"),
    ("Pomerania", "pomorskie"),
    ("Silesia", "śląskie"),
    ("Holy Cross", "świętokrzyskie"),
    ("Warmia-Masuria", "warmińsko-mazurskie"),
    ("Greater Poland", "wielkopolskie"),
    ("West Pomerania", "zachodniopomorskie"),
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
                "key": "turnover",
                "name": "Yearly turnover",
                "name_pl": "Roczny obrót",
                "kind": "money",
                "section": "Finances",
                "section_pl": "Finanse",
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


@standard_data(11)
@transaction.atomic
def create_standard_dictionaries() -> None:
    """Industries, and the regions of the home country where they are known, when there are none yet."""
    if not Industry.objects.exists():
        Industry.objects.bulk_create(
            Industry(name=name, name_pl=name_pl, position=position)
            for position, (name, name_pl) in enumerate(_INDUSTRIES, start=1)
        )
    if home_country() == "PL" and not Region.objects.exists():
        Region.objects.bulk_create(
            Region(name=name, name_pl=name_pl, country="PL", position=position)
            for position, (name, name_pl) in enumerate(_POLISH_REGIONS, start=1)
        )
