"""Private download: a file follows the visibility of the card it is on."""

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crm.files.guards import is_open_to
from crm.files.models import StoredFile
from crm.people.kinds import visible_pairs


@require_safe
def file_download(request, pk: int):
    """Always as an attachment: nothing uploaded is ever shown inside our own origin."""
    stored = get_object_or_404(StoredFile, pk=pk)
    if not may_read(request.user, stored) or not stored.content.storage.exists(stored.content.name):
        raise Http404
    response = FileResponse(
        stored.content.open("rb"),
        as_attachment=True,
        filename=stored.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def may_read(user, stored: StoredFile) -> bool:
    """Whoever sees the card, unless a guard keeps it; for a file on no card yet, its uploader."""
    if not stored.record_kind:
        return stored.uploaded_by_id == user.pk
    return bool(visible_pairs(user, [(stored.record_kind, stored.record_id)])) and is_open_to(user, stored)
