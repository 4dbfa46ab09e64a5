"""Forms of the import wizard."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.listing.imports.columns import Column
from crm.listing.imports.registry import Importer
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.limits import ENCODINGS

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


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("An .xlsx, .xls or .csv file. The columns are matched in the next step."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv,.xlsb,.ods,.txt,.tsv"}),
    )


class ReadingForm(forms.Form):
    """Where in the file the table is, and how its bytes are read."""

    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    encoding = forms.ChoiceField(label=_("Encoding"), required=False)
    header_row = forms.IntegerField(
        label=_("Headers in row"), min_value=0, max_value=1_000, help_text=_("0 when there are no headers.")
    )

    def __init__(self, *args: Any, run: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        self._offer("sheet", [(name, name) for name in run.sheets], run.sheet, at_least=2)
        known = dict.fromkeys([run.encoding, *ENCODINGS]) if run.encoding else {}
        self._offer(
            "encoding", [(name, ENCODING_NAMES.get(name, name)) for name in known], run.encoding, at_least=1
        )
        self.fields["header_row"].initial = run.header_row

    def _offer(self, name: str, choices: list[tuple[str, str]], current: str, *, at_least: int) -> None:
        if len(choices) < at_least:
            del self.fields[name]
            return
        self.fields[name].choices = choices
        self.fields[name].initial = current

    def arguments(self) -> dict:
        """What `services.read_again` takes; another table or encoding has its headers found anew."""
        sheet = self.cleaned_data.get("sheet") or self.run.sheet
        encoding = self.cleaned_data.get("encoding") or self.run.encoding
        header_row: int | None = self.cleaned_data["header_row"]
        moved = (sheet, encoding) != (self.run.sheet, self.run.encoding)
        if moved and header_row == self.run.header_row:
            header_row = None
        return {"sheet": sheet, "encoding": encoding, "header_row": header_row}


class MappingForm(forms.Form):
    """One select for each column of the sheet."""

    template = forms.CharField(
        label=_("Remember these columns as"),
        required=False,
        max_length=100,
        help_text=_("Files with the same headers will be matched like this one."),
    )

    def __init__(
        self, *args: Any, run: Import, importer: Importer, user, columns: list[Column], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.targets = importer.field_map(user)
        choices = [("", _("— leave out —")), *((key, target.label) for key, target in self.targets.items())]
        self.names = {}
        for column in columns:
            name = f"column_{column.index}"
            self.names[column.index] = name
            self.fields[name] = forms.ChoiceField(
                label=column.header or _("Column %(number)s") % {"number": column.index + 1},
                choices=choices,
                required=False,
                initial=run.mapping.get(str(column.index), ""),
            )
        self.order_fields([*self.names.values(), "template"])

    def clean(self) -> dict:
        cleaned = super().clean()
        chosen: dict[str, str] = {}
        for name in self.names.values():
            key = cleaned.get(name)
            if key and key in chosen and not self.targets[key].joins:
                self.add_error(name, _("Another column is already matched with this field."))
            elif key:
                chosen[key] = name
        lacking = [
            str(target.label) for key, target in self.targets.items() if target.required and key not in chosen
        ]
        if lacking:
            raise forms.ValidationError(
                _("Match a column with: %(fields)s."), params={"fields": ", ".join(lacking)}
            )
        if not chosen and not self.errors:
            raise forms.ValidationError(_("Match at least one column."))
        return cleaned

    def mapping(self) -> dict[int, str]:
        return {
            index: self.cleaned_data[name] for index, name in self.names.items() if self.cleaned_data[name]
        }


class StartForm(forms.Form):
    mode = forms.ChoiceField(label=_("What to do"), choices=Import.Mode.choices, widget=forms.RadioSelect)


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(label=_("What to do"), choices=ImportRow.Decision.choices, required=False)
