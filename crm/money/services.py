"""Currencies an installation starts with."""

from crm.money.models import Currency, default_currency

_STANDARD = [
    ("PLN", "Polish złoty", "złoty polski", "zł"),
    ("EUR", "Euro", "euro", "€"),
    ("USD", "US dollar", "dolar amerykański", "$"),
]


def create_standard_currencies() -> None:
    """Creates the missing ones of the usual currencies and the company's own."""
    for code, name, name_pl, symbol in _STANDARD:
        Currency.objects.get_or_create(pk=code, defaults={"name": name, "name_pl": name_pl, "symbol": symbol})
    Currency.objects.get_or_create(pk=default_currency(), defaults={"name": default_currency()})
