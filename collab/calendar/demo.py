"""Demo activities: done, overdue, today's and coming ones on the demo's leads and deals."""

from datetime import timedelta

from django.utils import timezone

from collab.calendar.activity_templates import ActivityTemplate
from collab.calendar.moments import next_working_morning
from collab.calendar.services import cancel_activity, log_activity, plan_activity
from crm.web.demo import Demo, demo_step
from deals.models import Deal
from leads.models import Lead

_DONE = [
    ("call", "Rozmowa wstępna", "Zainteresowani, proszą o ofertę na piśmie."),
    ("call", "Telefon w sprawie terminu", "Decyzja po posiedzeniu zarządu, oddzwonić w przyszłym tygodniu."),
    (
        "meeting",
        "Spotkanie u klienta",
        "Obejrzeliśmy halę, potrzebne trzy stanowiska. Dyrektor produkcji jest za.",
    ),
    (
        "meeting",
        "Prezentacja rozwiązania",
        "Pytali o serwis i szkolenie. Konkurencja złożyła ofertę tańszą o 8%.",
    ),
    ("letter", "Podziękowanie po spotkaniu", "Wysłane z katalogiem i cennikiem."),
    ("call", "Pytanie o budżet", "Budżet zatwierdzony na pierwszy kwartał."),
]
_PLANNED = [
    ("call", "Oddzwonić w sprawie oferty", 15),
    ("meeting", "Spotkanie handlowe", 60),
    ("call", "Zapytać o decyzję", 15),
    ("letter", "Wysłać ofertę", 0),
    ("meeting", "Omówienie umowy", 90),
    ("call", "Potwierdzić termin spotkania", 15),
]


_TEMPLATES = [
    ("Call after the fair", "Telefon po targach", "call", "Telefon po targach", 15, [5],
     "Co obejrzeli, kto decyduje, do kiedy oferta."),
    ("First visit", "Pierwsza wizyta", "meeting", "Wizyta w zakładzie", 90, [60, 1440],
     "Obejrzeć halę, zapytać o budżet."),
    ("Thanks", "Podziękowanie", "letter", "Podziękowanie za spotkanie", 0, [], ""),
]  # fmt: skip


def _templates() -> None:
    ActivityTemplate.objects.bulk_create(
        ActivityTemplate(
            name=name, name_pl=name_pl, kind=kind, subject=subject, minutes=minutes, remind=remind,
            description=description, position=position,
        )
        for position, (name, name_pl, kind, subject, minutes, remind, description) in enumerate(_TEMPLATES)
    )  # fmt: skip


@demo_step(60, "small")
def load(demo: Demo) -> None:
    _templates()
    leads = list(Lead.objects.filter(status="in_work").select_related("owner").order_by("pk"))
    deals = list(Deal.objects.filter(status="active").select_related("owner", "counterparty").order_by("pk"))
    cards = [{"lead": lead} for lead in leads] + [{"deal": deal} for deal in deals]
    for number, card in enumerate(cards):
        _past(demo, number, card)
        _future(demo, number, card)
    for login in ("rep", "head"):
        _of_today(demo, login, [deal for deal in deals if deal.owner == demo.users[login]])


def _owner(card: dict):
    return next(iter(card.values())).owner


def _past(demo: Demo, number: int, card: dict) -> None:
    for step in range(1 + number % 3):
        kind, subject, result = _DONE[(number + step) % len(_DONE)]
        at = timezone.now() - timedelta(days=2 + 4 * step + number % 5, hours=demo.rng.randint(0, 6))
        log_activity(kind=kind, subject=subject, result=result, at=at, by=_owner(card), **card)


def _future(demo: Demo, number: int, card: dict) -> None:
    if number % 4 == 3:
        return
    kind, subject, minutes = _PLANNED[number % len(_PLANNED)]
    days = demo.rng.choice([-2, -1, 0, 1, 1, 2, 3, 5, 7, 10])
    start = next_working_morning() + timedelta(days=days, minutes=30 * demo.rng.randint(0, 14))
    activity = plan_activity(
        kind=kind, subject=subject, starts_at=start, ends_at=start + timedelta(minutes=minutes) if minutes else None,
        by=_owner(card), **card,
    )  # fmt: skip
    if number % 17 == 16:
        cancel_activity(activity=activity, by=activity.owner)


def _of_today(demo: Demo, login: str, deals: list[Deal]) -> None:
    """Something overdue, something now and something later today, so that "My day" shows what it is for."""
    person, now = demo.users[login], timezone.now().replace(second=0, microsecond=0)
    plan = [("call", "Oddzwonić do dyrektora zakupów", -20, 15), ("meeting", "Spotkanie zespołu", -0.25, 45),
            ("call", "Ustalić warunki płatności", 0.75, 15), ("meeting", "Prezentacja u klienta", 2, 60)]  # fmt: skip
    for number, (kind, subject, hours, minutes) in enumerate(plan):
        start = now + timedelta(hours=hours)
        card = {} if subject == "Spotkanie zespołu" or number >= len(deals) else {"deal": deals[number]}
        plan_activity(
            kind=kind,
            subject=subject,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            by=person,
            **card,
        )
