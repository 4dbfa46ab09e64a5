"""What the pages of runs show: the steps, the marks on the diagram, the log, and what an operator may do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from bpm import variables
from bpm.control import may_operate
from bpm.definitions import may_publish
from bpm.engine.model import Graph, Node
from bpm.engine.moving import is_movable
from bpm.engine.phrases import Phrase
from bpm.engine.state import State
from bpm.engine.values import decode
from bpm.forms import RunFilterForm, spoken
from bpm.models import (
    OPEN_INSTANCE,
    InstanceStatus,
    NodeRun,
    NodeStatus,
    ProcessEvent,
    ProcessInstance,
    graph_of,
)
from bpm.pages import facts_of, record_of, record_url
from bpm.retrying import OUTCOMES, counts_of, held_runs, may_retry
from bpm.sentences import Helpers, helpers_of, moment, sentence_of, times_of, until_of, url_of
from crm.jobs.models import Job
from crm.people.fields import mask
from crm.people.kinds import visible_pairs

PAGE = 50
SHOWN_STEPS, SHOWN_EVENTS = 200, 200


@dataclass
class Step:
    """One visit in the table of a run. `who`: whom it waits for, or who did it."""

    token: int
    node: str
    label: str
    status: str
    shown_status: str
    since: datetime
    until: datetime | None
    who: str = ""
    target: str = ""
    reason: str = ""
    comment: str = ""
    ways: list = field(default_factory=list)
    task_id: int | None = None
    sentence: str = ""
    is_movable: bool = False

    @property
    def is_held(self) -> bool:
        return self.status == NodeStatus.INCIDENT

    @property
    def since_text(self) -> str:
        return times_of(self.since, self.until)

    @property
    def is_open(self) -> bool:
        return self.status in (NodeStatus.ACTIVE, NodeStatus.INCIDENT)


def node_name(node: Node) -> str:
    return spoken(node.label, node.names)


def run_page(request, instance: ProcessInstance) -> dict:
    """Everything on the page of one run."""
    graph, record = graph_of(instance.version), record_of(instance)
    mask(request.user, [record])
    steps = steps_of(instance, graph)
    events = events_of(instance, graph, with_values=may_publish(request.user))
    return {
        "instance": instance,
        "definition": instance.version.definition,
        "record": record,
        "record_url": record_url(instance),
        "facts": facts_of(record),
        "steps": steps,
        "waiting": [step for step in steps if step.is_open],
        "marks": json.dumps(marks_of(steps, graph), ensure_ascii=False),
        "names": json.dumps(names_of(graph), ensure_ascii=False),
        "events": events,
        "suspended": suspended_text(instance, events) if instance.is_suspended else "",
        "can_operate": (operates := may_operate(request.user, instance, record)),
        "variables": variables.shown_variables(instance) if may_publish(request.user) else None,
        "can_change_variables": operates and may_publish(request.user) and instance.is_open,
    }


def label_of_token(instance: ProcessInstance, token: int) -> str:
    """The name of the step on which the token stands, empty when it is gone."""
    places = {each["id"]: each["node"] for each in instance.state.get("tokens", ())}
    node = graph_of(instance.version).nodes.get(places.get(token, ""))
    return node_name(node) if node else ""


def steps_of(instance: ProcessInstance, graph: Graph) -> list[Step]:
    """The visits, the oldest first; boundary timers that only watch are left out."""
    rows = NodeRun.objects.filter(instance=instance).select_related(
        "task__assignee", "task__candidate_role", "task__done_by"
    )
    state = State.from_json(instance.state, {}) if instance.state else State()
    visits = sorted(rows.order_by("-token")[:SHOWN_STEPS], key=lambda row: row.token)
    helpers = helpers_of([instance])
    return [_step(visit, graph.nodes[visit.node], state, helpers) for visit in visits]


def _step(visit: NodeRun, node: Node, state: State, helpers: Helpers) -> Step:
    token = state.tokens.get(visit.token)
    wait = token.wait if token else None
    ways = ways_of(node) if wait else []
    step = Step(
        visit.token, visit.node, node_name(node), visit.status, visit.get_status_display(), visit.started_at,
        visit.ended_at,
    )  # fmt: skip
    if visit.reason:
        step.reason = Phrase.from_json(visit.reason).said(_)
    step.ways = ways
    step.is_movable = is_movable(state, token)
    if step.is_open:
        step.until = until_of(wait, visit.token, state)
        step.target = url_of(visit.instance_id, visit.token, helpers)
    if task := getattr(visit, "task", None):
        step.task_id = task.pk if task.is_open else None
        step.who = str(task.done_by or "") if not task.is_open else task.holder
        step.until = task.due_at or step.until
        step.comment = task.comment
        step.target = reverse("bpm:task_detail", args=[task.pk])
    if step.is_open:
        step.sentence = sentence_of(
            visit.instance_id, visit.token, wait, step.who if step.task_id else "", helpers
        )
    return step


def ways_of(node: Node) -> list[tuple[str, str]]:
    """How an operator can have a held step end: its outcomes, or the flows out of a gateway."""
    if node.form and node.form.outcomes:
        return [(each.key, spoken(each.label or each.key, each.labels)) for each in node.form.outcomes]
    return []


def marks_of(steps: list[Step], graph: Graph) -> dict:
    """{node id: {state, lines}} for the diagram: the latest visit decides, bubbles stand on what waits."""
    marks: dict[str, dict] = {}
    for step in steps:
        mark = {"state": _MARKS.get(step.status, ""), "lines": []}
        if step.is_open:
            mark["lines"] = bubble(step)
            if step.until and step.until < localtime() and not step.is_held:
                mark["state"] = "late"
        marks[step.node] = mark
    return marks


_MARKS = {
    NodeStatus.DONE: "done",
    NodeStatus.ACTIVE: "current",
    NodeStatus.INCIDENT: "failed",
    NodeStatus.CANCELLED: "cancelled",
}


def bubble(step: Step) -> list[str]:
    """What a waiting step says on the diagram."""
    if step.is_held:
        return [_("Held up"), step.reason]
    lines = [step.sentence]
    lines.append(_("since %(when)s") % {"when": moment(step.since)})
    if step.until:
        lines.append(_("until %(when)s") % {"when": moment(step.until)})
    return lines


def names_of(graph: Graph) -> dict[str, str]:
    """The diagram's names in the reader's language, where it has them."""
    language = (get_language() or "en")[:2]
    things = (*graph.node_list, *graph.flow_list)
    return {thing.id: thing.names[language] for thing in things if language in thing.names}


# The log

SENTENCES = {
    "started": gettext_lazy("The process began (version %(version)s)"),
    "task_opened": gettext_lazy("“%(node)s” was given to %(holder)s"),
    "task_done": gettext_lazy("“%(node)s” was done"),
    "task_done_for": gettext_lazy("“%(node)s” was done for %(holder)s"),
    "task_claimed": gettext_lazy("“%(node)s” was taken"),
    "task_given": gettext_lazy("“%(node)s” was given to %(holder)s"),
    "task_delegated": gettext_lazy("“%(node)s” was delegated to %(holder)s"),
    "task_given_back": gettext_lazy("“%(node)s” was given back to %(holder)s"),
    "task_overdue": gettext_lazy("“%(node)s” is overdue; %(holder)s was told"),
    "task_commented": gettext_lazy("“%(node)s”: %(text)s"),
    "task_withdrawn": gettext_lazy("“%(node)s” was withdrawn"),
    "job_started": gettext_lazy("“%(node)s”: %(operation)s was called"),
    "timer_set": gettext_lazy("“%(node)s” waits for its time"),
    "awaits": gettext_lazy("“%(node)s” waits to hear “%(name)s”"),
    "sent": gettext_lazy("“%(node)s” sent “%(name)s”"),
    "called": gettext_lazy("“%(node)s” started the process “%(process)s”"),
    "escalated": gettext_lazy("“%(node)s” called for help"),
    "incident": gettext_lazy("“%(node)s” is held up: %(reason)s"),
    "retried": gettext_lazy("A held step was tried again"),
    "skipped": gettext_lazy("A step was left out: %(reason)s"),
    "moved": gettext_lazy("The run was taken from “%(node)s” to “%(to)s”: %(reason)s"),
    "variable_set": gettext_lazy("The variable “%(name)s” was changed: %(reason)s"),
    "suspended": gettext_lazy("The run was suspended: %(reason)s"),
    "resumed": gettext_lazy("The run was resumed"),
    "cancelled": gettext_lazy("The run was called off. %(reason)s"),
    "held": gettext_lazy("A step failed in every attempt: %(message)s"),
    "chain_held": gettext_lazy(
        "Held before its first step: %(depth)s processes have started each other in a row"
    ),
    "ended": gettext_lazy("The end “%(node)s” was reached"),
    "finished": gettext_lazy("The run is over"),
}


_PLACES = ("holder", "reason", "message", "version", "operation", "name", "process", "text", "to", "depth")


def events_of(
    instance: ProcessInstance, graph: Graph, *, with_values: bool
) -> list[tuple[ProcessEvent, str]]:
    """The log in sentences, the newest first; what variables were and are only `with_values`."""
    rows = ProcessEvent.objects.filter(instance=instance, kind__in=SENTENCES).select_related("actor")
    return [(event, _sentence(event, graph, with_values)) for event in rows.order_by("-seq")[:SHOWN_EVENTS]]


def suspended_text(instance: ProcessInstance, events: list[tuple[ProcessEvent, str]]) -> str:
    """Who suspended the run, when and why, and how much waits with it."""
    event, text = next(each for each in events if each[0].kind == "suspended")
    text = f"{text} · {event.actor}, {moment(event.at)}."
    count = len(instance.parked)
    if count:
        waiting = ngettext("%(count)s event waits for it.", "%(count)s events wait for it.", count)
        text = f"{text} {waiting % {'count': count}}"
    return text


def _sentence(event: ProcessEvent, graph: Graph, with_values: bool) -> str:
    values = dict.fromkeys(_PLACES, "") | event.data
    if isinstance(values["reason"], dict):
        values["reason"] = Phrase.from_json(values["reason"]).said(_)
    places = {"node": _name(graph, event.node), "to": _name(graph, values["to"])}
    text = str(SENTENCES[event.kind]) % (values | places)
    if event.kind == "variable_set" and with_values:
        old, new = (variables.shown(decode(values[each])) for each in ("old", "new"))
        text += f" ({old or '–'} → {new or '–'})"
    return text


def _name(graph: Graph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    return node_name(node) if node else node_id


# The list

TABS = {
    "open": OPEN_INSTANCE,
    "held": (InstanceStatus.INCIDENT,),
    "suspended": (InstanceStatus.SUSPENDED,),
    "ended": (InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.CANCELLED),
    "all": tuple(InstanceStatus),
}


def run_list(user, params) -> dict:
    """A page of the runs on records the user sees, the newest first."""
    show = params.get("show") if params.get("show") in TABS else "open"
    form = RunFilterForm(params)
    form.is_valid()
    process, cause = form.cleaned_data.get("process"), form.cleaned_data.get("cause", "")
    rows = ProcessInstance.objects.visible_to(user).filter(status__in=TABS[show])
    if process:
        rows = rows.filter(version__definition=process)
    if show == "held":
        rows = held_runs(user, process=process and process.pk, cause=cause)
    before = params.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 16:
        rows = rows.filter(pk__lt=int(before))
    runs = list(rows.select_related("version__definition", "started_by").order_by("-id")[: PAGE + 1])
    chosen = urlencode({"process": process.pk if process else "", "cause": cause})
    query = f"show={show}&{chosen}"
    more = f"?{query}&before={runs[PAGE - 1].pk}" if len(runs) > PAGE else ""
    return {
        "rows": with_waits(user, runs[:PAGE]),
        "tabs": _tabs(show, process),
        "form": form,
        "show": show,
        "next_url": more,
        "may_publish": may_publish(user),
        "retry_query": chosen if show == "held" and runs and may_retry(user) else None,
    }


def retry_page(user, job: Job) -> dict:
    """How far a bulk retry is, and what became of each run; those not seen any more are only counted."""
    items = job.result.get("items") or job.checkpoint.get("items", [])
    rows = ProcessInstance.objects.visible_to(user).filter(
        pk__in=[pk for pk, _outcome in items[:SHOWN_STEPS]]
    )
    runs = {
        run.pk: run
        for run in rows.select_related("version__definition").defer("version__xml", "version__graph")
    }
    records = visible_pairs(user, [(run.record_kind, run.record_id) for run in runs.values()])
    lines = [
        (runs[pk], records.get((runs[pk].record_kind, runs[pk].record_id)), OUTCOMES[outcome])
        for pk, outcome in items[:SHOWN_STEPS] if pk in runs
    ]  # fmt: skip
    return {"job": job, "counts": counts_of(items), "lines": lines, "more": len(items) > SHOWN_STEPS}


def _tabs(show: str, process) -> list[dict]:
    labels = {
        "open": _("Going on"), "held": _("Held up"), "suspended": _("Suspended"), "ended": _("Ended"),
        "all": _("All"),
    }  # fmt: skip
    chosen = f"&process={process.pk}" if process else ""
    return [
        {"url": f"?show={key}{chosen}", "label": label, "current": key == show, "count": None}
        for key, label in labels.items()
    ]


@dataclass
class RunRow:
    """A run in a list: its record and what it waits for."""

    instance: ProcessInstance
    record: object
    record_url: str
    waiting: list[Step]


def with_waits(user, runs: list[ProcessInstance]) -> list[RunRow]:
    """Five queries at most, however many runs."""
    records = visible_pairs(user, [(run.record_kind, run.record_id) for run in runs])
    by_run: dict[int, list[NodeRun]] = {}
    open_visits = NodeRun.objects.filter(
        instance__in=[run.pk for run in runs if run.is_open],
        status__in=(NodeStatus.ACTIVE, NodeStatus.INCIDENT),
    )
    for visit in open_visits.select_related(
        "task__assignee", "task__candidate_role", "task__done_by"
    ).order_by("token"):
        by_run.setdefault(visit.instance_id, []).append(visit)
    helpers = helpers_of([run for run in runs if run.is_open])
    return [
        _row(run, records.get((run.record_kind, run.record_id)), by_run.get(run.pk, []), helpers)
        for run in runs
    ]


def _row(run: ProcessInstance, record, visits: list[NodeRun], helpers: Helpers) -> RunRow:
    graph = graph_of(run.version)
    state = State.from_json(run.state, {}) if run.state else State()
    return RunRow(
        run,
        record,
        record_url(run),
        [_step(visit, graph.nodes[visit.node], state, helpers) for visit in visits],
    )
