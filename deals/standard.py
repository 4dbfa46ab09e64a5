"""The funnels, deal types and reasons of loss an installation starts with. An administrator changes them afterwards."""

from __future__ import annotations

from django.db import transaction

from crm.attributes.models import Attribute, AttributeSet
from crm.web.standard import standard_data
from deals.models import DealType, LossReason, OutcomeReason, PaymentTemplate, QuoteTemplate, TaxRate
from funnel.models import Funnel, Stage

# key, name, Polish name, colour, probability, days until a deal goes stale
_NEW_BUSINESS = [
    ("qualification", "Qualification", "Kwalifikacja", "slate", 10, 14),
    ("needs", "Needs", "Potrzeby", "blue", 25, 21),
    ("proposal", "Proposal", "Oferta", "violet", 50, 21),
    ("contract", "Contract", "Umowa", "amber", 75, 14),
    ("closing", "Closing", "Finalizacja", "teal", 90, 10),
]
_RENEWAL = [
    ("review", "Review of the service", "Przegląd usługi", "slate", 40, 30),
    ("renewal-offer", "Renewal offer", "Oferta odnowienia", "blue", 65, 21),
    ("renewal-contract", "Signing", "Podpisanie", "teal", 90, 14),
]
_FUNNELS = [
    ("new-business", "New business", "Nowy biznes", _NEW_BUSINESS),
    ("service-renewal", "Service renewal", "Odnowienie serwisu", _RENEWAL),
]
_PRODUCTS = [
    ["equipment", "Equipment", "Sprzęt"],
    ["software", "Software", "Oprogramowanie"],
    ["service", "Service", "Serwis"],
    ["training", "Training", "Szkolenie"],
]
_SALE = [
    {"key": "product_line", "name": "Product line", "name_pl": "Linia produktów", "kind": "choice",
     "choices": _PRODUCTS, "filterable": True},
    {"key": "competitor", "name": "Competitor", "name_pl": "Konkurent"},
    {"key": "is_tender", "name": "Public tender", "name_pl": "Przetarg publiczny", "kind": "bool"},
]  # fmt: skip
_SERVICE = [
    {"key": "months", "name": "Length in months", "name_pl": "Liczba miesięcy", "kind": "number", "sortable": True},
    {"key": "ends_on", "name": "Present contract ends", "name_pl": "Koniec obecnej umowy", "kind": "date",
     "filterable": True},
]  # fmt: skip
_TYPES = [
    ("sale", "Sale", "Sprzedaż", "new-business", _SALE),
    ("service", "Service contract", "Umowa serwisowa", "service-renewal", _SERVICE),
]
_LOSSES = [
    ("Too expensive", "Za drogo"),
    ("Chose a competitor", "Wybrał konkurencję"),
    ("No budget", "Brak budżetu"),
    ("Project stopped", "Projekt wstrzymany"),
    ("No contact", "Brak kontaktu"),
]
_REASONS = [
    ("won", "Best price", "Najlepsza cena"),
    ("won", "Fits best", "Najlepsze dopasowanie"),
    ("won", "Trust from earlier work", "Zaufanie z wcześniejszej współpracy"),
    ("won", "Soonest delivery", "Najszybsza dostawa"),
    ("postponed", "Budget of the next year", "Budżet na przyszły rok"),
    ("postponed", "Decision put off", "Odłożona decyzja"),
    ("postponed", "Other priorities", "Inne priorytety"),
]
# name, Polish name, per cent, whether lines take it by themselves
_TAXES = [
    ("23 %", "23%", 23, True),
    ("8 %", "8%", 8, False),
    ("5 %", "5%", 5, False),
    ("0 %", "0%", 0, False),
    ("exempt", "zw.", 0, False),
    ("reverse charge", "odwrotne obciążenie", 0, False),
]
# name, Polish name, shares: (what for, in Polish, per cent, days later)
_SCHEDULES = [
    ("All at once", "Całość", [("Payment", "Płatność", "100", 0)]),
    ("30 / 70", "30 / 70", [("Advance", "Zaliczka", "30", 0), ("Final payment", "Płatność końcowa", "70", 30)]),
    ("Three thirds", "Trzy raty", [
        ("1st third", "Rata 1", "33.33", 0), ("2nd third", "Rata 2", "33.33", 30), ("3rd third", "Rata 3", "33.34", 60),
    ]),
]  # fmt: skip
_OPENING_PL = (
    "Dla: {counterparty.name}\n{counterparty.address}\nNIP: {counterparty.tax_number}\n\n"
    "Dziękujemy za zainteresowanie. Przedstawiamy ofertę dotyczącą: {deal.name}."
)
_CLOSING_PL = (
    "Oferta z dnia {today} jest ważna do {valid_until}.\n\n"
    "W razie pytań proszę o kontakt: {owner.name}, {owner.email}."
)
_OPENING = (
    "For: {counterparty.name}\n{counterparty.address}\nTax number: {counterparty.tax_number}\n\n"
    "Thank you for your interest. This is our quote for: {deal.name}."
)
_CLOSING = (
    "The quote of {today} is valid until {valid_until}.\n\n"
    "Should you have any questions: {owner.name}, {owner.email}."
)
# name, Polish name, language, title, before the lines, after them
_QUOTES = [
    ("Quote in Polish", "Oferta po polsku", "pl", "Oferta {deal.number}", _OPENING_PL, _CLOSING_PL),
    ("Quote in English", "Oferta po angielsku", "en", "Quote {deal.number}", _OPENING, _CLOSING),
]


