from django import template

from crm.notify.notices import Notice, notice_of

register = template.Library()


@register.simple_tag
def notice(kind: str) -> Notice:
    """What is registered about a kind of notification: its label and icon."""
    return notice_of(kind)
