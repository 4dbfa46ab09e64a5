"""Saved views: keeping the list as it is, and the page where they are managed."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.listing import saved
from crm.listing.audiences import audiences
from crm.listing.lists import list_of
from crm.listing.models import DefaultView, SavedView
from crm.listing.views.opening import list_address, open_list, plural_of
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def view_create(request):
    """Names the list as it stands; the list then opens with the view."""
    given = request.POST if request.method == "POST" else request.GET
    rows = open_list(request, given)
    error = ""
    if request.method == "POST":
        try:
            view = saved.save_view(
                kind=rows.kind, name=given.get("name", ""), query=_without_page(rows.query_string),
                audience=given.get("audience", ""), is_default="is_default" in given, by=request.user,
            )  # fmt: skip
            toast(request, _("The view was saved."))
            return redirect(request, f"{list_address(rows, rows.params.copy())}&view={view.pk}")
        except ValidationError as refused:
            error = " ".join(refused.messages)
    context = {"rows": rows, "error": error, "given": given, "audiences": audiences(request.user)}
    return page(request, "listing/view_create.html", context, partial="form", status=422 if error else 200)


def _without_page(query: str) -> str:
    """A view is opened on whichever page one is."""
    params = QueryDict(query, mutable=True)
    params.pop("as", None)
    return params.urlencode()


@require_safe
def view_list(request):
    """One's own views and those others share, of one kind or of all."""
    views = SavedView.objects.visible_to(request.user).select_related("owner", "department", "role")
    kind = request.GET.get("kind", "")
    if list_of(kind) is not None:
        views = views.filter(kind=kind)
    defaults = set(DefaultView.objects.filter(user=request.user).values_list("view_id", flat=True))
    lines = [
        (
            view,
            plural_of(view.kind),
            f"{reverse(found.url_name)}?view={view.pk}",
            view.pk in defaults,
        )
        for view in views[:200]
        if (found := list_of(view.kind)) is not None and request.user.access.may(view.kind, "view")
    ]
    return page(
        request,
        "listing/view_list.html",
        {"lines": lines, "kind": kind, "audiences": audiences(request.user)},
    )


def _visible(request, pk: int, action: str) -> SavedView:
    views = SavedView.objects.visible_to(request.user, action)
    if action != "view" and request.user.is_staff:
        views = views | SavedView.objects.filter(is_shared=True, owner__is_active=False)
    return get_object_or_404(views, pk=pk)


def _back(request, view: SavedView):
    return redirect(request, f"{reverse('lists:view_list')}?kind={view.kind}")


@require_POST
def view_default(request, pk: int):
    """The list opens with this view from now on, or (`off`) with everything again."""
    view = _visible(request, pk, "view")
    saved.set_default(view=view, by=request.user, is_default="off" not in request.POST)
    return _back(request, view)


@require_POST
def view_sharing(request, pk: int):
    """Offers one's own view to an `audience`, or (empty) takes it back."""
    view = _visible(request, pk, "edit")
    if view.owner_id != request.user.pk:
        raise Http404
    try:
        saved.share_view(view=view, audience=request.POST.get("audience", ""), by=request.user)
    except ValidationError as refused:
        toast(request, " ".join(refused.messages), level=messages.ERROR)
    return _back(request, view)


@require_POST
def view_removal(request, pk: int):
    """Deletes a view."""
    view = _visible(request, pk, "delete")
    saved.delete_view(view=view, by=request.user)
    toast(request, _("The view was deleted."))
    return _back(request, view)
