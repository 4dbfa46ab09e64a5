"""Telling people that leads have become theirs: one message, however many they get within a short while."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.notify.models import Notification
from crm.notify.services import notify, publish
from crm.people.models import User
from leads.models import LEAD_KIND, Lead

KIND = "leads.assigned"
YOURS = gettext_noop("A new lead is yours: %(lead)s")
SEVERAL_YOURS = gettext_noop("New leads are yours: %(count)s")
TOGETHER = timedelta(minutes=2)


def tell_owners(leads: list[Lead], *, by) -> None:
    """Leaves each owner a message about his new leads; an unread one of the last moments is replaced."""
    found: dict[int, list[Lead]] = {}
    for lead in leads:
        if lead.owner_id:
            found.setdefault(lead.owner_id, []).append(lead)
    for mine in found.values():
        _tell(mine[0].owner, mine, by)


def _tell(owner: User, leads: list[Lead], by) -> None:
    recent = Notification.objects.filter(
        user=owner, kind=KIND, actor=by, read_at=None, created_at__gte=timezone.now() - TOGETHER
    )
    count = len(leads) + sum(row.params.get("count", 1) for row in recent)
    recent.delete()
    if count == 1:
        lead = leads[0]
        notify(user=owner, kind=KIND, text=YOURS, params={"lead": lead.name}, record=lead, by=by)
    else:
        url = f"{reverse('leads:lead_list')}?tab=new&owner={owner.pk}"
        notify(user=owner, kind=KIND, text=SEVERAL_YOURS, params={"count": count}, url=url, by=by)
    if len(leads) == 1:
        publish(kind=LEAD_KIND, record=leads[0])
