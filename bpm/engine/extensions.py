"""What the extension elements and attributes of a diagram say: ours, and those of Camunda and its kin."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]

from bpm.engine.model import CRM_NAMESPACE, Argument, Choice, Field, Form, Operation, Outcome

KINDRED = (
    "http://camunda.org/schema/1.0/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
    "http://flowable.org/bpmn",
    "http://activiti.org/bpmn",
    "http://www.flowable.org/bpmn",
    "http://www.activiti.org/bpmn",
)
ZEEBE = "http://camunda.org/schema/zeebe/1.0"

FIELD_TYPES = ("text", "number", "money", "date", "choice", "bool", "user", "file")
_KINDRED_TYPES = {
    "string": "text", "long": "number", "int": "number", "integer": "number", "double": "number",
    "boolean": "bool", "date": "date", "enum": "choice",
}  # fmt: skip
_FOREIGN_CALLS = ("class", "delegateExpression", "expression", "topic", "type", "decisionRef", "resource")
MAX_NAME = 500


def short(text: str | None) -> str:
    """A name or label on one line, of bounded length."""
    return " ".join((text or "").split())[:MAX_NAME]


def crm(element: etree._Element, name: str) -> str:
    return (element.get(f"{{{CRM_NAMESPACE}}}{name}") or "").strip()


def kindred(element: etree._Element, name: str) -> str:
    values = (element.get(f"{{{namespace}}}{name}") for namespace in KINDRED)
    return next((value.strip() for value in values if value), "")


def zeebe(element: etree._Element, part: str, name: str) -> str:
    """An attribute of one of the extension elements of Camunda 8."""
    values = (child.get(name) for child in extended(element) if child.tag == f"{{{ZEEBE}}}{part}")
    return next((value.strip() for value in values if value), "")


def translated(element: etree._Element, name: str) -> dict[str, str]:
    """{"pl": …} from an attribute such as crm:namePl, or labelPl on our own elements."""
    value = short(crm(element, f"{name}Pl") or element.get(f"{name}Pl"))
    return {"pl": value} if value else {}


def extended(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        if etree.QName(child).localname == "extensionElements":
            yield from child


def own(parent: etree._Element | Iterator[etree._Element], name: str) -> Iterator[etree._Element]:
    return (child for child in parent if child.tag == f"{{{CRM_NAMESPACE}}}{name}")


def kin(parent: etree._Element | Iterator[etree._Element], name: str) -> Iterator[etree._Element]:
    tags = {f"{{{namespace}}}{name}" for namespace in KINDRED}
    return (child for child in parent if child.tag in tags)


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in ("true", "1", "yes")


def read_form(element: etree._Element) -> Form | None:
    """The form of a user task: crm:form, else camunda:formData."""
    for form in own(extended(element), "form"):
        outcomes = [*own(form, "outcome"), *own(extended(element), "outcome")]
        return Form(
            tuple(_field(each) for each in own(form, "field")), tuple(_outcome(each) for each in outcomes)
        )
    loose = tuple(_outcome(each) for each in own(extended(element), "outcome"))
    if loose:
        return Form(outcomes=loose)
    for form in kin(extended(element), "formData"):
        return Form(tuple(_kindred_field(each) for each in kin(form, "formField")))
    properties = tuple(_kindred_field(each) for each in kin(extended(element), "formProperty"))
    return Form(properties) if properties else None


def _field(element: etree._Element) -> Field:
    return Field(
        key=short(element.get("key")),
        label=short(element.get("label")),
        labels=translated(element, "label"),
        type=short(element.get("type")) or "text",
        required=_is_true(element.get("required")),
        readonly=_is_true(element.get("readonly")),
        bind=short(element.get("bind")),
        help=short(element.get("help")),
        helps=translated(element, "help"),
        choices=tuple(_choice(each, "value", "label") for each in own(element, "choice")),
        default=short(element.get("default")),
    )


def _choice(element: etree._Element, value: str, label: str) -> Choice:
    key = short(element.get(value))
    return Choice(value=key, label=short(element.get(label)) or key, labels=translated(element, "label"))


def _outcome(element: etree._Element) -> Outcome:
    style = short(element.get("style"))
    return Outcome(
        key=short(element.get("key")),
        label=short(element.get("label")) or short(element.get("key")),
        labels=translated(element, "label"),
        style=style if style in ("primary", "danger", "secondary") else "secondary" if style else "primary",
        comment="required" if element.get("comment") == "required" else "",
        fields="optional" if element.get("fields") == "optional" else "",
    )


def _kindred_field(element: etree._Element) -> Field:
    rules = [rule.get("name") for part in kin(element, "validation") for rule in kin(part, "constraint")]
    kind = short(element.get("type")) or "string"
    return Field(
        key=short(element.get("id")),
        label=short(element.get("label") or element.get("name")) or short(element.get("id")),
        type=_KINDRED_TYPES.get(kind, kind),
        required=_is_true(element.get("required")) or "required" in rules,
        readonly="readonly" in rules,
        choices=tuple(_choice(each, "id", "name") for each in kin(element, "value")),
        default=short(element.get("defaultValue") or element.get("default")),
    )


def read_operation(element: etree._Element) -> Operation | None:
    name = crm(element, "operation")
    if not name:
        return None
    inputs = tuple(
        Argument(short(each.get("name")), each.get("value") or (each.text or "").strip())
        for each in own(extended(element), "input")
    )
    outputs = tuple(
        Argument(short(each.get("name")), short(each.get("variable")))
        for each in own(extended(element), "output")
    )
    return Operation(short(name), crm(element, "operationVersion") or "1", inputs, outputs)


def foreign_call(element: etree._Element) -> str:
    """How another engine's service task names its program, if it does."""
    for name in _FOREIGN_CALLS:
        if value := kindred(element, name):
            return short(f"{name} {value}")[:80]
    kind = zeebe(element, "taskDefinition", "type")
    return short(f"type {kind}")[:80] if kind else ""


def groups(text: str) -> tuple[str, ...]:
    return tuple(short(part) for part in text.split(",") if part.strip())
