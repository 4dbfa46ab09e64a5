"""What the pages of the inbox show, gathered with a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from bpm import inbox
from bpm.engine.model import Form
from bpm.engine.values import decode
from bpm.forms import TaskForm, spoken
from bpm.handover import can_give_back, may_give, talk_of
from bpm.models import ProcessEvent, TaskStatus, UserTask
from crm.money.format import show_money
from crm.people.fields import ATTRIBUTE, mask
from crm.people.kinds import kind_named, visible_pairs
from crm.web.htmx import wants_fragment
from deals.models import Deal

PAGE = 50
PANELS = {
    "deals.deal": "bpm:deal_processes",
    "leads.lead": "bpm:lead_processes",
    "counterparties.counterparty": "bpm:counterparty_processes",
    "counterparties.contact": "bpm:contact_processes",
}
"""The kinds of record that processes run on, each with the URL name of its panel."""


@dataclass
class TaskRow:
    """One line of the inbox."""

    task: UserTask
    record: object
    is_overdue: bool
    for_whom: str = ""


def inbox_page(user, params) -> dict:
    """The inbox in one of its tabs; `after` continues a long one."""
    show = params.get("show") if params.get("show") in ("role", "delegated", "done") else "mine"
    rows = _inbox_rows(user, show)
    after = params.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
    tasks = list(rows[start : start + PAGE + 1])
    query = f"?show={show}&after={start + PAGE}" if len(tasks) > PAGE else ""
    return {
        "rows": _with_records(user, tasks[:PAGE]),
        "tabs": _tabs(user, show),
        "show": show,
        "next_url": query,
    }


def first_tasks(user, count: int) -> list[TaskRow]:
    """The most urgent of what waits for the user. Two queries."""
    tasks = UserTask.objects.open().for_user(user).select_related("instance", "assignee", "on_behalf_of")
    return _with_records(user, list(tasks.order_by("due_at", "id")[:count]))


def _inbox_rows(user, show: str):
    rows = UserTask.objects.visible_to(user).select_related(
        "instance__version__definition", "assignee", "candidate_role", "done_by", "on_behalf_of"
    )
    if show == "done":
        return rows.filter(status=TaskStatus.DONE, done_by=user).order_by("-done_at", "-id")
    if show == "delegated":
        return rows.open().filter(on_behalf_of=user).exclude(assignee=user).order_by("due_at", "id")
    if show == "role":
        return (
            rows.open()
            .filter(assignee=None, candidate_role__in=user.roles.values("pk"))
            .order_by("due_at", "id")
        )
    mine = Q(assignee=user)
    if user.access.stands_in_for:
        mine |= Q(pk__in=UserTask.objects.open().offered(user).values("pk"))
    return rows.open().filter(mine).order_by("due_at", "id")


def _tabs(user, show: str) -> list[dict]:
    names = [
        ("mine", _("Mine"), "person"), ("role", _("My role's"), "people"),
        ("delegated", _("Delegated"), "arrow-left-right"), ("done", _("Done"), "check2"),
    ]  # fmt: skip
    return [
        {"url": f"?show={key}", "label": label, "icon": icon, "current": key == show, "count": None}
        for key, label, icon in names
    ]


def _with_records(user, tasks: list[UserTask]) -> list[TaskRow]:
    records = visible_pairs(user, [(task.instance.record_kind, task.instance.record_id) for task in tasks])
    now = timezone.now()
    return [
        TaskRow(
            task, records.get((task.instance.record_kind, task.instance.record_id)),
            bool(task.is_open and task.due_at and task.due_at < now), _for_whom(user, task),
        )
        for task in tasks
    ]  # fmt: skip


def _for_whom(user, task: UserTask) -> str:
    """On whose behalf the reader has the task: a colleague delegated it, or is away."""
    is_away = task.is_open and task.assignee_id in user.access.stands_in_for
    if is_away and task.on_behalf_of:
        return _("for %(user)s; %(away)s is away") % {"user": task.on_behalf_of, "away": task.assignee}
    if task.on_behalf_of_id not in (None, user.pk):
        return _("for %(user)s") % {"user": task.on_behalf_of}
    if is_away:
        return _("for %(user)s, who is away") % {"user": task.assignee}
    return ""


# One task


@dataclass
class Button:
    """A way to complete a task."""

    key: str
    label: str
    style: str
    needs_comment: bool = False


def form_of(task: UserTask) -> Form:
    return Form.from_json(task.form)


def buttons_of(task: UserTask, form: Form) -> list[Button]:
    """The outcomes as buttons, the main one first; a task without outcomes is simply done."""
    found = [
        Button(each.key, spoken(each.label or each.key, each.labels), each.style, each.comment == "required")
        for each in form.outcomes
    ]
    return found or [Button("", _("Done"), "primary")]


def task_page(request, task: UserTask, form: TaskForm) -> dict:
    """The task, its form for the holder, and the card it is about."""
    record = record_of(task.instance)
    mask(request.user, [record])
    free = task.assignee_id is None
    holds = inbox.is_holder(request.user, task)
    return {
        "task": task,
        **hands_of(request.user, task, record, holds),
        "form": form,
        "record": record,
        "facts": facts_of(record),
        "record_url": record_url(task.instance),
        "can_do": task.is_open and holds,
        "draft_stamp": inbox.draft_stamp(task),
        "can_claim": task.is_open and free,
        "buttons": buttons_of(task, form.snapshot),
        "closed_text": "" if task.is_open else inbox.closed_text(task),
        "answers": shown_answers(task, form.snapshot),
        "in_dialog": wants_fragment(request),
        "back": way_back(request),
    }


def hands_of(user, task: UserTask, record, holds: bool) -> dict:
    """In whose hands the task is, what was said of it, and whether the reader may pass it on."""
    is_delegated = task.on_behalf_of_id is not None
    return {
        "stands_in": task.is_open and holds and task.assignee_id not in (None, user.pk),
        "is_delegated": is_delegated,
        "can_return": task.is_open and can_give_back(task) and (holds or task.on_behalf_of_id == user.pk),
        "can_give": task.is_open and not holds and may_give(user, task, record),
        "talk": [(event, talk_sentence(event)) for event in talk_of(task)],
    }


def talk_sentence(event: ProcessEvent) -> str:
    """What was done with the task, without the words that were said."""
    return {
        "task_claimed": _("took the task"),
        "task_delegated": _("delegated the task to %(holder)s"),
        "task_given": _("gave the task to %(holder)s"),
        "task_given_back": _("gave the task back to %(holder)s"),
    }.get(event.kind, "") % {"holder": event.data.get("holder", "")}


def way_back(request) -> str:
    """Where the person came from to do the task, else the inbox."""
    url = request.POST.get("next") or request.headers.get("Referer", "")
    path = url if url.startswith("/") else url.partition(request.get_host())[2]
    own = path.startswith(reverse("bpm:task_list")) or path.startswith("/accounts/")
    safe = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()})
    return path if safe and not own else reverse("bpm:task_list")


def record_of(instance):
    """The card with what its facts need, in one query."""
    if instance.record_kind == "deals.deal":
        rows = Deal.objects.select_related("counterparty", "stage", "owner", "currency", "deal_type")
        return rows.filter(pk=instance.record_id).first()
    return instance.record()


def record_url(instance) -> str:
    kind = kind_named(instance.record_kind)
    return kind.url(instance.record_id) if kind else ""


def seen_variables(user, task: UserTask) -> dict:
    """The run's variables as the form of a task may show them to `user`: without his hidden fields."""
    variables = decode(task.instance.variables)
    label = task.instance.record_kind
    hidden, name = user.access.hidden_fields(label), label.rpartition(".")[2]
    if hidden and isinstance(variables.get(name), dict):
        facts = variables[name].items()
        variables[name] = {
            key: value for key, value in facts if key not in hidden and f"{ATTRIBUTE}{key}" not in hidden
        }
    return variables


