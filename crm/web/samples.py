"""Made-up values for the page that shows every component."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from django import forms
from django.utils import timezone


class SampleForm(forms.Form):
    name = forms.CharField(label="Nazwa", help_text="Jak mówią o niej ludzie.")
    stage = forms.ChoiceField(label="Etap", choices=[("1", "Rozmowa"), ("2", "Oferta"), ("3", "Umowa")])
    amount = forms.DecimalField(label="Kwota sprzedaży")
    close = forms.DateField(label="Zamknięcie", widget=forms.DateInput(attrs={"type": "date"}))
    urgent = forms.BooleanField(label="Pilne", required=False)
    kind = forms.ChoiceField(
        label="Rodzaj", widget=forms.RadioSelect, choices=[("n", "Nowe"), ("s", "Stałe")], required=False
    )
    note = forms.CharField(label="Notatka", widget=forms.Textarea(attrs={"rows": 3}), required=False)


PEOPLE = [
    "Anna Nowak",
    "Łukasz Żak",
    "Ewa Wiśniewska",
    "Piotr Zając",
    "Jan Kowalski",
    "Maria Śliwa",
    "Olga Bąk",
]
DEALS = [
    ("Umowa serwisowa – Łódź Sp. z o.o.", "blue", "Oferta", "12500", 2),
    ("Wdrożenie CRM", "amber", "Czeka na ofertę", "248000.50", 0),
    ("Szkolenie zespołu", "green", "Wygrane", "8400", -1),
    ("Dostawa sprzętu dla szkoły w Gdyni", "red", "Przegrane", "1074", -12),
    ("Audyt bezpieczeństwa", "grey", "Nowe", "33000", 30),
]


def _line(icon, tone, who, sentence, hours, note="", changes=(), subject=None):
    event = SimpleNamespace(actor=who, via="", at=timezone.now() - timedelta(hours=hours))
    rows = [SimpleNamespace(label=label, old_text=old, new_text=new) for label, old, new in changes]
    return SimpleNamespace(
        icon=icon,
        tone=tone,
        sentence=sentence,
        note=note,
        changes=rows,
        event=event,
        subject=subject,
        subject_url="#",
        via="",
        can_undo=False,
        mentions=[],
        may_change_note=False,
    )


def everything() -> dict:
    """The context of the style page."""
    now = timezone.now()
    bad = SampleForm({"amount": "dużo", "stage": "2"})
    return {
        "people": PEOPLE,
        "rows": [
            {
                "name": name,
                "tone": tone,
                "stage": stage,
                "amount": Decimal(amount),
                "owner": PEOPLE[i],
                "close": now.date() + timedelta(days),
            }
            for i, (name, tone, stage, amount, days) in enumerate(DEALS)
        ],
        "form": SampleForm(),
        "bad_form": bad,
        "tabs": [
            {"url": "#", "label": "Aktywne", "count": 24, "current": True},
            {"url": "#", "label": "Odłożone", "count": 3},
            {"url": "#", "label": "Wygrane", "count": "1 000+"},
        ],
        "chips": [
            {"label": "Etap:", "value": "Oferta", "remove_url": "#"},
            {"label": "Opiekun:", "value": "Anna Nowak", "remove_url": "#"},
        ],
        "facts": [
            ("Typ", "Firma"),
            ("NIP", "525-000-56-63"),
            ("Telefon", "22 123 45 67"),
            ("Strona", ""),
            ("Miasto", "Łódź"),
        ],
        "history": SimpleNamespace(
            next_cursor="",
            lines=[
                _line(
                    "telephone",
                    "green",
                    "Anna Nowak",
                    "dzwoniła do klienta",
                    1,
                    note="Prosi o ofertę do piątku.",
                ),
                _line(
                    "arrow-right",
                    "blue",
                    "Łukasz Żak",
                    "przesunął na etap „Oferta”",
                    20,
                    subject="Wdrożenie CRM",
                ),
                _line(
                    "pencil",
                    "grey",
                    "Ewa Wiśniewska",
                    "zmieniła dane",
                    90,
                    changes=[("kwota", "10 000 zł", "12 500 zł")],
                ),
            ],
        ),
        "soon": now + timedelta(hours=3),
        "late": now - timedelta(days=2),
    }
