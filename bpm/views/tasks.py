"""The inbox and its tasks."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bpm import inbox, pages
from bpm.control import give_task
from bpm.forms import TaskForm
from bpm.models import UserTask
from crm.people.models import User
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
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
    task = _task(request, pk)
    form = TaskForm(pages.form_of(task), variables=pages.seen_variables(request.user, task))
    return page(request, "bpm/task_detail.html", pages.task_page(request, task, form), partial="form")


@require_POST
@once
def task_completion(request, pk: int):
    """One of the outcome buttons."""
    task, outcome = _task(request, pk), request.POST.get("outcome", "")[:200]
    form = TaskForm(pages.form_of(task), request.POST, request.FILES, outcome=outcome)
    if task.is_open and not form.is_valid():
        return page(
            request, "bpm/task_detail.html", pages.task_page(request, task, form), partial="form", status=422
        )
    try:
        inbox.complete_task(task=task, by=request.user, outcome=outcome, **pages.answers_of(form, task))
    except ValidationError as error:
        pages.add_errors(form, error)
        closed = isinstance(error, inbox.TaskClosed)
        context = pages.task_page(request, _task(request, pk), form)
        return page(request, "bpm/task_detail.html", context, partial="form", status=409 if closed else 422)
    toast(request, _("Done: %(task)s") % {"task": task})
    return done(request, pages.way_back(request), "task-done", "deal-changed", "history-changed")


@require_POST
@once
def task_claim(request, pk: int):
    """Takes a role's task for oneself."""
    task = _task(request, pk)
    try:
        task = inbox.claim_task(task=task, by=request.user)
    except inbox.TaskClosed as error:
        toast(request, error.messages[0], level=messages.WARNING)
    form = TaskForm(pages.form_of(task), variables=pages.seen_variables(request.user, task))
    return page(
        request, "bpm/task_detail.html", pages.task_page(request, _task(request, pk), form), partial="form"
    )


@require_POST
@once
def task_assignment(request, pk: int):
    """An operator gives an open task to somebody else."""
    task = _task(request, pk)
    user = get_object_or_404(User, username=request.POST.get("user", ""), is_active=True)
    try:
        give_task(task=task, user=user, by=request.user)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
    return redirect(request, reverse("bpm:instance_detail", args=[task.instance_id]))
