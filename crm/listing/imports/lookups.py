"""Finding the record a text of a spreadsheet means: by name, tax number, phone or e-mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crm.listing.imports.registry import ImportField

# find(texts, by) → {text: ids of the records it may mean, of those the user may see}
Finder = Callable[..., dict[str, list[int]]]
_finders: dict[str, Finder] = {}


def register_finder(kind: str, find: Finder) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _finders[kind] = find


class Unfound(LookupError):
    """`code` is a key of `cells.MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def find_records(target: ImportField, texts: Iterable[str], *, by) -> dict[str, tuple[str, int] | Unfound]:
    """What each text means: (kind, id), or why that cannot be said. One call of each kind's finder."""
    wanted = set(texts)
    found: dict[str, tuple[str, int] | Unfound] = {}
    for kind in target.records:
        open_texts = {text for text in wanted if not isinstance(found.get(text), tuple)}
        if kind not in _finders or not open_texts:
            continue
        for text, ids in _finders[kind](open_texts, by=by).items():
            if len(ids) == 1:
                found[text] = (kind, ids[0])
            elif ids:
                found.setdefault(text, Unfound("several_records"))
    return {text: found.get(text, Unfound("no_record")) for text in wanted}
