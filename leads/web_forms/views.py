"""The hosted page of a form: shown to anybody, inside the pages of allowed sites too."""

from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from leads.web_forms import guard
from leads.web_forms.forms import VisitorForm
from leads.web_forms.models import WebForm
from leads.web_forms.services import UTM, origin_of, store_submission

LANGUAGES = ("en", "pl")


@csrf_exempt
@login_not_required
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request, key: str):
    """GET shows the form, POST takes it in. No cookie, no session: the signed token is all there is."""
    form = WebForm.objects.filter(key=key, is_active=True).first()
    if form is None:
        raise Http404
    with translation.override(_language(request)):
        response = _taken(request, form) if request.method == "POST" else _page(request, form)
    response["Cache-Control"] = "no-store"
    return csp_replace(_policy(form))(lambda: response)()


def _policy(form: WebForm) -> dict[str, list[str]]:
    """Who may frame the page, and where its form may lead: browsers hold redirects to it too."""
    parts = urlsplit(form.redirect_url)
    targets = [f"{parts.scheme}://{parts.netloc}"] if form.redirect_url else []
    return {"frame-ancestors": [SELF, *form.origins], "form-action": [SELF, *targets]}


def _language(request) -> str:
    wanted = request.GET.get("lang", "")
    return wanted if wanted in LANGUAGES else translation.get_language_from_request(request)


def _page(request, web_form: WebForm, form: VisitorForm | None = None, *, status=200, expired=False):
    given = request.POST if request.method == "POST" else request.GET
    carried = {name: given.get(name, "")[:2000] for name in ("page", "referrer", *UTM)}
    if request.method != "POST":
        carried["referrer"] = carried["referrer"] or request.headers.get("Referer", "")[:2000]
    context = {
        "web_form": web_form,
        "form": form or VisitorForm(web_form=web_form),
        "texts": _texts(web_form),
        "token": guard.new_token(web_form),
        "bits": guard.PROOF_BITS,
        "honeypot": guard.HONEYPOT,
        "carried": carried.items(),
        "status": status,
        "expired": expired,
    }
    return render(request, "web_forms/form_page.html", context, status=status)


def _texts(form: WebForm) -> dict[str, str]:
    return {name: form.text(name) for name in ("title", "intro", "button", "thanks")}


def _taken(request, web_form: WebForm):
    address = guard.address_of(request)
    try:
        guard.demand_decent(request)
        token = request.POST.get("token", "")[:200]
        age = guard.age_of(token, web_form)
        form = VisitorForm(request.POST, web_form=web_form)
        if not form.is_valid():
            return _page(request, web_form, form, status=422)
        guard.demand_seldom(web_form, address)
    except guard.Expired:
        form = VisitorForm(request.POST, web_form=web_form)
        return _page(request, web_form, form, status=422, expired=True)
    except guard.Refused as refusal:
        return render(
            request, "web_forms/form_refused.html", {"status": refusal.status}, status=refusal.status
        )
    store_submission(
        form=web_form,
        token=guard.token_name(token),
        values=form.values(),
        attributes=form.attribute_values(),
        origin=origin_of(request.POST),
        consent=form.given_consent,
        address=address,
        doubt=guard.doubt(request.POST, age),
    )
    if web_form.redirect_url:
        return HttpResponseRedirect(web_form.redirect_url)
    context = {"web_form": web_form, "texts": _texts(web_form)}
    return render(request, "web_forms/form_thanks.html", context)
