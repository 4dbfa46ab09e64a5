"""Addresses of the records a call may stand on."""

from django import template

from crm.people.kinds import kind_of
from telephony.models import CARDS

register = template.Library()


@register.simple_tag
def record_url(record) -> str:
    return kind_of(record).url(record.pk)


@register.filter
def card_key(record) -> str:
    """`contact:7`: how a form names one of the cards."""
    name = next(name for name, model in CARDS.items() if isinstance(record, model))
    return f"{name}:{record.pk}"
