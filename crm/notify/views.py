from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.notify import services
from crm.notify.browsers import add_browser, browsers_of, remove_browser
from crm.notify.forms import BrowserForm, ChoicesForm
from crm.notify.models import Notification
from crm.notify.notices import all_notices, choose, forget_choices, mail_is_set_up, ways_of
from crm.notify.push import public_key
from crm.notify.reading import read_page, readable, unread_count
from crm.web import htmx
from crm.web.toasts import toast

IN_BELL = 8


@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    """The centre: what happened, newest first, by day."""
    asked = request.GET
    kinds = {notice.kind: notice for notice in all_notices()}
    kind = asked.get("kind", "") if asked.get("kind", "") in kinds else ""
    before = asked.get("before", "")
    shown = read_page(
        request.user,
        unread=asked.get("show") == "unread",
        kind=kind,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    context = {
        "shown": shown,
        "only_unread": asked.get("show") == "unread",
        "kind": kind,
        "notices": sorted(kinds.values(), key=lambda notice: str(notice.label)),
        "here": request.get_full_path(),
        "older": _older(asked, shown.next_before),
    }
    return htmx.page(request, "notify/notification_list.html", context, partial="rows")


def _older(asked: QueryDict, before: int | None) -> str:
    if before is None:
        return ""
    params = asked.copy()
    params["before"] = str(before)
    return f"?{params.urlencode()}"


@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """The bell with its count and the latest few, for the top bar."""
    latest = readable(request.user, Notification.objects.all(), IN_BELL)
    return render(request, "notify/_bell.html", {"unread": unread_count(request.user), "latest": latest})


@require_POST
def notification_reading(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks one's notification as read, and goes where it points or stays where one is (`stay`)."""
    row = get_object_or_404(Notification, pk=pk, user=request.user)
    services.mark_read(user=request.user, pks=[row.pk])
    if "stay" in request.POST:
        return _back(request)
    inside = url_has_allowed_host_and_scheme(row.url, allowed_hosts=None)
    return HttpResponseRedirect(row.url if row.url and inside else reverse("notify:notification_list"))


@require_POST
def notification_reading_all(request: HttpRequest) -> HttpResponse:
    """Marks everything as read."""
    services.mark_read(user=request.user)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page the button stood on, in our own house only."""
    here = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(here, {request.get_host()}, request.is_secure())
    return htmx.redirect(request, here if inside else reverse("notify:notification_list"))


@require_http_methods(["GET", "HEAD", "POST"])
def choice_list(request: HttpRequest) -> HttpResponse:
    """What one is told of, and how."""
    form = ChoicesForm(request.POST or None, ways=ways_of(request.user))
    if "reset" in request.POST:
        forget_choices(user=request.user)
        toast(request, _("The proposed settings hold again."), level=messages.SUCCESS)
        return htmx.redirect(request, request.path)
    if form.is_valid():
        choose(user=request.user, ways=form.ways())
        toast(request, _("Saved."))
        return htmx.redirect(request, request.path)
    context = {
        "form": form,
        "mail_works": mail_is_set_up(),
        "address": request.user.email,
        **_browsers(request),
    }
    status = 422 if form.is_bound else 200
    return htmx.page(request, "notify/choice_list.html", context, partial="form", status=status)


def _browsers(request: HttpRequest) -> dict:
    return {"browsers": browsers_of(request.user), "server_key": public_key()}


@require_POST
def browser_create(request: HttpRequest) -> HttpResponse:
    """Pushed notifications go to the browser that asks for them."""
    form = BrowserForm(request.POST)
    if form.is_valid():
        agent = request.headers.get("User-Agent", "")
        try:
            add_browser(values=form.cleaned_data, agent=agent, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("This browser is told from now on."), level=messages.SUCCESS)
            return _after(request)
    context = {**_browsers(request), "refusal": form.refusal}
    return render(request, "notify/_browsers.html", context, status=422)


@require_POST
def browser_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is pushed to this browser any more."""
    browser = get_object_or_404(browsers_of(request.user), pk=pk)
    remove_browser(browser=browser, by=request.user)
    toast(request, _("Nothing is pushed to that browser any more."), level=messages.SUCCESS)
    return _after(request)


def _after(request: HttpRequest) -> HttpResponse:
    if htmx.wants_fragment(request):
        return render(request, "notify/_browsers.html", _browsers(request))
    return HttpResponseRedirect(reverse("notify:choice_list"))
