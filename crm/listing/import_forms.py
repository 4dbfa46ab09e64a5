"""Forms of the import wizard."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.listing.imports.cells import CellError, clean
from crm.listing.imports.columns import Column
from crm.listing.imports.correcting import CREATE, may_create
from crm.listing.imports.registry import Importer, ImportField
from crm.listing.imports.staging import message_of, user_names
from crm.listing.imports.templates import offered_templates
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.limits import ENCODINGS
from crm.people.company import company_country
from crm.people.models import User

ENCODING_NAMES = {
    "utf-8": "Unicode (UTF-8)",
    "utf-8-sig": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "cp1250": "Windows-1250 (Polski, Čeština)",
    "iso8859-2": "ISO 8859-2 (Polski)",
    "cp1252": "Windows-1252 (Western)",
    "cp1251": "Windows-1251 (Кириллица)",
    "koi8-r": "KOI8-R (Кириллица)",
    "cp866": "DOS 866 (Кириллица)",
}
DELIMITER_NAMES = {";": _("semicolon ;"), ",": _("comma ,"), "\t": _("tab"), "|": _("bar |")}
CHOSEN = ("choice", "dictionary", "user", "yes_no")
MOST_CHOICES = 300


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("An .xlsx, .xls or .csv file. The columns are matched in the next step."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv,.xlsb,.ods,.txt,.tsv"}),
    )


class ReadingForm(forms.Form):
    """Where in the file the table is, how its bytes are read, and a template for its columns."""

    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    encoding = forms.ChoiceField(label=_("Encoding"), required=False)
    delimiter = forms.ChoiceField(label=_("Separator"), required=False)
    header_row = forms.IntegerField(
        label=_("Headers in row"), min_value=0, max_value=1_000, help_text=_("0 when there are no headers.")
    )
    template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(self, *args: Any, run: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        self._offer("sheet", [(name, name) for name in run.sheets], run.sheet, at_least=2)
        known = dict.fromkeys([run.encoding, *ENCODINGS]) if run.encoding else {}
        self._offer("encoding", [(name, ENCODING_NAMES.get(name, name)) for name in known], run.encoding)
        marks = dict.fromkeys([run.delimiter, *DELIMITER_NAMES]) if run.delimiter else {}
        self._offer("delimiter", [(mark, DELIMITER_NAMES.get(mark, mark)) for mark in marks], run.delimiter)
        self.fields["header_row"].initial = run.header_row
        self.templates = {str(one.pk): one for one in offered_templates(run)}
        names = [(pk, self._name(one)) for pk, one in self.templates.items()]
        chosen = str(run.template_id) if run.template_id else ""
        self._offer("template", [("", _("— none —")), *names] if names else [], chosen)

    def _name(self, template) -> str:
        own = template.user_id == self.run.uploaded_by_id
        return template.name if own else f"{template.name} ({template.user})"

    def _offer(self, name: str, choices: list[tuple], current: str, *, at_least: int = 1) -> None:
        if len(choices) < at_least:
            del self.fields[name]
            return
        self.fields[name].choices = choices
        self.fields[name].initial = current

    def arguments(self) -> dict:
        """What `services.read_again` takes; another table or encoding has its headers found anew."""
        sheet = self.cleaned_data.get("sheet") or self.run.sheet
        encoding = self.cleaned_data.get("encoding") or self.run.encoding
        delimiter = self.cleaned_data.get("delimiter") or self.run.delimiter
        header_row: int | None = self.cleaned_data["header_row"]
        moved = (sheet, encoding, delimiter) != (self.run.sheet, self.run.encoding, self.run.delimiter)
        if moved and header_row == self.run.header_row:
            header_row = None
        return {
            "sheet": sheet,
            "encoding": encoding,
            "delimiter": delimiter,
            "header_row": header_row,
            "template": self.templates.get(self.cleaned_data.get("template", "")),
        }


class MappingForm(forms.Form):
    """One select for each column of the sheet, what tells a duplicate, and values for every row."""

    keys = forms.MultipleChoiceField(
        label=_("A record is the same when it has the same"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    template = forms.CharField(
        label=_("Remember these columns as"),
        required=False,
        max_length=100,
        help_text=_("Files with the same headers will be matched like this one."),
    )
    is_shared = forms.BooleanField(label=_("Offer the template to everybody"), required=False)

    def __init__(
        self, *args: Any, run: Import, importer: Importer, user, columns: list[Column], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.run, self.importer = run, importer
        self.targets = importer.field_map(user)
        self.names: dict[int, str] = {}
        self._add_columns(columns)
        self.fixed: dict[str, str] = {}
        for target in self.targets.values():
            self.fixed[target.key] = f"fixed_{target.key}"
            self.fields[f"fixed_{target.key}"] = fixed_field(target, run.options.get("fixed", {}))
        labels = importer.key_labels
        self.fields["keys"].choices = list(labels.items())
        self.fields["keys"].initial = run.options.get("keys") or list(labels)
        if not labels:
            del self.fields["keys"]

    def _add_columns(self, columns: list[Column]) -> None:
        choices = [("", _("— leave out —")), *((key, target.label) for key, target in self.targets.items())]
        for column in columns:
            name = f"column_{column.index}"
            self.names[column.index] = name
            self.fields[name] = forms.ChoiceField(
                label=column.header or _("Column %(number)s") % {"number": column.index + 1},
                choices=choices,
                required=False,
                initial=self.run.mapping.get(str(column.index), ""),
            )

    def clean(self) -> dict:
        cleaned = super().clean()
        chosen: dict[str, str] = {}
        for name in self.names.values():
            key = cleaned.get(name)
            if key and key in chosen and not self.targets[key].joins:
                self.add_error(name, _("Another column is already matched with this field."))
            elif key:
                chosen[key] = name
        self._check_fixed(cleaned)
        self._demand_required(chosen, cleaned)
        if not chosen and not self.errors:
            raise forms.ValidationError(_("Match at least one column."))
        return cleaned

    def _check_fixed(self, cleaned: dict) -> None:
        """A value for every row is read like a cell; texts that mean records are looked for with the rows."""
        for key, name in self.fixed.items():
            text, target = (cleaned.get(name) or "").strip(), self.targets[key]
            if not text:
                continue
            try:
                clean(
                    target,
                    text,
                    region=company_country(),
                    users=user_names() if target.kind == "user" else None,
                )
            except CellError as error:
                found = {"code": error.code, "params": error.params}
                self.add_error(name, message_of(self.importer, found))

    def _demand_required(self, chosen: dict[str, str], cleaned: dict) -> None:
        lacking = [
            str(target.label)
            for key, target in self.targets.items()
            if target.required and key not in chosen and not cleaned.get(self.fixed[key])
        ]
        if lacking:
            raise forms.ValidationError(
                _("Match a column with: %(fields)s."), params={"fields": ", ".join(lacking)}
            )

    def mapping(self) -> dict[int, str]:
        return {
            index: self.cleaned_data[name] for index, name in self.names.items() if self.cleaned_data[name]
        }

    def options(self) -> dict:
        """What `services.check_import` takes beside the mapping."""
        fixed = {key: self.cleaned_data[name] for key, name in self.fixed.items() if self.cleaned_data[name]}
        keys = self.cleaned_data.get("keys", [])
        return {"fixed": fixed, "keys": [] if len(keys) == len(self.importer.key_labels) else keys}


def known_values(target: ImportField) -> list[str]:
    """What a cell of this column may hold, in the reader's language, where that is a short list."""
    if target.kind == "user":
        return [str(user) for user in User.objects.filter(is_active=True)[:MOST_CHOICES]]
    if target.dictionary is not None:
        entries = target.dictionary._default_manager.all()[:MOST_CHOICES]
        return [str(entry) for entry in entries if getattr(entry, "is_active", True)]
    if target.kind == "yes_no":
        return [str(_("yes")), str(_("no"))]
    return [str(found[0]) for _value, found in target.choices[:MOST_CHOICES] if found]


