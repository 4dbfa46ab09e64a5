"""My day, search, one's own settings, and the page that shows every component."""

import re
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.listing.lists import list_of
from crm.people.kinds import kind_named
from crm.web import htmx, registry, samples
from crm.web.access import get_visible
from crm.web.forms import PreferenceForm, ProfileForm
from crm.web.searching import MOST_TEXT, RECENT, find, looked_at
from crm.web.toasts import toast

YEAR = 365 * 24 * 3600
IN_PALETTE = 5
PAIR = re.compile(r"(\w+\.\w+):(\d{1,18})")


@require_GET
def home(request):
    """My day: what the areas have to say to this reader."""
    blocks = [(block, block.render(request)) for block in registry.home_blocks()]
    return htmx.page(request, "web/home.html", {"blocks": [(block, html) for block, html in blocks if html]})


@require_GET
def search(request):
    """The results page: each kind with its best hits and the way to the whole list."""
    query = request.GET.get("q", "").strip()[:MOST_TEXT]
    groups = find(request.user, query)
    if "HX-Request" not in request.headers and [len(group.hits) for group in groups] == [1]:
        return htmx.redirect(request, groups[0].hits[0].url)
    sections = [(group, _list_address(group, query)) for group in groups]
    return htmx.page(
        request, "web/search.html", {"search_query": query, "sections": sections}, partial="results"
    )


def _list_address(group, query):
    rows = list_of(group.kind.label)
    return f"{reverse(rows.url_name)}?{urlencode({'q': query})}" if rows else ""


@require_GET
def palette(request):
    """A fragment: hits while somebody types, or what was looked at lately (`recent`, a browser's own list)."""
    query = request.GET.get("q", "").strip()[:MOST_TEXT]
    recent = _pairs(request.GET.get("recent", ""))
    groups = find(request.user, query, shown=IN_PALETTE, recent=recent)
    latest = looked_at(request.user, recent) if not query else []
    context = {"query": query, "groups": groups, "latest": latest}
    return htmx.page(request, "web/palette.html", context)


def _pairs(text):
    """(kind, id) pairs of "deals.deal:7,leads.lead:3"; whatever else stands there is left out."""
    found = PAIR.findall(text[:1000])
    return [(kind, int(pk)) for kind, pk in found if kind_named(kind)][:RECENT]


@require_http_methods(["GET", "POST"])
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        with override(request.user.language):
            toast(request, _("Saved."))
        return htmx.redirect(request, request.path)
    status = 422 if form.is_bound else 200
    return htmx.page(
        request,
        "web/profile.html",
        {"form": form, "sections": registry.profile_sections()},
        partial="form",
        status=status,
    )


@login_not_required
@require_POST
def preference(request):
    """Language or theme with one click: on the user, and in a cookie for the sign-in page."""
    form = PreferenceForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    chosen = {name: value for name, value in form.cleaned_data.items() if value}
    if request.user.is_authenticated and chosen:
        for name, value in chosen.items():
            setattr(request.user, name, value)
        request.user.save(update_fields=[*chosen])
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    response = htmx.redirect(request, back) if safe else htmx.redirect(request, "/")
    cookies = {"language": settings.LANGUAGE_COOKIE_NAME, "theme": "theme"}
    for name, value in chosen.items():
        response.set_cookie(cookies[name], value, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


@require_GET
def card_next(request, kind, pk):
    """A fragment: what is next on a card, fetched again after something happened there."""
    known = kind_named(kind)
    if known is None:
        raise Http404
    record = get_visible(known.model, request.user, pk)
    return htmx.page(request, "web/card_next.html", {"card_kind": kind, "record": record})


@require_GET
def shortcuts(request):
    """Which keys do what."""
    return htmx.page(request, "web/shortcuts.html", {}, partial="keys")


@require_GET
def style(request) -> HttpResponse:
    """Every component in both themes, for those who build pages."""
    if not settings.DEBUG:
        raise Http404
    return htmx.page(request, "web/style.html", samples.everything())
