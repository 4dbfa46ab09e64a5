"""Inviting guests from an activity, and the page behind their links, which asks for no login."""

from __future__ import annotations

import re
from contextlib import nullcontext

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from collab.calendar.letters import addressees
from collab.calendar.models import Activity, ActivityKind
from collab.phones import guests
from collab.phones.guest_mails import when_of
from collab.phones.guest_models import Guest
from collab.phones.limits import is_too_often, was_too_often
from counterparties.models import Contact
from crm.notify.notices import mail_is_set_up
from crm.people.company import company_language
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once

CHANGED = ("activity-changed", "history-changed")
MOST_ANSWERS, MOST_MISSES = 60, 20


class GuestForm(forms.Form):
    """Who is invited and what they are told; who does not wish to get e-mails is not offered."""

    known = forms.MultipleChoiceField(
        label=gettext_lazy("Guests"), required=False, widget=forms.CheckboxSelectMultiple
    )
    others = forms.CharField(
        label=gettext_lazy("Other addresses"), required=False, max_length=2000,
        help_text=gettext_lazy("Several with commas between them."),
    )  # fmt: skip
    title = forms.CharField(
        label=gettext_lazy("Title for the guests"), max_length=200,
        help_text=gettext_lazy("Guests read this, the place and the text below; your own notes stay here."),
    )  # fmt: skip
    text = forms.CharField(
        label=gettext_lazy("Text"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4})
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the invitation"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )

    def __init__(self, *args, offered: list, **kwargs):
        super().__init__(*args, **kwargs)
        self.refusing = [one for one in offered if one.refuses]
        self.fields["known"].choices = [
            (one.address, f"{one.name} <{one.address}>") for one in offered if not one.refuses
        ]
        if not self.fields["known"].choices:
            del self.fields["known"]

    def addresses(self) -> list[str]:
        data = self.cleaned_data
        others = [part for part in re.split(r"[,;\s]+", data.get("others", "")) if part]
        return [*data.get("known", []), *others]


@require_safe
def activity_guests(request, pk: int):
    """A fragment of the activity's page: who is invited and what they answered."""
    activity = get_visible(Activity, request.user, pk)
    may_edit = activity.is_open and Activity.objects.visible_to(request.user, "edit").filter(pk=pk).exists()
    hidden = request.user.access.hidden_fields(Contact)
    context = {
        "activity": activity,
        "guests": guests.guests_of(activity),
        "hides_address": bool({"email", "emails"} & set(hidden)),
        "may_edit": may_edit,
        "may_invite": may_edit and activity.kind != ActivityKind.LETTER,
    }
    return page(request, "collab/phones/activity_guests.html", context, partial="guests")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_invitation(request, pk: int):
    """Chooses guests and sends them the invitation."""
    activity = get_visible(Activity, request.user, pk, "edit")
    invited = {guest.email.lower() for guest in guests.guests_of(activity)}
    offered = [one for one in addressees(activity, request.user) if one.address.lower() not in invited]
    letter = getattr(activity, "guest_letter", None)
    initial = {
        "title": letter.title if letter else activity.subject,
        "text": letter.text if letter else "",
        "language": letter.language if letter else company_language(),
    }
    form = GuestForm(request.POST or None, offered=offered, initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        try:
            guests.invite_guests(
                activity=activity, addresses=form.addresses(), known=offered, title=data["title"], text=data["text"],
                language=data["language"], by=request.user,
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            toast(request, _("The invitations are on their way."))
            return done(request, _url(activity), *CHANGED)
    context = {"form": form, "activity": activity, "mail_works": mail_is_set_up()}
    status = 422 if form.is_bound else 200
    return page(request, "collab/phones/activity_invitation.html", context, partial="form", status=status)


def _url(activity: Activity) -> str:
    return reverse("collab_calendar:activity_detail", args=[activity.pk])


def _guest(request, pk: int) -> Guest:
    guest = get_object_or_404(Guest.objects.select_related("letter__activity", "letter__by"), pk=pk)
    get_visible(Activity, request.user, guest.letter.activity_id, "edit")
    return guest


@require_POST
@once
def guest_removal(request, pk: int):
    """The guest is told that he is not expected any more."""
    guest = _guest(request, pk)
    guests.withdraw_guest(guest=guest, by=request.user)
    toast(request, _("The guest is told."))
    return done(request, _url(guest.letter.activity), *CHANGED)


@require_POST
@once
def guest_sending(request, pk: int):
    """The letter goes out again."""
    guest = _guest(request, pk)
    try:
        guests.send_again(guest=guest, by=request.user)
        toast(request, _("The invitations are on their way."))
    except ValidationError as error:
        toast(request, error.messages[0])
    return done(request, _url(guest.letter.activity), *CHANGED)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest_answer(request, token: str):
    """A guest answers. What the link proposes is chosen beforehand; only sending the form answers."""
    if was_too_often(request, "guest-miss", MOST_MISSES) or is_too_often(request, "guest", MOST_ANSWERS):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    guest = guests.guest_of(token)
    if guest is None:
        is_too_often(request, "guest-miss", MOST_MISSES)
        raise Http404
    with _language(request, guest):
        return _answered(request, guest)


def _language(request, guest: Guest):
    """That of the invitation, until the guest chooses another at the foot of the page."""
    is_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or request.user.is_authenticated
    return nullcontext() if is_chosen else translation.override(guest.letter.language)


def _answered(request, guest: Guest):
    if request.method == "POST":
        try:
            guests.take_answer(guest=guest, given=request.POST.get("answer", ""))
        except ValidationError:
            return _answer_page(request, guest, status=422)
        return redirect("guests:guest_answer", token=guest.token)
    return _answer_page(request, guest)


def _answer_page(request, guest: Guest, status: int = 200):
    context = {
        "guest": guest,
        "letter": guest.letter,
        "activity": guest.letter.activity,
        "when": when_of(guest.letter.activity),
        "may_answer": guests.may_answer(guest),
        "proposed": request.GET.get("answer", ""),
    }
    response = page(request, "collab/phones/guest_answer.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response
