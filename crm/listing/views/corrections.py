"""Putting the rows of an import right on its preview: a cell, a whole row, a value no dictionary knows."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from crm.listing.import_forms import RowForm, UnknownForm
from crm.listing.imports import correcting
from crm.listing.imports.registry import importer_for
from crm.listing.imports.report import TABS
from crm.listing.imports.services import WrongStep
from crm.listing.models import Import, ImportRow
from crm.listing.pages import preview_context, row_number
from crm.listing.views.imports import my_import
from crm.web.htmx import page, redirect, wants_fragment
from crm.web.toasts import toast


@require_http_methods(["GET", "POST"])
def import_row(request, pk: int, number: int):
    """The row's cells. A POST writes them over; from the table it sends one cell, maybe for all equal ones."""
    run = my_import(request, pk)
    if run.status != Import.Status.PREVIEWED:
        return redirect(request, reverse("imports:import_detail", args=[pk]))
    row = get_object_or_404(run.rows, number=number)
    form = RowForm(request.POST or None, run=run, row=row, importer=importer_for(run.kind), user=request.user)
    if request.method == "POST" and form.is_valid():
        return _correct(request, run, number, form)
    context = {"run": run, "row": row, "form": form, "show": _shown(request)}
    status = 422 if form.errors else 200
    return page(request, "listing/import_row.html", context, partial="form", status=status)


def _correct(request, run: Import, number: int, form: RowForm):
    everywhere = bool(request.POST.get("everywhere"))
    try:
        numbers = correcting.correct_cells(
            run=run, number=number, texts=form.texts(), everywhere=everywhere, by=request.user
        )
    except (WrongStep, ImportRow.DoesNotExist, ValidationError):
        raise Http404 from None
    if everywhere and len(numbers) > 1:
        text = ngettext("%(count)s row put right.", "%(count)s rows put right.", len(numbers))
        toast(request, text % {"count": len(numbers)})
    if run.status != Import.Status.PREVIEWED:
        return redirect(request, reverse("imports:import_detail", args=[run.pk]))
    if wants_fragment(request) and "inline" in request.POST:
        context = preview_context(
            run, request.user, show=_shown(request), after=row_number(request, request.POST), focus=number
        )
        return page(request, "listing/import_preview.html", context, partial="preview")
    query = urlencode({"show": _shown(request)})
    return redirect(request, f"{reverse('imports:import_preview', args=[run.pk])}?{query}")


def _shown(request) -> str:
    given = request.POST.get("show") or request.GET.get("show", "")
    return given if given in TABS else "all"


@require_POST
def import_unknown(request, pk: int):
    """Values that no dictionary knows: added, taken for another, or left out. The rows are checked again."""
    run = my_import(request, pk)
    if run.status != Import.Status.PREVIEWED:
        return redirect(request, reverse("imports:import_detail", args=[pk]))
    form = UnknownForm(request.POST, run=run, importer=importer_for(run.kind), user=request.user)
    if not form.is_valid():
        toast(request, _("Choose one of the offered values."), level=messages.ERROR)
        return redirect(request, reverse("imports:import_preview", args=[pk]))
    correcting.settle_unknown(run=run, choices=form.choices(), by=request.user)
    return redirect(request, reverse("imports:import_detail", args=[pk]))
