from django import template

from crm.history.bin import is_deletable
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
