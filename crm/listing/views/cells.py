"""A field changed where it stands: in a list's cell or among the facts of a card."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.views.decorators.http import require_http_methods

from crm.history.editing import EditConflict
from crm.listing.cells import CellForm, has_field, is_writable, plain_list
from crm.people.kinds import kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def cell_update(request, kind: str, pk: int, field: str):
    """The widget of one value; a POST writes it: 422 with the reason, 409 when somebody changed the same meanwhile."""
    rows, known = plain_list(kind, request.user), kind_named(kind)
    one = rows.field(field) if rows is not None else None
    if one is None or known is None:
        raise Http404
    # With all it points to, which the form, the check and the saving would read one by one.
    relations = [field.name for field in rows.model._meta.concrete_fields if field.is_relation]
    whole = rows.model.objects.select_related(*relations)
    record = get_visible(rows.model, request.user, pk, "edit", queryset=whole)
    if not is_writable(rows, one):
        raise PermissionDenied
    if not has_field(one, record):
        raise Http404
    form = CellForm(request.POST or None, rows=rows, one=one, record=record)
    conflict, status = None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                rows.edit(record, version=form.cleaned_data["version"], by=request.user, **form.changes())
                return _saved(request, known, record)
            except EditConflict as met:
                conflict, status = met, 409
            except ValidationError as refused:
                form.add_error(None, refused.messages)
    context = {
        "form": form, "kind": kind, "record": record, "field": field, "conflict": conflict,
        "card_url": known.url(pk),
    }  # fmt: skip
    return page(request, "listing/cell_update.html", context, partial="cell", status=status)


def _saved(request, known, record):
    changed = {"kind": known.label, "id": record.pk}
    events = ("history-changed", "card-changed", f"{record._meta.model_name}-changed")
    return done(request, known.url(record.pk), *events, row_changed=changed)
