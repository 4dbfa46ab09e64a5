"""Activities as records of a portfolio: what bulk edits and hand-overs go through."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from collab.calendar.models import Activity
from collab.calendar.services import edit_activity
from crm.listing.fields import Field
from crm.listing.lists import RecordList
from crm.people.models import User


class ActivityRows(RecordList):
    model = Activity
    url_name = "collab_calendar:activity_list"
    fields = (
        Field("subject", _("Subject")),
        Field("starts_at", _("When"), "moment"),
        Field("owner", _("Owner"), "person", joins=("owner",)),
    )
    default_columns = ("subject", "starts_at", "owner")

    @staticmethod
    def edit(
        record: Activity, *, values: dict, version: int, by: User, attributes: dict | None = None
    ) -> list[str]:
        """Raises what `edit_activity` raises."""
        edit_activity(activity=record, values=values, version=version, by=by)
        return list(values)
