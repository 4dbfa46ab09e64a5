from django import template

from crm.history.bin import is_deletable
from crm.people.access import kind_label
from crm.people.visibility import may

register = template.Library()


@register.inclusion_tag("history/_delete_action.html", takes_context=True)
def delete_action(context, record):
    """The button that puts a record into the recycle bin, for those who may."""
    label = kind_label(type(record))
    user = context["request"].user
    return {"record": record, "kind": label, "allowed": is_deletable(label) and may(user, "delete", record)}
