"""Planning, logging, completing, moving and cancelling activities."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.formats import date_format

from collab.calendar import services, signals
from collab.calendar.models import Activity
from collab.calendar.services import NextStep
from crm.history.cards import card_history
from crm.history.editing import EditConflict
from crm.notify.models import Notification
from leads.models import LeadStatus
from leads.services import convert_lead, disqualify_lead
from tests.factories.collab import in_hours, make_activity, make_logged
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.deals import make_deal, make_deal_type
from tests.factories.leads import make_lead, make_reason

pytestmark = pytest.mark.django_db


def sentences(user, card, group=""):
    return [line.sentence for line in card_history(user=user, record=card, group=group).lines]


@pytest.fixture
def told():
    """The facts the calendar sent: (name, payload), in order."""
    facts, receivers = [], []
    for name in ("planned", "completed", "rescheduled", "cancelled"):
        signal = getattr(signals, f"activity_{name}")

        def listen(sender, signal, _name=name, **payload):
            facts.append((_name, payload))

        signal.connect(listen)
        receivers.append((signal, listen))
    yield facts
    for signal, listen in receivers:
        signal.disconnect(listen)


def test_first_activity_puts_a_new_lead_into_work(rep):
    lead = make_lead(rep)
    make_logged(rep, lead=lead)
    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at is not None) == (LeadStatus.IN_WORK, True)


def test_planning_starts_work_too_and_a_closed_lead_stays_closed(rep):
    planned, closed = make_lead(rep), make_lead(rep)
    make_activity(rep, lead=planned)
    disqualify_lead(lead=closed, reason=make_reason(), by=rep)
    make_logged(rep, lead=closed)
    planned.refresh_from_db()
    closed.refresh_from_db()
    assert (planned.status, closed.status) == (LeadStatus.IN_WORK, LeadStatus.UNQUALIFIED)


def test_logged_call_stands_on_every_card_with_its_result(rep):
    counterparty = make_counterparty(rep)
    deal, contact = make_deal(rep, counterparty=counterparty), make_contact(rep, counterparty=counterparty)
    make_logged(rep, deal=deal, contact=contact, result="They want three of them")
    for card in (deal, counterparty, contact):
        line = card_history(user=rep, record=card, group="call").lines[0]
        assert (line.sentence, line.note) == ("logged a call", "They want three of them")


def test_completing_writes_the_result_and_plans_the_next_step(rep, told):
    lead, tomorrow = make_lead(rep), in_hours(24)
    activity = make_activity(rep, lead=lead)
    step = NextStep("meeting", "Show the samples", tomorrow, tomorrow + timedelta(hours=1))
    services.complete_activity(activity=activity, result="Agreed", by=rep, next_step=step)
    following = Activity.objects.open().get()
    assert (activity.result, activity.is_open) == ("Agreed", False)
    assert (following.kind, following.subject) == ("meeting", "Show the samples")
    assert (following.lead, following.owner) == (lead, rep)
    assert [name for name, _payload in told] == ["planned", "planned", "completed"]
    assert told[-1][1] == {"activity": activity, "by": rep, "next_activity": following}


def test_an_activity_is_closed_once(rep, told):
    activity = make_activity(rep)
    services.complete_activity(activity=activity, result="Yes", by=rep)
    again = Activity.objects.get()
    for verb in (
        lambda: services.complete_activity(activity=again, result="No", by=rep),
        lambda: services.cancel_activity(activity=again, by=rep),
        lambda: services.reschedule_activity(activity=again, starts_at=in_hours(5), by=rep),
    ):
        with pytest.raises(services.ActivityClosed):
            verb()
    again.refresh_from_db()
    assert (again.result, again.cancelled_at) == ("Yes", None)
    assert [name for name, _payload in told] == ["planned", "completed"]


def test_moving_keeps_the_length_and_tells(rep, told):
    start = in_hours(2)
    activity = make_activity(rep, lead=make_lead(rep), ends_at=start + timedelta(minutes=45))
    activity.refresh_from_db()
    was, length = activity.starts_at, activity.ends_at - activity.starts_at
    services.reschedule_activity(activity=activity, starts_at=in_hours(30), by=rep)
    assert activity.ends_at - activity.starts_at == length
    assert told[-1] == ("rescheduled", {"activity": activity, "by": rep, "was": was})
    assert sentences(rep, activity.lead, "call") == ["moved a call", f"planned a call for {_shown(was)}"]


def _shown(moment):
    return date_format(timezone.localtime(moment), "DATE_FORMAT") + date_format(
        timezone.localtime(moment), " H:i"
    )


def test_cancelled_activity_stays_in_history(rep, told):
    activity = make_activity(rep, lead=make_lead(rep))
    services.cancel_activity(activity=activity, by=rep)
    assert sentences(rep, activity.lead, "call")[0] == "cancelled a call"
    assert told[-1][0] == "cancelled"


def test_subject_falls_back_to_the_kind(rep):
    assert make_activity(rep, kind="letter", subject="  ").subject == "Letter"


def test_end_before_start_and_a_logged_future_are_refused(rep):
    with pytest.raises(ValidationError):
        make_activity(rep, hours=2, ends_at=in_hours(1))
    with pytest.raises(ValidationError):
        services.log_activity(kind="call", subject="", result="x", at=in_hours(2), by=rep)
    with pytest.raises(ValidationError):
        make_activity(rep, kind="pigeon")
    assert Activity.objects.count() == 0


def test_hidden_cards_and_strange_calendars_are_refused(rep, teammate, head, outsider):
    lead = make_lead(rep)
    for attempt in (
        lambda: make_activity(outsider, lead=lead),
        lambda: make_activity(outsider, deal=make_deal(rep)),
        lambda: make_activity(teammate, owner=rep),
        lambda: make_activity(head, owner=outsider),
        lambda: make_activity(outsider, participants=[make_contact(rep)]),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert Activity.objects.count() == 0
    assert make_activity(head, owner=rep).owner == rep


def test_colleague_who_took_the_call_writes_it_down_but_may_not_close_another_s_plan(rep, teammate):
    lead = make_lead(rep)
    plan = make_activity(rep, lead=lead)
    assert make_logged(teammate, lead=lead).owner == teammate
    with pytest.raises(PermissionDenied):
        services.complete_activity(activity=plan, result="x", by=teammate)


def test_planning_for_somebody_tells_him_and_the_invited(rep, head, teammate):
    make_activity(head, owner=rep, participants=[teammate], subject="Visit")
    told = {row.user.username: row.sentence for row in Notification.objects.select_related("user")}
    assert told == {
        "rep": "Katarzyna Lewandowska put “Visit” into your calendar.",
        "teammate": "Katarzyna Lewandowska invited you: Visit",
    }


def test_edit_writes_fields_and_clashes_with_the_same_field(rep, head):
    activity = make_activity(rep, lead=make_lead(rep))
    seen = activity.version
    services.edit_activity(activity=activity, values={"subject": "First"}, version=seen, by=rep)
    stale = Activity.objects.get()
    services.edit_activity(activity=stale, values={"place": "Łódź"}, version=seen, by=head)
    with pytest.raises(EditConflict):
        services.edit_activity(activity=stale, values={"subject": "Second"}, version=seen, by=head)
    stale.refresh_from_db()
    assert (stale.subject, stale.place) == ("First", "Łódź")


def test_participants_are_exchanged(rep, teammate, head):
    mine, other = make_contact(rep), make_contact(rep)
    activity = make_activity(rep, participants=[teammate, mine])
    services.edit_activity(activity=activity, values={}, version=1, by=rep, participants=[head, mine, other])
    found = sorted(str(row.user or row.contact) for row in activity.participants.all())
    assert found == sorted([str(head), str(mine), str(other)])


def test_conversion_relinks_and_keeps_the_lead(rep):
    make_deal_type()
    lead = make_lead(rep)
    planned, done = make_activity(rep, lead=lead), make_logged(rep, lead=lead, result="Sounds good")
    made = convert_lead(
        lead=lead, by=rep, counterparty_type=make_type(), deal_values={"name": "Forklifts"},
        contact_values={"last_name": "Kowalska"},
    )  # fmt: skip
    for activity in (planned, done):
        activity.refresh_from_db()
        assert (activity.lead, activity.counterparty, activity.deal, activity.contact) == (
            lead, made.counterparty, made.deal, made.contact,
        )  # fmt: skip
    for card in (made.deal, made.counterparty, made.contact):
        assert "logged a call" in sentences(rep, card, "call")
