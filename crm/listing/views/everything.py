"""The archive of everything: asking for it, watching it being written, fetching it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from crm.listing.exports.everything import may_export_everything, request_full_export
from crm.listing.models import FullExport
from crm.web.htmx import page, redirect
from crm.web.tokens import once

SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@once
def full_export_list(request):
    """One's archives; a POST has a new one written."""
    if not may_export_everything(request.user):
        raise PermissionDenied
    if request.method == "POST":
        request_full_export(by=request.user)
        return redirect(request, reverse("lists:full_export_list"))
    found = FullExport.objects.visible_to(request.user).select_related("file", "job")
    return page(request, "listing/full_export_list.html", {"exports": found[:SHOWN]}, partial="state")


@require_safe
def full_export_file(request, pk: int):
    """The archive, for its maker, as long as he may export everything."""
    export = get_object_or_404(FullExport.objects.visible_to(request.user).select_related("file"), pk=pk)
    if not may_export_everything(request.user):
        raise PermissionDenied
    stored = export.file
    if stored is None or not stored.content.storage.exists(stored.content.name):
        raise Http404
    response = FileResponse(
        stored.content.open("rb"), as_attachment=True, filename=stored.name, content_type="application/zip"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response
