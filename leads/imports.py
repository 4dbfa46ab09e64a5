"""Leads from spreadsheets: which fields a row fills, and what has no field of its own."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from counterparties.matching.reading import index_many
from crm.history.kinds import EventKind, register_event
from crm.listing.imports.lookups import register_finder
from crm.listing.imports.records import RecordBatch
from crm.listing.imports.registry import Importer, Values, Written, register_importer
from leads.assignment import assign_by_rules
from leads.import_fields import EXAMPLE, fields_for
from leads.import_keys import existing, find_leads, keys_of, person_of
from leads.models import LEAD_KIND, Lead, LeadSource
from leads.response import deadline, watch
from leads.scoring import watch_scores

PLAIN = ("company", "position", "tax_number", "phone", "email", "website", "city", "note")
IMPORT_SOURCE = "import"
# What a row needs at least one of.
NAMING = ("company", "person", "person_turned", "first_name", "last_name", "phone", "phone_2", "email")


def register() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("lead_imported", _("imported the lead from %(file)s"), "upload", tone="grey"),
        EventKind("lead_import_updated", _("changed the lead by importing %(file)s"), "upload", tone="grey"),
    )
    register_finder(LEAD_KIND, find_leads)
    register_importer(
        Importer(
            kind=LEAD_KIND,
            label=_("Leads"),
            fields=fields_for,
            keys=keys_of,
            existing=existing,
            write=write,
            faults=faults_of,
            list_url=lambda run: f"{reverse('leads:lead_list')}?import={run.pk}",
            messages={"nobody": _("Neither a company nor a person, phone or e-mail.")},
            key_labels={
                "tax_number": _("Tax number"),
                "phone": _("Phone"),
                "email": _("E-mail"),
                "name": _("Name"),
            },
            example=EXAMPLE,
        )
    )


def faults_of(values: Values) -> list[tuple[str, str]]:
    return [] if any(values.get(key) for key in NAMING) else [("nobody", "company")]


def write(creates: list, updates: list, *, run, by) -> Written:
    """One batch: new leads in bulk with one event each, changed ones with what changed."""
    return LeadBatch(run, by).write(creates, updates)


class LeadBatch(RecordBatch):
    model = Lead
    created_kind = "lead_imported"
    updated_kind = "lead_import_updated"
    updates = (*PLAIN, "first_name", "last_name", "source")
    related = ("source", "owner")

    def fields_of(self, values: Values, record=None) -> dict:
        """The row as fields of a lead; what has no field of its own goes to the note."""
        found = {key: values[key] for key in PLAIN if values.get(key)}
        first, last = person_of(values)
        found |= {"first_name": first[:100], "last_name": last[:100]} if first or last else {}
        labels = {"phone": _("Phone"), "email": _("E-mail")}
        rest = self.extras(values, labels | {item.field_name: str(item) for item in self.schema_of(Lead())})
        further = [values.get("phone_2"), *[text for _label, text in self.extras(values, {"phone_2": ""})]]
        for number in filter(None, further):
            if found.setdefault("phone", number) != number:
                rest.append((_("Phone"), number))
        source = self.entry(LeadSource, "source", values.get("source"))
        if source:
            found["source"] = source
        elif values.get("source"):
            rest.append((_("Source"), values["source"]))
        if rest:
            lines = [found.get("note", ""), *(f"{label}: {text}" for label, text in rest)]
            found["note"] = "\n".join(line for line in lines if line)
        return found

    def begin(self, rows: list[Values]) -> None:
        self.deadlines: dict[LeadSource | None, datetime | None] = {}

    def complete(self, record: Lead, values: Values) -> None:
        record.import_id = self.run.pk
        record.source = record.source or self.entry(LeadSource, "source", IMPORT_SOURCE)
        if record.source not in self.deadlines:
            self.deadlines[record.source] = deadline(record.source, timezone.now())
        record.respond_by = self.deadlines[record.source]

    def after_create(self, records: dict[int, Lead], rows: dict[int, Values]) -> None:
        """Leads whose row names nobody go to whom the rules say; clocks and scores follow."""
        free = [lead for number, lead in records.items() if not rows[number].get("owner")]
        assign_by_rules(leads=free, by=self.by, payload=self.payload)
        watch([lead.respond_by for lead in records.values()])
        self._tell([*records.values()])

    def after_update(self, records: dict[int, Lead], rows: dict[int, Values]) -> None:
        self._tell([*records.values()])

    def _tell(self, leads: list[Lead]) -> None:
        watch_scores(f"import:{self.run.pk}", import_id=self.run.pk)
        index_many(leads)

    def refresh(self, record: Lead) -> None:
        record.refresh_search()
        record.name = record.name[:200]

    def renamed(self) -> tuple[str, ...]:
        return ("name",)
