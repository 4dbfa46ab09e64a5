"""The columns of a file of deals."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from counterparties.imports.columns import COUNTERPARTY_KIND
from counterparties.models import CONTACT_KIND
from crm.attributes.models import Attribute
from crm.listing.imports.headers import HEADERS
from crm.listing.imports.registry import ImportField
from crm.listing.imports.vocabulary import attribute_columns, column, names, writable
from crm.money.models import Currency
from deals.models import DealStatus, DealType, LossReason, OutcomeReason
from deals.patterns import LENGTH
from funnel.models import Stage

DEAL_KIND = "deals.deal"
STATUS_NAMES = {
    DealStatus.ACTIVE: names("active, open, in progress, aktywna, aktywny, otwarta, w toku, w trakcie"),
    DealStatus.POSTPONED: names("postponed, on hold, odłożona, wstrzymana, zawieszona"),
    DealStatus.WON: names("won, closed won, wygrana, wygrane, zrealizowana, sprzedana"),
    DealStatus.LOST: names("lost, closed lost, przegrana, przegrane, utracona, stracona"),
}


def deal_types() -> list[DealType]:
    """The types a row may name; the first is what a row without one becomes."""
    found = DealType.objects.filter(is_active=True).select_related("funnel")
    return list(found.order_by("-is_default", "position", "id"))


def deal_attributes() -> list[Attribute]:
    """The attributes of all types, one of each name: a row fills those its type has."""
    found: dict[str, Attribute] = {}
    sets = DealType.objects.filter(is_active=True).values("attribute_set_id")
    rows = Attribute.objects.filter(attribute_set_id__in=sets, archived=False, is_converting=False)
    for attribute in rows.order_by("attribute_set_id", "position", "id"):
        found.setdefault(attribute.key, attribute)
    return list(found.values())


_COMPANY = tuple(
    name for name in (*column("company").aliases, *column("tax_number").aliases, "Company") if name != "Nazwa"
)
_PLAIN = (
    ImportField("name", _("Deal"), max_length=200, aliases=HEADERS["deal"]),
    ImportField(
        "number", _("Number"), max_length=LENGTH, aliases=names("Numer, Nr, Numer szansy, Deal number")
    ),
    ImportField(
        "contact", _("Contact"), kind="record", records=(CONTACT_KIND,), aliases=column("person").aliases
    ),
    ImportField("amount", _("Amount"), kind="money", aliases=HEADERS["amount"]),
    ImportField("close_date", _("Close date"), kind="date", aliases=HEADERS["close_date"]),
    column("owner"),
    column("tags"),
)


def _stage() -> ImportField:
    """Stages of all funnels by name: which one of its name is meant follows from the deal's type."""
    by_name: dict[str, tuple[str, ...]] = {}
    for stage in Stage.objects.filter(is_active=True).order_by("funnel__position", "position", "id"):
        by_name.setdefault(stage.name, (stage.name, stage.name_pl, stage.key))
    return ImportField(
        "stage", _("Stage"), kind="choice", choices=tuple(by_name.items()), aliases=HEADERS["stage"]
    )


def _where_it_stands() -> list[ImportField]:
    """For whoever may move a deal past its gate: a past the product has not seen."""
    why = names("Powód przegranej, Powód utraty, Przyczyna, Loss reason, Lost reason")
    status = names("Stan, Wynik, State")
    return [
        _stage(),
        ImportField(
            "status", _("Status"), kind="choice", choices=tuple(STATUS_NAMES.items()), aliases=status
        ),
        ImportField(
            "loss_reason", _("Reason of loss"), kind="dictionary", dictionary=LossReason, aliases=why
        ),
        _outcome_reason(),
    ]


def _outcome_reason() -> ImportField:
    """Reasons by name; whether winning or postponing is meant follows from the row's status."""
    by_name: dict[str, set[str]] = {}
    for one in OutcomeReason.objects.all():
        by_name.setdefault(one.name, set()).update(filter(None, (one.name, one.name_pl)))
    choices = tuple((name, tuple(sorted(texts))) for name, texts in by_name.items())
    aliases = names("Powód wygranej, Powód odłożenia, Win reason, Won reason, Reason of winning")
    return ImportField(
        "outcome_reason",
        _("Reason of winning or postponing"),
        kind="choice",
        choices=choices,
        aliases=aliases,
    )


def _type() -> ImportField:
    types = tuple((one.pk, (one.name, one.name_pl, one.key)) for one in deal_types())
    aliases = names("Typ, Rodzaj, Typ szansy, Type")
    return ImportField("deal_type", _("Deal type"), kind="choice", choices=types, aliases=aliases)


def currency_column() -> ImportField:
    known = Currency.objects.filter(is_active=True)
    choices = tuple((one.code, (one.code, one.name, one.name_pl, one.symbol)) for one in known)
    return ImportField("currency", _("Currency"), kind="choice", choices=choices, aliases=names("Waluta"))


def deal_columns(user) -> list[ImportField]:
    client = ImportField(
        "counterparty",
        _("Counterparty"),
        kind="record",
        records=(COUNTERPARTY_KIND,),
        required=True,
        creatable=user.access.may(COUNTERPARTY_KIND, "create"),
        aliases=_COMPANY,
    )
    first, *rest = _PLAIN
    own = [first, client, *rest, _type(), currency_column()]
    if user.access.may(DEAL_KIND, "override_gate"):
        own += _where_it_stands()
    extra = [replace(one, required=False) for one in attribute_columns(deal_attributes())]
    return writable([*own, *extra], user, DEAL_KIND, {"contact": ("contacts",)})


EXAMPLE = (
    {
        "name": "Linia pakująca", "counterparty": "Przykładowa Firma Sp. z o.o.", "amount": "125 000,00",
        "currency": "PLN", "close_date": "2027-03-31",
    },
)  # fmt: skip
