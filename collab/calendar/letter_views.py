"""Sending a planned letter by e-mail from its activity."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from collab.calendar import letters
from collab.calendar.letter_forms import LetterForm
from collab.calendar.models import Activity, ActivityKind
from crm.notify.notices import mail_is_set_up
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

CHANGED = ("activity-changed", "history-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_letter(request, pk: int):
    """Writes and sends the letter."""
    activity = get_visible(Activity, request.user, pk, "edit")
    if activity.kind != ActivityKind.LETTER:
        return redirect(request, reverse("collab_calendar:activity_detail", args=[pk]))
    form = LetterForm(
        request.POST or None,
        addressees=letters.addressees(activity, request.user),
        user=request.user,
        initial={"subject": activity.subject, "text": activity.description},
    )
    if form.is_valid():
        data = form.cleaned_data
        try:
            letters.send_letter(
                activity=activity, to=form.addresses(), subject=data["subject"], text=data["text"], by=request.user
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            toast(request, _("The letter is on its way."))
            return done(request, reverse("collab_calendar:activity_detail", args=[pk]), *CHANGED)
    context = {"form": form, "activity": activity, "mail_works": mail_is_set_up()}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/activity_letter.html", context, partial="form", status=status)


@require_POST
@once
def activity_letter_settlement(request, pk: int):
    """What became of a letter of which nobody knows whether it arrived: `sent` or not."""
    activity = get_visible(Activity, request.user, pk, "edit")
    letter = get_object_or_404(activity.letters.select_related("activity", "by"), state="doubtful")
    letters.settle(letter=letter, was_sent=request.POST.get("sent") == "1", by=request.user)
    toast(request, _("Saved."))
    return done(request, reverse("collab_calendar:activity_detail", args=[pk]), *CHANGED)
