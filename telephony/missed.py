"""What becomes of a call that nobody answered: after a while without anybody reaching the number, somebody calls back.

One open call-back for a number, whatever how often it called. Whoever owns the card calls back, else the connection's
rota in turn, else those at whose phones it rang; for somebody who is away, his substitute.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from collab.calendar.models import Activity, ActivityKind, Direction
from collab.calendar.services import ActivityClosed, cancel_activity, complete_activity, plan_activity
from crm.jobs.services import enqueue
from crm.notify.services import notify
from crm.people.absences import present, stand_in, substitutes
from crm.people.calendar import add_working_time, working_calendar
from crm.people.models import User
from crm.people.visibility import may
from leads.intake import receive_lead
from leads.models import OPEN_STATUSES, Lead, LeadSource
from leads.response import heads_above
from telephony.ingest import CARD_FIELDS
from telephony.matching import find_cards
from telephony.models import Call, LeadRule, MissedCall, NumberLead
from telephony.services import match_again, users_of

JOB = "telephony.missed"
LEAD_JOB, ESCALATE_JOB = "telephony.lead", "telephony.escalate"
LATE = gettext_noop("Nobody has called back in time: “%(activity)s”, which %(owner)s has to do.")
GRACE = timedelta(seconds=60)
VIA = gettext_noop("telephony")
Status = MissedCall.Status


def note_missed(call: Call) -> None:
    """Sets the clock, once for each call. A caller without a number cannot be called back."""
    if not call.number:
        return
    MissedCall.objects.bulk_create([MissedCall(call=call)], ignore_conflicts=True)
    enqueue(kind=JOB, key=str(call.pk), args={"call": call.pk}, run_at=timezone.now() + GRACE)


@transaction.atomic
def settle(call_id: int) -> MissedCall | None:
    """The grace is over: spoken with meanwhile, or to be called back."""
    rows = MissedCall.objects.select_for_update(of=("self",)).filter(call=call_id, status=Status.WAITING)
    missed = rows.select_related(
        "call__connection__author", *(f"call__{name}" for name in CARD_FIELDS)
    ).first()
    if missed is None:
        return None
    call = missed.call
    if not call.is_missed or (reached := _reached_since(call)):
        missed.status, missed.reached_by = Status.REACHED, None if not call.is_missed else reached
    else:
        missed.activity = _open_call_back(call.number)
        if missed.activity is None and (planned := _plan(call)) is not None:
            missed.activity = planned
            _set_clock(call, planned)
        missed.status = Status.PLANNED
    missed.save(update_fields=["status", "activity", "reached_by"])
    return missed


def _set_clock(call: Call, activity: Activity) -> None:
    """When the head hears of it, unless somebody reaches the number before."""
    if minutes := call.connection.return_minutes:
        due = add_working_time(timezone.now(), timedelta(minutes=minutes), working_calendar())
        enqueue(kind=ESCALATE_JOB, key=str(activity.pk), args={"activity": activity.pk}, run_at=due)


@transaction.atomic
def escalate(activity_id: int) -> list[User]:
    """Tells the nearest head that a call was not returned in time, once; whom. Nobody once the number was reached."""
    late = MissedCall.objects.filter(
        activity=activity_id, activity__in=Activity.objects.open(), status=Status.PLANNED, escalated_at=None
    )
    if not late.update(escalated_at=timezone.now()):
        return []
    activity = Activity.objects.select_related("owner").get(pk=activity_id)
    heads = heads_above(activity.owner, activity.owner.department_id)
    for head in heads:
        params = {"activity": activity.subject, "owner": str(activity.owner)}
        notify(user=head, kind="telephony.not_returned", text=LATE, params=params, record=activity)
    return heads


def note_reached(call: Call) -> int:
    """Somebody speaks with the number: what was missed of it before is settled. How many there were."""
    if not call.number:
        return 0
    open_ones = MissedCall.objects.exclude(status=Status.REACHED).filter(
        call__number=call.number, call__started_at__lte=call.answered_at
    )
    rows = list(open_ones.exclude(call=call).select_related("activity__owner", "call__connection__author"))
    for missed in rows:
        if missed.activity is not None and missed.activity.is_open:
            _close(missed.activity, call, missed.call.connection.author)
        missed.status, missed.reached_by = Status.REACHED, call
        missed.save(update_fields=["status", "reached_by"])
    return len(rows)


def _reached_since(call: Call) -> Call | None:
    later = Call.objects.filter(number=call.number, answered_at__gte=call.started_at).exclude(pk=call.pk)
    return later.order_by("answered_at").first()


def _close(activity: Activity, call: Call, author: User) -> None:
    """Done where its owner spoke, else not needed any more."""
    try:
        if call.owner_id == activity.owner_id and call.owner is not None:
            with override(call.owner.language):
                complete_activity(activity=activity, result=_("Spoken with."), by=call.owner, via=VIA)
        else:
            cancel_activity(activity=activity, by=author, via=VIA)
    except (ActivityClosed, PermissionDenied):
        pass


def _open_call_back(number: str) -> Activity | None:
    rows = MissedCall.objects.filter(
        call__number=number, status=Status.PLANNED, activity__in=Activity.objects.open()
    )
    found = rows.select_related("activity").order_by("-pk").first()
    return found.activity if found else None


def _plan(call: Call) -> Activity | None:
    owner = _who_calls_back(call)
    if owner is None:
        return None
    with override(owner.language):
        subject = _subject(call, owner)
    cards = {name: card for name in CARD_FIELDS if (card := getattr(call, name)) is not None}
    author = call.connection.author
    values = {
        "kind": ActivityKind.CALL, "subject": subject[:200], "starts_at": timezone.now(), "owner": owner,
        "direction": Direction.OUTGOING, "via": VIA,
    }  # fmt: skip
    for by, on in ((author, cards), (owner, {})):
        try:
            with transaction.atomic():
                return plan_activity(by=by, **values, **on)
        except PermissionDenied:
            continue
    return None


def _subject(call: Call, owner: User) -> str:
    """Whom to call back; without the number for somebody who must not learn it."""
    if "number" not in owner.access.hidden_fields(Call):
        return _("Call back %(number)s") % {"number": call.shown_number}
    seen = (card for name in CARD_FIELDS if (card := getattr(call, name)) and may(owner, "view", card))
    card = next(seen, None)
    return _("Call back: %(who)s") % {"who": card} if card else _("Call back a client")


def _who_calls_back(call: Call) -> User | None:
    away = substitutes()
    for pk in (*_owners(call), *_rota(call, away), *sorted(users_of(call)), call.connection.author_id):
        found = stand_in(pk, away) if pk else None
        if found and (user := User.objects.filter(pk=found, is_active=True).first()):
            return user
    return None


def _owners(call: Call) -> list[int | None]:
    return [card.owner_id for name in CARD_FIELDS if (card := getattr(call, name)) is not None]


def _rota(call: Call, away: dict[int, int | None]) -> list[int]:
    """Those who are present, first whoever has waited longest for his last one."""
    people = call.connection.rota.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    given = MissedCall.objects.filter(call__connection=call.connection, activity__owner__in=list(people))
    last = dict(given.order_by().values_list("activity__owner").annotate(last=Max("pk")))
    return sorted(present(people, away), key=lambda pk: last.get(pk, 0))


# Numbers that nobody knows


def wants_lead(call: Call) -> bool:
    """Whether the connection makes a lead of this call's number by itself."""
    rule = call.connection.lead_rule
    wanted = rule == LeadRule.ALWAYS or (rule == LeadRule.MISSED and call.is_missed)
    return wanted and call.direction == "in" and bool(call.number) and not call.card_keys()


@transaction.atomic
def make_lead(call_id: int) -> Lead | None:
    """One open lead for a number that nobody has, whatever how often it calls. None where it has become known."""
    call = Call.objects.select_related("connection__author").get(pk=call_id)
    author = call.connection.author
    found = find_cards(call.number, by=author)
    if found.cards or found.several:
        match_again({call.number})
        return None
    known = NumberLead.objects.filter(number=call.number).select_related("lead").first()
    if known is not None and known.lead.deleted_at is None and known.lead.status in OPEN_STATUSES:
        return known.lead
    source = LeadSource.objects.filter(key="phone").first()
    lead = receive_lead(values={"phone": call.number, "source": source}, by=author, via=VIA)
    NumberLead.objects.update_or_create(number=call.number, defaults={"lead": lead})
    return lead