def fixed_field(target: ImportField, fixed: dict[str, str]) -> forms.Field:
    """The input for a value that stands in every row."""
    initial = fixed.get(target.key, "")
    values = known_values(target) if target.kind in CHOSEN else []
    if values:
        options = [("", "—"), *((value, value) for value in dict.fromkeys([*values, initial]) if value)]
        return forms.ChoiceField(label=target.label, choices=options, required=False, initial=initial)
    return forms.CharField(label=target.label, required=False, initial=initial, max_length=500)


class StartForm(forms.Form):
    mode = forms.ChoiceField(label=_("What to do"), choices=Import.Mode.choices, widget=forms.RadioSelect)


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(label=_("What to do"), choices=ImportRow.Decision.choices, required=False)


class RowForm(forms.Form):
    """The cells of one row as the file has them."""

    def __init__(self, *args: Any, run: Import, row: ImportRow, importer: Importer, user, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        targets = importer.field_map(user)
        for index, key in sorted(run.by_column.items()):
            if key in targets:
                header = run.columns[index] or str(targets[key].label)
                self.fields[f"cell_{index}"] = forms.CharField(
                    label=header,
                    required=False,
                    max_length=2_000,
                    initial=row.cells[index] if index < len(row.cells) else "",
                )

    def texts(self) -> dict[int, str]:
        """The cells that were sent: a form in the table sends only its own."""
        return {
            int(name.removeprefix("cell_")): text
            for name, text in self.cleaned_data.items()
            if name in self.data
        }


class UnknownForm(forms.Form):
    """What to make of each value that no dictionary knows."""

    def __init__(self, *args: Any, run: Import, importer: Importer, user, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        targets = importer.field_map(user)
        self.lines: list[tuple[str, str, str, int]] = []
        wanted = run.options.get("create", {})
        for key, counts in run.unknown.items():
            target = targets.get(key)
            if target is None:
                continue
            options = unknown_options(target, user)
            for text, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
                name = f"unknown_{len(self.lines)}"
                self.lines.append((name, key, text, count))
                self.fields[name] = forms.ChoiceField(
                    label=f"{target.label}: {text}",
                    choices=options,
                    required=False,
                    initial=CREATE if text in wanted.get(key, ()) else "",
                )

    def choices(self) -> dict[tuple[str, str], str]:
        return {(key, text): self.cleaned_data[name] for name, key, text, _count in self.lines}

    def shown(self) -> list[dict]:
        return [
            {"bound": self[name], "label": self.fields[name].label, "count": count}
            for name, _key, _text, count in self.lines
        ]


def unknown_options(target: ImportField, user) -> list[tuple[str, str]]:
    leave = _("leave it out") if target.dictionary else _("leave as an error")
    found = [("", leave)]
    if may_create(target, user):
        found.append((CREATE, _("add it")))
    if target.dictionary and not target.several:
        found += [(value, _("it is: %(value)s") % {"value": value}) for value in known_values(target)]
    return found
