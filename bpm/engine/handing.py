"""What a diagram says of calls, repetitions and rules, and of the values that messages carry."""

from __future__ import annotations

from lxml import etree  # type: ignore[import-untyped]

from bpm.engine.extensions import crm, extended, kin, kindred, own, short, zeebe
from bpm.engine.model import BPMN_NAMESPACE, Argument, Call, Repeat

_BPMN = f"{{{BPMN_NAMESPACE}}}"


def read_inputs(element: etree._Element) -> tuple[Argument, ...]:
    """crm:input: what a thrown message or signal, or a call, hands over."""
    return tuple(
        Argument(short(each.get("name")), each.get("value") or (each.text or "").strip())
        for each in own(extended(element), "input")
    )


def read_outputs(element: etree._Element) -> tuple[Argument, ...]:
    """crm:output: what is kept of a message, or of a called process, and as which variable."""
    return tuple(
        Argument(short(each.get("name")), short(each.get("variable")))
        for each in own(extended(element), "output")
    )


def read_sets(element: etree._Element) -> tuple[Argument, ...]:
    """crm:set, or the expression and result variable of Camunda's kin: variables a rule works out.

    A start event there may name a variable for whoever starts the process.
    """
    found = tuple(
        Argument(short(each.get("variable")), each.get("value") or (each.text or "").strip())
        for each in own(extended(element), "set")
    )
    if initiator := kindred(element, "initiator"):
        return (*found, Argument(short(initiator), "${requester}"))
    result = kindred(element, "resultVariable") or kindred(element, "resultVariableName")
    expression = kindred(element, "expression")
    return found or ((Argument(short(result), expression),) if result and expression else ())


def read_key(element: etree._Element) -> str:
    """The expression that tells the receivers of a message apart."""
    return crm(element, "correlationKey") or zeebe(element, "subscription", "correlationKey")


def read_call(element: etree._Element) -> Call:
    """calledElement, or zeebe:calledElement, and the variables that go in and come out."""
    process = short(element.get("calledElement") or zeebe(element, "calledElement", "processId"))
    inputs = read_inputs(element) or tuple(_kindred_in(element))
    outputs = read_outputs(element) or tuple(_kindred_out(element))
    return Call(process, inputs, outputs)


def _kindred_in(element: etree._Element) -> list[Argument]:
    given = [each for each in kin(extended(element), "in") if each.get("target")]
    return [
        Argument(short(each.get("target")), each.get("sourceExpression") or f"${{{each.get('source')}}}")
        for each in given
    ]


def _kindred_out(element: etree._Element) -> list[Argument]:
    given = list(kin(extended(element), "out"))
    everything = [Argument("*", "*") for each in given if each.get("variables") == "all"]
    return everything or [
        Argument(short(each.get("sourceExpression") or each.get("source")), short(each.get("target")))
        for each in given
    ]


def read_repeat(element: etree._Element) -> Repeat | None:
    """The loop marker of an activity, in the words of the standard, of Camunda's kin, of Zeebe or our own."""
    loop = element.find(f"{_BPMN}standardLoopCharacteristics")
    if loop is not None:
        return Repeat(
            "standard",
            condition=_text(loop, "loopCondition"),
            test_before=loop.get("testBefore") == "true",
            maximum=loop.get("loopMaximum") or "",
        )
    loop = element.find(f"{_BPMN}multiInstanceLoopCharacteristics")
    return None if loop is None else _multi(loop)


def _multi(loop: etree._Element) -> Repeat:
    part = "loopCharacteristics"
    return Repeat(
        "multi",
        sequential=loop.get("isSequential") == "true",
        cardinality=_text(loop, "loopCardinality"),
        collection=crm(loop, "collection")
        or kindred(loop, "collection")
        or zeebe(loop, part, "inputCollection")
        or _text(loop, "loopDataInputRef"),
        element=crm(loop, "element")
        or kindred(loop, "elementVariable")
        or zeebe(loop, part, "inputElement")
        or _item(loop, "inputDataItem"),
        output=crm(loop, "outputCollection")
        or zeebe(loop, part, "outputCollection")
        or _text(loop, "loopDataOutputRef"),
        output_element=crm(loop, "outputElement")
        or zeebe(loop, part, "outputElement")
        or _item(loop, "outputDataItem"),
        condition=_text(loop, "completionCondition"),
    )


def _text(element: etree._Element, name: str) -> str:
    child = element.find(_BPMN + name)
    return "".join(str(part) for part in child.itertext()).strip() if child is not None else ""


def _item(element: etree._Element, name: str) -> str:
    child = element.find(_BPMN + name)
    return short(child.get("name") or child.get("id")) if child is not None else ""
