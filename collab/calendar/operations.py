"""What processes may do in calendars."""

import re
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_duration
from django.utils.translation import gettext as _

from collab.calendar.models import ActivityKind
from collab.calendar.selectors import CARD_FIELDS
from collab.calendar.services import plan_activity
from crm.operations.registry import Context, OperationFailed
from crm.people.access import kind_label
from crm.people.models import User

WEEKS = re.compile(r"P(\d{1,3})W")


def create_activity(context: Context, kind: str, subject: str, due_in: str, owner: str = "") -> dict:
    """Plans an activity on the run's card, `due_in` (ISO 8601, such as P2D) from now.

    `owner`: a login, "requester" (who started the run) or "owner", the card's, as without it.
    """
    card = CARD_FIELDS.get(kind_label(type(context.record)))
    if card is None:
        raise OperationFailed(_("An activity cannot stand on this kind of record."))
    if kind not in ActivityKind.values:
        raise OperationFailed(_("“%(kind)s” is not a kind of activity.") % {"kind": kind})
    try:
        activity = plan_activity(
            kind=kind, subject=str(subject)[:200], starts_at=timezone.now() + read_duration(due_in), by=context.by,
            owner=_owner(context, owner), via=context.via, **{card: context.record},
        )  # fmt: skip
    except PermissionDenied:
        text = _("%(user)s, who published the process, may not plan this activity.")
        raise OperationFailed(text % {"user": context.by})
    except ValidationError as error:
        raise OperationFailed("; ".join(error.messages))
    return {"activity_id": activity.pk}


def read_duration(text: str) -> timedelta:
    """A length of time such as P2D, PT4H or P1W, at most ten years."""
    weeks = WEEKS.fullmatch(str(text).strip())
    length = timedelta(weeks=int(weeks[1])) if weeks else None
    try:
        length = length or (parse_duration(str(text).strip()) if str(text).strip().startswith("P") else None)
    except (ValueError, OverflowError):
        length = None
    if length is None or not timedelta(0) <= length <= timedelta(days=3660):
        raise OperationFailed(
            _("“%(text)s” is not a length of time such as P2D or PT4H.") % {"text": str(text)[:40]}
        )
    return length


def _owner(context: Context, login: str) -> User:
    if login in ("", "owner"):
        return context.record.owner or context.requester
    if login == "requester":
        return context.requester
    user = User.objects.filter(username=login, is_active=True).first()
    if user is None:
        raise OperationFailed(_("There is nobody with the login “%(login)s”.") % {"login": login[:60]})
    return user
