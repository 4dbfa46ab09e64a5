"""Pages of other rooms that take several records of a list, such as merging."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BulkLink:
    """A button of the bulk bar that opens a page with `kind` and `ids`. `allowed(user, kind label)`."""

    label: str
    icon: str
    url_name: str
    allowed: Callable


_links: list[BulkLink] = []


def register_bulk_link(link: BulkLink) -> None:
    """Called from `AppConfig.ready()` of the area whose page takes several records."""
    _links.append(link)


def bulk_links(user, kind: str) -> list[BulkLink]:
    """What the reader may open with records of the kind."""
    return [link for link in _links if link.allowed(user, kind)]
