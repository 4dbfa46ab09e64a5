"""The page of the company's settings."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.history.cards import card_history
from crm.history.editing import EditConflict
from crm.people.calendar import working_week
from crm.web.company import edit_company, may_change_company, present_company
from crm.web.company_form import CompanyForm
from crm.web.conflicts import conflict_page
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

TEMPLATE = "web/company_settings.html"


@require_http_methods(["GET", "HEAD", "POST"])
@once
def company_settings(request):
    """Who the company is and what is taken for granted; below it, who changed what."""
    if not may_change_company(request.user):
        raise PermissionDenied
    saved = present_company()
    history = card_history(user=request.user, record=saved, cursor=request.GET.get("cursor", "")[:60])
    context = {"history": history, "older_url": reverse("web:company_settings"), "query": "", "record": saved}
    if request.GET.get("cursor"):
        return page(request, TEMPLATE, context, partial="older")
    form = CompanyForm(request.POST or None, saved=saved, week=working_week())
    if form.is_valid():
        try:
            toast(
                request,
                _("Saved.") if edit_company(**form.given(), by=request.user) else _("Nothing was changed."),
            )
            return redirect(request, request.path)
        except EditConflict as conflict:
            return conflict_page(request, conflict, cancel_url=request.path, form_id="company-form")
        except ValidationError as error:
            for field, errors in error.error_dict.items():
                form.add_error(field if field in form.fields else None, errors)
    status = 422 if form.is_bound else 200
    return page(request, TEMPLATE, {**context, "form": form}, partial="form", status=status)
