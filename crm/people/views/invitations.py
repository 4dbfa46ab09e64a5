"""Inviting colleagues: the list with its form, sending again, withdrawing, and the page behind the link."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from crm.people import invitations
from crm.people.company import company_language
from crm.people.invitation_forms import AcceptanceForm, InvitationForm
from crm.people.invitations import Invitation
from crm.web.htmx import page
from crm.web.htmx import redirect as send_to
from crm.web.toasts import toast
from crm.web.tokens import once

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SHOWN = 200


@require_http_methods(["GET", "POST"])
@once
def invitation_list(request):
    """Who was invited and what became of it; a POST invites."""
    if not invitations.may_invite(request.user):
        raise PermissionDenied
    form = InvitationForm(request.POST or None, initial={"language": company_language()})
    if form.is_valid():
        try:
            invitations.invite(by=request.user, **form.cleaned_data)
            toast(request, _("The invitation is on its way to %(email)s.") % form.cleaned_data)
            return send_to(request, reverse("people:invitation_list"))
        except ValidationError as error:
            form.add_error(None if not hasattr(error, "error_dict") else "email", error.messages)
    lines = Invitation.objects.select_related("department", "invited_by", "user").prefetch_related("roles")
    context = {"form": form, "lines": lines[:SHOWN], "days": invitations.GOOD_FOR.days}
    status = 422 if form.is_bound and form.errors else 200
    return page(request, "people/invitation_list.html", context, partial="form", status=status)


def _invitation(request, pk: int) -> Invitation:
    """For whoever may invite; to everybody else it does not exist."""
    if not invitations.may_invite(request.user):
        raise Http404
    return get_object_or_404(Invitation, pk=pk)


@require_POST
@once
def invitation_sending(request, pk: int):
    found = _invitation(request, pk)
    try:
        found = invitations.resend(invitation=found, by=request.user)
        toast(request, _("The invitation is on its way to %(email)s.") % {"email": found.email})
    except ValidationError as error:
        toast(request, error.messages[0], level=messages.WARNING)
    return send_to(request, reverse("people:invitation_list"))


@require_POST
@once
def invitation_revocation(request, pk: int):
    if invitations.revoke(invitation=_invitation(request, pk), by=request.user):
        toast(request, _("The invitation is withdrawn; its link does not work any more."))
    return send_to(request, reverse("people:invitation_list"))


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def invitation_acceptance(request, token: str):
    """The page behind the link. An old or used link says what to do."""
    found = invitations.invitation_of(token)
    if found is None or request.user.is_authenticated:
        status = 200 if request.user.is_authenticated else 404
        return page(request, "people/invitation_gone.html", {}, status=status)
    form = AcceptanceForm(request.POST or None, initial={"language": found.language})
    if form.is_valid():
        user = form.person()
        if invitations.accept(invitation=found, user=user):
            login(request, user, backend=BACKEND)
            return redirect("web:home")
        return page(request, "people/invitation_gone.html", {}, status=404)
    context = {"form": form, "invitation": found}
    return page(request, "people/invitation_acceptance.html", context, status=422 if form.errors else 200)
