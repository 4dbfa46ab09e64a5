""" "Who sees my calendar": whom one lets into it, and how far."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from collab.calendar.grants import CalendarGrant, GrantLevel, grant_calendar, withdraw_grant
from crm.people.models import Department, Role, User
from crm.web.htmx import page
from crm.web.toasts import toast
from crm.web.tokens import once


class GrantForm(forms.Form):
    """To whom: one chooser for people, departments and roles."""

    to = forms.ChoiceField(label=gettext_lazy("To"))
    level = forms.ChoiceField(
        label=gettext_lazy("May"),
        choices=GrantLevel.choices,
        widget=forms.RadioSelect,
        initial=GrantLevel.VIEW,
    )

    def __init__(self, *args, owner: User, **kwargs):
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True).exclude(pk=owner.pk)
        self.offers = {
            (_("People"), "user"): list(people),
            (_("Departments"), "department"): list(Department.objects.all()),
            (_("Roles"), "role"): list(Role.objects.all()),
        }
        groups = [
            (label, [(f"{key}-{one.pk}", str(one)) for one in found])
            for (label, key), found in self.offers.items()
        ]
        self.fields["to"].choices = [("", ""), *groups]

    def chosen(self):
        key, _dash, pk = self.cleaned_data["to"].partition("-")
        found = next(found for (_label, kind), found in self.offers.items() if kind == key)
        return next(one for one in found if str(one.pk) == pk)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def calendar_sharing(request):
    """Whom I let into my calendar; the form adds somebody or changes how far he is let."""
    form = GrantForm(request.POST or None, owner=request.user)
    if form.is_valid():
        try:
            grant_calendar(
                owner=request.user, to=form.chosen(), level=form.cleaned_data["level"], by=request.user
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("Saved."))
            return redirect("collab_calendar:calendar_sharing")
    grants = CalendarGrant.objects.filter(owner=request.user).select_related("user", "role", "department")
    context = {"form": form, "grants": grants}
    return page(
        request, "collab/calendar/calendar_sharing.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@once
def grant_removal(request, pk: int):
    """Takes a share back."""
    grant = CalendarGrant.objects.filter(owner=request.user, pk=pk).first()
    if grant is None:
        raise Http404
    withdraw_grant(grant=grant, by=request.user)
    toast(request, _("Taken back."))
    return redirect("collab_calendar:calendar_sharing")
