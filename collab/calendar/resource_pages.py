"""Rooms and equipment: the list everybody reads, with what holds them, and the forms of administrators."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from collab.calendar.moments import local_midnight
from collab.calendar.resources import Resource, bookings_between, save_resource
from crm.people.models import Role
from crm.web.company import may_change_company
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


class ResourceForm(forms.ModelForm):
    """One room or piece of equipment."""

    class Meta:
        model = Resource
        fields = ["name", "name_pl", "place", "capacity", "role", "is_active"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = Role.objects.all()
        self.fields["role"].empty_label = _("everybody")


@require_safe
def resource_list(request):
    """What there is to book, and what holds it today and tomorrow; whose it is, never what for."""
    rows = list(Resource.objects.select_related("role"))
    start = local_midnight(timezone.now())
    taken: dict[int, list] = {}
    held = bookings_between([one.pk for one in rows], start, start + timedelta(days=2))
    for booking in held.select_related("activity__owner").order_by("activity__starts_at")[:500]:
        taken.setdefault(booking.resource_id, []).append(booking.activity)
    context = {
        "resources": [(one, taken.get(one.pk, [])) for one in rows],
        "may_manage": may_change_company(request.user),
    }
    return page(request, "collab/calendar/resource_list.html", context, partial="rows")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def resource_create(request):
    """A new room or piece of equipment."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def resource_update(request, pk: int):
    """Changes one; switched off, it is booked no more and keeps its bookings."""
    found = Resource.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return _form(request, found)


def _form(request, resource: Resource | None):
    if not may_change_company(request.user):
        raise PermissionDenied
    form = ResourceForm(request.POST or None, instance=resource)
    if form.is_valid():
        save_resource(resource=resource, values=form.cleaned_data, by=request.user)
        toast(request, _("Saved."))
        return done(request, reverse("collab_calendar:resource_list"), "resources-changed")
    context = {"form": form, "resource": resource}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/resource_form.html", context, partial="form", status=status)
