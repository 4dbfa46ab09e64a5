"""My day, search, one's own settings, and the page that shows every component."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.people.kinds import kind_named
from crm.web import htmx, registry, samples
from crm.web.access import get_visible
from crm.web.forms import PreferenceForm, ProfileForm
from crm.web.searching import find
from crm.web.toasts import toast

YEAR = 365 * 24 * 3600


@require_GET
def home(request):
    """My day: what the areas have to say to this reader."""
    blocks = [(block, block.render(request)) for block in registry.home_blocks()]
    return htmx.page(request, "web/home.html", {"blocks": [(block, html) for block, html in blocks if html]})


@require_GET
def search(request):
    query = request.GET.get("q", "").strip()[:100]
    groups = find(request.user, query)
    if sum(len(group.hits) for group in groups) == 1 and "HX-Request" not in request.headers:
        only = next(group for group in groups if group.hits)
        return htmx.redirect(request, only.hits[0].url)
    context = {"search_query": query, "groups": groups}
    return htmx.page(request, "web/search.html", context, partial="results")


@require_GET
def search_hits(request):
    """A fragment: the same, under the search field while somebody types."""
    query = request.GET.get("q", "").strip()[:100]
    groups = find(request.user, query, shown=5)
    return htmx.page(request, "web/search_hits.html", {"query": query, "groups": groups})


@require_http_methods(["GET", "POST"])
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        with override(request.user.language):
            toast(request, _("Saved."))
        return htmx.redirect(request, request.path)
    status = 422 if form.is_bound else 200
    return htmx.page(request, "web/profile.html", {"form": form}, partial="form", status=status)


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
def style(request) -> HttpResponse:
    """Every component in both themes, for those who build pages."""
    if not settings.DEBUG:
        raise Http404
    return htmx.page(request, "web/style.html", samples.everything())
