"""The inbox: what people are asked to do, and doing it."""

from __future__ import annotations

from functools import cache

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bpm import runner
from bpm.assigning import people_of
from bpm.effects import Gathered
from bpm.engine.advance import UnknownOutcomeError
from bpm.engine.events import StaleEventError, TaskDone
from bpm.engine.model import Form
from bpm.engine.values import encode
from bpm.models import ProcessEvent, ProcessInstance, TaskStatus, UserTask
from bpm.signals import task_completed
from crm.files.models import StoredFile
from crm.files.services import store_file
from crm.history.kinds import via_of
from crm.history.services import record_event
from crm.notify.services import publish
from crm.operations.registry import Context, OperationFailed, operation_named
from crm.people.kinds import kind_named
from crm.people.models import User
from crm.people.prepared import Prepared
from crm.people.visibility import may
from deals.models import Deal
from deals.services import record_file


class TaskClosed(ValidationError):
    """The task was done by somebody, taken by somebody else, or is no longer needed; the text says which."""


def open_count(user) -> int:
    """How many tasks wait for the user; counted once a request."""
    if not hasattr(user, "_open_tasks"):
        user._open_tasks = _count(user)
    return user._open_tasks


COUNTED_SINGLY = 200


@cache
def _own_tasks() -> Prepared:
    def build(user_id: int):
        rows = UserTask.objects.open().own(User(pk=user_id)).order_by()
        return rows.values_list("instance__record_kind", "instance__record_id")[: COUNTED_SINGLY + 1]

    return Prepared(build, 1)


def _count(user) -> int:
    """First whose tasks they are, then which of the few records he sees: the whole question is ten times dearer."""
    if user.access.stands_in_for:
        return UserTask.objects.open().for_user(user).count()
    found = _own_tasks().rows(user.pk)
    if len(found) > COUNTED_SINGLY:
        return UserTask.objects.open().for_user(user).count()
    seen = {
        (label, pk)
        for label in {label for label, _pk in found}
        if (kind := kind_named(label)) is not None and kind.facts is not None
        for pk in kind.visible(user)
        .filter(pk__in={pk for one, pk in found if one == label})
        .order_by()
        .values_list("pk", flat=True)
    }
    return sum(pair in seen for pair in found)


def is_holder(user, task: UserTask) -> bool:
    """Whether the task is his, his role's and still free, or offered to him as a substitute. One query at most."""
    if task.assignee_id == user.pk:
        return True
    if task.assignee_id:
        return stands_in(user, task)
    return task.candidate_role_id is not None and _has_role(user, task)


def stands_in(user, task: UserTask) -> bool:
    """Whether the task's assignee is away and the user does his work; see `UserTaskQuerySet.offered`."""
    own_wish = task.instance.request_id is not None and task.instance.started_by_id == user.pk
    return task.assignee_id in user.access.stands_in_for and not own_wish


def _has_role(user, task: UserTask) -> bool:
    return user.roles.filter(pk=task.candidate_role_id).exists()


@transaction.atomic
def claim_task(*, task: UserTask, by) -> UserTask:
    """Takes a role's task for oneself. Raises TaskClosed when a colleague was quicker, PermissionDenied."""
    instance, fresh = locked_task(task)
    record = instance.record()
    demand_holder(fresh, by, record)
    if fresh.assignee_id is None:
        _take(fresh, instance, record, by)
    return fresh


def _take(fresh: UserTask, instance: ProcessInstance, record, by) -> None:
    fresh.assignee = by
    fresh.save(update_fields=["assignee"])
    note(fresh, instance, record, "task_claimed", by, person=by.pk)
    runner.gates.settle(instance, runner.read_state(instance, record), by=by)
    publish(kind=runner.INBOX, users=fresh.candidate_role.users.filter(is_active=True))


@transaction.atomic
def save_draft(*, task: UserTask, typed: dict[str, str], seen: str = "", by) -> UserTask:
    """Keeps a half-filled form with the task, as it was typed; the run does not move. A role's task is taken by it.

    `seen`: the `draft_stamp` the form was filled with. Raises TaskClosed, PermissionDenied, ValidationError when a
    colleague has saved something meanwhile.
    """
    instance, fresh = locked_task(task)
    record = instance.record()
    demand_holder(fresh, by, record)
    if fresh.draft_by_id not in (None, by.pk) and draft_stamp(fresh) != seen:
        raise ValidationError(
            _("%(user)s has saved this task meanwhile. Look at it before you go on.")
            % {"user": fresh.draft_by}
        )
    if fresh.assignee_id is None:
        _take(fresh, instance, record, by)
    known = {field.key for field in Form.from_json(fresh.form).fields if field.type != "file"} | {"comment"}
    kept = {key: text.replace("\x00", "")[:5000] for key, text in typed.items() if key in known}
    fresh.draft, fresh.draft_by, fresh.draft_at = kept, by, timezone.now()
    fresh.save(update_fields=["draft", "draft_by", "draft_at"])
    return fresh


