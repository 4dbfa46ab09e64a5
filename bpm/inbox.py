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
from bpm.engine.advance import UnknownOutcomeError
from bpm.engine.events import StaleEventError, TaskDone
from bpm.engine.model import Form
from bpm.engine.values import encode
from bpm.models import ProcessInstance, TaskStatus, UserTask
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
        rows = UserTask.objects.open().assigned(User(pk=user_id)).order_by()
        return rows.values_list("instance__record_kind", "instance__record_id")[: COUNTED_SINGLY + 1]

    return Prepared(build, 1)


def _count(user) -> int:
    """First whose tasks they are, then which of the few records he sees: the whole question is ten times dearer."""
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
    """Whether the task is his, or his role's and still free. One query for a role's task."""
    if task.assignee_id:
        return task.assignee_id == user.pk
    return task.candidate_role_id is not None and user.roles.filter(pk=task.candidate_role_id).exists()


@transaction.atomic
def claim_task(*, task: UserTask, by) -> UserTask:
    """Takes a role's task for oneself. Raises TaskClosed when a colleague was quicker, PermissionDenied."""
    instance, fresh = _locked(task)
    _demand(fresh, by, instance.record())
    if fresh.assignee_id is None:
        fresh.assignee = by
        fresh.save(update_fields=["assignee"])
        runner.gates.settle(instance, runner.read_state(instance, instance.record()), by=by)
        publish(kind=runner.INBOX, users=fresh.candidate_role.users.filter(is_active=True))
    return fresh


@transaction.atomic
def complete_task(
    *, task: UserTask, outcome: str = "", values: dict | None = None, comment: str = "",
    files: dict[str, UploadedFile] | None = None, by,
) -> UserTask:  # fmt: skip
    """Does a task: keeps the answers, puts its files on the card, and lets the run take its next step.

    Raises TaskClosed when it is not open any more, PermissionDenied for somebody else's task, ValidationError for
    an answer that was not offered, a missing comment or a refused file.
    """
    instance, fresh = _locked(task)
    record = instance.record()
    _demand(fresh, by, record)
    if instance.is_suspended:
        raise TaskClosed(_("The process is suspended: an operator has to let it go on first."))
    form = Form.from_json(fresh.form)
    _demand_comment(form, outcome, comment)
    answers = dict(values or {}) | _store_files(form, files or {}, instance, record, by)
    _bind(form, answers, instance, record, by)
    comment = comment.strip().replace("\x00", "")[:5000]
    fresh.status, fresh.done_by, fresh.done_at = TaskStatus.DONE, by, timezone.now()
    fresh.assignee = fresh.assignee or by
    fresh.outcome, fresh.comment, fresh.values = outcome, comment, encode(answers)
    fresh.save(update_fields=["status", "done_by", "done_at", "assignee", "outcome", "comment", "values"])
    _record(fresh, form, instance, record, by)
    task_completed.send(UserTask, task=fresh, by=by)
    publish(kind=runner.INBOX, users=[by])
    _advance(fresh, instance, answers, by)
    return fresh


def _advance(task: UserTask, instance: ProcessInstance, answers: dict, by) -> None:
    spoken = {"comment": task.comment or None, f"{task.node_run.node}_comment": task.comment or None}
    if task.is_choice:
        answers, spoken = {}, {}
    event = TaskDone(task.node_run.token, task.outcome, answers | spoken)
    note = (
        "task_done",
        task.node_run.node,
        {"task": task.pk, "outcome": task.outcome, "comment": task.comment[:500]},
    )
    try:
        runner.take_step(instance, event, by=by, note=note)
    except StaleEventError:
        raise TaskClosed(_("The process has gone on without this task.")) from None
    except UnknownOutcomeError:
        raise ValidationError(_("Choose one of the answers offered.")) from None


def _locked(task: UserTask) -> tuple[ProcessInstance, UserTask]:
    """Locks the run, then reads the task: whoever comes second sees what the first one did."""
    instance = runner.lock_instance(task.instance_id)
    rows = UserTask.objects.select_related("node_run", "assignee", "candidate_role", "done_by")
    return instance, rows.get(pk=task.pk)


def _demand(task: UserTask, by, record) -> None:
    if record is None or not may(by, "view", record):
        raise PermissionDenied
    if not task.is_open:
        raise TaskClosed(closed_text(task))
    if task.candidate_role_id and task.assignee_id not in (None, by.pk):
        raise TaskClosed(_("%(user)s has taken this task.") % {"user": task.assignee})
    if not is_holder(by, task):
        raise PermissionDenied


def closed_text(task: UserTask) -> str:
    """Why the task cannot be done any more."""
    if task.done_by:
        when = date_format(timezone.localtime(task.done_at), "DATETIME_FORMAT")
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
    record_event(kind=kind, subject=record, by=by, payload=payload, via=via_of(instance.version.definition))
