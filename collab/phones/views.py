"""The devices in one's profile, the feeds that they read, and activities as files."""

from __future__ import annotations

import segno
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from collab.calendar.models import Activity
from collab.phones.devices import add_device, device_of, devices_of, note_use, revoke_device
from collab.phones.feed import Feed, file_of
from collab.phones.limits import is_too_often, was_too_often
from collab.phones.models import Device, Way
from crm.web.access import get_visible
from crm.web.htmx import page
from crm.web.toasts import toast
from crm.web.tokens import once

CONTENT_TYPE = "text/calendar; charset=utf-8"
# Requests of one address in a minute: a whole office stands behind one; whoever guesses is shut out sooner.
MOST_READS, MOST_MISSES = 240, 20


class DeviceForm(forms.ModelForm):
    """A new device: its name and what it is given."""

    class Meta:
        model = Device
        fields = ["name", "way", "scope", "with_activities", "with_deadlines"]
        widgets = {"way": forms.RadioSelect, "scope": forms.RadioSelect}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["placeholder"] = _("My phone")
        for name in ("scope", "with_activities", "with_deadlines"):
            self.fields[name].shown_if, self.fields[name].shown_if_values = "way", f'["{Way.FEED}"]'
        self.fields["scope"].required = False

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("way") == Way.ACCOUNT:
            return {"name": cleaned.get("name"), "way": Way.ACCOUNT}
        if not cleaned.get("scope") and "scope" not in self.errors:
            self.add_error("scope", _("Choose what the calendar shows."))
        if not cleaned.get("with_activities") and not cleaned.get("with_deadlines"):
            self.add_error("with_activities", _("Choose what the calendar shows."))
        if cleaned.get("scope") == "busy" and not cleaned.get("with_activities"):
            self.add_error(
                "scope", gettext_lazy("Deadlines take nobody's time: such a calendar would be empty.")
            )
        return cleaned

    def _post_clean(self):
        """The service checks the whole."""


@require_http_methods(["GET", "HEAD", "POST"])
@once
def device_list(request):
    """One's devices; the form adds one and then shows its address, once."""
    form = DeviceForm(request.POST or None)
    context: dict = {"form": form}
    status = 422 if form.is_bound else 200
    if form.is_valid():
        try:
            device, secret = add_device(values=form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            shown = _address(secret) if device.way == Way.FEED else _account(secret)
            context, status = {"form": DeviceForm(), "added": device, **shown}, 200
    context["devices"] = devices_of(request.user)
    return page(request, "collab/phones/device_list.html", context, status=status)


def _address(secret: str) -> dict[str, str]:
    """Where the feed is read, as an address, as one that opens the calendar, and as a picture to scan."""
    url = settings.CRM_URL + reverse("collab_phones:feed", args=[secret])
    opening = "webcal://" + url.partition("://")[2]
    picture = segno.make(opening, error="m", micro=False)
    return {
        "address": url,
        "opening": opening,
        "picture": picture.svg_data_uri(scale=4, border=2, dark="#000", light="#fff"),
    }


def _account(secret: str) -> dict[str, str]:
    return {"server": f"{settings.CRM_URL}/dav/", "password": secret}


@require_POST
@once
def device_removal(request, pk: int):
    """The device is given nothing any more."""
    device = get_object_or_404(devices_of(request.user), pk=pk)
    revoke_device(device=device, by=request.user)
    toast(request, _("Its address does not work any more."))
    return redirect("collab_phones:device_list")


@login_not_required
@require_safe
def feed(request, token: str):
    """The calendar of the device whose secret stands in the address; 304 when it has not changed since."""
    if was_too_often(request, "feed-miss", MOST_MISSES) or is_too_often(request, "feed", MOST_READS):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    device = device_of(token, Way.FEED)
    if device is None:
        is_too_often(request, "feed-miss", MOST_MISSES)
        raise Http404
    found = Feed(device)
    stamp = found.stamp()
    note_use(device, stamp, timezone.now())
    changed = int(device.changed_at.timestamp())
    response = get_conditional_response(request, etag=f'"{stamp}"', last_modified=changed)
    if response is None:
        response = HttpResponse(found.text(), content_type=CONTENT_TYPE)
        response["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response["ETag"] = f'"{stamp}"'
    response.headers.setdefault("Last-Modified", http_date(changed))
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def activity_file(request, pk: int):
    """One activity as a file for any calendar."""
    activity = get_visible(Activity, request.user, pk)
    response = HttpResponse(file_of(activity, request.user), content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{activity.kind}-{pk}.ics"'
    return response
