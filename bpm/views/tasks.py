"""The inbox and its tasks."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bpm import handover, inbox, pages
from bpm.forms import HandoverForm, TaskForm
from bpm.models import UserTask
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once


def _task(request, pk: int) -> UserTask:
    rows = UserTask.objects.select_related(
        "instance__version__definition",
        "instance__started_by",
        "node_run",
        "assignee",
        "candidate_role",
        "done_by",
        "on_behalf_of",
        "draft_by",
    )
    return get_visible(UserTask, request.user, pk, queryset=rows)


@require_safe
def task_list(request):
    """What waits for me: my own tasks and those my role may take; and what I have done lately."""
    return page(request, "bpm/task_list.html", pages.inbox_page(request.user, request.GET), partial="rows")


@require_safe
def inbox_button(request):
    """The inbox in the top bar, fetched again when something in it changes."""
    return render(request, "bpm/_inbox_update.html")


@require_safe
def task_detail(request, pk: int):
    """A task with its form; for others than its holder only what it waits for."""
    return _task_page(request, _task(request, pk))


def _task_page(
    request, task: UserTask, form: TaskForm | None = None, *, partial: str = "form", status: int = 200
):
    if form is None:
        variables = pages.seen_variables(request.user, task)
        form = TaskForm(pages.form_of(task), variables=variables, draft=task.draft)
    context = pages.task_page(request, task, form)
    return page(request, "bpm/task_detail.html", context, partial=partial, status=status)


@require_POST
@once
def task_completion(request, pk: int):
    """One of the outcome buttons, or the one that keeps what was typed for later."""
    task, outcome = _task(request, pk), request.POST.get("outcome", "")[:200]
    if "later" in request.POST:
        return _keep_for_later(request, task)
    form = TaskForm(pages.form_of(task), request.POST, request.FILES, outcome=outcome)
    if task.is_open and not form.is_valid():
        return _task_page(request, task, form, status=422)
    try:
        inbox.complete_task(task=task, by=request.user, outcome=outcome, **pages.answers_of(form, task))
    except ValidationError as error:
        pages.add_errors(form, error)
        return _task_page(request, _task(request, pk), form, status=_status(error))
    toast(request, _("Done: %(task)s") % {"task": task})
    return done(request, pages.way_back(request), "task-done", "deal-changed", "history-changed")


def _status(error: ValidationError) -> int:
    return 409 if isinstance(error, inbox.TaskClosed) else 422


def _keep_for_later(request, task: UserTask):
    form = TaskForm(pages.form_of(task), request.POST)
    seen = request.POST.get("draft", "")[:40]
    try:
        inbox.save_draft(task=task, typed=form.typed(), seen=seen, by=request.user)
    except ValidationError as error:
        pages.add_errors(form, error)
        return _task_page(request, _task(request, task.pk), form, status=409)
    toast(request, _("Saved. “%(task)s” waits for you in your tasks.") % {"task": task})
    return done(request, pages.way_back(request), "task-done")


@require_POST
@once
def task_claim(request, pk: int):
    """Takes a role's task for oneself."""
    task = _task(request, pk)
    try:
        inbox.claim_task(task=task, by=request.user)
    except inbox.TaskClosed as error:
        toast(request, error.messages[0], level=messages.WARNING)
    return _task_page(request, _task(request, pk))


@require_POST
@once
def task_return(request, pk: int):
    """Gives a role's task back to the role, a delegated one to whoever delegated it; he may fetch it himself."""
    task = _task(request, pk)
    try:
        handover.give_back(task=task, by=request.user)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
        return _task_page(request, _task(request, pk), status=_status(error))
    toast(request, _("“%(task)s” is back where it came from.") % {"task": task})
    return done(request, reverse("bpm:task_list"), "task-done")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def task_handover(request, pk: int):
    """Its holder delegates a task and stays answerable for it; a head or an operator gives it to somebody else."""
    task = _task(request, pk)
    delegates = inbox.is_holder(request.user, task)
    if not delegates and not handover.may_give(request.user, task, task.instance.record()):
        raise PermissionDenied
    form = HandoverForm(
        task.assignee_id or request.user.pk, request.POST if request.method == "POST" else None
    )
    status = 200
    if form.is_bound and form.is_valid():
        hand_over = handover.delegate_task if delegates else handover.give_task
        try:
            hand_over(task=task, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None if isinstance(error, inbox.TaskClosed) else "user", error.messages)
            status = _status(error)
        else:
            toast(request, _("%(user)s has the task now.") % {"user": form.cleaned_data["user"]})
            return done(request, reverse("bpm:task_list"), "task-done", "history-changed")
    context = {"task": task, "form": form, "delegates": delegates}
    return page(
        request,
        "bpm/task_handover.html",
        context,
        partial="form",
        status=422 if form.errors and status == 200 else status,
    )


@require_POST
@once
def task_comment(request, pk: int):
    """Says something about a task; what was typed into its form stays as it is."""
    task, text = _task(request, pk), request.POST.get("text", "")
    try:
        handover.comment_task(task=task, text=text, by=request.user)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
        return _task_page(request, _task(request, pk), partial="talk", status=_status(error))
    if not wants_fragment(request):
        return redirect(request, reverse("bpm:task_detail", args=[pk]))
    return _task_page(request, task, partial="talk")
