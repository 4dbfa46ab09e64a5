"""One helper that answers a page or its fragment, and the headers htmx understands."""

import json
from urllib.parse import urlsplit

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_fragment(request) -> bool:
    """A history restore and a boosted link need the whole page, though htmx sends them."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page(request, template, context=None, *, partial=None, status=200) -> HttpResponse:
    """The whole page, or its ``partialdef`` named *partial* when htmx asks for a fragment."""
    if partial and wants_fragment(request):
        template = f"{template}#{partial}"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def waiting_events(response) -> dict:
    """The events an answer already carries, in whichever of the header's two notations."""
    header = (response.get("HX-Trigger") or "").strip()
    if header.startswith("{"):
        return json.loads(header)
    return {name.strip(): None for name in header.split(",") if name.strip()}


def trigger(response, *events, **detail_events) -> HttpResponse:
    """Add browser events to the answer: ``trigger(response, "deal-changed", toast={"text": …})``.

    Underscores in keyword names become hyphens; events already there are kept.
    """
    found = waiting_events(response)
    found.update(dict.fromkeys(events))
    found.update({name.replace("_", "-"): detail for name, detail in detail_events.items()})
    response["HX-Trigger"] = json.dumps(found)
    return response


def redirect(request, url) -> HttpResponse:
    """Send the browser on to *url* (a path), also out of an htmx request."""
    if wants_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def done(request, url, *events, **detail_events) -> HttpResponse:
    """A form opened in the dialog has succeeded: close it and tell the page; from a page of its own go to *url*."""
    if not wants_fragment(request):
        return HttpResponseRedirect(url)
    if urlsplit(request.headers.get("HX-Current-URL", "")).path == request.path:
        return redirect(request, url)
    return trigger(HttpResponse(status=204), "dialog-close", *events, **detail_events)
