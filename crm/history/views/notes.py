"""Notes on a card: leaving, correcting, removing, and the people one may name."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.history.models import Comment
from crm.history.notes import add_comment, edit_comment, may_change, mention_offers, remove_comment
from crm.history.views.cards import history_page, kind_or_404
from crm.people.kinds import kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page, trigger
from crm.web.toasts import toast
from crm.web.tokens import once


@require_POST
def comment_create(request, kind: str, pk: int):
    """Leaves a note; answers with the fresh history, or goes back to the card without JavaScript."""
    record = get_visible(kind_or_404(kind).model, request.user, pk)
    try:
        add_comment(record=record, text=request.POST.get("text", ""), by=request.user)
    except ValidationError as error:
        return history_page(request, kind, record, status=422, error=error.messages[0])
    if not request.htmx:
        return redirect(kind_or_404(kind).url(pk))
    return trigger(history_page(request, kind, record), "history-changed")


@require_safe
def mention_options(request, kind: str, pk: int):
    """A fragment: people who may see the card and whose name or login begins with `?q=`."""
    record = get_visible(kind_or_404(kind).model, request.user, pk)
    offers = mention_offers(record=record, typed=request.GET.get("q", "")[:60], by=request.user)
    return render(request, "history/_mention_options.html", {"offers": offers})


def _own(request, pk: int) -> tuple[Comment, str]:
    """One's own note with its card's address: 404 where the card is not seen, 403 for somebody else's note."""
    comment = get_object_or_404(Comment.objects.select_related("event"), pk=pk)
    kind = kind_named(comment.event.subject_kind)
    if kind is None:
        raise Http404
    get_visible(kind.model, request.user, comment.event.subject_id)
    if comment.event.actor_id != request.user.pk:
        raise PermissionDenied
    return comment, kind.url(comment.event.subject_id)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def comment_update(request, pk: int):
    """Corrects one's own note within its quarter of an hour."""
    comment, url = _own(request, pk)
    context = {"comment": comment, "url": url, "error": "", "text": comment.text}
    context["is_fresh"] = may_change(comment, request.user)
    if request.method != "POST":
        return page(request, "history/comment_update.html", context, partial="form")
    try:
        edit_comment(comment=comment, text=request.POST.get("text", ""), by=request.user)
    except ValidationError as error:
        context |= {"error": error.messages[0], "text": request.POST.get("text", "")}
        return page(request, "history/comment_update.html", context, partial="form", status=422)
    return done(request, url, "history-changed")


@require_POST
@once
def comment_removal(request, pk: int):
    """Removes the words of one's own note within its quarter of an hour."""
    comment, url = _own(request, pk)
    try:
        remove_comment(comment=comment, by=request.user)
        toast(request, _("The note was removed."))
    except ValidationError as error:
        toast(request, error.messages[0], level=messages.ERROR)
    return done(request, url, "history-changed")
