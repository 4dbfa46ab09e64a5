"""What reminds a person: the cards on his screen, the reminders of one activity, what is usual for him."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseBadRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from collab.calendar import reminders
from collab.calendar.models import Activity, Reminder, ReminderChoice
from collab.calendar.reminder_forms import ReminderChoiceForm, RemindersForm
from collab.calendar.selectors import with_cards
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

SHOWN = 3


@require_safe
def reminder_list(request):
    """A fragment: what reminds the reader now."""
    found = reminders.on_screen(request.user, timezone.now())
    with_cards(request.user, [row.activity for row in found[:SHOWN]])
    context = {
        "shown": found[:SHOWN],
        "more": len(found) - SHOWN,
        "now": timezone.now(),
        "snoozes": reminders.SNOOZES,
    }
    return page(request, "collab/calendar/reminder_list.html", context, partial="cards")


@require_POST
def activity_snooze(request, pk: int):
    """Reminds again after `minutes`."""
    activity = _mine(request, pk)
    minutes = request.POST.get("minutes", "")
    try:
        until = reminders.snooze(
            activity=activity, by=request.user, minutes=int(minutes) if minutes.isdecimal() else -1
        )
    except ValidationError as error:
        return HttpResponseBadRequest(error.messages[0])
    toast(
        request,
        _("Reminds again at %(time)s.") % {"time": date_format(timezone.localtime(until), "TIME_FORMAT")},
    )
    return done(request, reverse("collab_calendar:activity_detail", args=[pk]), "reminders-changed")


@require_POST
def activity_dismissal(request, pk: int):
    """Puts the reminder away."""
    reminders.dismiss(activity=_mine(request, pk), by=request.user)
    return done(request, reverse("collab_calendar:activity_detail", args=[pk]), "reminders-changed")


def _mine(request, pk: int) -> Activity:
    """What one is reminded of one may put away, also when one no longer sees it."""
    row = Reminder.objects.filter(activity=pk, user=request.user).select_related("activity").first()
    if row is None:
        raise Http404
    return row.activity


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_reminders(request, pk: int):
    """One's own reminders of an activity."""
    activity = get_visible(Activity, request.user, pk)
    mine = list(activity.reminders.filter(user=request.user))
    initial = {
        "minutes": [row.minutes_before for row in mine if row.at is None],
        "at": next((row.at for row in mine if row.at is not None), None),
    }
    form = RemindersForm(request.POST or None, initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        try:
            reminders.set_reminders(
                activity=activity, by=request.user, minutes=data["minutes"], moments=[data["at"]] if data["at"] else []
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("Saved."))
            return done(request, reverse("collab_calendar:activity_detail", args=[pk]), "activity-changed")
    context = {"form": form, "activity": activity}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/activity_reminders.html", context, partial="form", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def reminder_choice(request):
    """How long before calls, meetings and letters one is reminded, and the letter of the morning."""
    mine = ReminderChoice.objects.filter(user=request.user).first() or ReminderChoice(user=request.user)
    form = ReminderChoiceForm(request.POST or None, instance=mine)
    if form.is_valid():
        reminders.choose_reminders(user=request.user, **form.choice())
        toast(request, _("Saved."))
        return redirect(request, request.path)
    status = 422 if form.is_bound else 200
    return page(
        request, "collab/calendar/reminder_choice.html", {"form": form}, partial="form", status=status
    )
