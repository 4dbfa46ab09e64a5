"""Reading deals for pages: what the reader may do, what waits, and the choices of filters in one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from crm.people.models import User
from crm.people.names import localised
from deals.models import Deal, DealType, RequestStatus, StageRequest
from funnel.models import Stage


def pending_requests(deal_ids: Iterable[int]) -> dict[int, StageRequest]:
    """{deal id: the move it waits for}; one query."""
    rows = StageRequest.objects.filter(deal_id__in=list(deal_ids), status=RequestStatus.PENDING)
    return {row.deal_id: row for row in rows.select_related("to_stage", "from_stage", "requested_by")}


@dataclass(frozen=True)
class Wait:
    """One thing a pending move waits for, as the reader sees it."""

    label: str
    holder: str
    is_mine: bool
    since: str
    due: str
    target: str

    @property
    def text(self) -> str:
        """`waiting: commercial offer (you)`."""
        who = _("you") if self.is_mine else self.holder
        label = f"{self.label} ({who})" if who else self.label
        return _("waiting: %(what)s") % {"what": label}


def waits_of(request: StageRequest | None, user) -> list[Wait]:
    """What a pending request waits for, in the reader's language; his own first."""
    if request is None:
        return []
    found = [
        Wait(
            label=localised(str(row.get("label") or ""), str(row.get("label_pl") or "")) or _("a decision"),
            holder=str(row.get("holder") or ""),
            is_mine=row.get("holder_id") == user.pk,
            since=row.get("since") or "",
            due=row.get("due") or "",
            target=_own_path(row.get("target")),
        )
        for row in request.waits
    ]
    return sorted(found, key=lambda wait: not wait.is_mine)


def person_to_ask(deal: Deal, request: StageRequest | None, user) -> int | None:
    """Who has the ball, by id: whoever the move waits for, else the deal's owner; None where that is `user` himself."""
    holders = [row.get("holder_id") for row in request.waits] if request else []
    found = next((pk for pk in holders if pk), deal.owner_id)
    return found if found != user.pk else None


def _own_path(target) -> str:
    """Only a path of our own becomes a link."""
    text = str(target or "")
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else ""


def destination(request: StageRequest) -> str:
    """Where a pending request wants the deal: a stage's name or a status."""
    return str(request.to_stage) if request.changes_stage else str(request.get_to_status_display())


@dataclass(frozen=True)
class FilterChoices:
    """(id, label) pairs for the filters of deals."""

    owners: list[tuple[str, str]]
    stages: list[tuple[str, str]]
    types: list[tuple[str, str]]


def filter_choices() -> FilterChoices:
    """People, stages and types to filter by. One query for the three."""
    text = CharField()
    people = User.objects.filter(is_active=True).values_list(
        Value("owner"),
        "pk",
        Concat("first_name", Value(" "), "last_name"),
        "username",
        Value("", output_field=text),
        Value(0),
    )
    stages = Stage.objects.filter(is_active=True, funnel__is_active=True).values_list(
        Value("stage"), "pk", Cast("name", text), "name_pl", "funnel__key", "position"
    )
    types = DealType.objects.filter(is_active=True).values_list(
        Value("type"), "pk", Cast("name", text), "name_pl", Value("", output_field=text), "position"
    )
    found: dict[str, list] = {"owner": [], "stage": [], "type": []}
    rows = people.order_by().union(stages.order_by(), types.order_by(), all=True)
    for what, pk, name, other, group, position in rows:
        shown = (name.strip() or other) if what == "owner" else localised(name, other)
        found[what].append((group, position, str(pk), shown))
    several = len({group for group, *_rest in found["stage"]}) > 1
    stage_pairs = [
        (pk, f"{name} · {group}" if several else name)
        for group, _position, pk, name in sorted(found["stage"])
    ]
    owners = sorted(((pk, name) for *_rest, pk, name in found["owner"]), key=lambda pair: pair[1])
    return FilterChoices(owners, stage_pairs, [(pk, name) for *_rest, pk, name in sorted(found["type"])])
