"""A whole company's calls, meetings and letters, in bulk. History tells of the last months' alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from random import Random

from collab.calendar.demo import _DONE, _PLANNED
from collab.calendar.models import Activity, ActivityParticipant
from collab.calendar.series_models import new_uid
from counterparties.demo_large import KIND as COUNTERPARTY_KIND
from counterparties.models import CONTACT_KIND
from crm.history.kinds import moment
from crm.people.access import kind_label
from crm.people.models import User
from crm.web.demo import Demo, demo_step
from crm.web.scale.chronicle import Card, Chronicle
from deals.demo_large import KIND as DEAL_KIND
from leads.models import LEAD_KIND

ACTIVITIES = 500_000
TOLD = timedelta(days=200)
KIND = kind_label(Activity)
_COLUMNS = (
    "kind subject starts_at ends_at done_at cancelled_at result lead_id deal_id counterparty_id contact_id owner_id "
    "department_id created_by_id created_at updated_at version search_text sort_key uid"
)


@demo_step(60, "large")
def load(demo: Demo) -> None:
    rng, chronicle = demo.randomness("activities"), Chronicle(demo.bulk)
    table = demo.bulk.table(Activity, _COLUMNS)
    participants = demo.bulk.table(ActivityParticipant, "activity_id user_id contact_id")
    for _number in demo.wanted(ACTIVITIES, "activities"):
        cards, owner, start, end = _place(demo, rng)
        at = (start + (min(end, demo.now) - start) * rng.random()).replace(microsecond=0)
        pk = _done(table, chronicle, demo, rng, cards, owner, at)
        if len(cards) > 2 and rng.random() < 0.15:
            participants.add(pk, None, cards[-1][1])
    _future(demo, rng, table, chronicle)


def _place(demo: Demo, rng: Random) -> tuple[list[Card], User, datetime, datetime]:
    """The cards of something that happened, whose it was, and between which moments."""
    luck = rng.random()
    if luck < 0.7:
        pk, client, owner, born, ended, is_open = rng.choice(demo.store["deals"])
        cards = [(DEAL_KIND, pk), (COUNTERPARTY_KIND, client.pk)]
        cards += [(CONTACT_KIND, client.contacts[0])] if client.contacts else []
        return cards, owner, born, demo.now if is_open else ended
    if luck < 0.9:
        pk, owner, born, _is_open = rng.choice(demo.store["leads"])
        return [(LEAD_KIND, pk)], owner, born, born + timedelta(days=30)
    client = rng.choice(demo.store["clients"])
    return [(COUNTERPARTY_KIND, client.pk)], client.owner, client.created_at, demo.now


def _row(cards: list[Card], owner: User, at: datetime, rest: list) -> list:
    ids = dict(cards)
    keys = [ids.get(label) for label in (LEAD_KIND, DEAL_KIND, COUNTERPARTY_KIND, CONTACT_KIND)]
    return [*rest, *keys, owner.pk, owner.department_id, owner.pk, at, at]


@cache
def _found_by(subject: str, result: str) -> tuple[str, str]:
    """The texts by which such an activity is found and ordered."""
    activity = Activity(subject=subject, result=result)
    activity.refresh_search()
    return activity.search_text, activity.sort_key


def _done(
    table, chronicle: Chronicle, demo: Demo, rng: Random, cards: list[Card], owner: User, at: datetime
) -> int:
    kind, subject, result = rng.choice(_DONE)
    is_cancelled = rng.random() < 0.04
    moments = [at, at, None if is_cancelled else at, at if is_cancelled else None]
    result = "" if is_cancelled else result
    pk = table.add(
        *_row(cards, owner, at, [kind, subject, *moments, result]), 1, *_found_by(subject, result), new_uid()
    )
    if at > demo.now - TOLD:
        verb, payload = ("cancelled", {}) if is_cancelled else ("completed", {"note": result})
        chronicle.tell(f"{kind}_{verb}", (KIND, pk), at=at, actor=owner.pk, cards=cards, payload=payload)
    return pk


def _future(demo: Demo, rng: Random, table, chronicle: Chronicle) -> None:
    """Two of three open deals and leads have a next step: overdue, today's or to come."""
    for pk, client, owner, born, _ended, is_open in demo.store["deals"]:
        if is_open and rng.random() < 0.66:
            cards = [(DEAL_KIND, pk), (COUNTERPARTY_KIND, client.pk)]
            _planned(demo, rng, table, chronicle, cards, owner, born)
    for pk, owner, born, is_open in demo.store["leads"]:
        if is_open and rng.random() < 0.66:
            _planned(demo, rng, table, chronicle, [(LEAD_KIND, pk)], owner, born)


def _planned(
    demo: Demo, rng: Random, table, chronicle: Chronicle, cards, owner: User, born: datetime
) -> None:
    kind, subject, minutes = rng.choice(_PLANNED)
    days = rng.choice((-9, -3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 30))
    start = demo.now + timedelta(days=days, minutes=30 * rng.randint(0, 15))
    ends = start + timedelta(minutes=minutes) if minutes else None
    at = max(min(start, demo.now) - timedelta(days=rng.randint(1, 6)), born)
    row = _row(cards, owner, at, [kind, subject, start, ends, None, None, ""])
    pk = table.add(*row, 1, *_found_by(subject, ""), new_uid())
    payload = {"when": moment(start), "note": ""}
    chronicle.tell(f"{kind}_planned", (KIND, pk), at=at, actor=owner.pk, cards=cards, payload=payload)
