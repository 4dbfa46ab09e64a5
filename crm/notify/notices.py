"""The registry of what people are told of, and how each of them wants to hear it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from crm.notify.models import Cadence, Choice


@dataclass(frozen=True)
class Notice:
    """A kind of event. `page`, `mail`: how people hear of it until they or an administrator choose otherwise.

    Nothing is pushed unless they do.
    """

    kind: str
    label: str
    icon: str = "bell"
    page: bool = True
    mail: str = Cadence.NEVER


@dataclass(frozen=True)
class Way:
    """In the page or not, how often by mail, and pushed to one's browsers or not."""

    page: bool
    mail: str
    push: bool = False


_notices: dict[str, Notice] = {}
_UNKNOWN = Notice("", "")


def register_notice(*notices: Notice) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _notices.update({notice.kind: notice for notice in notices})


def all_notices() -> list[Notice]:
    """Every registered kind, in the order the areas registered them."""
    return list(_notices.values())


def notice_of(kind: str) -> Notice:
    """The kind's notice; a plain one that stands in the page for a kind no area offers any more."""
    return _notices.get(kind, _UNKNOWN)


def mail_is_set_up() -> bool:
    """Without a mail server letters would only fill the log."""
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def way_of(user, kind: str) -> Way:
    """How `user` hears of this kind: his own choice, else the administrator's, else the area's. One query."""
    return ways_for([user], kind)[user.pk]


def ways_for(users: Iterable, kind: str) -> dict[int, Way]:
    """The same for many readers of one kind. One query."""
    pks = [user.pk for user in users]
    rows = Choice.objects.filter(Q(user__in=pks) | Q(user=None), kind=kind)
    chosen = {row.user_id: Way(row.page, row.mail, row.push) for row in rows}
    usual = chosen.get(None) or Way(notice_of(kind).page, notice_of(kind).mail)
    return {pk: chosen.get(pk, usual) for pk in pks}


def ways_of(user) -> dict[str, Way]:
    """The same for every registered kind. One query."""
    found = {notice.kind: Way(notice.page, notice.mail) for notice in all_notices()}
    rows = Choice.objects.filter(Q(user=user) | Q(user=None), kind__in=found)
    for row in sorted(rows, key=lambda row: row.user_id is not None):
        found[row.kind] = Way(row.page, row.mail, row.push)
    return found


@transaction.atomic
def choose(*, user, ways: Mapping[str, Way]) -> None:
    """Remembers how `user` wants to hear of these kinds. Raises KeyError for a kind no area registered."""
    rows = [
        Choice(user=user, kind=_notices[kind].kind, page=way.page, mail=way.mail, push=way.push)
        for kind, way in ways.items()
    ]
    Choice.objects.filter(user=user, kind__in=ways).delete()
    Choice.objects.bulk_create(rows)


def forget_choices(*, user) -> None:
    """Back to what the administrator and the areas propose."""
    Choice.objects.filter(user=user).delete()
