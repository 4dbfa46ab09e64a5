"""Demo deals: some eighty over the demo's counterparties, each with a past in the ledger and in history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from counterparties.models import Contact, Counterparty
from crm.attributes.services import attributes_of, set_attributes, write_derived
from crm.history.kinds import named
from crm.history.services import record_event
from crm.money.models import default_currency
from crm.web.demo import Demo, demo_step
from deals import demo_catalogue as catalogue
from deals.ledger import write_transition
from deals.models import Deal, DealContact, DealStatus, DealType, LossReason, TransitionCause
from deals.numbering import pattern_of, take_numbers
from deals.standard import create_standard_deals
from deals.worth import refresh_worth
from funnel.models import Stage

DEALS = 80
SALES = [
    "Linia pakująca", "Regały magazynowe", "System WMS", "Modernizacja hali", "Wózki widłowe, 4 szt.",
    "Kompresor śrubowy",
    "Panele fotowoltaiczne 50 kW", "Robot paletyzujący", "Stanowiska montażowe", "Serwerownia", "Monitoring wizyjny",
    "Szkolenie operatorów", "Licencje na 120 stanowisk", "Wymiana oświetlenia", "Brama przemysłowa", "Suwnica 5 t",
    "Instalacja odpylania", "Terminale mobilne", "Integracja z ERP", "Drukarki etykiet",
]  # fmt: skip
SERVICES = ["Umowa serwisowa", "Przedłużenie gwarancji", "Abonament serwisowy", "Opieka techniczna"]
NOTES = [
    "",
    "",
    "",
    "Ustalone telefonicznie.",
    "Klient prosi o przyspieszenie.",
    "Po spotkaniu z zarządem.",
    "Czekamy na dane techniczne.",
]


@demo_step(20)
def dictionaries(demo: Demo) -> None:
    demo.store["deal_types"] = list(create_standard_deals().values())


@demo_step(50, "small")
def load(demo: Demo) -> None:
    catalogue.load(demo)
    counterparties = list(
        Counterparty.objects.exclude(owner=None).select_related("owner", "owner__department").order_by("pk")
    )
    if not counterparties:
        return
    types = {one.key: one for one in DealType.objects.select_related("funnel")}
    losses = list(LossReason.objects.all())
    made = [
        _deal(demo, number, counterparties[number % len(counterparties)], types, losses)
        for number in range(DEALS)
    ]
    demo.store["deals"] = made
    won = next((deal for deal in made if deal.status == DealStatus.WON), None)
    if won is not None:
        catalogue.promise(demo, won)
    catalogue.quote(demo, made)
    demo.say(f"{len(made)} deals")


@dataclass
class Walk:
    """The way one deal has come: (moment, stage) from its birth on, and how it ended."""

    steps: list[tuple[datetime, Stage]]
    status: str
    ended: datetime


def _walk(demo: Demo, stages: list[Stage]) -> Walk:
    rng, now = demo.rng, timezone.now()
    status = rng.choices(["active", "won", "lost", "postponed"], weights=[60, 15, 16, 9])[0]
    reached = len(stages) if status == "won" else rng.randint(1, len(stages))
    at = now - timedelta(
        days=rng.randint(3, 25) + sum(rng.randint(6, 24) for _stage in range(reached)),
        hours=rng.randint(0, 9),
    )
    steps = [(at, stages[0])]
    gap = (now - at) / (reached + 1)
    for place in range(1, reached):
        at += gap * rng.uniform(0.5, 1.2)
        steps.append((at, stages[place]))
    if len(steps) > 2 and rng.random() < 0.2:
        steps.append((at + gap * 0.2, steps[-2][1]))
    return Walk(steps, status, min(now - timedelta(hours=rng.randint(1, 30)), steps[-1][0] + gap * 0.5))


def _deal(demo: Demo, number: int, counterparty: Counterparty, types: dict, losses: list[LossReason]) -> Deal:
    rng = demo.rng
    deal_type = types["service"] if number % 4 == 3 else types["sale"]
    walk = _walk(demo, list(deal_type.funnel.stages.order_by("position")))
    is_closed = walk.status in {"won", "lost"}
    close = demo.today + timedelta(days=rng.randint(-12, 75)) if not is_closed else walk.ended.date()
    deal = Deal(
        name=_name(demo, deal_type),
        counterparty=counterparty, deal_type=deal_type, funnel=deal_type.funnel, owner=counterparty.owner,
        stage=walk.steps[-1][1], proven_stage=walk.steps[-1][1], status=walk.status,
        amount=Decimal(rng.randint(8, 420) * 500),
        currency_id="EUR" if number % 13 == 5 else default_currency(), close_date=close, stage_since=walk.steps[-1][0],
        loss_reason=rng.choice(losses) if walk.status == "lost" else None,
        postponed_until=demo.today + timedelta(days=rng.randint(20, 90)) if walk.status == "postponed" else None,
        closed_at=walk.ended if is_closed else None, close_date_slips=rng.choice([0, 0, 0, 1, 2]),
    )  # fmt: skip
    set_attributes(deal, _attributes(demo, deal_type), partial=True, by=deal.owner)
    (deal.number,) = take_numbers(pattern=pattern_of(deal_type), count=1, day=walk.steps[0][0].date())
    deal.save()
    write_derived(deal, attributes_of(deal.get_attribute_set_id()))
    if number % 2 == 0:
        catalogue.sell(demo, deal)
    if number % 3 == 0 and walk.status != "lost":
        catalogue.bill(demo, deal)
    deal.save(update_fields=["amount"])
    Deal.objects.filter(pk=deal.pk).update(created_at=walk.steps[0][0])
    people = list(Contact.objects.filter(links__counterparty=counterparty)[:2])
    DealContact.objects.bulk_create(DealContact(deal=deal, contact=contact) for contact in people)
    refresh_worth([deal])
    _tell(demo, deal, walk, [counterparty, *people])
    return deal


def _name(demo: Demo, deal_type: DealType) -> str:
    if deal_type.key == "service":
        return f"{demo.rng.choice(SERVICES)} {demo.today.year + 1}"
    return demo.rng.choice(SALES) + demo.rng.choice(["", "", ", etap 2", ", hala B", ", druga lokalizacja"])


def _attributes(demo: Demo, deal_type: DealType) -> dict:
    rng = demo.rng
    if deal_type.key == "service":
        return {
            "months": rng.choice([12, 24, 36]),
            "ends_on": demo.today + timedelta(days=rng.randint(10, 120)),
        }
    return {
        "product_line": rng.choice(["equipment", "software", "service", "training"]),
        "competitor": rng.choice(["", "", "Polmag", "Techlift", "Nordic Systems"]),
        "is_tender": rng.random() < 0.15,
    }


def _tell(demo: Demo, deal: Deal, walk: Walk, cards: list) -> None:
    """The ledger and the history of the way, at the moments it was gone."""
    final = (deal.stage, deal.status)
    before = None
    for at, stage in walk.steps:
        _put(deal, stage, DealStatus.ACTIVE)
        _one(demo, deal, at, before, cards)
        before = stage
    if walk.status != DealStatus.ACTIVE:
        _put(deal, *final)
        write_transition(
            deal=deal,
            cause=TransitionCause.REQUEST,
            by=deal.owner,
            at=walk.ended,
            from_stage_id=deal.stage_id,
            from_status="active",
        )
        payload = {"loss_reason": named(deal.loss_reason)} if deal.loss_reason else {}
        payload |= {"until": str(deal.postponed_until)} if deal.postponed_until else {}
        record_event(
            kind=f"deal_{walk.status}",
            subject=deal,
            by=deal.owner,
            cards=cards,
            payload=payload,
            at=walk.ended,
        )


def _put(deal: Deal, stage: Stage, status: str) -> None:
    """Only in memory: what the ledger's row is to say of that day."""
    deal.stage, deal.status = stage, status


def _one(demo: Demo, deal: Deal, at: datetime, before: Stage | None, cards: list) -> None:
    cause = TransitionCause.REQUEST if before else TransitionCause.CREATED
    write_transition(
        deal=deal, cause=cause, by=deal.owner, at=at, from_stage_id=before.pk if before else None,
        from_status="active" if before else "",
    )  # fmt: skip
    if before is None:
        record_event(
            kind="deal_created",
            subject=deal,
            by=deal.owner,
            cards=cards,
            payload={"stage": named(deal.stage)},
            at=at,
        )
        return
    kind = "deal_moved_forward" if deal.stage.position > before.position else "deal_moved_back"
    payload = {"from": named(before), "to": named(deal.stage), "note": demo.rng.choice(NOTES)}
    record_event(kind=kind, subject=deal, by=deal.owner, cards=cards, payload=payload, at=at)
