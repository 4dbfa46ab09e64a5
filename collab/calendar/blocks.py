"""What the calendar shows on pages of the frame and on other rooms' cards."""

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
    following = activities_of(request.user, record).open().order_by("starts_at", "pk").first()
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
        "may_act": following is not None and may_act(request.user, following, record),
    }


def may_act(user, activity: Activity, record) -> bool:
    """Whether to offer completing it; the services decide again."""
    if activity.owner_id == user.pk:
        return True
    return Activity.objects.visible_to(user, "edit").filter(pk=activity.pk).exists()


def _may_plan(user, record) -> bool:
    """What the card's own query may have told already (`may_edit`), else one more query."""
    return record.may_edit if hasattr(record, "may_edit") else may(user, "edit", record)
