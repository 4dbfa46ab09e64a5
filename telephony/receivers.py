"""What follows from calls, and what of them follows from changes of the areas below."""

from django.dispatch import receiver

from counterparties.models import Contact, Counterparty
from counterparties.signals import (
    contact_changed,
    contact_created,
    contacts_written,
    counterparties_written,
    counterparty_changed,
    counterparty_created,
)
from crm.history.signals import record_erasing
from crm.jobs.services import enqueue
from leads.models import Lead
from leads.signals import lead_changed, lead_conversion_undone, lead_converted, lead_created
from telephony import history, missed, services
from telephony.models import CARDS, Call
from telephony.services import match_again
from telephony.signals import call_answered, call_corrected, call_ended, call_missed

PHONE_FIELDS = {"phone", "phones"}


@receiver(call_ended, dispatch_uid="telephony.write_history")
def write_history(call, **kwargs) -> None:
    history.record_call(call)
    if missed.wants_lead(call):
        enqueue(kind=missed.LEAD_JOB, key=call.number, args={"call": call.pk})


@receiver(call_corrected, dispatch_uid="telephony.correct_history")
def correct_history(call, **kwargs) -> None:
    history.correct_call(call)


@receiver(call_missed, dispatch_uid="telephony.note_missed")
def note_missed(call, **kwargs) -> None:
    missed.note_missed(call)


@receiver([call_ended, call_corrected], dispatch_uid="telephony.review_move")
def review_move(call, **kwargs) -> None:
    services.review_move(call=call, by=call.owner or call.connection.author)


@receiver(call_answered, dispatch_uid="telephony.note_reached")
def note_reached(call, **kwargs) -> None:
    missed.note_reached(call)


@receiver([contact_created, contact_changed], dispatch_uid="telephony.match_contact")
def match_contact(contact, fields=PHONE_FIELDS, **kwargs) -> None:
    _match([contact], fields)


@receiver([counterparty_created, counterparty_changed], dispatch_uid="telephony.match_counterparty")
def match_counterparty(counterparty, fields=PHONE_FIELDS, **kwargs) -> None:
    _match([counterparty], fields)


@receiver([lead_created, lead_changed], dispatch_uid="telephony.match_lead")
def match_lead(lead, fields=PHONE_FIELDS, **kwargs) -> None:
    _match([lead], fields)


@receiver([contacts_written, counterparties_written], dispatch_uid="telephony.match_imported")
def match_imported(contacts=(), counterparties=(), **kwargs) -> None:
    _match([*contacts, *counterparties], PHONE_FIELDS)


def _match(records: list[Contact | Counterparty | Lead], fields) -> None:
    """Calls of a number that somebody has just got find their cards."""
    if not PHONE_FIELDS & set(fields):
        return
    numbers = {number for record in records for number in _numbers(record)}
    if numbers and Call.objects.filter(number__in=numbers).exists():
        match_again(numbers)


def _numbers(record) -> set[str]:
    rows = getattr(record, "phones", None) or []
    return {record.phone, *(row.get("number", "") for row in rows)} - {""}


@receiver(lead_converted, dispatch_uid="telephony.follow_conversion")
def follow_conversion(lead, counterparty, contact, deal, **kwargs) -> None:
    """They stand on what the lead has become as well; what was set already stays."""
    became = {"counterparty": counterparty, "contact": contact, "deal": deal}
    for call in Call.objects.filter(lead=lead):
        for name, card in became.items():
            if card is not None and getattr(call, f"{name}_id") is None:
                setattr(call, name, card)
        call.save(update_fields=[*became, "updated_at"])
        history.stand_on_cards(call)


@receiver(lead_conversion_undone, dispatch_uid="telephony.follow_conversion_undo")
def follow_conversion_undo(lead, counterparty, contact, deal, **kwargs) -> None:
    """They stand on the lead alone again."""
    for name, card in (("counterparty", counterparty), ("contact", contact), ("deal", deal)):
        if card is not None:
            Call.objects.filter(**{"lead": lead, name: card}).update(**{name: None})


@receiver(record_erasing, dispatch_uid="telephony.let_go_of_card")
def let_go_of_card(record, **kwargs) -> None:
    """The call stays, without the erased card."""
    for name, model in CARDS.items():
        if isinstance(record, model):
            Call.objects.filter(**{name: record}).update(**{name: None})
