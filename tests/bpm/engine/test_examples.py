"""The processes that ship with the product."""

from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from bpm.engine.checking import check
from bpm.engine.dryrun import dry_run
from bpm.engine.events import StartJob
from bpm.engine.naming import renamed
from tests.factories.diagrams import Player

EXAMPLES = Path(__file__).parents[3] / "bpm" / "examples"
FILES = sorted(EXAMPLES.glob("*.bpmn"))
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DEAL = {"name": "Suwnica", "amount": Decimal("80000.00"), "owner": "rep"}


def graph_named(name):
    return check((EXAMPLES / f"{name}.bpmn").read_bytes()).graphs[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_example_is_publishable_and_runs(file):
    report = check(file.read_bytes())
    assert (report.verdict, report.findings) == ("publishable", ())
    for graph in report.graphs:
        assert [dry_run(graph, seed).outcome for seed in range(20)] == ["completed"] * 20
        assert all(node.names.get("pl") for node in graph.nodes.values() if node.name)
        assert graph.names["pl"] and graph.object == "deals.deal"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_element_has_its_place_in_the_drawing(file):
    root = etree.parse(str(file)).getroot()
    drawn = {element.get("bpmnElement") for element in root.iter("{*}BPMNShape", "{*}BPMNEdge")}
    model = root.find(f"{BPMN}process")
    kinds = ("Event", "Task", "Gateway", "sequenceFlow")
    assert drawn == {each.get("id") for each in model if each.tag.endswith(kinds)}


def test_offer_attached_plans_a_call_and_grants_the_move():
    play = Player(graph_named("commercial-offer"), deal=DEAL)
    assert play.waiting == [("Task_attach_offer", "task")]
    play.done("Task_attach_offer", "attach", offer={"file": 1, "name": "oferta.pdf"})
    job = next(effect for effect in play.effects if isinstance(effect, StartJob))
    assert (job.operation, job.arguments) == (
        "collab_calendar.create_activity",
        {"kind": "call", "subject": "Follow up on the offer: Suwnica", "due_in": "P3D", "owner": "rep"},
    )
    play.done("Task_plan_call")
    assert (play.status, play.ends) == ("completed", ["End_offer_attached"])


def test_offer_withdrawn():
    play = Player(graph_named("commercial-offer"), deal=DEAL)
    play.done("Task_attach_offer", "withdraw", offer=None)
    assert (play.status, play.ends) == ("completed", ["End_withdrawn"])


@pytest.mark.parametrize("amount", [None, Decimal("50000.00")])
def test_contract_up_to_the_limit_needs_nobody(amount):
    play = Player(graph_named("contract-approval"), deal=DEAL | {"amount": amount})
    assert (play.status, play.ends) == ("completed", ["End_agreed"])


def test_contract_agreed():
    play = Player(graph_named("contract-approval"), deal=DEAL)
    assert play.waiting == [("Task_approve", "task"), ("Timer_reminder", "timer")]
    play.done("Task_approve", "agree")
    assert (play.status, play.ends) == ("completed", ["End_agreed"])


def test_contract_returned_after_a_reminder():
    play = Player(graph_named("contract-approval"), deal=DEAL)
    play.done("Timer_reminder")
    play.done("Task_remind")
    play.done("Task_approve", "return")
    play.done("Task_tell")
    assert (play.status, play.ends) == ("completed", ["End_reminded", "End_returned"])


def test_names_in_polish_for_the_drawing():
    drawing = (EXAMPLES / "commercial-offer.bpmn").read_bytes()
    renamed_drawing = renamed(drawing, "pl")
    graph = check(renamed_drawing).graphs[0]
    assert graph.nodes["Task_attach_offer"].name == "Dołącz ofertę handlową"
    assert renamed(drawing, "en").count(b'name="Attach the commercial offer"') == 1
