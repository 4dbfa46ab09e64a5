"""What becomes of a lead's activities when the lead is converted."""

from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import receiver

from collab.calendar.models import Activity
from leads.signals import lead_converted


@receiver(lead_converted, dispatch_uid="collab_calendar.follow_conversion")
def follow_conversion(sender, lead, counterparty, contact, deal, by, **kwargs) -> None:
    """They stand on the counterparty, the contact and the deal as well; what was set already stays."""
    became = {"counterparty_id": counterparty, "contact_id": contact, "deal_id": deal}
    values = {name: Coalesce(F(name), card.pk) for name, card in became.items() if card is not None}
    if values:
        Activity.objects.filter(lead=lead).update(**values)
