"""What processes tell the frame and the deals: kind, rights, menu, inbox, panels, events and gates."""

from __future__ import annotations

from django.db.models import Count, Exists, Subquery
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from bpm.definitions import may_publish
from bpm.gates import describe_gates, list_guards
from bpm.inbox import open_count
from bpm.models import ProcessInstance
from bpm.pages import PANELS, first_tasks
from bpm.triggers import offered_on
from counterparties.matching.registry import Pointer, register_pointer
from crm.history.kinds import EventKind, Group, register_event
from crm.notify.notices import Notice, register_notice
from crm.people.access import kind_label
from crm.people.kinds import RecordKind, register_kind
from crm.people.models import User
from crm.web.registry import (
    CardAction,
    HomeBlock,
    MenuEntry,
    Panel,
    TopbarSlot,
    register_card_action,
    register_home,
    register_menu,
    register_panel,
    register_topbar,
)
from deals.gates import register_gate_describer, register_guard_lister

RIGHTS = (
    ("publish", _("publish processes and bind them to stages")),
    ("operate", _("retry, skip, move, suspend and call off runs")),
)

EVENTS = (
    EventKind("process_started", _("started the process “%(process)s”"), "diagram-3", Group.PROCESS, "blue"),
    EventKind("process_ended", _("The process “%(process)s” ended"), "flag", Group.PROCESS, "grey"),
    EventKind(
        "process_held",
        _("The process “%(process)s” is held up"),
        "exclamation-triangle",
        Group.PROCESS,
        "red",
    ),
    EventKind(
        "process_retried",
        _("tried a step of the process “%(process)s” again"),
        "arrow-repeat",
        Group.PROCESS,
        "blue",
    ),
    EventKind(
        "process_skipped",
        _("left out “%(step)s” in the process “%(process)s”"),
        "skip-forward",
        Group.PROCESS,
        "amber",
    ),
    EventKind(
        "process_moved",
        _("took the process “%(process)s” from “%(step)s” to “%(to)s”"),
        "signpost-2",
        Group.PROCESS,
        "amber",
    ),
    EventKind(
        "process_variable_set",
        _("changed “%(variable)s” in the process “%(process)s”"),
        "pencil-square",
        Group.PROCESS,
        "amber",
    ),
    EventKind(
        "process_suspended", _("suspended the process “%(process)s”"), "pause-circle", Group.PROCESS, "amber"
    ),
    EventKind("process_resumed", _("resumed the process “%(process)s”"), "play-fill", Group.PROCESS, "blue"),
    EventKind(
        "process_cancelled", _("called off the process “%(process)s”"), "slash-circle", Group.PROCESS, "red"
    ),
    EventKind("process_task_done", _("did “%(task)s”"), "check2-square", Group.PROCESS, "green"),
    EventKind(
        "process_task_answered", _("answered “%(task)s”: %(answer)s"), "check2-square", Group.PROCESS, "green"
    ),
    EventKind(
        "process_task_done_for", _("did “%(task)s” for %(user)s"), "check2-square", Group.PROCESS, "green"
    ),
    EventKind(
        "process_task_answered_for",
        _("answered “%(task)s” for %(user)s: %(answer)s"),
        "check2-square",
        Group.PROCESS,
        "green",
    ),
    EventKind(
        "process_task_given", _("gave “%(task)s” to %(user)s"), "arrow-left-right", Group.PROCESS, "blue"
    ),
    EventKind(
        "process_task_overdue", _("“%(task)s” is overdue; %(user)s was told"), "alarm", Group.PROCESS, "red"
    ),
    EventKind("process_task_commented", _("said about “%(task)s”"), "chat-left-text", Group.PROCESS, "grey"),
    EventKind("process_file_attached", _("attached “%(file)s”"), "paperclip", Group.FILE, "grey"),
)


def register() -> None:
    register_pointer(Pointer(ProcessInstance))
    register_kind(
        RecordKind(
            model=ProcessInstance, name=_("run of a process"), plural=_("runs of processes"), icon="diagram-3",
            detail_url="bpm:instance_detail", rights=RIGHTS,
        )
    )  # fmt: skip
    register_event(*EVENTS)
    register_notice(
        Notice("bpm.task", _("A process gives me a task"), "check2-square", mail="hourly"),
        Notice("bpm.due", _("A task of mine in a process is due"), "alarm", mail="hourly"),
        Notice("bpm.overdue", _("A task of my people in a process is overdue"), "alarm", mail="hourly"),
        Notice("bpm.comment", _("Somebody comments on a task of mine"), "chat-left-text"),
        Notice("bpm.message", _("A process sends me a message"), "diagram-3", mail="hourly"),
        Notice("bpm.retried", _("The held runs I tried again are done"), "arrow-repeat"),
        Notice("bpm.incident", _("A process I published is held up"), "exclamation-triangle", mail="now"),
    )
    register_gate_describer(describe_gates)
    register_guard_lister(list_guards)
    register_menu(
        MenuEntry(
            "tasks", _("Tasks"), "inbox", "bpm:task_list", 80, kind="bpm.processinstance", counter=open_count
        )
    )
    register_menu(
        MenuEntry("processes", _("Processes"), "diagram-3", "bpm:instance_list", 110, allowed=may_follow)
    )
    register_topbar(TopbarSlot("inbox", "bpm/_inbox_slot.html", 5))
    register_home(HomeBlock("tasks", _("My tasks"), 15, my_tasks, icon="inbox"))
    register_card_action(
        CardAction(
            "start", _("Start a process"), "play-circle", 20, url_name="bpm:run_offers", allowed=may_start
        )
    )
    for kind, url_name in PANELS.items():
        register_panel(
            Panel(
                kind, "processes", _("Processes"), 60, url_name, count=count_runs, kind="bpm.processinstance"
            )
        )


def may_follow(user) -> bool:
    """Heads and administrators find all runs in one place; everybody else finds them on the cards."""
    return user.access.may(ProcessInstance, "operate") or may_publish(user)


def count_runs(record, user) -> int:
    """The runs on a card the user sees."""
    return _on_card(record, user)[0]


def may_start(user, card: str, record) -> bool:
    """Whether there is anything the user may start on the card by hand."""
    return card in PANELS and user.access.may(ProcessInstance, "view") and _on_card(record, user)[1]


def _on_card(record, user) -> tuple[int, bool]:
    """How many runs there are and whether anything may be started: one query for both, once a request."""
    kind, known = kind_label(type(record)), user.__dict__.setdefault("_processes_on_cards", {})
    if (kind, record.pk) not in known:
        runs = ProcessInstance.objects.filter(record_kind=kind, record_id=record.pk).order_by()
        count = runs.values("record_id").annotate(count=Count("pk")).values("count")
        row = (
            User.objects.filter(pk=user.pk)
            .values_list(Subquery(count), Exists(offered_on(record, user)))
            .get()
        )
        known[kind, record.pk] = (row[0] or 0, row[1])
    return known[kind, record.pk]


def my_tasks(request) -> str:
    """The first lines of the inbox, on "My day"."""
    rows = first_tasks(request.user, 6)
    if not rows:
        return ""
    return render_to_string("bpm/_my_tasks.html", {"rows": rows, "total": open_count(request.user)}, request)
