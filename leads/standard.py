"""The sources and reasons an installation starts with. An administrator changes them afterwards."""

from django.db import transaction

from crm.attributes.models import AttributeSet
from crm.web.standard import standard_data
from leads.models import LEAD_KIND, LeadSource, UnqualifiedReason

_SOURCES = [
    # key, names, minutes of working time until the first response
    ("website", "Website", "Strona internetowa", 120),
    ("referral", "Referral", "Polecenie", 480),
    ("fair", "Trade fair", "Targi", 960),
    ("phone", "Incoming call", "Telefon przychodzący", 120),
    ("import", "Imported file", "Plik z importu", None),
    ("cold", "Cold call", "Zimny telefon", None),
]
_REASONS = [
    ("No need", "Brak potrzeby"),
    ("No budget", "Brak budżetu"),
    ("Chose a competitor", "Wybór konkurencji"),
    ("Wrong contact details", "Błędne dane kontaktowe"),
    ("Not our client", "Nie nasz klient"),
]


@standard_data(20)
@transaction.atomic
def create_standard_dictionaries() -> None:
    """Creates missing sources, the reasons when there are none, and the set of attributes for leads."""
    for position, (key, name, name_pl, minutes) in enumerate(_SOURCES, start=1):
        LeadSource.objects.get_or_create(
            key=key,
            defaults={"name": name, "name_pl": name_pl, "position": position, "response_minutes": minutes},
        )
    if not UnqualifiedReason.objects.exists():
        UnqualifiedReason.objects.bulk_create(
            UnqualifiedReason(name=name, name_pl=name_pl, position=position)
            for position, (name, name_pl) in enumerate(_REASONS, start=1)
        )
    AttributeSet.objects.get_or_create(
        kind=LEAD_KIND, defaults={"name": "Leads", "name_pl": "Potencjalni klienci"}
    )
