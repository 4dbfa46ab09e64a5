"""Saved views of lists: keeping, sharing, and choosing the one a list opens with."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.listing.audiences import read_audience
from crm.listing.lists import MOST_QUERY
from crm.listing.models import DefaultView, SavedView

MOST_VIEWS = 100


@transaction.atomic
def save_view(
    *, kind: str, name: str, query: str, audience: str = "", is_default: bool = False, by
) -> SavedView:
    """Keeps a list's query under a name; one's own view of the same name is replaced. Raises ValidationError.

    `audience`: a key of `crm.listing.audiences`, empty for oneself alone.
    """
    name = " ".join(name.replace("\x00", "").split())[:80]
    if not name:
        raise ValidationError({"name": _("Give the view a name.")})
    if len(query) > MOST_QUERY:
        raise ValidationError({"name": _("This view has too many filters.")})
    mine = SavedView.objects.filter(owner=by, kind=kind)
    if mine.exclude(name=name).count() >= MOST_VIEWS:
        raise ValidationError({"name": _("Delete some of your views first.")})
    view, _is_new = SavedView.objects.update_or_create(
        owner=by, kind=kind, name=name, defaults={"query": query, **read_audience(by, audience)}
    )
    if is_default:
        set_default(view=view, by=by)
    return view


@transaction.atomic
def set_default(*, view: SavedView, by, is_default: bool = True) -> None:
    """The list opens with the view for `by`, or with everything again. Raises PermissionDenied for an unseen view."""
    if not SavedView.objects.visible_to(by).filter(pk=view.pk).exists():
        raise PermissionDenied
    if is_default:
        DefaultView.objects.update_or_create(user=by, kind=view.kind, defaults={"view": view})
    else:
        DefaultView.objects.filter(user=by, view=view).delete()


@transaction.atomic
def share_view(*, view: SavedView, audience: str, by) -> None:
    """Offers one's own view to others, or (empty) takes it back: then it is nobody else's default either."""
    if view.owner_id != by.pk:
        raise PermissionDenied
    SavedView.objects.filter(pk=view.pk).update(**read_audience(by, audience))
    if not audience:
        DefaultView.objects.filter(view=view).exclude(user=by).delete()


@transaction.atomic
def delete_view(*, view: SavedView, by) -> None:
    """Removes one's own view; an administrator also removes those that people who left have shared."""
    abandoned = by.is_staff and view.is_shared and not view.owner.is_active
    if view.owner_id != by.pk and not abandoned:
        raise PermissionDenied
    view.delete()
