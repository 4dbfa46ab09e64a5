"""How a sign-in is told to its owner."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()

# The first mark that occurs decides: browsers like to claim to be others as well.
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser_name(user_agent: str) -> str:
    """Browser and system of a user agent: "Chrome, Windows"."""
    found = [next((name for mark, name in known if mark in user_agent), "") for known in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in found if name) or _("unknown browser")
