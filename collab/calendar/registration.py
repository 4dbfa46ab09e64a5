"""What the calendar puts on other rooms' pages."""

from functools import partial

from django.db.models import Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from collab.calendar.blocks import next_strip, today
from collab.calendar.many import PlanForMany, take_back
from collab.calendar.many_forms import many_plans_form
from collab.calendar.models import Activity, ActivityKind
from collab.calendar.operations import create_activity
from collab.calendar.portfolio import ActivityRows
from collab.calendar.reminders import LIVE as REMINDER
from collab.calendar.selectors import CARD_FIELDS, activities_of, is_planned, planned_on
from collab.calendar.services import edit_activity
from collab.calendar.telling import CHANGED
from crm.history.bin import Follower, register_deletable, register_follower
from crm.history.kinds import EventKind, Group, register_event
from crm.history.undoing import Editor, register_editor
from crm.listing.bulk.deeds import Deed, register_deed
from crm.listing.fields import register_planned
from crm.listing.lists import register_list
from crm.listing.portfolio import PortfolioKind, register_portfolio
from crm.notify.notices import Notice, register_notice
from crm.operations.registry import Input, Operation, register_operation
from crm.people.kinds import RecordKind, register_kind
from crm.web.registry import (
    CardStrip,
    ComposerAction,
    HomeBlock,
    MenuEntry,
    Panel,
    ProfileSection,
    QuickCreate,
    TopbarSlot,
    register_composer,
    register_home,
    register_menu,
    register_panel,
    register_profile_section,
    register_quick_create,
    register_strip,
    register_topbar,
)

CARD_KINDS = tuple(CARD_FIELDS)
UNDOABLE = frozenset({"subject", "description", "place", "starts_at", "ends_at", "all_day", "is_private"})
_EVENTS = [
    # activity kind, group, icon, planned, completed, moved, cancelled, edited, series edited
    ("call", Group.CALL, "telephone", _("planned a call for %(when)s"), _("logged a call"),
     _("moved a call"), _("cancelled a call"), _("changed a planned call"), _("changed repeating calls")),
    ("meeting", Group.MEETING, "people", _("planned a meeting for %(when)s"), _("held a meeting"),
     _("moved a meeting"), _("cancelled a meeting"), _("changed a planned meeting"), _("changed repeating meetings")),
    ("letter", Group.LETTER, "envelope", _("planned a letter for %(when)s"), _("sent a letter"),
     _("moved a letter"), _("cancelled a letter"), _("changed a planned letter"), _("changed repeating letters")),
]  # fmt: skip


def register_all() -> None:
    """Called once the apps are ready."""
    register_kind(
        RecordKind(
            Activity,
            _("activity"),
            _("activities"),
            "calendar-event",
            "collab_calendar:activity_detail",
            personal=True,
            searchable=True,
            summary=_summary,
            summary_related=("owner",),
        )
    )
    register_deletable("collab_calendar.activity")
    register_list(ActivityRows)
    register_planned(is_planned)
    is_open = Q(done_at=None, cancelled_at=None)
    register_portfolio(
        PortfolioKind(
            "collab_calendar.activity", 50, is_open, {"counterparty": ("counterparty", "deal__counterparty")}
        )
    )
    register_editor(Editor("collab_calendar.activity", UNDOABLE, _edit, has_attributes=False))
    for label in CARD_KINDS:
        register_follower(Follower(label, _("planned activities"), planned_on))
    register_notice(
        Notice(
            "collab_calendar.planned",
            _("Somebody puts something into my calendar"),
            "calendar-plus",
            mail="hourly",
        )
    )
    register_notice(Notice(REMINDER, _("A reminder of what I planned"), "alarm"))
    register_notice(
        Notice(CHANGED, _("Somebody moves or cancels something in my calendar"), "calendar-x", mail="hourly")
    )
    _register_events()
    _register_pages()
    _register_card_parts()
    _register_operation()
    _register_deed()


def _register_deed() -> None:
    register_deed(
        Deed(
            "collab_calendar.plan", _("Plan activity"), "calendar-plus", CARD_KINDS, many_plans_form,
            "collab/calendar/_many_plans_fields.html", PlanForMany, take_back,
        )
    )  # fmt: skip