def facts_of(record) -> list[tuple[str, object]]:
    """The card in a few lines."""
    if not isinstance(record, Deal):
        return []
    amount = show_money(record.amount, record.currency_id) if record.amount is not None else ""
    return [
        (_("Counterparty"), record.counterparty.name),
        (_("Amount"), amount),
        (_("Stage"), str(record.stage)),
        (_("Owner"), str(record.owner or "")),
        (_("Close date"), record.close_date or ""),
    ]


def shown_answers(task: UserTask, form: Form) -> list[tuple[str, object]]:
    """What was answered, for a task that is done."""
    if task.is_open:
        return []
    values, found = decode(task.values), []
    for asked in form.fields:
        value = values.get(asked.key)
        if isinstance(value, dict):
            value = value.get("name", "")
        if isinstance(value, bool):
            value = _("yes") if value else _("no")
        found.append((spoken(asked.label or asked.key, asked.labels), value))
    chosen = next((each for each in form.outcomes if each.key == task.outcome), None)
    if chosen:
        found.insert(0, (_("Answer"), spoken(chosen.label or chosen.key, chosen.labels)))
    return [*found, (_("Comment"), task.comment)]


def answers_of(form: TaskForm, task: UserTask) -> dict:
    """The service's arguments; a closed task needs none, since the service refuses it."""
    if not task.is_open:
        return {}
    return {"values": form.answers(), "files": form.uploads(), "comment": form.comment()}


def add_errors(form: TaskForm, error: ValidationError) -> None:
    """A service's refusal beside the question it is about, else above the form."""
    if not form.is_bound:
        return
    form.is_valid()
    if hasattr(error, "error_dict"):
        for name, errors in error.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, error)
