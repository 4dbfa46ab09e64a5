"""SpiffWorkflow plays the same generated diagrams: what waits after every step, what was visited, and the end.

It is a second opinion for development only; the product neither needs nor ships it. Where the two differ the
standard decides, and the test says so. Its inclusive join fires by its own reading, so the two are compared on
drawings where both ways of an inclusive split meet again (13.4.3 leaves no choice there).
"""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.factories.blocks import PLAIN_BLOCKS, drawn
from tests.factories.diagrams import Player, diagram, end, flow, graph_of, start, user

parsing = pytest.importorskip("SpiffWorkflow.bpmn.parser")
workflow = pytest.importorskip("SpiffWorkflow.bpmn.workflow")
tasks = pytest.importorskip("SpiffWorkflow.util.task")


class Other:
    """The other engine, played by the names of its nodes."""

    def __init__(self, data):
        parser = parsing.BpmnParser()
        parser.add_bpmn_xml(
            etree.fromstring(data.replace(b'<process id="p"', b'<process id="p" isExecutable="true"'))
        )
        self.run = workflow.BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
        self.run.task_tree.data["n"] = 1
        self.run.do_engine_steps()

    def ready(self):
        return {
            each.task_spec.bpmn_id: each
            for each in self.run.get_tasks(state=tasks.TaskState.READY, manual=True)
        }

    def done(self, name):
        self.ready()[name].run()
        self.run.do_engine_steps()

    def visited(self):
        found = [each.task_spec.bpmn_id for each in self.run.get_tasks(state=tasks.TaskState.COMPLETED)]
        return Counter(name for name in found if name)


def ours(play):
    return sorted(node for node, kind in play.waiting if kind == "task")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(PLAIN_BLOCKS, st.integers(0, 10_000))
def test_both_engines_agree_step_by_step(block, seed):
    random = Random(seed)
    parts = drawn(block, conditions=True)
    play, other = Player(graph_of(*parts), n=1), Other(diagram(*parts))
    while ours(play):
        assert ours(play) == sorted(other.ready())
        name = random.choice(ours(play))
        play.done(name)
        other.done(name)
    assert play.status == "completed"
    assert other.run.is_completed()
    joins = {node.id for node in play.graph.node_list if len(node.incoming) > 1}
    mine = Counter(node for node in play.visited if node not in joins)
    theirs = Counter({node: count for node, count in other.visited().items() if node not in joins})
    assert mine == theirs


def test_where_they_differ_the_standard_decides():
    """10.3.1: a condition on a flow out of a task counts; the other engine takes the flow although it is not met."""
    parts = (start(), user("u"), end("a"), flow("s > u"), flow("u > a", "n > 5"))
    play, other = Player(graph_of(*parts), n=1), Other(diagram(*parts))
    play.done("u")
    other.done("u")
    assert play.waiting == [("u", "incident")]
    assert other.run.is_completed()
