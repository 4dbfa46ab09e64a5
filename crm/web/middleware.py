"""What a page fragment needs beyond the view's own answer: messages, and the way to the sign-in."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import resolve_url

from crm.web.htmx import trigger, wants_fragment
from crm.web.toasts import as_json


class FragmentMiddleware:
    """Hands a fragment's messages to the browser as a ``toast`` event; an ended session leaves the page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not wants_fragment(request) or response.status_code >= 500:
            return response
        if 300 <= response.status_code < 400:
            return _to_sign_in(request, response)
        if "HX-Redirect" not in response and "HX-Refresh" not in response:
            waiting = [as_json(message) for message in messages.get_messages(request)]
            if waiting:
                trigger(response, toast={"messages": waiting})
        return response


def _to_sign_in(request, response):
    """The browser would follow a redirect silently and put the sign-in form into a corner of the page."""
    sign_in = resolve_url(settings.LOGIN_URL)
    if urlsplit(response.get("Location", "")).path != sign_in:
        return response
    current = request.htmx.current_url_abs_path or "/"
    return HttpResponse(status=204, headers={"HX-Redirect": f"{sign_in}?{urlencode({'next': current})}"})
