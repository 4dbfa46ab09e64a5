"""How phones are written on pages."""

from django import template

from crm.people.phones import show_phone

register = template.Library()


@register.filter
def phone(number):
    """E.164 as people of the country write it; empty for none."""
    return show_phone(number) if number else ""
