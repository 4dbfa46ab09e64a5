"""Every way a deal may be asked to move, past every kind of gate, with every right: what becomes of it.

A funnel of two stages for each gate; one deal for each gate, channel and person. The channels are entered
through their own doors: addresses, the import's job, a published process's run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django import forms
from django.test import Client

from bpm.definitions import bind_gate
from bpm.models import ProcessInstance
from bpm.triggers import start_run
from crm.listing.imports.registry import importers_of
from crm.people.models import Role, RoleScope, User
from deals.models import Deal, DealType, StageTransition
from deals.services import StageRefused, override_request
from funnel.models import Funnel, Mode, Requirement, Stage, Way
from funnel.requirements import RequirementKind, requirement_kinds
from tests.factories import sheets
from tests.factories.bpm import chain, diagram, make_version, service_task, user_task
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal
from tests.factories.imports import finished_import

PEOPLE = {
    "May edit the deal": "rep", "Sees the deal only": "teammate", "May edit it and pass gates": "head",
}  # fmt: skip
SIDES = {"on the way in": (Way.ENTRY, Mode.BLOCKING), "on the way out": (Way.EXIT, Mode.BLOCKING),
         "only advised": (Way.ENTRY, Mode.ADVISORY)}  # fmt: skip
BOARD = {"HX-Request": "true", "HX-Target": "board-changes"}
CARD = {"HX-Request": "true", "HX-Target": "deal-state"}


@dataclass(frozen=True)
class Gate:
    """`kind`: a registered kind of requirement, or "process"; empty where nothing stands in the way."""

    label: str
    kind: str = ""
    side: str = ""

    @property
    def title(self) -> str:
        return f"{self.label}, {self.side}" if self.side else self.label


def gates() -> list[Gate]:
    """One for each registered kind of requirement and for a process, on each side."""
    kinds = [(str(kind.label), kind.key) for kind in requirement_kinds()] + [("A process", "process")]
    return [Gate("No gate"), *(Gate(label, key, side) for label, key in kinds for side in SIDES)]


def options_of(kind: RequirementKind) -> dict:
    """What the kind's own form makes of the first of everything it asks for."""
    blank = kind.form()
    data = {name: _first(one) for name, one in blank.fields.items() if one.required}
    form = kind.form(data)
    assert form.is_valid(), (kind.key, form.errors)
    return form.cleaned_data


def _first(one: forms.Field):
    choices = [value for value, _label in getattr(one, "choices", ()) if value]
    if isinstance(one, forms.MultipleChoiceField):
        return choices[:1]
    return choices[0] if choices else one.initial or getattr(one, "min_value", None) or "x"


@dataclass
class Cell:
    """One deal, and what became of it: `answer` is what its channel said of itself."""

    deal: Deal
    target: Stage
    answer: str = ""


@dataclass
class Matrix:
    users: dict[str, User]
    deals: dict[tuple[Gate, str, str], Cell] = field(default_factory=dict)

    def cells(self, channel: str, person: str) -> list[Cell]:
        return [cell for (_gate, way, who), cell in self.deals.items() if (way, who) == (channel, person)]


def make_matrix(users: dict[str, User], channels: Iterable[str]) -> Matrix:
    """The funnel, its gates, and a deal of the rep's for each cell, which lacks whatever may be asked for."""
    rep, admin, found = users["rep"], users["admin"], gates()
    ways = [_way(rank) for rank in range(len(found))]
    for gate, (_kind, here, there) in zip(found, ways, strict=True):
        _bar(gate, here, there, by=admin)
    first = make_deal(rep, counterparty=make_counterparty(rep, name="Matrix"), deal_type=ways[0][0])
    matrix, rows = Matrix(users), []
    for gate, (kind, here, there) in zip(found, ways, strict=True):
        for channel in channels:
            for person in PEOPLE.values():
                deal = _copy(first, kind, here, there, number=f"M{len(rows)}")
                rows.append(deal)
                matrix.deals[gate, channel, person] = Cell(deal, there)
    Deal.objects.bulk_create(rows)
    return matrix


def _way(rank: int) -> tuple[DealType, Stage, Stage]:
    """A funnel of two stages: its type of deals, where they come from and where they go."""
    funnel = Funnel.objects.create(key=f"matrix{rank}", name=f"Matrix {rank}")
    here, there = (
        Stage.objects.create(funnel=funnel, key=f"{key}{rank}", name=f"{key}{rank}", position=position)
        for position, key in enumerate(("from", "to"))
    )
    return DealType.objects.create(key=f"matrix{rank}", name=f"Matrix {rank}", funnel=funnel), here, there


def _bar(gate: Gate, here: Stage, there: Stage, *, by) -> None:
    if not gate.kind:
        return
    way, mode = SIDES[gate.side]
    stage = here if way == Way.EXIT else there
    if gate.kind == "process":
        version = make_version(by, diagram(chain(user_task("Agree")), key=f"gate_{stage.key}"))
        bind_gate(
            stage=stage, definition=version.definition, granting_ends=["End_ok"], by=by, way=way, mode=mode
        )
        return
    kind = next(one for one in requirement_kinds() if one.key == gate.kind)
    options = options_of(kind)
    Requirement.objects.create(stage=stage, kind=kind.key, way=way, mode=mode, options=options)


def _copy(first: Deal, kind: DealType, here: Stage, there: Stage, *, number: str) -> Deal:
    """Named after the stage it is to reach: the process of the matrix reads it there."""
    return Deal(
        name=there.key, sort_key=there.key, number=number, counterparty=first.counterparty, currency=first.currency,
        deal_type=kind, funnel=here.funnel, stage=here, proven_stage=here, owner=first.owner,
        department=first.department,
    )  # fmt: skip


