"""The list of leads: fields, filters, and tabs by status."""

from __future__ import annotations

from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.fields import TAGS, Field, next_step
from crm.listing.lists import COUNT_CAP, Filter, RecordList
from crm.listing.models import Import
from leads.models import LEAD_KIND, Lead, LeadSource, LeadStatus, UnqualifiedReason
from leads.services import edit_lead

TONES = {
    LeadStatus.NEW: ("grey", "circle"),
    LeadStatus.IN_WORK: ("blue", "play-fill"),
    LeadStatus.QUALIFIED: ("green", "check-lg"),
    LeadStatus.UNQUALIFIED: ("red", "x-lg"),
    LeadStatus.UNREACHABLE: ("amber", "telephone-x"),
    LeadStatus.DUPLICATE: ("grey", "files"),
}


def status_pill(lead: Lead) -> tuple[str, str, str]:
    """(colour, label, icon) of a lead's status."""
    colour, icon = TONES[lead.status]
    return colour, lead.get_status_display().capitalize(), icon


FIELDS = (
    Field("name", _("Name"), sort="sort_key"),
    Field("person", _("Person"), computed=True, get=lambda lead: lead.person),
    Field("company", _("Company"), editable=True),
    Field("first_name", _("First name")),
    Field("last_name", _("Last name")),
    Field("position", _("Position")),
    Field("tax_number", _("Tax number")),
    Field("phone", _("Phone"), "phone"),
    Field("email", _("E-mail")),
    Field("website", _("Website")),
    Field("city", _("City"), editable=True),
    Field("note", _("Note"), editable=True),
    Field("source", _("Source"), "record", dictionary=LeadSource, joins=("source",), editable=True),
    Field("status", _("Status"), "choice", pairs=tuple(LeadStatus.choices)),
    Field("reason", _("Reason"), "record", dictionary=UnqualifiedReason, joins=("reason",)),
    Field("status_note", _("Note on the status")),
    next_step(LEAD_KIND),
    TAGS,
    Field("owner", _("Owner"), "person", joins=("owner",)),
    Field("created_at", _("Added"), "moment", sort="id"),
    Field("updated_at", _("Changed"), "moment"),
    Field("score", _("Score"), "number", sort="score"),
    Field("respond_by", _("Respond by"), "moment", sort="respond_by"),
    Field("first_response_at", _("First response"), "moment"),
    Field("response_minutes", _("Minutes to the first response"), "number"),
    Field("converted_at", _("Converted"), "moment"),
)


class LeadList(RecordList):
    """One page of leads. `?import=` keeps the leads of one of the reader's imports."""

    model = Lead
    url_name = "leads:lead_list"
    fields = FIELDS
    default_columns = ("name", "person", "phone", "source", "status", "next", "score", "owner", "created_at")
    quick = ("owner", "source")
    tab_field = "status"
    tabs = [
        (LeadStatus.NEW, _("New")),
        (LeadStatus.IN_WORK, _("In work")),
        (LeadStatus.QUALIFIED, _("Qualified")),
        (LeadStatus.UNQUALIFIED, _("Unqualified")),
        (LeadStatus.UNREACHABLE, _("Unreachable")),
        (LeadStatus.DUPLICATE, _("Duplicates")),
    ]

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_lead(lead=record, **changes)

    @property
    def filters(self) -> list[Filter]:
        offered = super().filters
        if self.params.get("response") or self.tab == LeadStatus.NEW:
            offered.append(Filter("response", _("First response"), _responses, _response_condition))
        if self.params.get("import"):
            offered.append(
                Filter("import", _("Import"), _imports, lambda value, user: Q(import_id=int(value)))
            )
        return offered

    @cached_property
    def counts(self) -> list[tuple[str, str, int]]:
        return super().tab_counts()

    def tab_counts(self) -> list[tuple[str, str, int]]:
        return self.counts

    @property
    def count(self) -> int:
        """Taken from the tabs' counts: no query of its own."""
        counts = {str(value): count for value, _label, count in self.counts}
        return min(counts.get(str(self.tab), sum(counts.values())), COUNT_CAP + 1)

    def joined(self, rows):
        return rows.select_related("owner", "source")


RESPONSES = [
    ("waiting", _("still in time")),
    ("overdue", _("overdue")),
    ("late", _("came too late")),
    ("in_time", _("came in time")),
]


def _responses(user) -> list[tuple[str, str]]:
    return RESPONSES


def _response_condition(value: str, user) -> Q:
    waiting, now = Q(status=LeadStatus.NEW, respond_by__isnull=False), timezone.now()
    return {
        "waiting": waiting & Q(respond_by__gt=now),
        "overdue": waiting & Q(respond_by__lte=now),
        "late": Q(respond_by__lt=F("first_response_at")),
        "in_time": Q(respond_by__gte=F("first_response_at")),
    }[value]


def _imports(user) -> list[tuple[str, str]]:
    return [
        (str(run.pk), run.file.name)
        for run in Import.objects.visible_to(user).filter(kind=LEAD_KIND).select_related("file")
    ]
