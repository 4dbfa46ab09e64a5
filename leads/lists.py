"""The list of leads: columns, filters, and tabs by status."""

from __future__ import annotations

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.lists import COUNT_CAP, Column, Filter, RecordList
from crm.listing.models import Import
from crm.people.folding import sort_key
from crm.people.models import User
from crm.people.names import localised
from leads.models import LEAD_KIND, Lead, LeadSource, LeadStatus

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


class LeadList(RecordList):
    """One page of leads. `?import=` keeps the leads of one of the reader's imports."""

    model = Lead
    columns = [
        Column("name", _("Name"), "sort_key"),
        Column("person", _("Person")),
        Column("phone", _("Phone")),
        Column("source", _("Source")),
        Column("status", _("Status")),
        Column("next", _("Next step")),
        Column("owner", _("Owner"), kind="person"),
        Column("created_at", _("Added"), "id", "date"),
    ]
    tab_field = "status"
    tabs = [
        (LeadStatus.NEW, _("New")),
        (LeadStatus.IN_WORK, _("In work")),
        (LeadStatus.QUALIFIED, _("Qualified")),
        (LeadStatus.UNQUALIFIED, _("Unqualified")),
        (LeadStatus.UNREACHABLE, _("Unreachable")),
        (LeadStatus.DUPLICATE, _("Duplicates")),
    ]

    @cached_property
    def choices(self) -> dict[str, list[tuple[str, str]]]:
        """Owners and sources in one query."""
        text = CharField()
        people = User.objects.filter(is_active=True).values_list(
            Value("owner"), "pk", Concat("first_name", Value(" "), "last_name"), "username", Value(0)
        )
        sources = LeadSource.objects.values_list(
            Value("source"), "pk", Cast("name", text), "name_pl", "position"
        )
        found: dict[str, list] = {"owner": [], "source": []}
        for what, pk, name, other, position in people.order_by().union(sources.order_by(), all=True):
            shown = (name.strip() or other) if what == "owner" else localised(name, other)
            found[what].append((position, sort_key(shown), shown, str(pk)))
        return {what: [(pk, shown) for *_order, shown, pk in sorted(rows)] for what, rows in found.items()}

    @property
    def filters(self) -> list[Filter]:
        offered = [
            Filter(
                "owner",
                _("Owner"),
                lambda user: self.choices["owner"],
                lambda value, user: Q(owner_id=int(value)),
            ),
            Filter(
                "source",
                _("Source"),
                lambda user: self.choices["source"],
                lambda value, user: Q(source_id=int(value)),
            ),
        ]
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


def _imports(user) -> list[tuple[str, str]]:
    return [
        (str(run.pk), run.file.name)
        for run in Import.objects.visible_to(user).filter(kind=LEAD_KIND).select_related("file")
    ]