@standard_data(30)
@transaction.atomic
def create_standard_deals() -> dict[str, DealType]:
    """Creates the missing funnels, types, reasons and tax rates; leaves alone what is there. The types by key."""
    funnels = {key: _funnel(place, key, *rest) for place, (key, *rest) in enumerate(_FUNNELS, start=1)}
    types = {
        key: _type(place, key, name, name_pl, funnels[funnel], attributes)
        for place, (key, name, name_pl, funnel, attributes) in enumerate(_TYPES, start=1)
    }
    for place, (name, name_pl) in enumerate(_LOSSES, start=1):
        LossReason.objects.get_or_create(name=name, defaults={"name_pl": name_pl, "position": place})
    for place, (outcome, name, name_pl) in enumerate(_REASONS, start=1):
        OutcomeReason.objects.get_or_create(
            outcome=outcome, name=name, defaults={"name_pl": name_pl, "position": place}
        )
    _create_taxes()
    _create_schedules()
    _create_quote_templates()
    return types


def _create_taxes() -> None:
    """Those of Poland, where nobody has said any."""
    if not TaxRate.objects.exists():
        TaxRate.objects.bulk_create(
            TaxRate(name=name, name_pl=name_pl, percent=percent, is_default=is_default, position=place)
            for place, (name, name_pl, percent, is_default) in enumerate(_TAXES, start=1)
        )


def _create_schedules() -> None:
    for place, (name, name_pl, shares) in enumerate(_SCHEDULES, start=1):
        template, is_new = PaymentTemplate.objects.get_or_create(
            name=name, defaults={"name_pl": name_pl, "position": place}
        )
        for text, text_pl, percent, days in shares if is_new else ():
            template.shares.create(name=text, name_pl=text_pl, percent=percent, days=days)


def _create_quote_templates() -> None:
    for place, (name, name_pl, language, title, opening, closing) in enumerate(_QUOTES, start=1):
        texts = {"language": language, "title": title, "opening": opening, "closing": closing}
        QuoteTemplate.objects.get_or_create(
            name=name, defaults={**texts, "name_pl": name_pl, "position": place}
        )


def _funnel(place: int, key: str, name: str, name_pl: str, stages: list[tuple]) -> Funnel:
    funnel, is_new = Funnel.objects.get_or_create(
        key=key, defaults={"name": name, "name_pl": name_pl, "position": place}
    )
    if is_new:
        Stage.objects.bulk_create(
            Stage(funnel=funnel, position=position, key=stage, name=english, name_pl=polish, colour=colour,
                  probability=probability, rot_days=rot_days)
            for position, (stage, english, polish, colour, probability, rot_days) in enumerate(stages, start=1)
        )  # fmt: skip
    return funnel


def _type(place: int, key: str, name: str, name_pl: str, funnel: Funnel, attributes: list[dict]) -> DealType:
    found = DealType.objects.filter(key=key).first()
    if found is not None:
        return found
    schema = AttributeSet.objects.create(name=name, name_pl=name_pl, kind="deals.deal")
    for position, description in enumerate(attributes, start=1):
        Attribute.objects.create(attribute_set=schema, position=position, **description)
    is_default = not DealType.objects.filter(is_default=True).exists()
    return DealType.objects.create(
        key=key,
        name=name,
        name_pl=name_pl,
        funnel=funnel,
        attribute_set=schema,
        is_default=is_default,
        position=place,
    )
