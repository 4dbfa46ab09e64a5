"""Giving a counterparty another type, with a look at what becomes of its values."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from counterparties.models import Counterparty
from counterparties.retyping import TYPE, change_type
from counterparties.type_form import TypeForm
from crm.history.editing import EditConflict
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def counterparty_type(request, pk: int):
    """A GET shows what becomes of the values in the type `?to=`; a POST changes it. 409 after a change meanwhile."""
    record = _record(request.user, pk)
    if TYPE in request.user.access.locked_fields(Counterparty):
        raise PermissionDenied
    options = {"record": record, "user": request.user, "reload_url": request.path}
    form = TypeForm(
        request.POST or None, request.FILES or None, to=request.GET.get("to", ""), **options
    )  # fmt: skip
    if not form.is_valid():
        return _page(request, form, 422 if form.is_bound else 200)
    try:
        change_type(counterparty=record, **form.chosen(), by=request.user)
    except EditConflict:
        options["record"] = _record(request.user, pk)
        fresh = TypeForm(to=request.POST.get("to", ""), **options)
        return _page(
            request, fresh, 409, _("Somebody changed the record meanwhile. Look again before you go on.")
        )
    except ValidationError as error:
        form.refuse(error)
        return _page(request, form, 422)
    toast(request, _("“%(name)s” is now: %(type)s.") % {"name": record, "type": form.type})
    url = reverse("counterparties:counterparty_detail", args=[pk])
    return done(request, url, "history-changed", "card-changed")


def _record(user, pk: int) -> Counterparty:
    records = Counterparty.objects.select_related("owner", "counterparty_type")
    return get_visible(Counterparty, user, pk, "edit", queryset=records)


def _page(request, form: TypeForm, status: int, warning: str = ""):
    context = {"form": form, "record": form.record, "warning": warning}
    return page(request, "counterparties/counterparty_type.html", context, partial="form", status=status)
