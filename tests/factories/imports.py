"""Imports of a kind of our own: rows become departments, so that the machinery is tested without any area."""

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext_lazy as _

from crm.listing.imports.registry import Importer, ImportField, Match, Written, register_importer
from crm.listing.imports.services import check_import, create_import, start_import
from crm.listing.models import Import
from crm.people.folding import fold
from crm.people.models import Department, RoleScope

KIND = "people.department"
FIELDS = [
    ImportField("name", _("Name"), aliases=("Nazwa firmy", "Firma"), max_length=120),
    ImportField("person", "Person", aliases=("Imię i nazwisko",), max_length=120),
    ImportField("phone", "Phone", kind="phone", aliases=("Telefon kom.", "Telefon")),
    ImportField("email", "E-mail", kind="email", aliases=("E-mail",)),
    ImportField("tax_number", "Tax number", kind="tax_number", aliases=("NIP",)),
    ImportField("note", "Note", kind="long_text", aliases=("Uwagi",), joins=True),
]


def keys(values):
    found = [(key, values[key]) for key in ("tax_number", "phone", "email") if values.get(key)]
    name = fold(values.get("name") or values.get("person"))
    return [*found, ("name", name)]


def existing(wanted, *, by):
    """A department keeps its keys in `name_pl`: enough to be found again."""
    matches = {}
    for department in Department.objects.exclude(name_pl=""):
        for key in (tuple(part.split("=", 1)) for part in department.name_pl.split("|")):
            if key in wanted:
                matches[key] = Match(
                    KIND, department.pk, department.name, updatable=department.name != "Locked"
                )
    return matches


def write(creates, updates, *, run, by):
    rows = [(number, department(values)) for number, values in creates]
    Department.objects.bulk_create(row for _number, row in rows)
    written = Written(created={number: row.pk for number, row in rows})
    for number, values, pk in updates:
        Department.objects.filter(pk=pk).update(name=values.get("name") or values.get("person"))
        written.updated[number] = pk
    return written


def department(values):
    name = values.get("name") or values.get("person")
    return Department(name=name, name_pl="|".join(f"{key}={value}" for key, value in keys(values))[:120])


def make_importer() -> Importer:
    importer = Importer(
        kind=KIND,
        label="Departments",
        fields=lambda user: FIELDS,
        keys=keys,
        existing=existing,
        write=write,
        list_url=lambda run: "/",
        faults=lambda values: [] if values.get("name") or values.get("person") else [("required", "name")],
        key_labels={"phone": "Phone", "email": "E-mail", "tax_number": "Tax number", "name": "Name"},
    )
    register_importer(importer)
    return importer


def allow_import(*users) -> None:
    for user in users:
        for role in user.roles.all():
            RoleScope.objects.get_or_create(role=role, kind=KIND, action="import", defaults={"scope": "all"})
        user.__dict__.pop("access", None)


def upload_of(path: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile(path.name, path.read_bytes())


def checked_import(path: Path, *, by, run_jobs, kind: str = KIND) -> Import:
    run = create_import(upload=upload_of(path), kind=kind, by=by)
    check_import(run=run, mapping=run.by_column, by=by)
    run_jobs()
    run.refresh_from_db()
    return run


def finished_import(path: Path, *, by, run_jobs, mode: str = "create", kind: str = KIND) -> Import:
    run = checked_import(path, by=by, run_jobs=run_jobs, kind=kind)
    start_import(run=run, mode=mode, by=by)
    run_jobs()
    run.refresh_from_db()
    return run
