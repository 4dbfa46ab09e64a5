"""A whole company's deals of three years, each with the ledger and the history of the way it has come."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from counterparties.demo_large import KIND as COUNTERPARTY_KIND
from counterparties.demo_large import Client
from counterparties.models import CONTACT_KIND, Counterparty
from crm.history.kinds import named
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.money.rates import RateTable
from crm.people.access import kind_label
from crm.web.demo import Demo, demo_step
from crm.web.scale.chronicle import Chronicle
from crm.web.scale.derived import DerivedRows
from deals import demo_catalogue
from deals.demo import NOTES, SALES, SERVICES
from deals.demo_large_rows import Rows
from deals.models import (
    Deal,
    DealContact,
    DealStatus,
    DealType,
    LossReason,
    RequestStatus,
    StageRequest,
    StageTransition,
    TransitionCause,
)
from deals.numbering import frame_of, highest, pattern_of
from funnel.models import Stage

DEALS = 200_000
DAYS = 3 * 365
KIND = kind_label(Deal)
_ENDINGS = ["", "", ", etap 2", ", hala B", ", druga lokalizacja", ", rozbudowa", ", wymiana"]


@dataclass
class Step:
    """From `at` on the deal stood at `stage` in `status`; the first one is its birth."""

    at: datetime
    stage: Stage
    status: str


class Loader:
    """The tables and dictionaries that every deal needs."""

    def __init__(self, demo: Demo) -> None:
        self.demo, self.rng = demo, demo.randomness("deals")
        self.types = list(
            DealType.objects.filter(key__in=["sale", "service"]).select_related("funnel").order_by("key")
        )
        self.stages = {one.pk: list(one.funnel.stages.order_by("position")) for one in self.types}
        self.losses = list(LossReason.objects.all())
        self.clients: list[Client] = demo.store["clients"]
        self.known = [client.created_at for client in self.clients]
        bulk = demo.bulk
        self.rates = RateTable(["EUR"])
        self.deals = bulk.table(Deal)
        self.people = bulk.table(DealContact, "deal_id contact_id")
        self.requests = bulk.table(
            StageRequest, "deal_id from_stage_id to_stage_id from_status to_status loss_reason_id postponed_until "
            "status requested_by_id requested_at decided_by_id decided_at",
        )  # fmt: skip
        self.ledger = bulk.table(
            StageTransition, "deal_id at cause from_stage_id to_stage_id from_status to_status amount currency_id "
            "worth close_date owner_id department_id actor_id request_id",
        )  # fmt: skip
        self.rows = Rows(demo)
        self.chronicle = Chronicle(bulk)
        self.derived = {one.pk: DerivedRows(bulk, KIND, one.attribute_set_id) for one in self.types}
        self.named = {stage.pk: named(stage) for stages in self.stages.values() for stage in stages}
        self.counterparty = Counterparty()
        self.patterns = {one.pk: pattern_of(one) for one in self.types}
        self.last: dict[tuple[str, str], int] = {}

    def number(self, deal_type: DealType, day: date) -> str:
        """The next one, counted in memory; counters begin after it."""
        frame = frame_of(self.patterns[deal_type.pk], day)
        key = frame.before, frame.after
        self.last[key] = (self.last[key] if key in self.last else highest(frame)) + 1
        return frame.show(self.last[key])

    def client(self, at: datetime) -> Client:
        """One of those known at the time."""
        return self.clients[self.rng.randrange(max(bisect_right(self.known, at), 1))]


@demo_step(21, "large")
def load_catalogue(demo: Demo) -> None:
    """Through the services, before the rows of history are counted in memory."""
    demo_catalogue.load(demo)


@demo_step(50, "large")
def load(demo: Demo) -> None:
    loader = Loader(demo)
    total = max(round(DEALS * demo.part), 1)
    demo.store["deals"] = kept = []
    for number in demo.wanted(DEALS, "deals"):
        days = DAYS * (1 - number / total) ** 1.15
        born = demo.now - timedelta(days=int(days) + 1, seconds=-loader.rng.randrange(8 * 3600))
        client = loader.client(born)
        way = _walk(loader, loader.types[loader.rng.random() < 0.25], born)
        deal = _deal(loader, client, way)
        _tell(loader, deal, client, way)
        loader.rows.bill(deal)
        kept.append((deal.pk, client, deal.owner, born, way[-1].at, deal.is_open))


def _walk(loader: Loader, deal_type: DealType, born: datetime) -> list[Step]:
    """Forward through the funnel, now and then past a stage or back; at the end won, lost, put off, or still open."""
    rng, now, stages = loader.rng, loader.demo.now, loader.stages[deal_type.pk]
    ends = born + timedelta(days=min(rng.lognormvariate(3.9, 0.7), 400))
    is_over = ends < now and rng.random() < 0.97
    is_won = is_over and rng.random() < 0.42
    reach = len(stages) if is_won else rng.randint(1, len(stages))
    way = [Step(born, stages[0], DealStatus.ACTIVE)]
    span = (min(ends, now) - born) / (reach + 1)
    for place in range(1, reach):
        if place < reach - 1 and rng.random() < 0.45:
            continue
        at = (born + span * (place + rng.random() * 0.8)).replace(microsecond=0)
        way.append(Step(at, stages[place], DealStatus.ACTIVE))
        if rng.random() < 0.05:
            way.append(Step(at + span * 0.1, stages[place - 1], DealStatus.ACTIVE))
    if is_over:
        way.append(
            Step(ends.replace(microsecond=0), way[-1].stage, DealStatus.WON if is_won else DealStatus.LOST)
        )
    elif rng.random() < 0.1:
        way.append(Step(min(way[-1].at + span * 0.5, now), way[-1].stage, DealStatus.POSTPONED))
    return way


def _deal(loader: Loader, client: Client, way: list[Step]) -> Deal:
    rng, demo, last = loader.rng, loader.demo, way[-1]
    deal_type = next(one for one in loader.types if last.stage.funnel_id == one.funnel_id)
    owner = client.owner if rng.random() < 0.9 else rng.choice(demo.store["sellers"])
    is_closed = last.status in {DealStatus.WON, DealStatus.LOST}
    loader.counterparty.pk, loader.counterparty.name = client.pk, client.name
    deal = Deal(
        name=_name(rng, deal_type, way[0].at), deal_type=deal_type, funnel_id=deal_type.funnel_id, owner=owner,
        counterparty=loader.counterparty, department_id=owner.department_id, stage=last.stage, status=last.status,
        proven_stage=last.stage,
        amount=Decimal(max(int(rng.lognormvariate(10.5, 1.1)) // 100 * 100, 500)),
        currency_id="EUR" if client.country != "PL" else default_currency(),
        close_date=last.at.date() if is_closed else demo.today + timedelta(days=rng.randint(-15, 90)),
        stage_since=next(step.at for step in way if step.stage is last.stage) if is_closed else last.at,
        loss_reason=rng.choice(loader.losses) if last.status == DealStatus.LOST else None,
        postponed_until=demo.today + timedelta(days=rng.randint(10, 90)) if last.status == "postponed" else None,
        closed_at=last.at if is_closed else None, created_at=way[0].at, updated_at=last.at, version=len(way),
        attributes=_attributes(rng, deal_type, way[0].at.date()),
    )  # fmt: skip
    deal.number = loader.number(deal_type, way[0].at.date())
    loader.rows.sell(deal, loader.deals.last_id + 1)
    deal.worth = loader.rates.convert(deal.amount, deal.currency_id, (deal.closed_at or demo.now).date())
    deal.close_date_slips = int(rng.random() < 0.15)
    deal.refresh_search()
    loader.deals.add_record(deal)
    loader.derived[deal_type.pk].add(deal.pk, deal.attributes)
    for contact in client.contacts[: 1 + (deal.pk % 4 == 0)]:
        loader.people.add(deal.pk, contact)
    return deal


def _name(rng: Random, deal_type: DealType, at: datetime) -> str:
    if deal_type.key == "service":
        return f"{rng.choice(SERVICES)} {at.year + 1}"
    return f"{rng.choice(SALES)}{rng.choice(_ENDINGS)}"


def _attributes(rng: Random, deal_type: DealType, born: date) -> dict:
    """As `clean_values` of the attributes would store them."""
    if deal_type.key == "service":
        return {
            "months": str(rng.choice([12, 24, 36])),
            "ends_on": (born + timedelta(rng.randint(30, 200))).isoformat(),
        }
    values = {"product_line": rng.choice(["equipment", "software", "service", "training"])}
    if rng.random() < 0.3:
        values["competitor"] = rng.choice(["Polmag", "Techlift", "Nordic Systems", "Rolbud"])
    return values | {"is_tender": rng.random() < 0.15}


def _tell(loader: Loader, deal: Deal, client: Client, way: list[Step]) -> None:
    """A row of the ledger, the request behind it and an event for each step; some amounts were corrected once."""
    people = client.contacts[: 1 + (deal.pk % 4 == 0)]
    cards = [(COUNTERPARTY_KIND, client.pk), *((CONTACT_KIND, pk) for pk in people)]
    amount = corrected = deal.amount
    if len(way) > 2 and loader.rng.random() < 0.15:
        amount = (deal.amount * loader.rng.choice((80, 90, 110, 125)) / 100).quantize(Decimal(1))
    for place, step in enumerate(way):
        before = way[place - 1] if place else None
        request = _request(loader, deal, before, step) if before else None
        cause = TransitionCause.REQUEST if before else TransitionCause.CREATED
        _enter(loader, deal, step.at, cause, before, step, amount, request)
        kind, payload = _event(loader, deal, before, step)
        loader.chronicle.tell(
            kind,
            (KIND, deal.pk),
            at=step.at,
            actor=deal.owner_id,
            cards=cards,
            payload=payload,
            version=place + 1,
        )
        if place == 1 and amount != corrected:
            _correct(loader, deal, step, amount, cards)
            amount = corrected


def _request(loader: Loader, deal: Deal, before: Step, step: Step) -> int:
    return loader.requests.add(
        deal.pk, before.stage.pk, step.stage.pk, before.status, step.status,
        deal.loss_reason_id if step.status == DealStatus.LOST else None,
        deal.postponed_until if step.status == DealStatus.POSTPONED else None,
        RequestStatus.APPLIED, deal.owner_id, step.at, deal.owner_id, step.at,
    )  # fmt: skip


def _enter(loader: Loader, deal: Deal, at, cause, before: Step | None, step: Step, amount, request) -> None:
    loader.ledger.add(
        deal.pk, at, cause, before.stage.pk if before else None, step.stage.pk, before.status if before else "",
        step.status, amount, deal.currency_id,
        loader.rates.convert(amount, deal.currency_id, at.date()), deal.close_date, deal.owner_id,
        deal.department_id, deal.owner_id, request,
    )  # fmt: skip


def _event(loader: Loader, deal: Deal, before: Step | None, step: Step) -> tuple[str, dict]:
    if before is None:
        return "deal_created", {"stage": loader.named[step.stage.pk]}
    if step.status == DealStatus.ACTIVE:
        forward = step.stage.position > before.stage.position
        places = {"from": loader.named[before.stage.pk], "to": loader.named[step.stage.pk]}
        return f"deal_moved_{'forward' if forward else 'back'}", places | {"note": loader.rng.choice(NOTES)}
    if step.status == DealStatus.LOST:
        return "deal_lost", {"loss_reason": named(deal.loss_reason)}
    return f"deal_{step.status}", {"until": str(deal.postponed_until)} if deal.postponed_until else {}


def _correct(loader: Loader, deal: Deal, step: Step, before: Decimal, cards: list) -> None:
    """The amount became what it is now."""
    at = step.at + timedelta(minutes=20)
    _enter(loader, deal, at, TransitionCause.AMOUNT, step, step, deal.amount, None)
    texts = [show_money(amount, deal.currency_id) for amount in (before, deal.amount)]
    change = ("amount", "amount", str(before), str(deal.amount), *texts)
    loader.chronicle.tell(
        "deal_changed", (KIND, deal.pk), at=at, actor=deal.owner_id, cards=cards, version=2, changes=[change]
    )
