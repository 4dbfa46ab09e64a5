"""What the frame itself puts into its registries: menu, home, card actions, events and notices."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.history.kinds import EventKind, register_event
from crm.listing.exports.everything import may_export_everything
from crm.notify.notices import Notice, register_notice
from crm.people.invitations import may_invite
from crm.people.kinds import kind_named
from crm.web.company import may_change_company
from crm.web.dictionaries import may_keep_dictionaries
from crm.web.first_steps import render_first_steps
from crm.web.registry import (
    CardAction,
    HomeBlock,
    MenuEntry,
    register_card_action,
    register_home,
    register_menu,
)


def register_all() -> None:
    """Called when the frame is ready."""
    _register_menu()
    register_home(
        HomeBlock("first-steps", _("First steps"), 0, render_first_steps, icon="signpost-2", wide=True)
    )
    register_event(
        EventKind("company_changed", _("changed the company settings"), "building-gear"),
        EventKind("shared_view", _("shared the record with %(user)s, to look at"), "person-plus"),
        EventKind("shared_edit", _("shared the record with %(user)s, to edit"), "person-plus"),
        EventKind("share_withdrawn", _("took the share back from %(user)s"), "person-dash"),
    )
    register_notice(
        Notice("record_shared", _("Somebody shares a record with me"), "person-plus", mail="daily")
    )
    register_card_action(
        CardAction(
            "shares",
            _("Who has it"),
            "people",
            50,
            url_name="web:record_shares",
            allowed=lambda user, card, record: kind_named(card).model.share_model is not None,
        )
    )


def _register_menu() -> None:
    register_menu(MenuEntry("home", _("My day"), "sun", "web:home", 0, phone=True))
    for key, label, icon, url_name, order, allowed in (
        ("company", _("Company settings"), "building-gear", "web:company_settings", 190, may_change_company),
        ("dictionaries", _("Dictionaries"), "list-ul", "web:dictionary_list", 196, may_keep_dictionaries),
        ("access", _("Who may see what"), "shield-check", "web:access_overview", 200, _administers),
        ("invitations", _("Invitations"), "envelope-plus", "people:invitation_list", 210, may_invite),
        (
            "everything",
            _("Export everything"),
            "archive",
            "lists:full_export_list",
            220,
            may_export_everything,
        ),
    ):
        register_menu(MenuEntry(key, label, icon, url_name, order, allowed=allowed))


def _administers(user) -> bool:
    return user.is_staff
