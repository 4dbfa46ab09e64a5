"""What the templates of processes ask for."""

from django import template

from bpm.forms import spoken
from bpm.inbox import open_count

register = template.Library()

PILLS = {
    "running": ("blue", "gear"), "waiting": ("amber", "hourglass-split"), "incident": ("red", "exclamation-triangle"),
    "suspended": ("amber", "pause-circle"),
    "completed": ("green", "check-lg"), "error": ("red", "x-lg"), "cancelled": ("grey", "slash-circle"),
    "draft": ("grey", "pencil"), "published": ("green", "check-lg"), "retired": ("grey", "archive"),
    "active": ("blue", "play-fill"), "done": ("green", "check-lg"), "open": ("amber", "hourglass-split"),
    "withdrawn": ("grey", "slash-circle"),
}  # fmt: skip


@register.simple_tag(takes_context=True)
def inbox_count(context) -> int:
    return open_count(context["request"].user)


@register.inclusion_tag("bpm/_status.html")
def status_pill(row):
    """A run's, version's, step's or task's status."""
    colour, icon = PILLS.get(row.status, ("grey", ""))
    return {"colour": colour, "icon": icon, "label": row.get_status_display()}


@register.filter
def label_of(thing) -> str:
    """The label of an outcome or a field of a diagram."""
    return spoken(thing.label or thing.key, thing.labels)
