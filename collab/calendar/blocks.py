"""What the calendar shows on pages of the frame and on other rooms' cards."""

from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.selectors import CARD_FIELDS, activities_of, my_day
from crm.people.access import kind_label
from crm.people.visibility import may


def today(request) -> str:
    """The block of "My day"."""
    return render_to_string("collab/calendar/my_day.html#day", day_context(request), request)


def day_context(request) -> dict:
    now = timezone.now()
    return {"day": my_day(request.user, now), "now": now}


def next_strip(request, record) -> str:
    """The "what next" line of a card; it refetches itself when an activity changes."""
    return render_to_string("collab/calendar/card_next.html#strip", strip_context(request, record), request)


def strip_context(request, record) -> dict:
    following = _following(request.user, record)
    kind = kind_label(type(record))
    name = CARD_FIELDS[kind]
    return {
        "record": record,
        "kind": kind,
        "next_url_name": f"collab_calendar:{name}_next",
        "card": name,
        "activity": following,
        # Only what is being worked on needs a next step.
        "asks": following is None and getattr(record, "is_open", False) and _may_plan(request.user, record),
        # Whether to offer completing it; the services decide again.
        "may_act": following is not None and (following.owner_id == request.user.pk or following.may_edit),
    }


def _following(user, record) -> Activity | None:
    """What is next on the card, and whether the reader may change it (`may_edit`). One query."""
    rows = activities_of(user, record).open().order_by("starts_at", "pk")
    changeable = Activity.objects.visible_to(user, "edit").filter(pk=OuterRef("pk"))
    return rows.annotate(may_edit=Exists(changeable)).first()


def _may_plan(user, record) -> bool:
    """What the card's own query may have told already (`may_edit`), else one more query."""
    return record.may_edit if hasattr(record, "may_edit") else may(user, "edit", record)
