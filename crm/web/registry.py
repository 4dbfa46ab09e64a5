"""What upper areas put on lower pages. They register in ``AppConfig.ready``; nothing here knows them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class MenuEntry:
    """A line of the sidebar. *kind* is the record kind the reader must be allowed to view.

    *counter(user)* is shown only above nought: it counts what waits for the reader, nothing else.
    *phone* puts the entry into the bottom bar of a small screen. *allowed(user)* is for entries without kind.
    """

    key: str
    label: str
    icon: str
    url_name: str
    order: int
    kind: str | None = None
    counter: Callable | None = None
    phone: bool = False
    allowed: Callable | None = None


@dataclass(frozen=True)
class Panel:
    """A tab on the cards of *card* (a kind label), loaded from *url_name* with the pk when opened."""

    card: str
    key: str
    label: str
    order: int
    url_name: str
    count: Callable | None = None
    kind: str | None = None


@dataclass(frozen=True)
class HomeBlock:
    """A block of "My day": *render(request)* gives safe HTML, or nothing when there is nothing to say."""

    key: str
    label: str
    order: int
    render: Callable
    icon: str = ""
    wide: bool = False


@dataclass(frozen=True)
class QuickCreate:
    """An entry of the "+" menu; opens in the dialog. *kind* is what the reader must be allowed to create."""

    label: str
    icon: str
    url_name: str
    kind: str | None = None
    order: int = 100


@dataclass(frozen=True)
class TopbarSlot:
    """A template in the top bar (bell, inbox, running call), rendered with ``request`` on every page."""

    key: str
    template: str
    order: int
    allowed: Callable | None = None


@dataclass(frozen=True)
class ComposerAction:
    """A button of the composer above a card's history ("Log call"); opens *url(record)* in the dialog.

    *cards* are the kind labels it stands on; *allowed(user, record)* is for actions not everybody has.
    """

    key: str
    cards: tuple[str, ...]
    label: str
    icon: str
    order: int
    url: Callable
    allowed: Callable | None = None


@dataclass(frozen=True)
class CardStrip:
    """A "what next" line on the cards *cards*: *render(request, record)* gives safe HTML or nothing."""

    key: str
    cards: tuple[str, ...]
    order: int
    render: Callable


@dataclass(frozen=True)
class CardAction:
    """A quiet button in the head of every card; opens the page *url_name* (kind, pk) in the dialog."""

    key: str
    label: str
    icon: str
    order: int
    url_name: str
    allowed: Callable | None = None


@dataclass(frozen=True)
class ProfileSection:
    """A part of "Profile and settings": a sentence and a button to the page *url_name* where it is set."""

    key: str
    label: str
    text: str
    action: str
    icon: str
    url_name: str
    order: int


_menu: dict[str, MenuEntry] = {}
_panels: dict[tuple[str, str], Panel] = {}
_blocks: dict[str, HomeBlock] = {}
_quick: dict[str, QuickCreate] = {}
_slots: dict[str, TopbarSlot] = {}
_composer: dict[str, ComposerAction] = {}
_strips: dict[str, CardStrip] = {}
_actions: dict[str, CardAction] = {}
_profile: dict[str, ProfileSection] = {}


def _add(store, key, item):
    if store.get(key, item) != item:
        raise ValueError(f"{key!r} is registered twice with different contents")
    store[key] = item
    return item


def _ordered(store):
    return sorted(store.values(), key=lambda item: item.order)


def register_menu(entry: MenuEntry) -> MenuEntry:
    return _add(_menu, entry.key, entry)


def register_panel(panel: Panel) -> Panel:
    return _add(_panels, (panel.card, panel.key), panel)


def register_home(block: HomeBlock) -> HomeBlock:
    return _add(_blocks, block.key, block)


def register_quick_create(entry: QuickCreate) -> QuickCreate:
    return _add(_quick, entry.url_name, entry)


def register_topbar(slot: TopbarSlot) -> TopbarSlot:
    return _add(_slots, slot.key, slot)


def register_composer(action: ComposerAction) -> ComposerAction:
    return _add(_composer, action.key, action)


def composer_actions(card: str) -> list[ComposerAction]:
    return [action for action in _ordered(_composer) if card in action.cards]


def register_strip(strip: CardStrip) -> CardStrip:
    return _add(_strips, strip.key, strip)


def card_strips(card: str) -> list[CardStrip]:
    return [strip for strip in _ordered(_strips) if card in strip.cards]


def register_card_action(action: CardAction) -> CardAction:
    return _add(_actions, action.key, action)


def register_profile_section(section: ProfileSection) -> ProfileSection:
    return _add(_profile, section.key, section)


def profile_sections() -> list[ProfileSection]:
    return _ordered(_profile)


def card_actions(user, card: str, record) -> list[CardAction]:
    return [
        action
        for action in _ordered(_actions)
        if action.allowed is None or action.allowed(user, card, record)
    ]


def menu_entries() -> list[MenuEntry]:
    return _ordered(_menu)


def card_panels(card: str) -> list[Panel]:
    return [panel for panel in _ordered(_panels) if panel.card == card]


def home_blocks() -> list[HomeBlock]:
    return _ordered(_blocks)


def quick_creates() -> list[QuickCreate]:
    return _ordered(_quick)


def topbar_slots() -> list[TopbarSlot]:
    return _ordered(_slots)
