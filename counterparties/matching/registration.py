"""What merging knows of counterparties, contacts and the ground, and what it shows in the frame."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from counterparties.matching.keys import register_traits
from counterparties.matching.reading import organisation_traits, person_traits
from counterparties.matching.registry import (
    MergeKind,
    Pointer,
    merge_kind,
    mergeable_kinds,
    register_mergeable,
    register_pointer,
)
from counterparties.models import Contact, Counterparty
from counterparties.services import CONTACT_FIELDS, COUNTERPARTY_FIELDS
from crm.files.models import StoredFile
from crm.history.kinds import EventKind, Group, register_event
from crm.history.models import Event, EventLink
from crm.history.undoing import register_undo_page
from crm.listing.links import BulkLink, register_bulk_link
from crm.listing.tags.models import Tagging
from crm.notify.models import Notification
from crm.web.registry import CardAction, MenuEntry, register_card_action, register_menu

EVENTS = (
    EventKind(
        "records_merged", _("merged %(names)s into this record"), "sign-merge-left", Group.CHANGE, "blue"
    ),
    EventKind(
        "merge_undone",
        _("took the merge with %(names)s back"),
        "arrow-counterclockwise",
        Group.CHANGE,
        "blue",
    ),
)


def register_matching() -> None:
    register_mergeable(
        # The type decides which attributes there are: it stays the survivor's.
        MergeKind(Counterparty, lambda: COUNTERPARTY_FIELDS),
        MergeKind(Contact, lambda: CONTACT_FIELDS),
    )
    register_traits(Counterparty, organisation_traits)
    register_traits(Contact, person_traits)
    register_pointer(
        Pointer(Event, "subject_kind", "subject_id"),
        Pointer(EventLink, "kind", "record_id"),
        Pointer(StoredFile),
        Pointer(Notification),
        Pointer(Tagging),
    )
    register_event(*EVENTS)
    register_undo_page("records_merged", _undo_url)
    register_menu(
        MenuEntry("duplicates", _("Duplicates"), "files", "matching:pair_list", 35, allowed=may_review)
    )
    register_bulk_link(BulkLink(_("Merge"), "sign-merge-left", "matching:merge_create", _may_merge_kind))
    register_card_action(
        CardAction("merge", _("Merge"), "sign-merge-left", 60, "matching:merge_partner", allowed=_may_merge)
    )


def may_review(user) -> bool:
    """Whoever may merge records of some kind works on the queue of duplicates."""
    return any(_may_merge_kind(user, label) for label in mergeable_kinds())


def _undo_url(event: Event) -> str:
    return reverse("matching:merge_undo", args=[event.payload["merge"]])


def _may_merge(user, card: str, record) -> bool:
    return _may_merge_kind(user, card)


def _may_merge_kind(user, kind: str) -> bool:
    return merge_kind(kind) is not None and user.access.may(kind, "edit") and user.access.may(kind, "delete")
