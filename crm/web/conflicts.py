"""409: two people changed the same field; both values are shown, and nothing is saved until one is chosen."""

from django.http import HttpResponse

from crm.web.htmx import page


def conflict_page(
    request, conflict, *, cancel_url: str, action: str = "", form_id: str = "form"
) -> HttpResponse:
    """The answer to crm.history's EditConflict; its button sends the same form for the fresh version."""
    context = {
        "conflict": conflict,
        "cancel_url": cancel_url,
        "action": action or request.path,
        "form_id": form_id,
    }
    return page(request, "web/conflict.html", context, partial="conflict", status=409)