def draft_stamp(task: UserTask) -> str:
    """Which draft a form was filled with."""
    return task.draft_at.isoformat() if task.draft_at else ""


def note(task: UserTask, instance: ProcessInstance, record, kind: str, by, **data) -> None:
    """One line about the task in the run's log."""
    step = Gathered(instance, record, runner.read_state(instance, record), by, timezone.now())
    step.note(kind, task.node_run.node, task=task.pk, **data)
    step.write_log_alone()


@transaction.atomic
def complete_task(
    *, task: UserTask, outcome: str = "", values: dict | None = None, comment: str = "",
    files: dict[str, UploadedFile] | None = None, by,
) -> UserTask:  # fmt: skip
    """Does a task: keeps the answers, puts its files on the card, and lets the run take its next step.

    Raises TaskClosed when it is not open any more, PermissionDenied for somebody else's task, ValidationError for
    an answer that was not offered, a missing comment or a refused file.
    """
    instance, fresh = locked_task(task)
    record = instance.record()
    demand_holder(fresh, by, record)
    if instance.is_suspended:
        raise TaskClosed(_("The process is suspended: an operator has to let it go on first."))
    form = Form.from_json(fresh.form)
    _demand_comment(form, outcome, comment)
    answers = dict(values or {}) | _store_files(form, files or {}, instance, record, by)
    _bind(form, answers, instance, record, by)
    comment = comment.strip().replace("\x00", "")[:5000]
    fresh.status, fresh.done_by, fresh.done_at = TaskStatus.DONE, by, timezone.now()
    people_before = people_of(fresh, instance)
    if fresh.assignee_id != by.pk:
        fresh.on_behalf_of, fresh.assignee = fresh.on_behalf_of or fresh.assignee, by
    fresh.outcome, fresh.comment, fresh.values, fresh.draft = outcome, comment, encode(answers), {}
    fresh.save(
        update_fields=[
            "status", "done_by", "done_at", "assignee", "on_behalf_of", "outcome", "comment", "values", "draft",
        ]
    )  # fmt: skip
    _record(fresh, form, instance, record, by)
    task_completed.send(UserTask, task=fresh, by=by)
    publish(kind=runner.INBOX, users={by, *people_before})
    _advance(fresh, instance, answers, by, None if form.fields else record)
    return fresh


def _advance(task: UserTask, instance: ProcessInstance, answers: dict, by, record) -> None:
    """`record`: the card, unless answers may have been written to it."""
    spoken = {"comment": task.comment or None, f"{task.node_run.node}_comment": task.comment or None}
    if task.is_choice:
        answers, spoken = {}, {}
    event = TaskDone(task.node_run.token, task.outcome, answers | spoken)
    said = {"task": task.pk, "outcome": task.outcome, "comment": task.comment[:500]}
    kind = "task_done"
    if task.on_behalf_of:
        kind, said = "task_done_for", {**said, "holder": str(task.on_behalf_of)}
    try:
        runner.take_step(instance, event, by=by, note=(kind, task.node_run.node, said), record=record)
    except StaleEventError:
        raise TaskClosed(_("The process has gone on without this task.")) from None
    except UnknownOutcomeError:
        raise ValidationError(_("Choose one of the answers offered.")) from None


def locked_task(task: UserTask) -> tuple[ProcessInstance, UserTask]:
    """Locks the run, then reads the task: whoever comes second sees what the first one did."""
    instance = runner.lock_instance(task.instance_id)
    rows = UserTask.objects.select_related(
        "node_run", "assignee", "candidate_role", "done_by", "on_behalf_of", "draft_by"
    )
    fresh = rows.get(pk=task.pk)
    fresh.instance = instance
    return instance, fresh


