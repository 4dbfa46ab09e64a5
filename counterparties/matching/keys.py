"""What a record is found by: its values in one spelling, and the keys that make likely matches meet in an index.

A name is stored as a few segments by its length, so that names with one or two typing errors share a segment with it
(pass-join: of a text cut into k + 1 pieces, k errors leave one piece whole, moved by at most k places). A search asks
for every segment such a name may have: some dozens of exact look-ups, the same on both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import models, transaction

from counterparties.matching.models import MatchKey
from counterparties.name_keys import name_key
from crm.people.access import kind_label
from crm.people.many_rows import insert_rows

_PUBLIC = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com me.com proton.me protonmail.com "
    "gmx.com gmx.de web.de aol.com msn.com mail.com yandex.ru mail.ru seznam.cz wp.pl o2.pl onet.pl op.pl interia.pl "
    "interia.eu poczta.onet.pl poczta.fm tlen.pl vp.pl autograf.pl onet.eu gazeta.pl go2.pl buziaczek.pl"
)
PUBLIC_MAIL = frozenset(_PUBLIC.split())
# Words that say what a company does, not which one it is.
_COMMON = (
    "przedsiebiorstwo firma zaklad zaklady handlowe handlowy uslugowe uslugowy produkcyjne produkcyjny budowlane "
    "budowlany transportowe hurtownia sklep biuro centrum grupa group polska poland polski polskie holding company "
    "trade trading services service serwis international export import consulting studio agencja spolka oddzial"
)
COMMON_WORDS = frozenset(_COMMON.split())
# Segments of fewer than three letters would be shared by everybody.
SHORTEST, LONGEST = 5, 40
LONG_NAME = 16


@dataclass(frozen=True)
class Traits:
    """What is compared. Names are folded, without legal forms, their words in alphabetical order.

    `settled_with`: kinds with which the record makes no pair to decide about, such as what a lead was converted into.
    """

    tax_numbers: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    websites: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    settled_with: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not any((self.tax_numbers, self.phones, self.emails, self.names, self.persons, self.websites))


_traits: dict[str, Callable[[Mapping], Traits]] = {}


def register_traits(model: type[models.Model], of_values: Callable[[Mapping], Traits]) -> None:
    """Called from `AppConfig.ready()`: how values of a form or a record of the model ({field: text}) are compared."""
    _traits[kind_label(model)] = of_values


def matchable_kinds() -> list[str]:
    return sorted(_traits)


def traits_of(kind: str, values: Mapping) -> Traits:
    """The traits of typed or stored values, which are clean already."""
    return _traits[kind](values)


def make_traits(
    *,
    tax_numbers: Iterable[str] = (),
    phones: Iterable[str] = (),
    emails: Iterable[str] = (),
    names: Iterable[str] = (),
    persons: Iterable[str] = (),
    websites: Iterable[str] = (),
    cities: Iterable[str] = (),
) -> Traits:
    """Traits of texts as they are stored."""
    mails = frozenset(text.lower() for text in emails if text)
    hosts = frozenset(host for text in websites if (host := host_of(text)))
    domains = {text.rpartition("@")[2] for text in mails} - PUBLIC_MAIL
    return Traits(
        tax_numbers=frozenset(filter(None, tax_numbers)),
        phones=frozenset(filter(None, phones)),
        emails=mails,
        domains=frozenset(domains | hosts) - {""},
        names=frozenset(filter(None, map(ordered, names))),
        persons=frozenset(filter(None, map(ordered, persons))),
        websites=hosts,
        cities=frozenset(filter(None, map(ordered, cities))),
    )


def ordered(text: str) -> str:
    """A name in the form in which it is compared: "Łódź Sp. z o.o. Budimex" and "budimex lodz" are one."""
    return " ".join(sorted(name_key(text).split()))


def host_of(website: str) -> str:
    """The domain of a web address, without `www.`."""
    try:
        host = urlsplit(website if "://" in website else f"//{website}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def errors_allowed(length: int) -> int:
    """How many typing errors a name of so many letters may have and still be the same."""
    if length <= SHORTEST:
        return 0
    return 1 if length < LONG_NAME else 2


def _segments(length: int) -> list[tuple[int, int]]:
    """(start, length) of the pieces that a name of `length` letters is cut into."""
    pieces = errors_allowed(length) + 1
    size, rest = divmod(length, pieces)
    found, start = [], 0
    for piece in range(pieces):
        width = size + (piece >= pieces - rest)
        found.append((start, width))
        start += width
    return found


def squeezed(name: str) -> str:
    return name.replace(" ", "")[:LONGEST]


def stored_segments(prefix: str, name: str) -> set[str]:
    text = squeezed(name)
    if not errors_allowed(len(text)):
        return set()
    return {
        f"{prefix}:{len(text)}.{place}:{text[start : start + width]}"
        for place, (start, width) in enumerate(_segments(len(text)))
    }


def sought_segments(prefix: str, name: str) -> set[str]:
    """Every segment that a name within the allowed errors of this one may be stored under."""
    text, found = squeezed(name), set()
    for length in range(len(text) - 2, min(len(text) + 2, LONGEST) + 1):
        errors = errors_allowed(length) if length > 0 else 0
        if not errors or abs(length - len(text)) > errors:
            continue
        for place, (start, width) in enumerate(_segments(length)):
            for shift in range(-errors, errors + 1):
                piece = text[max(start + shift, 0) : start + shift + width]
                if len(piece) == width:
                    found.add(f"{prefix}:{length}.{place}:{piece}")
    return found


def head_words(names: Iterable[str]) -> set[str]:
    """The word that tells a company from others: the longest that is not a common one."""
    found = set()
    for name in names:
        words = [word for word in name.split() if len(word) >= SHORTEST and word not in COMMON_WORDS]
        if words:
            found.add(f"h:{max(words, key=len)}")
    return found


def strong_keys(traits: Traits) -> set[str]:
    """Keys that few records share."""
    return {
        *(f"t:{value}" for value in traits.tax_numbers),
        *(f"p:{value}" for value in traits.phones),
        *(f"e:{value}" for value in traits.emails),
        *(f"n:{value}" for value in traits.names),
    }


def weak_keys(traits: Traits) -> set[str]:
    """Keys that many records may share: people of one name, the employees of one company."""
    return {
        *(f"d:{value}" for value in traits.domains),
        *(f"m:{value}" for value in traits.persons),
        *head_words(traits.names),
    }


def stored_keys(traits: Traits) -> set[str]:
    """What a record stands under in the index."""
    found = strong_keys(traits) | weak_keys(traits)
    for name in traits.names:
        found |= stored_segments("s", name)
    for person in traits.persons:
        found |= stored_segments("q", person)
    return {key[:120] for key in found}


def sought_keys(traits: Traits) -> tuple[set[str], set[str]]:
    """(strong, weak) keys under which records like this one stand."""
    strong, weak = strong_keys(traits), weak_keys(traits)
    for name in traits.names:
        strong |= sought_segments("s", name)
    for person in traits.persons:
        weak |= sought_segments("q", person)
    return {key[:120] for key in strong}, {key[:120] for key in weak}


@transaction.atomic(savepoint=False)
def index_records(kind: str, traits: Mapping[int, Traits]) -> None:
    """Writes the keys of records anew, in three statements for all of them."""
    MatchKey.objects.filter(kind=kind, record_id__in=list(traits)).delete()
    rows = ((kind, pk, key) for pk, found in traits.items() for key in sorted(stored_keys(found)))
    insert_rows(MatchKey, ("kind", "record_id", "key"), rows)
