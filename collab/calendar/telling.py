"""Telling those whose time it is that somebody else has moved or cancelled something."""

from __future__ import annotations

from django.dispatch import receiver
from django.utils.translation import gettext_noop

from collab.calendar.models import Activity
from collab.calendar.signals import activity_cancelled, activity_rescheduled
from crm.history.kinds import moment
from crm.notify.services import notify

CHANGED = "collab_calendar.changed"


@receiver(activity_rescheduled, dispatch_uid="collab_calendar.tell_of_move")
def tell_of_move(sender, activity, by, **kwargs) -> None:
    text = gettext_noop("%(who)s moved “%(what)s” to %(when)s.")
    _tell(activity, by, text, {"when": moment(activity.starts_at)})


@receiver(activity_cancelled, dispatch_uid="collab_calendar.tell_of_cancellation")
def tell_of_cancellation(sender, activity, by, **kwargs) -> None:
    _tell(activity, by, gettext_noop("%(who)s cancelled “%(what)s”."), {})


def _tell(activity: Activity, by, text: str, params: dict) -> None:
    invited = [row.user for row in activity.participants.exclude(user=None).select_related("user")]
    params = {"who": str(by), "what": activity.subject, **params}
    for person in (activity.owner, *invited):
        notify(user=person, kind=CHANGED, text=text, params=params, record=activity, by=by)