def demand_holder(task: UserTask, by, record) -> None:
    """Raises TaskClosed with the reason when somebody has it who might have been `by`, else PermissionDenied."""
    if record is None or not may(by, "view", record):
        raise PermissionDenied
    if not task.is_open:
        raise TaskClosed(closed_text(task))
    if not is_holder(by, task):
        if task.assignee_id and (task.candidate_role_id or has_held(by, task)):
            raise TaskClosed(_("%(user)s has taken this task.") % {"user": task.assignee})
        raise PermissionDenied
    if task.assignee_id and task.principal_id == by.pk and task.candidate_role_id and not _has_role(by, task):
        text = _(
            "You do not have the role “%(role)s” any more: give the task back, so that somebody else can do it."
        )
        raise TaskClosed(text % {"role": task.candidate_role})


def has_held(user, task: UserTask) -> bool:
    """Whether the task was in the user's hands before: what became of it may be told to him. One query."""
    if user.pk in (task.on_behalf_of_id, task.draft_by_id):
        return True
    said = ProcessEvent.objects.filter(instance=task.instance_id, kind__in=HANDED, node=task.node_run.node)
    return any(
        data.get("task") == task.pk and user.pk in (data.get("person"), data.get("former"))
        for data in said.values_list("data", flat=True)
    )


HANDED = ("task_opened", "task_claimed", "task_delegated", "task_given", "task_given_back")
"""What the log says of a task that changed hands; `person` has it now, `former` had it before."""


def closed_text(task: UserTask) -> str:
    """Why the task cannot be done any more."""
    if task.done_by:
        when = date_format(timezone.localtime(task.done_at), "DATETIME_FORMAT")
        if task.on_behalf_of:
            text = _("%(user)s did this task for %(whom)s on %(when)s.")
            return text % {"user": task.done_by, "whom": task.on_behalf_of, "when": when}
        return _("%(user)s did this task on %(when)s.") % {"user": task.done_by, "when": when}
    return _("This task is no longer needed.")


def _demand_comment(form: Form, outcome: str, comment: str) -> None:
    chosen = next((each for each in form.outcomes if each.key == outcome), None)
    if chosen is not None and chosen.comment == "required" and not comment.strip():
        raise ValidationError({"comment": _("Say why, so that the other side knows what to do.")})


def _store_files(form: Form, files: dict, instance: ProcessInstance, record, by) -> dict:
    """The task's files on the card; the task itself is the permission to put them there."""
    answers = {}
    for field in form.fields:
        if field.type == "file" and (upload := files.get(field.key)):
            label = field.bind.partition(":")[2] if ".files:" in field.bind else field.key
            stored = store_file(upload=upload, by=by, record=record, label=label[:60])
            _tell_of_file(stored, instance, record, by)
            answers[field.key] = {"file": stored.pk, "name": stored.name}
    return answers


def _tell_of_file(stored: StoredFile, instance: ProcessInstance, record, by) -> None:
    via = via_of(instance.version.definition)
    if isinstance(record, Deal):
        record_file(deal=record, stored=stored, by=by, via=via)
    else:
        record_event(
            kind="process_file_attached", subject=record, by=by, payload={"file": stored.name}, via=via
        )


def _bind(form: Form, answers: dict, instance: ProcessInstance, record, by) -> None:
    """Answers bound to a field of the card are written there, with the rights of whoever published the process."""
    app, name = record._meta.app_label, record._meta.model_name
    operation = operation_named(f"{app}.set_field")
    definition = instance.version.definition
    context = Context(record=record, by=instance.version.published_by, requester=by, via=via_of(definition))
    for field in form.fields:
        owner, _dot, target = field.bind.partition(".")
        if (
            owner != name
            or target.startswith("files:")
            or answers.get(field.key) in (None, "")
            or operation is None
        ):
            continue
        try:
            operation.handler(context, field=target, value=answers[field.key])
        except OperationFailed as failure:
            raise ValidationError({field.key: str(failure)}) from failure


def _record(task: UserTask, form: Form, instance: ProcessInstance, record, by) -> None:
    chosen = next((each for each in form.outcomes if each.key == task.outcome), None)
    payload = {"task": {"name": task.name, "name_pl": task.name_pl}, "note": task.comment}
    kind = "process_task_done"
    if chosen is not None and len(form.outcomes) > 1:
        kind = "process_task_answered"
        payload["answer"] = {"name": chosen.label or chosen.key, "name_pl": chosen.labels.get("pl", "")}
    if task.on_behalf_of:
        kind, payload["user"] = f"{kind}_for", str(task.on_behalf_of)
    record_event(kind=kind, subject=record, by=by, payload=payload, via=via_of(instance.version.definition))
