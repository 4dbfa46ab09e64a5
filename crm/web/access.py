"""The one way a page fetches a record: the unseen does not exist, what may not be done is refused."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from crm.people.fields import mask


def get_visible(model, user, pk, action="view", queryset=None):
    """The record for *action*: 404 when the user cannot view it, 403 when only the action is denied.

    Fields hidden from the user are empty on it (see ``crm.people.fields``); services read their own fresh copy.

    *queryset* (with ``select_related`` and the like) must offer ``visible_to`` as the model's manager does.
    """
    records = model.objects.all() if queryset is None else queryset
    record = records.visible_to(user, action).filter(pk=pk).first()
    if record is not None:
        mask(user, [record])
        return record
    if action != "view" and records.visible_to(user, "view").filter(pk=pk).exists():
        raise PermissionDenied
    raise Http404
