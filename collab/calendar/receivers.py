"""What becomes of activities when their lead is converted, or a card is erased, and of moves that wait for them."""

from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import receiver

from collab.calendar import letters
from collab.calendar.models import Activity, ActivityParticipant, Series
from collab.calendar.resources import keep_bookings
from collab.calendar.selectors import CARD_FIELDS
from collab.calendar.series_models import SeriesParticipant
from collab.calendar.series_services import bring_back
from collab.calendar.signals import activity_completed
from counterparties.models import Contact
from crm.history.signals import record_erasing, record_restored
from crm.jobs.signals import job_ended
from deals.services import review_request
from leads.signals import lead_conversion_undone, lead_converted


@receiver(activity_completed, dispatch_uid="collab_calendar.review_move")
def review_move(sender, activity, by, **kwargs) -> None:
    """What was done may be what a deal's move waits for."""
    if activity.deal_id is not None:
        review_request(deal_id=activity.deal_id, by=by)


@receiver(lead_converted, dispatch_uid="collab_calendar.follow_conversion")
def follow_conversion(sender, lead, counterparty, contact, deal, by, **kwargs) -> None:
    """They stand on the counterparty, the contact and the deal as well; what was set already stays."""
    became = {"counterparty_id": counterparty, "contact_id": contact, "deal_id": deal}
    values = {name: Coalesce(F(name), card.pk) for name, card in became.items() if card is not None}
    if values:
        Activity.objects.filter(lead=lead).update(**values)
        Series.objects.filter(lead=lead).update(**values)


@receiver(lead_conversion_undone, dispatch_uid="collab_calendar.follow_conversion_undo")
def follow_conversion_undo(sender, lead, counterparty, contact, deal, by, **kwargs) -> None:
    """They stand on the lead alone again."""
    for name, card in (("counterparty", counterparty), ("contact", contact), ("deal", deal)):
        if card is not None:
            Activity.objects.filter(**{"lead": lead, name: card}).update(**{name: None})
            Series.objects.filter(**{"lead": lead, name: card}).update(**{name: None})


@receiver(record_erasing, dispatch_uid="collab_calendar.let_go_of_card")
def let_go_of_card(record, **kwargs) -> None:
    """What was done stays in the calendar of whoever did it, without the erased card."""
    if name := CARD_FIELDS.get(record._meta.label_lower):
        Activity.objects.filter(**{name: record}).update(**{name: None})
        Series.objects.filter(**{name: record}).update(**{name: None})
    if isinstance(record, Contact):
        ActivityParticipant.objects.filter(contact=record).delete()
        SeriesParticipant.objects.filter(contact=record).delete()


@receiver(job_ended, dispatch_uid="collab_calendar.follow_letter")
def follow_letter(sender, job, **kwargs) -> None:
    """A letter that could not be sent says so on its activity."""
    if job.kind == letters.JOB:
        letters.follow_job(job)


@receiver(record_restored, sender=Activity, dispatch_uid="collab_calendar.claim_rooms_again")
def claim_rooms_again(record, **kwargs) -> None:
    """What comes back from the bin needs its rooms: one that somebody else has meanwhile keeps it there."""
    if record.is_open:
        keep_bookings(record)


@receiver(record_restored, sender=Activity, dispatch_uid="collab_calendar.repeat_again")
def repeat_again(record, **kwargs) -> None:
    """What was deleted together with those that follow comes back with them."""
    if record.series_id is not None:
        bring_back(record)
