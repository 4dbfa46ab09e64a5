"""Exports of lists: asking for one, watching it being written, fetching the file."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from crm.listing.exports.services import may_export, request_export
from crm.listing.models import Export
from crm.listing.views.opening import open_list, plural_of
from crm.web.htmx import page, redirect
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def export_create(request):
    """Which form the file should have; the rows and columns are the list's."""
    given = request.POST if request.method == "POST" else request.GET
    rows = open_list(request, given)
    if not may_export(request.user, rows.kind):
        raise PermissionDenied
    if request.method == "POST" and given.get("file_form") in Export.Form.values:
        export = request_export(rows=rows, form=given["file_form"], by=request.user)
        return redirect(request, reverse("lists:export_detail", args=[export.pk]))
    context = {"rows": rows, "forms": Export.Form.choices}
    return page(request, "listing/export_create.html", context, partial="form")


def _mine(request, pk: int) -> Export:
    found = Export.objects.visible_to(request.user).select_related("file", "job")
    return get_object_or_404(found, pk=pk)


@require_safe
def export_detail(request, pk: int):
    """How far it is, and the file once it is there."""
    export = _mine(request, pk)
    context = {
        "export": export,
        "plural": plural_of(export.kind),
        "may_fetch": may_export(request.user, export.kind),
    }
    return page(request, "listing/export_detail.html", context, partial="state")


@require_safe
def export_file(request, pk: int):
    """The file, for its maker, as long as he may export."""
    export = _mine(request, pk)
    if not may_export(request.user, export.kind):
        raise PermissionDenied
    stored = export.file
    if stored is None or not stored.content.storage.exists(stored.content.name):
        raise Http404
    response = FileResponse(
        stored.content.open("rb"), as_attachment=True, filename=stored.name, content_type=stored.content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response
