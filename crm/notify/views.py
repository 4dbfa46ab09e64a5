from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from crm.notify import services
from crm.notify.models import Notification
from crm.notify.reading import readable, unread_count
from crm.web.htmx import page

SHOWN = 100
IN_BELL = 8


@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    """The centre: what happened, newest first."""
    rows = Notification.objects.all()
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        rows = rows.filter(read_at=None)
    shown = readable(request.user, rows, SHOWN)
    context = {
        "notifications": shown,
        "only_unread": only_unread,
        "has_unread": any(not row.read_at for row in shown),
    }
    return page(request, "notify/notification_list.html", context, partial="rows")


@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell with its count and the latest few, for the top bar."""
    latest = readable(request.user, Notification.objects.all(), IN_BELL)
    return render(request, "notify/_bell.html", {"unread": unread_count(request.user), "latest": latest})


@require_POST
def notification_reading(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks one's notification as read and goes where it points."""
    row = get_object_or_404(Notification, pk=pk, user=request.user)
    services.mark_read(user=request.user, pks=[row.pk])
    inside = url_has_allowed_host_and_scheme(row.url, allowed_hosts=None)
    return HttpResponseRedirect(row.url if row.url and inside else reverse("notify:notification_list"))


@require_POST
def notification_reading_all(request: HttpRequest) -> HttpResponse:
    """Marks everything as read."""
    services.mark_read(user=request.user)
    return HttpResponseRedirect(reverse("notify:notification_list"))