# The channels


def _signed(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _posted(matrix: Matrix, channel: str, person: str, headers: dict) -> None:
    client = _signed(matrix.users[person])
    for cell in matrix.cells(channel, person):
        url = f"/deals/{cell.deal.pk}/stage/"
        cell.answer = _said(client.post(url, {"stage": cell.target.pk}, headers=headers))


def _said(answer) -> str:
    if answer.status_code == 403:
        return "refused"
    assert answer.status_code == 200, answer.status_code
    return "reminded" if "Still advised" in answer.headers.get("HX-Trigger", "") else ""


def by_board(matrix: Matrix, channel: str, person: str, **_more) -> None:
    _posted(matrix, channel, person, BOARD)


def by_card(matrix: Matrix, channel: str, person: str, **_more) -> None:
    _posted(matrix, channel, person, CARD)


def by_bulk(matrix: Matrix, channel: str, person: str, **_more) -> None:
    """The door of all bulk edits; it knows no such field."""
    cells = matrix.cells(channel, person)
    sent = {
        "kind": "deals.deal", "query": "view=0", "action": "edit", "field": "stage", "confirmed": "1",
        "value": cells[0].target.pk, "id": [cell.deal.pk for cell in cells],
    }  # fmt: skip
    answer = _signed(matrix.users[person]).post("/lists/bulk/new/", sent)
    for cell in cells:
        cell.answer = "not offered" if answer.status_code == 422 else str(answer.status_code)


def by_cell(matrix: Matrix, channel: str, person: str, **_more) -> None:
    client = _signed(matrix.users[person])
    for cell in matrix.cells(channel, person):
        url = f"/lists/cells/deals.deal/{cell.deal.pk}/stage/"
        answer = client.post(url, {"value": cell.target.pk, "version": cell.deal.version})
        cell.answer = "not offered" if answer.status_code == 403 else str(answer.status_code)


def by_import(matrix: Matrix, channel: str, person: str, *, run_jobs, folder) -> None:
    user, cells = matrix.users[person], matrix.cells(channel, person)
    rows = [["Numer", "Nazwa szansy", "Klient", "Etap"]]
    rows += [[cell.deal.number, cell.deal.name, "Matrix", cell.target.name] for cell in cells]
    path = sheets.write_workbook(folder / f"{person}.xlsx", rows)
    importer = next(one for one in importers_of(user) if one.kind == "deals.deal")
    run = finished_import(path, by=user, run_jobs=run_jobs, kind="deals.deal", mode="update")
    assert sum(run.counts.values()) == len(cells), run.counts
    for cell in cells:
        cell.answer = "" if "stage" in importer.field_map(user) else "not offered"


def by_process(matrix: Matrix, channel: str, person: str, *, run_jobs, folder) -> None:
    """A process that the person published asks for the stage; it acts with his rights."""
    user = matrix.users[person]
    move = service_task("Move", "deals.request_stage", stage="${deal.name}")
    version = make_version(user, diagram(chain(move), key=f"mover_{person}"))
    for cell in matrix.cells(channel, person):
        start_run(definition=version.definition, record=cell.deal, by=user)
    run_jobs()
    done = ProcessInstance.objects.filter(version=version).values_list("record_id", "status")
    ended = {pk for pk, status in done if status == "completed"}
    for cell in matrix.cells(channel, person):
        cell.answer = "" if cell.deal.pk in ended else "refused"


CHANNELS: dict[str, Callable[..., None]] = {
    "Board": by_board, "Card": by_card, "Bulk edit": by_bulk, "Cell of the list": by_cell, "Import": by_import,
    "Process": by_process,
}  # fmt: skip


def may_publish(users: Iterable[User]) -> None:
    role = Role.objects.create(name="Publishers of the matrix")
    RoleScope.objects.create(role=role, kind="bpm.processinstance", action="publish", scope="all")
    for user in users:
        user.roles.add(role)
        user.__dict__.pop("access", None)


# What became of it


def outcome_of(cell: Cell, gate: Gate, person: User) -> str:
    """In the words of the page, after the database and what the channel said."""
    deal = Deal.objects.get(pk=cell.deal.pk)
    request = deal.stage_requests.order_by("pk").last()
    if request is None:
        assert deal.stage_id == cell.deal.stage_id
        return cell.answer
    assert request.requested_by == person
    if request.is_pending:
        assert deal.stage_id == cell.deal.stage_id
        return _held(deal, request, person)
    assert (deal.stage_id, deal.is_proven) == (cell.target.pk, True)
    assert (
        StageTransition.objects.filter(deal=deal, request=request, cause="request", is_proven=True).count()
        == 1
    )
    beside = ProcessInstance.objects.filter(
        record_id=deal.pk, version__definition__key__startswith="gate"
    ).exists()
    return "moves; a process starts" if beside else "moves; reminded" if cell.answer else "moves"


def _held(deal: Deal, request, person: User) -> str:
    """Who may pass gates does so, with a reason on record; others may not."""
    held = "waits for the process" if request.holders[0].startswith("process:") else "waits for it"
    try:
        override_request(request=request, by=person, reason="The matrix")
    except StageRefused:
        return held
    deal.refresh_from_db()
    assert (deal.stage_id, deal.is_proven) == (request.to_stage_id, False)
    assert StageTransition.objects.filter(deal=deal, cause="override", actor=person).count() == 1
    return f"{held}; may pass with a reason"
