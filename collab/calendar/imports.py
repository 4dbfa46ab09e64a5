"""Calls, meetings and letters from spreadsheets, each on the card of the record its row names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab.calendar.models import Activity, ActivityKind, Direction
from collab.calendar.selectors import CARD_FIELDS
from collab.calendar.services import may_plan_for
from crm.history.kinds import EventKind, Group, moment, register_event
from crm.history.services import record_events
from crm.listing.imports.records import RecordBatch
from crm.listing.imports.registry import Importer, ImportField, Key, Match, Values, register_importer
from crm.listing.imports.vocabulary import column, names, writable
from crm.people.folding import fold

KIND = "collab_calendar.activity"
BETWEEN = "|"
_KIND_NAMES = {
    ActivityKind.CALL: names("call, phone call, telefon, rozmowa, rozmowa telefoniczna, połączenie"),
    ActivityKind.MEETING: names("meeting, visit, spotkanie, wizyta"),
    ActivityKind.LETTER: names("letter, e-mail, email, mail, list, pismo, wiadomość"),
}
_DIRECTION_NAMES = {
    Direction.OUTGOING: names("outgoing, out, wychodzące, wychodząca, wychodzący"),
    Direction.INCOMING: names("incoming, in, przychodzące, przychodząca, przychodzący"),
}
_ABOUT = names(
    "Firma, Klient, Kontrahent, Nazwa firmy, Company, Account, Counterparty, Telefon, Numer telefonu, NIP, Phone, "
    "Dotyczy, Lead, E-mail"
)
EXAMPLE = (
    {
        "kind": "rozmowa", "subject": "Ustalenie terminu", "starts_at": "2026-10-12 10:30", "done": "tak",
        "about": "Przykładowa Firma Sp. z o.o.", "result": "Oferta do piątku",
    },
)  # fmt: skip


_COLUMNS = (
    ImportField(
        "about",
        gettext_lazy("About"),
        kind="record",
        required=True,
        aliases=_ABOUT,
        records=("counterparties.counterparty", "leads.lead", "counterparties.contact", "deals.deal"),
        help=gettext_lazy("A name, tax number, phone or e-mail."),
    ),
    ImportField(
        "starts_at",
        gettext_lazy("When"),
        kind="moment",
        required=True,
        aliases=names("Data, Data i godzina, Termin, Kiedy, Początek, Start, Date, Date and time"),
    ),
    ImportField(
        "kind",
        gettext_lazy("Kind"),
        kind="choice",
        choices=tuple(_KIND_NAMES.items()),
        aliases=names("Rodzaj, Typ, Typ aktywności, Type, Activity type"),
    ),
    ImportField(
        "subject", gettext_lazy("Subject"), max_length=200, aliases=names("Temat, Tytuł, Nazwa, Title")
    ),
    ImportField(
        "done",
        gettext_lazy("Done"),
        kind="yes_no",
        aliases=names("Wykonane, Zrobione, Odbyte, Zakończone, Completed"),
    ),
    ImportField(
        "result",
        gettext_lazy("Result"),
        kind="long_text",
        joins=True,
        aliases=names("Wynik, Rezultat, Ustalenia, Outcome"),
    ),
    column("note", new_key="description", label=gettext_lazy("Description")),
    ImportField(
        "direction",
        gettext_lazy("Direction"),
        kind="choice",
        choices=tuple(_DIRECTION_NAMES.items()),
        aliases=names("Kierunek"),
    ),
    ImportField(
        "place", gettext_lazy("Place"), max_length=200, aliases=names("Miejsce, Lokalizacja, Location")
    ),
    ImportField(
        "person",
        gettext_lazy("Contact"),
        kind="record",
        records=("counterparties.contact",),
        aliases=column("person").aliases,
    ),
    ImportField(
        "deal",
        gettext_lazy("Deal"),
        kind="record",
        records=("deals.deal",),
        aliases=names("Porozumienie, Szansa, Transakcja, Opportunity, Numer szansy"),
    ),
    column("owner"),
)


def columns_for(user) -> list[ImportField]:
    behind = {"about": (), "person": ("contact",), "done": ("done_at",)}
    return writable([*_COLUMNS], user, KIND, behind)


def register() -> None:
    """Called when the area is ready."""
    for kind, group, icon in (
        ("call", Group.CALL, "telephone"), ("meeting", Group.MEETING, "people"), ("letter", Group.LETTER, "envelope"),
    ):  # fmt: skip
        register_event(EventKind(f"{kind}_imported", _SENTENCES[kind], icon, group))
    register_event(
        EventKind(
            "activity_import_updated", gettext_lazy("changed the activity by importing %(file)s"), "upload"
        )
    )
    register_importer(
        Importer(
            kind=KIND,
            label=gettext_lazy("Activities"),
            fields=columns_for,
            keys=keys_of,
            existing=existing,
            write=lambda creates, updates, run, by: ActivityBatch(run, by).write(creates, updates),
            list_url=lambda run: reverse("collab_calendar:activity_list"),
            messages={"calendar": gettext_lazy("You may not write into the calendar of this owner.")},
            key_labels={"moment": gettext_lazy("Kind, time and subject")},
            example=EXAMPLE,
        )
    )


_SENTENCES = {
    "call": gettext_lazy("imported a call from %(file)s"),
    "meeting": gettext_lazy("imported a meeting from %(file)s"),
    "letter": gettext_lazy("imported a letter from %(file)s"),
}


def keys_of(values: Values) -> list[Key]:
    """The same kind at the same moment with the same subject about the same record is the same activity."""
    if not (values.get("starts_at") and isinstance(values.get("about"), list)):
        return []
    about, kind = values["about"], values.get("kind") or ActivityKind.CALL
    at = datetime.fromisoformat(values["starts_at"]).timestamp()
    return [("moment", BETWEEN.join(map(str, (int(at), kind, fold(values.get("subject", ""))[:80], *about))))]


def existing(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    wanted = {value for _key, value in keys}
    moments = {
        datetime.fromtimestamp(int(value.partition(BETWEEN)[0]), tz=timezone.get_current_timezone())
        for value in wanted
    }
    rows = list(Activity.objects.visible_to(by).filter(starts_at__in=moments)) if wanted else []
    editable = set(
        Activity.objects.visible_to(by, "edit").filter(pk__in=[one.pk for one in rows]).values_list("pk", flat=True)
    )  # fmt: skip
    found: dict[Key, Match] = {}
    for one in rows:
        match = Match(KIND, one.pk, str(one), one.pk in editable and one.is_open)
        shown = fold(one.subject)[:80]
        for subject in {shown, ""} if one.subject == str(ActivityKind(one.kind).label) else {shown}:
            for label, pk in one.card_keys():
                key = BETWEEN.join(map(str, (int(one.starts_at.timestamp()), one.kind, subject, label, pk)))
                if key in wanted:
                    found.setdefault(("moment", key), match)
    return found


class ActivityBatch(RecordBatch):
    model = Activity
    updated_kind = "activity_import_updated"
    updates = ("subject", "description", "place")
    appended = ("description",)

    def begin(self, rows: list[Values]) -> None:
        self.cards = {label: self.load(label, rows, "about", "person", "deal") for label in CARD_FIELDS}

    def fields_of(self, values: Values, record=None) -> dict[str, Any]:
        found: dict[str, Any] = {
            key: values[key] for key in ("subject", "description", "place", "direction", "result") if values.get(key)
        }  # fmt: skip
        found["kind"] = values.get("kind") or ActivityKind.CALL
        if record is None:
            found["subject"] = found.get("subject") or str(ActivityKind(found["kind"]).label)
            for key in ("about", "person", "deal"):
                if isinstance(values.get(key), list):
                    label, pk = values[key]
                    found[CARD_FIELDS[label]] = self.cards[label].get(pk)
        return found

    def complete(self, record: Activity, values: Values) -> None:
        """Raises ValidationError for a row that can be put into no calendar or on no card."""
        if not may_plan_for(self.by, record.owner) or not record.cards():
            raise ValidationError(_("You may not write into the calendar of this owner."))
        record.created_by = self.by
        record.starts_at = datetime.fromisoformat(values["starts_at"])
        done = values.get("done")
        if done is None:
            done = record.starts_at <= timezone.now()
        if done:
            record.done_at = record.ends_at = record.starts_at
        else:
            record.ends_at = record.starts_at + timedelta(minutes=30)
        if record.deal is not None and record.counterparty is None:
            record.counterparty = record.deal.counterparty

    def record(self, kind: str, records: list, changes: dict | None = None) -> None:
        groups: dict[str, list[Activity]] = {}
        for one in records:
            groups.setdefault(kind or f"{one.kind}_imported", []).append(one)
        for name, found in groups.items():
            record_events(
                kind=name, subjects=found, by=self.by, changes=changes, payload=self.payload,
                cards={one.pk: one.cards() for one in found},
                details={one.pk: {"when": moment(one.starts_at), "note": one.result} for one in found},
                moments={one.pk: one.done_at for one in found if one.done_at and not changes},
            )  # fmt: skip
