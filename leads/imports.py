"""Leads from spreadsheets: writing a batch with its history, in bulk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute, AttributeValue
from crm.attributes.services import clean_values, default_values, write_derived
from crm.attributes.values import derived_rows, show_value
from crm.history.editing import english, json_value, shown
from crm.history.kinds import EventKind, register_event
from crm.history.services import FieldChange, record_events
from crm.listing.imports.registry import Importer, Values, Written, register_importer
from crm.listing.imports.staging import EXTRA
from crm.listing.models import Import
from crm.people.folding import fold
from crm.people.models import User
from leads.assignment import assign_by_rules
from leads.import_fields import EXAMPLE, fields_for, lead_attributes
from leads.import_keys import existing, keys_of, person_of
from leads.models import LEAD_KIND, Lead, LeadSource
from leads.response import deadline, watch
from leads.scoring import watch_scores

PLAIN = ("company", "position", "tax_number", "phone", "email", "website", "city", "note")
IMPORT_SOURCE = "import"
NAMED = ("first_name", "last_name", "name", "source")
DERIVED = ("attributes", "version", "updated_at", "search_text", "sort_key", "name_key")


def register() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("lead_imported", _("imported the lead from %(file)s"), "upload", tone="grey"),
        EventKind("lead_import_updated", _("changed the lead by importing %(file)s"), "upload", tone="grey"),
    )
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
                "phone": _("Phone"),
                "email": _("E-mail"),
                "tax_number": _("Tax number"),
                "name": _("Name"),
            },
            example=EXAMPLE,
        )
    )


def faults_of(values: Values) -> list[tuple[str, str]]:
    known = ("company", "person", "person_turned", "first_name", "last_name", "phone", "phone_2", "email")
    return [] if any(values.get(key) for key in known) else [("nobody", "company")]


def write(creates: list, updates: list, *, run: Import, by) -> Written:
    """One batch: new leads in bulk with one event each, changed ones with what changed."""
    batch = _Batch(run, by)
    written = batch.create(creates)
    if updates:
        batch.update(updates, written)
    return written


@dataclass
class _Batch:
    run: Import
    by: User
    attributes: list[Attribute] = field(default_factory=lead_attributes)
    deadlines: dict[LeadSource | None, datetime | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sources = LeadSource.objects.all()
        self.sources = {
            fold(name): one for one in sources for name in (one.name, one.name_pl, one.key) if name
        }

    @property
    def payload(self) -> dict:
        return {"file": self.run.file.name, "import": self.run.pk}

    def create(self, rows: list[tuple[int, Values]]) -> Written:
        owners = User.objects.in_bulk({values["owner"] for _number, values in rows if values.get("owner")})
        written, leads = Written(), {}
        for number, values in rows:
            try:
                leads[number] = self._lead(values, owners)
            except ValidationError:
                written.failed[number] = "refused"
        Lead.objects.bulk_create(leads.values(), batch_size=500)
        record_events(kind="lead_imported", subjects=[*leads.values()], by=self.by, payload=self.payload)
        self._write_derived([*leads.values()])
        self._hand_on(
            [leads[number] for number, values in rows if number in leads and not values.get("owner")]
        )
        watch([lead.respond_by for lead in leads.values()])
        watch_scores(f"import:{self.run.pk}", import_id=self.run.pk)
        written.created = {number: lead.pk for number, lead in leads.items()}
        return written

    def _hand_on(self, leads: list[Lead]) -> None:
        """Leads whose row names nobody go to whom the assignment rules say."""
        assign_by_rules(leads=leads, by=self.by, payload=self.payload)

    def _deadline(self, source: LeadSource | None) -> datetime | None:
        """Until when leads of the source want an answer, counted from this batch on."""
        if source not in self.deadlines:
            self.deadlines[source] = deadline(source, timezone.now())
        return self.deadlines[source]

    def _lead(self, values: Values, owners: dict[int, User]) -> Lead:
        owner = owners.get(values.get("owner"), self.by)
        lead = Lead(owner=owner, department_id=owner.department_id, import_id=self.run.pk)
        for name, value in self._values(values).items():
            setattr(lead, name, value)
        lead.source = lead.source or self.sources.get(IMPORT_SOURCE)
        lead.respond_by = self._deadline(lead.source)
        lead.attributes = self._with_defaults(self._attribute_values(values))
        lead.refresh_search()
        lead.name = lead.name[:200]
        return lead

    def _with_defaults(self, found: dict) -> dict:
        found = {**default_values(self.attributes), **found}
        shown = applicable_keys(self.attributes, found)
        return {key: value for key, value in found.items() if key in shown}

    def _attribute_values(self, values: Values, lead: Lead | None = None) -> dict:
        """The attributes whose cells are filled. Raises ValidationError."""
        raw = {item.key: values[item.field_name] for item in self.attributes if item.field_name in values}
        found = clean_values(self.attributes, raw, partial=True, by=self.by, record=lead) if raw else {}
        return {key: value for key, value in found.items() if value is not None}

    def _values(self, values: Values) -> dict:
        """The row as fields of a lead; what has no field of its own goes to the note."""
        found = {key: values[key] for key in PLAIN if values.get(key)}
        first, last = person_of(values)
        found |= {"first_name": first[:100], "last_name": last[:100]} if first or last else {}
        rest = [(_("Phone"), number) for number in values.get(EXTRA, {}).get("phone", [])]
        rest += [(_("E-mail"), address) for address in values.get(EXTRA, {}).get("email", [])]
        rest += [
            (str(item), text)
            for item in self.attributes
            for text in values.get(EXTRA, {}).get(item.field_name, [])
        ]
        further = [values.get("phone_2"), *values.get(EXTRA, {}).get("phone_2", [])]
        for number in filter(None, further):
            if found.setdefault("phone", number) != number:
                rest.append((_("Phone"), number))
        source = self.sources.get(fold(values.get("source")))
        if source:
            found["source"] = source
        elif values.get("source"):
            rest.append((_("Source"), values["source"]))
        if rest:
            lines = [found.get("note", ""), *(f"{label}: {text}" for label, text in rest)]
            found["note"] = "\n".join(line for line in lines if line)
        return found

    def update(self, rows: list[tuple[int, Values, int]], written: Written) -> None:
        """Cells that are filled replace what the lead had; empty cells change nothing."""
        editable = Lead.objects.visible_to(self.by, "edit").select_related("source", "owner")
        leads = editable.select_for_update(of=("self",)).in_bulk([pk for _number, _values, pk in rows])
        changed: dict[int, list[FieldChange]] = {}
        for number, values, pk in rows:
            lead = leads.get(pk)
            if lead is None:
                written.failed[number] = "gone"
                continue
            changed.setdefault(pk, []).extend(self._apply(lead, values))
            written.updated[number] = pk
        self._save([leads[pk] for pk, changes in changed.items() if changes], changed)

    def _apply(self, lead: Lead, values: Values) -> list[FieldChange]:
        changes = []
        found = self._values(values)
        if found.get("note") and found["note"] in lead.note:
            del found["note"]
        elif found.get("note") and lead.note:
            found["note"] = f"{lead.note}\n{found['note']}"
        for name, new in found.items():
            model_field, old = Lead._meta.get_field(name), getattr(lead, name)
            if old != new:
                changes.append(
                    FieldChange(
                        name, english(model_field.verbose_name), json_value(old), json_value(new),
                        shown(model_field, old), shown(model_field, new),
                    )
                )  # fmt: skip
                setattr(lead, name, new)
        return changes + self._apply_attributes(lead, values)

    def _apply_attributes(self, lead: Lead, values: Values) -> list[FieldChange]:
        changes, found = [], self._attribute_values(values, lead)
        for item in self.attributes:
            new = found.get(item.key)
            old = lead.attributes.get(item.key)
            if new is not None and new != old:
                texts = show_value(item, old), show_value(item, new)
                changes.append(FieldChange(item.field_name, item.name, old, new, *texts))
                lead.attributes[item.key] = new
        return changes

    def _save(self, leads: list[Lead], changed: dict[int, list[FieldChange]]) -> None:
        for lead in leads:
            lead.version += 1
            lead.refresh_search()
            lead.name = lead.name[:200]
        # Writing whole rows over themselves is several times quicker than bulk_update.
        Lead.objects.bulk_create(
            leads,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*PLAIN, *NAMED, *DERIVED],
            batch_size=250,
        )
        record_events(
            kind="lead_import_updated", subjects=leads, by=self.by, changes=changed, payload=self.payload
        )
        for lead in leads:
            write_derived(lead, self.attributes)

    def _write_derived(self, leads: list[Lead]) -> None:
        derived = [attribute for attribute in self.attributes if attribute.is_derived]
        rows = [
            row
            for attribute in derived
            for lead in leads
            if lead.attributes.get(attribute.key) is not None
            for row in derived_rows(attribute, LEAD_KIND, lead.pk, lead.attributes[attribute.key])
        ]
        AttributeValue.objects.bulk_create(rows, batch_size=500)
