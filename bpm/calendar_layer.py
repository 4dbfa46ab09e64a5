"""The layer of the calendar that tells by when the tasks of processes must be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bpm.models import UserTask
from collab.calendar.layers import MOST_MARKS, CalendarLayer, Mark, register_calendar_layer


def register() -> None:
    register_calendar_layer(
        CalendarLayer("deadlines", _("Deadlines of process tasks"), "alarm", 10, deadlines)
    )


def deadlines(user, people: list[int], start: datetime, end: datetime) -> Iterator[Mark]:
    """Open tasks of these people on records that the reader sees; his roles' too when he is among them."""
    whose = Q(assignee_id__in=people)
    if user.pk in people:
        whose |= Q(assignee=None, candidate_role__in=user.roles.values("pk"))
    rows = UserTask.objects.open().filter(whose, due_at__gte=start, due_at__lt=end).visible_to(user)
    now = timezone.now()
    for task in rows.order_by("due_at", "pk")[:MOST_MARKS]:
        tone = "red" if task.due_at < now else "amber"
        url = reverse("bpm:task_detail", args=[task.pk])
        yield Mark(f"deadline-{task.pk}", task.due_at, str(task), url, task.assignee_id, tone)