def _summary(activity: Activity) -> str:
    at = date_format(localtime(activity.done_at or activity.starts_at), "SHORT_DATE_FORMAT")
    return f"{activity.get_kind_display()}, {at}, {activity.owner}"


def _register_events() -> None:
    for kind, group, icon, planned, completed, moved, cancelled, edited, all_edited in _EVENTS:
        register_event(
            EventKind(f"{kind}_planned", planned, icon, group, "blue"),
            EventKind(f"{kind}_completed", completed, icon, group, "green"),
            EventKind(f"{kind}_moved", moved, icon, group, "grey"),
            EventKind(f"{kind}_cancelled", cancelled, icon, group, "grey"),
            EventKind(f"{kind}_edited", edited, icon, group, "grey"),
            EventKind(f"{kind}_series_edited", all_edited, icon, group, "grey"),
            EventKind(f"{kind}_repeated", _("lets it repeat: %(rule)s"), "arrow-repeat", group, "blue"),
        )


def _register_pages() -> None:
    register_menu(
        MenuEntry(
            key="calendar",
            label=_("Calendar"),
            icon="calendar-week",
            url_name="collab_calendar:calendar",
            order=70,
            phone=True,
        )
    )
    register_quick_create(
        QuickCreate(
            label=_("Activity"), icon="calendar-plus", url_name="collab_calendar:activity_create", order=40
        )
    )
    register_home(
        HomeBlock(
            key="today", label=_("Calls, meetings, letters"), order=10, icon="calendar-check", render=today
        )
    )

    register_topbar(TopbarSlot(key="reminders", template="collab/calendar/_reminders_slot.html", order=30))
    register_profile_section(
        ProfileSection(
            key="reminders",
            label=_("Reminders"),
            text=_(
                "How long before calls and meetings you are reminded, and a letter with your day each morning."
            ),
            action=_("Choose reminders"),
            icon="alarm",
            url_name="collab_calendar:reminder_choice",
            order=20,
        )
    )


def _register_card_parts() -> None:
    register_strip(CardStrip(key="next-activity", cards=CARD_KINDS, order=20, render=next_strip))
    for label, name in CARD_FIELDS.items():
        register_panel(
            Panel(
                card=label,
                key="activities",
                label=_("Activities"),
                order=20,
                url_name=f"collab_calendar:{name}_activities",
                count=_count,
            )
        )
    for order, (key, label, icon, kind, done) in enumerate(_COMPOSER, start=10):
        register_composer(
            ComposerAction(
                key=key,
                cards=CARD_KINDS,
                label=label,
                icon=icon,
                order=order,
                url=partial(compose_url, kind=kind, done=done),
            )
        )


_COMPOSER = [
    ("log-call", _("Log a call"), "telephone", ActivityKind.CALL, True),
    ("plan-call", _("Plan a call"), "telephone-plus", ActivityKind.CALL, False),
    ("meeting", _("Meeting"), "people", ActivityKind.MEETING, False),
    ("letter", _("Letter"), "envelope", ActivityKind.LETTER, False),
]


def compose_url(record, kind: str, done: bool) -> str:
    """The form for an activity on this card, for something that has happened or that is to come."""
    name = CARD_FIELDS[record._meta.label_lower]
    return f"{reverse('collab_calendar:activity_create')}?{name}={record.pk}&kind={kind}{'&done=1' if done else ''}"


def _count(record, user) -> int:
    return activities_of(user, record).filter(cancelled_at=None).nearest().count()


def _register_operation() -> None:
    register_operation(
        Operation(
            name="collab_calendar.create_activity",
            label=_("Plan an activity"),
            handler=create_activity,
            inputs=(
                Input("kind", "choice", _("Kind"), choices=tuple(ActivityKind.values)),
                Input("subject", "text", _("Subject")),
                Input("due_in", "text", _("Due in (such as P2D)")),
                Input("owner", "user", _("Owner"), required=False),
            ),
        )
    )


def _edit(*, record, values, attributes, version, by, via) -> None:
    edit_activity(activity=record, values=values, version=version, by=by, via=via)
