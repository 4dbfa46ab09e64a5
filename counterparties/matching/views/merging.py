"""Merging: records side by side, the choice of values, and the way back."""

from __future__ import annotations

import re

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from counterparties.matching.comparing import compare
from counterparties.matching.forms import PartnerForm
from counterparties.matching.merging import MOST, MergeRefused, demand_mergeable, merge_records
from counterparties.matching.models import Merge
from counterparties.matching.registry import merge_kind
from counterparties.matching.unmerging import demand_undoable, undo_merge
from crm.people.fields import mask
from crm.people.kinds import kind_named
from crm.people.search import matching
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

OFFERS = 20
NUMBER = re.compile(r"(?a:\d{1,18})")


def _ids(given) -> list[int]:
    """From `ids=1,2` of a list's bulk bar or `id=1&id=2` of its boxes; the survivor first, one more than may be."""
    texts = given.get("ids", "").split(",") if given.get("ids") else given.getlist("id")
    found = list(dict.fromkeys(int(text) for text in texts if NUMBER.fullmatch(text)))
    first = given.get("survivor", "")
    if NUMBER.fullmatch(first) and int(first) in found:
        found.sort(key=lambda pk: pk != int(first))
    return found[: MOST + 1]


def _records(request, label: str, pks: list[int]) -> list:
    """The records in the order asked for: 404 unless the reader sees each."""
    kind = merge_kind(label)
    if kind is None:
        raise Http404
    related = [one.name for one in kind.model._meta.concrete_fields if one.many_to_one]
    rows = kind.model.objects.visible_to(request.user).filter(pk__in=pks).select_related(*related)
    found = {record.pk: record for record in rows}
    if len(found) != len(pks):
        raise Http404
    return [found[pk] for pk in pks]


@require_http_methods(["GET", "HEAD", "POST"])
@once
def merge_create(request):
    """Two to five records side by side: `kind`, `ids`, `survivor`; a POST with `field_…` choices merges them."""
    given = request.POST if request.method == "POST" else request.GET
    label = given.get("kind", "")
    records = _records(request, label, _ids(given))
    mask(request.user, records)
    try:
        kind, error = demand_mergeable(records, request.user), ""
    except MergeRefused as refusal:
        kind, error = None, refusal.messages[0]
    chosen = {
        name.removeprefix("field_"): int(value)
        for name, value in given.items()
        if name.startswith("field_") and NUMBER.fullmatch(value)
    }
    if request.method == "POST" and kind is not None:
        try:
            return _merged(request, records, chosen)
        except ValidationError as refusal:
            error = refusal.messages[0]
    return _merge_page(request, label, kind, records, chosen, error)


def _merged(request, records: list, chosen: dict[str, int]):
    merge = merge_records(survivor=records[0], merged=records[1:], chosen=chosen, by=request.user)
    count = len(records) - 1
    text = ngettext(
        "%(count)s record was merged into “%(name)s”.",
        "%(count)s records were merged into “%(name)s”.",
        count,
    )
    undo = reverse("matching:merge_undo", args=[merge.pk])
    toast(request, text % {"count": count, "name": records[0]}, undo_url=undo)
    return redirect(request, kind_named(merge.kind).url(merge.survivor_id))


def _merge_page(request, label: str, kind, records: list, chosen: dict[str, int], error: str):
    context = {"kind": kind_named(label), "records": records, "error": error, "label": label}
    context["ids"] = ",".join(str(record.pk) for record in records)
    if kind is not None:
        context["comparison"] = compare(kind, records, user=request.user, chosen=chosen)
    status = 422 if request.method == "POST" or error else 200
    return page(request, "matching/merge_create.html", context, partial="form", status=status)


@require_safe
def merge_partner(request, kind: str, pk: int):
    """A dialog begun on a card: which other record is the same?"""
    found = merge_kind(kind)
    if found is None:
        raise Http404
    record = get_visible(found.model, request.user, pk, "edit")
    if not request.user.access.may(kind, "delete"):
        raise PermissionDenied
    url = f"{reverse('matching:merge_options')}?kind={kind}&exclude={pk}"
    form = PartnerForm(records=found.model.objects.visible_to(request.user, "delete"), url=url)
    context = {"record": record, "label": kind, "kind": kind_named(kind), "form": form}
    return page(request, "matching/merge_partner.html", context, partial="form")


@require_safe
def merge_options(request):
    """A fragment: the records of `?kind=` a card may be merged with, by the letters typed, `?exclude=` apart."""
    found = merge_kind(request.GET.get("kind", ""))
    if found is None:
        raise Http404
    text = request.GET.get("q", "").strip()[:100]
    rows = found.model.objects.visible_to(request.user, "delete")
    exclude = request.GET.get("exclude", "")
    if NUMBER.fullmatch(exclude):
        rows = rows.exclude(pk=int(exclude))
    rows = rows.filter(matching(text, request.user, found.model)).order_by("sort_key", "pk")
    records = list(rows[:OFFERS]) if text else []
    mask(request.user, records)
    return page(request, "counterparties/options.html", {"records": records, "text": text})


@require_http_methods(["GET", "HEAD", "POST"])
@once
def merge_undo(request, pk: int):
    """Asks, then takes the merge back and says what stays because it was changed since."""
    merge = get_object_or_404(Merge.objects.visible_to(request.user).prefetch_related("records"), pk=pk)
    kind, error = kind_named(merge.kind), ""
    record = get_visible(kind.model, request.user, merge.survivor_id, "edit")
    try:
        demand_undoable(merge, request.user)
        if request.method == "POST":
            _tell(request, undo_merge(merge=merge, by=request.user))
            return done(request, kind.url(record.pk), "history-changed", "card-changed", "contacts-changed")
    except ValidationError as refusal:
        error = refusal.messages[0]
    context = {"merge": merge, "record": record, "kind": kind, "error": error}
    return page(request, "matching/merge_undo.html", context, partial="form", status=422 if error else 200)


def _tell(request, kept: list) -> None:
    if not kept:
        toast(request, _("The merge was taken back."))
        return
    names = "; ".join(f"{one.name} ({_(one.reason)})" for one in kept[:5])
    text = _("The merge was taken back. This stays as it is: %(names)s.") % {"names": names}
    toast(request, text, level=messages.WARNING)
