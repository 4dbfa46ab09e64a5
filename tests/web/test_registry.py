"""Areas put themselves on the frame; readers see only what their roles allow."""

import re

import pytest
from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import mark_safe

from crm.web import registry
from crm.web.registry import HomeBlock, MenuEntry, Panel, QuickCreate


def test_every_registered_name_leads_somewhere():
    names = [entry.url_name for entry in [*registry.menu_entries(), *registry.quick_creates()]]
    panels = [panel.url_name for panel in registry._panels.values()]
    assert [name for name in names if reverse(name) == ""] == []
    assert [name for name in panels if reverse(name, args=[1]) == ""] == []
    assert [slot.key for slot in registry.topbar_slots() if get_template(slot.template) is None] == []


@pytest.fixture
def empty_registry(monkeypatch):
    """The registries without what the installed areas have put there."""
    for name in ("_menu", "_panels", "_blocks", "_quick", "_slots"):
        monkeypatch.setattr(registry, name, {})


def test_entries_stand_in_their_order_whoever_registers_first(empty_registry):
    registry.register_menu(MenuEntry("b", "B", "x", "web:home", 20))
    registry.register_menu(MenuEntry("a", "A", "x", "web:home", 10))
    assert [entry.key for entry in registry.menu_entries()] == ["a", "b"]


def test_the_same_entry_twice_is_one_and_another_under_its_key_is_refused(empty_registry):
    entry = MenuEntry("a", "A", "x", "web:home", 10)
    registry.register_menu(entry)
    registry.register_menu(MenuEntry("a", "A", "x", "web:home", 10))
    assert registry.menu_entries() == [entry]
    with pytest.raises(ValueError):
        registry.register_menu(MenuEntry("a", "Other", "x", "web:home", 10))


def test_panels_belong_to_one_card(empty_registry):
    registry.register_panel(Panel("x.y", "calls", "Calls", 20, "web:home"))
    registry.register_panel(Panel("x.y", "deals", "Deals", 10, "web:home"))
    registry.register_panel(Panel("x.z", "deals", "Deals", 10, "web:home"))
    assert [panel.key for panel in registry.card_panels("x.y")] == ["deals", "calls"]


def test_the_menu_hides_what_the_role_may_not_view_and_what_is_not_installed(empty_registry, signed_in, rep):
    registry.register_menu(MenuEntry("home", "Everybody's", "sun", "web:home", 0))
    registry.register_menu(MenuEntry("secret", "Nobody's", "lock", "web:search", 10, kind="no.such"))
    registry.register_menu(MenuEntry("gone", "Not installed", "lock", "gone:list", 20))
    registry.register_menu(MenuEntry("asked", "Asked", "lock", "web:profile", 30, allowed=lambda user: False))
    page = signed_in(rep).get("/").content.decode()
    assert page.count("Everybody&#x27;s") > 0
    assert [word for word in ("Nobody&#x27;s", "Not installed", "Asked") if word in page] == []


def test_a_counter_shows_only_what_waits(empty_registry, signed_in, rep):
    registry.register_menu(MenuEntry("home", "Home", "sun", "web:home", 0, counter=lambda user: 0))
    registry.register_menu(MenuEntry("inbox", "Inbox", "inbox", "web:profile", 1, counter=lambda user: 37))
    page = signed_in(rep).get("/").content.decode()
    assert page.count('<span class="count-badge">') == 1
    assert "37</span>" in page


def test_the_deepest_matching_entry_is_the_current_one(empty_registry, signed_in, rep):
    registry.register_menu(MenuEntry("home", "Home", "sun", "web:home", 0))
    registry.register_menu(MenuEntry("profile", "Profile", "sun", "web:profile", 1))
    page = signed_in(rep).get("/profile/").content.decode()
    sidebar = page[page.index('id="sidebar"') : page.index("sidebar-foot")]
    assert sidebar.count('aria-current="page"') == 1
    assert 'href="/profile/" data-key="p" title="Profile (g p)" aria-current="page"' in sidebar


def test_quick_create_asks_the_right_to_create(empty_registry, signed_in, rep):
    registry.register_quick_create(QuickCreate("Forbidden", "lock", "web:search", kind="no.such"))
    assert "icon-button-accent" not in signed_in(rep).get("/").content.decode()
    registry.register_quick_create(QuickCreate("Allowed thing", "plus", "web:profile"))
    page = signed_in(rep).get("/").content.decode()
    assert "Allowed thing" in page
    assert "Forbidden" not in page


def test_my_day_shows_blocks_that_have_something_to_say(empty_registry, signed_in, rep):
    registry.register_home(HomeBlock("late", "Overdue", 1, render=lambda request: mark_safe("<b>three</b>")))
    registry.register_home(HomeBlock("none", "Silent", 2, render=lambda request: None))
    page = signed_in(rep).get("/").content.decode()
    assert "<b>three</b>" in page
    assert "Silent" not in page


def test_every_entry_has_a_letter_of_its_own(empty_registry, signed_in, rep):
    for order, key in enumerate(["home", "contacts", "counterparties", "calendar"]):
        registry.register_menu(MenuEntry(key, key, "sun", "web:profile", order))
    page = signed_in(rep).get("/").content.decode()
    assert re.findall(r'data-key="(\w*)"', page) == ["h", "c", "o", "a"]
