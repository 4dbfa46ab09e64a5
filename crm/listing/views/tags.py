"""The tags of one record: the line on its card, and the dialog that changes them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.listing.lists import list_of
from crm.listing.tags.models import Tag
from crm.listing.tags.services import change_tags, make_tag, tags_of
from crm.people.kinds import RecordKind, kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once


def tagged_kind(label: str, user) -> RecordKind:
    """The kind, 404 for one without tags and for a reader from whom they are hidden."""
    kind, rows = kind_named(label), list_of(label)
    if kind is None or rows is None or not any(one.kind == "tags" for one in rows.fields):
        raise Http404
    if "tags" in user.access.hidden_fields(label):
        raise Http404
    return kind


@require_http_methods(["GET", "HEAD", "POST"])
@once
def record_tags(request, kind: str, pk: int):
    """The dialog, or with `line` the chips alone. `had`: the tags it was opened with; only the difference counts."""
    found = tagged_kind(kind, request.user)
    line = request.method != "POST" and "line" in request.GET
    record = get_visible(found.model, request.user, pk, "view" if line else "edit")
    if line:
        return page(request, "listing/record_tags.html", {"record": record, "kind": kind}, partial="line")
    error, given = "", request.POST
    if request.method == "POST":
        try:
            _change(request, record)
            toast(request, _("Tags saved."))
            return done(
                request,
                found.url(pk),
                "history-changed",
                "card-changed",
                row_changed={"kind": kind, "id": pk},
            )
        except ValidationError as refused:
            error = " ".join(refused.messages)
    present = {tag.pk for tag in tags_of(kind, [pk]).get(pk, [])}
    chosen = set(_ids(given.getlist("tag"))) if error else present
    context = {
        "record": record, "kind": kind, "error": error, "present": ",".join(map(str, sorted(present))),
        "tags": [(tag, tag.pk in chosen) for tag in Tag.objects.all()], "new": given.get("new", ""),
        "is_fragment": wants_fragment(request),
    }  # fmt: skip
    return page(request, "listing/record_tags.html", context, partial="form", status=422 if error else 200)


def _change(request, record) -> None:
    had, wanted = set(_ids(request.POST.get("had", "").split(","))), set(_ids(request.POST.getlist("tag")))
    known = Tag.objects.in_bulk([*had, *wanted])
    fresh = new_tags(request.POST.get("new", ""))
    change_tags(
        records=[record],
        add=[*(known[pk] for pk in wanted - had if pk in known), *fresh],
        remove=[known[pk] for pk in had - wanted if pk in known],
        by=request.user,
    )


def new_tags(text: str) -> list[Tag]:
    """The tags named in a text, commas between them. Raises ValidationError."""
    return [make_tag(name=name) for name in text.split(",")[:30] if name.strip()]


def _ids(texts: list[str]) -> list[int]:
    return [int(text) for text in texts[:500] if text.isascii() and text.isdecimal() and len(text) < 19]
