"""Bulk edits: what to do with the chosen records, how far it is, what was skipped, and taking it all back."""

from __future__ import annotations

import json

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm.listing.assigning import people_to_assign
from crm.listing.bulk import services
from crm.listing.bulk.deeds import deed_named
from crm.listing.bulk.values import editable_fields
from crm.listing.lists import COUNT_CAP, RecordList
from crm.listing.models import BulkItem, BulkRun
from crm.listing.tags.models import Tag
from crm.listing.views.opening import open_list, plural_of
from crm.listing.views.tags import new_tags
from crm.people.kinds import kind_named, visible_pairs
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

SHOWN = 200


@require_POST
@once
def bulk_create(request):
    """First asks what exactly (`action` or `deed` alone), then (`confirmed`) starts it."""
    given = request.POST
    rows, deed = open_list(request, given), given.get("deed", "")
    action = BulkRun.Action.DEED if deed else given.get("action", "")
    if action not in BulkRun.Action.values:
        raise Http404
    if action == BulkRun.Action.DEED:
        return _deed_create(request, rows, deed)
    if not request.user.access.may(rows.kind, services.RIGHTS[BulkRun.Action(action)]):
        raise PermissionDenied
    ids, error = _ids(given), ""
    if ids == []:
        error = _("Choose some records first.")
    elif "confirmed" in given:
        try:
            run = services.request_bulk(
                rows=rows,
                action=action,
                ids=ids,
                field=given.get("field", ""),
                value=_value(given, action),
                by=request.user,
            )
            toast(request, _("The change has begun."))
            return redirect(request, reverse("lists:bulk_detail", args=[run.pk]))
        except ValidationError as refused:
            error = " ".join(_(message) for message in refused.messages)
    context = {**_form(rows, action, ids, given), "error": error}
    return page(request, "listing/bulk_create.html", context, partial="form", status=422 if error else 200)


def _deed_create(request, rows: RecordList, key: str):
    """The same for what an area does to them: its own form says what exactly."""
    given, deed = request.POST, deed_named(key, rows.kind)
    if deed is None:
        raise Http404
    ids, error, confirmed = _ids(given), "", "confirmed" in given
    form = deed.form(request.user, given if confirmed else None)
    if ids == []:
        error = _("Choose some records first.")
    elif confirmed and form.is_valid():
        try:
            run = services.request_bulk(
                rows=rows, action=BulkRun.Action.DEED, ids=ids, field=key, value=json.dumps(form.value()),
                by=request.user,
            )  # fmt: skip
            toast(request, _("It has begun."))
            return redirect(request, reverse("lists:bulk_detail", args=[run.pk]))
        except ValidationError as refused:
            error = " ".join(_(message) for message in refused.messages)
    status = 422 if error or confirmed else 200
    context = {**_form(rows, BulkRun.Action.DEED, ids, given), "deed": deed, "form": form, "error": error}
    return page(request, "listing/bulk_create.html", context, partial="form", status=status)


def _ids(given) -> list[int] | None:
    """The chosen ids; None for all that match. Whatever is no number is left out."""
    if given.get("all"):
        return None
    written = given.get("ids", "").split(",") if given.get("ids") else given.getlist("id")
    found = [int(text) for text in written if text.isascii() and text.isdecimal() and len(text) < 19]
    return list(dict.fromkeys(found))[: services.MOST_CHOSEN]


def _value(given, action: str = "") -> str:
    """A field has one input for each kind of value; the last filled one counts. Tags are named by their ids."""
    if action in services.TAGGING:
        chosen = given.getlist("tag")
        fresh = new_tags(given.get("new", "")) if action == BulkRun.Action.TAG else []
        return ",".join([*chosen, *(str(tag.pk) for tag in fresh)])
    return next((text for text in reversed(given.getlist("value")) if text), "")


def _form(rows: RecordList, action: str, ids: list[int] | None, given) -> dict:
    fields = editable_fields(rows) if action == "edit" else []
    field = next((one for one in fields if one.key == given.get("field")), fields[0] if fields else None)
    choices = rows.offers.of(field) if field is not None and field.kind in {"choice", "record"} else []
    if action == "assign":
        choices = [(str(one.pk), str(one)) for one in people_to_assign(rows.user, rows.model)]
    if field is not None and field.kind == "bool":
        choices = [("yes", _("yes")), ("no", _("no"))]
    count = min(rows.count, COUNT_CAP + 1) if ids is None else len(ids)
    return {
        "rows": rows, "action": action, "fields": fields, "field": field, "choices": choices,
        "everything": ids is None, "ids": ",".join(map(str, ids or [])), "value": _value(given),
        "tags": _tags(given) if action in services.TAGGING else [], "new": given.get("new", ""),
        "count": f"{COUNT_CAP}+" if count > COUNT_CAP and ids is None else count, "plural": plural_of(rows.kind),
    }  # fmt: skip


def _tags(given) -> list[tuple[Tag, bool]]:
    chosen = set(given.getlist("tag"))
    return [(tag, str(tag.pk) in chosen) for tag in Tag.objects.all()]


def _mine(request, pk: int) -> BulkRun:
    return get_object_or_404(
        BulkRun.objects.visible_to(request.user).select_related("job", "undo_job"), pk=pk
    )


@require_safe
def bulk_detail(request, pk: int):
    """What became of the records, those that were skipped by name."""
    run = _mine(request, pk)
    counts = dict(run.items.order_by().values_list("status").annotate(Count("pk")))
    job = run.undo_job or run.job
    context = {
        "run": run, "job": job, "plural": plural_of(run.kind), "lines": _left_out(request.user, run),
        "deed": deed_named(run.field) if run.action == BulkRun.Action.DEED else None,
        "counts": [(label, counts[value]) for value, label in BulkItem.Status.choices if counts.get(value)],
        "may_undo": run.undo_job is None and run.job is not None and not run.job.is_open and counts.get("done"),
    }  # fmt: skip
    return page(request, "listing/bulk_detail.html", context, partial="state")


def _left_out(user, run: BulkRun) -> list[tuple]:
    """(name, address, why) of the first records that were not changed, or not changed back."""
    items = list(run.items.filter(status__in=["skipped", "kept"]).order_by("pk")[:SHOWN])
    seen = visible_pairs(user, [(run.kind, item.record_id) for item in items])
    kind = kind_named(run.kind)
    return [
        (
            item.title or f"#{item.record_id}",
            kind.url(item.record_id) if kind and (run.kind, item.record_id) in seen else "",
            _(item.reason) if item.reason else "",
        )
        for item in items
    ]


@require_POST
@once
def bulk_undo(request, pk: int):
    """Takes the whole run back."""
    run = _mine(request, pk)
    try:
        services.request_undo(run=run, by=request.user)
    except services.NotUndoable:
        toast(request, _("It is being undone already, or has not ended."))
    return redirect(request, reverse("lists:bulk_detail", args=[run.pk]))
