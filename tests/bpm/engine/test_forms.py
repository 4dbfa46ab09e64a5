"""Forms, operations and attributes as they are read from our own and from kindred extension elements."""

from bpm.engine.dryrun import dry_run
from bpm.engine.model import Argument, Choice, Field, Form, Graph, Operation, Outcome
from tests.factories.diagrams import codes, element, end, flow, graph_of, process, service, start, user, xor

OWN = """<extensionElements><crm:form>
  <crm:field key="offer" label="Offer" labelPl="Oferta" type="file" required="true" bind="deal.files:offer"
             help="PDF" helpPl="Plik PDF"/>
  <crm:field key="size" type="choice" readonly="true">
    <crm:choice value="s" label="Small" labelPl="Mała"/><crm:choice value="l"/>
  </crm:field>
  <crm:outcome key="agree" label="Agree" labelPl="Uzgodnij"/>
  <crm:outcome key="return" label="Return" style="danger" comment="required" fields="optional"/>
</crm:form></extensionElements>"""

KINDRED = """<extensionElements><camunda:formData>
  <camunda:formField id="size" label="Size" type="enum">
    <camunda:value id="s" name="Small"/><camunda:value id="l" name="Large"/>
    <camunda:validation><camunda:constraint name="required"/></camunda:validation>
  </camunda:formField>
  <camunda:formField id="count" type="long" defaultValue="3"/>
  <camunda:formField id="ok" type="boolean">
    <camunda:validation><camunda:constraint name="readonly"/></camunda:validation>
  </camunda:formField>
</camunda:formData></extensionElements>"""


def test_own_form():
    graph = graph_of(start(), user("u", OWN), end(), flow("s > u > e"))
    assert graph.nodes["u"].form == Form(
        fields=(
            Field(
                "offer",
                "Offer",
                {"pl": "Oferta"},
                "file",
                True,
                False,
                "deal.files:offer",
                "PDF",
                {"pl": "Plik PDF"},
            ),
            Field(
                "size",
                type="choice",
                readonly=True,
                choices=(Choice("s", "Small", {"pl": "Mała"}), Choice("l", "l")),
            ),
        ),
        outcomes=(
            Outcome("agree", "Agree", {"pl": "Uzgodnij"}),
            Outcome("return", "Return", style="danger", comment="required", fields="optional"),
        ),
    )


def test_kindred_form_assignee_groups_and_due():
    node = graph_of(
        start(),
        element("userTask", "u", KINDRED, camunda_assignee="${deal.owner}", camunda_candidateGroups="a, b",
                camunda_dueDate="P1D"),
        flow("s > u"),
    ).nodes["u"]  # fmt: skip
    assert node.form == Form(
        fields=(
            Field(
                "size",
                "Size",
                type="choice",
                required=True,
                choices=(Choice("s", "Small"), Choice("l", "Large")),
            ),
            Field("count", "count", type="number", default="3"),
            Field("ok", "ok", type="bool", readonly=True),
        )
    )
    assert (node.assignee, node.candidate_groups, node.due) == ("${deal.owner}", ("a", "b"), "P1D")


def test_operation():
    inner = (
        '<extensionElements><crm:input name="field" value="amount"/><crm:input name="value">${n}</crm:input>'
        '<crm:output name="old" variable="before"/></extensionElements>'
    )
    node = graph_of(start(), service("j", inner, operation="deals.set_field"), flow("s > j")).nodes["j"]
    assert node.operation == Operation(
        "deals.set_field",
        "1",
        (Argument("field", "amount"), Argument("value", "${n}")),
        (Argument("old", "before"),),
    )


def test_names_in_polish_and_the_kind_of_record():
    from bpm.engine.reading import read
    from tests.factories.diagrams import document

    graph = read(
        document(
            process(
                user("u", name="Ask", crm_namePl="Zapytaj"), crm_object="deals.deal", name="N", crm_namePl="Ń"
            )
        )
    ).graphs[0]
    assert (graph.name, graph.names, graph.object) == ("N", {"pl": "Ń"}, "deals.deal")
    assert graph.nodes["u"].names == {"pl": "Zapytaj"}
    assert graph.start == "u"


def test_graph_survives_json():
    graph = graph_of(start(), user("u", OWN), service("j"), end(), flow("s > u > j > e", "n > 1", "way"))
    assert Graph.from_json(graph.to_json()) == graph
    form = graph.nodes["u"].form
    assert Form.from_json(form.to_json()) == form


def test_what_a_start_form_asks_is_known_to_conditions():
    fields = (
        "<extensionElements><camunda:formData>"
        '<camunda:formField id="n" type="long"/></camunda:formData></extensionElements>'
    )
    parts = (
        start("s", fields),
        xor("x", default="x-a"),
        end("a"),
        end("b"),
        flow("s > x > a"),
        flow("x > b", "n > 5"),
    )
    assert codes(*parts) == []
    assert {dry_run(graph_of(*parts), seed).visited[-1] for seed in range(9)} == {"a", "b"}
