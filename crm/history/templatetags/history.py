from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from crm.history.bin import is_deletable
from crm.history.notes import MENTION
from crm.people.access import kind_label
from crm.people.visibility import may

register = template.Library()


@register.inclusion_tag("history/_delete_action.html", takes_context=True)
def delete_action(context, record):
    """The button that puts a record into the recycle bin, for those who may."""
    label = kind_label(type(record))
    known = getattr(record, "may_delete", None)
    allowed = may(context["request"].user, "delete", record) if known is None else known
    return {"record": record, "kind": label, "allowed": allowed and is_deletable(label)}


@register.simple_tag
def note_text(line):
    """A note's words; the people it names are links to what they did on the card."""
    people = {person["login"]: person for person in line.mentions}
    if not people:
        return line.note
    event = line.event
    story = reverse("history:card_history", args=[event.subject_kind, event.subject_id])
    # The pattern has one group, so logins stand at the odd places.
    parts = MENTION.split(line.note)
    return format_html_join(
        "", "{}", ((_part(place, part, people, story),) for place, part in enumerate(parts))
    )


def _part(place: int, part: str, people: dict, story: str):
    if place % 2 == 0:
        return part
    person = people.get(part)
    if person is None:
        return f"@{part}"
    return format_html(
        '<a class="mention" href="{0}?actor={1}" hx-get="{0}?actor={1}" hx-target="#history" hx-swap="outerHTML" '
        'title="{2}">@{3}</a>',
        story, person["id"], person["name"], part,
    )  # fmt: skip
