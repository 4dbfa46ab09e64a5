"""What the picker of a linked record offers."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.people.kinds import kind_named
from crm.people.search import matching

OFFERS = 20


@require_safe
def record_options(request):
    """A fragment: at most OFFERS records of `?kind=` that match `?q=` and that the reader sees."""
    kind = kind_named(request.GET.get("kind", "")[:60])
    if kind is None or not kind.searchable:
        raise Http404
    text = request.GET.get("q", "").strip()[:100]
    found = (
        kind.visible(request.user).filter(matching(text, request.user, kind.model)).order_by("sort_key", "pk")
    )
    context = {"records": found[:OFFERS] if text else [], "text": text}
    return render(request, "attributes/record_options.html", context)
