"""Forms with several rows of one kind: the inputs of all rows share their names, so a plain form can send any number.

The main cell's inputs bear the field's own name, the others `<field>_<cell>`; `<field>_first` is the number of the row
chosen as the main one. A spare row stands at the end; `static/js/rows.js` adds further ones and takes them away.
"""

from __future__ import annotations

from django import forms
from django.template.loader import render_to_string

from counterparties.rows import MOST_ROWS, SINGLES, Shape, rows_of


class RowsWidget(forms.Widget):
    template_name = "counterparties/rows.html"
    is_rows = True

    def __init__(self, shape: Shape, attrs=None):
        super().__init__(attrs)
        self.shape = shape

    def value_from_datadict(self, data, files, name):
        """Rows of texts, the chosen one first; None when the form did not hold the field at all."""
        names = {cell.key: self._name(name, cell.key) for cell in self.shape.cells}
        read = data.getlist if hasattr(data, "getlist") else lambda key: [data[key]] if key in data else []
        columns = {key: read(full)[: MOST_ROWS + 1] for key, full in names.items()}
        count = max(len(column) for column in columns.values())
        rows = [
            {key: column[place] if place < len(column) else "" for key, column in columns.items()}
            for place in range(count)
        ]
        first = data.get(f"{name}_first", "")
        if first.isdecimal() and 0 < int(first[:3]) < len(rows):
            rows.insert(0, rows.pop(int(first[:3])))
        return rows

    def value_omitted_from_data(self, data, files, name):
        return all(self._name(name, cell.key) not in data for cell in self.shape.cells)

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        given = [value] if isinstance(value, str) else list(value or [])
        rows = [row if isinstance(row, dict) else {self.shape.main: row} for row in given]
        shown = [*(row for row in rows if any(row.values())), {}]
        context["widget"] |= {
            "rows": [
                self._cells(name, row, place, context["widget"]["attrs"]) for place, row in enumerate(shown)
            ],
            "is_ordered": self.shape.is_ordered,
            "first_name": f"{name}_first",
            "most": MOST_ROWS,
        }
        return context

    def _cells(self, name: str, row: dict, place: int, attrs: dict) -> list[dict]:
        return [
            {
                "cell": cell,
                "name": self._name(name, cell.key),
                "value": str(row.get(cell.key) or ""),
                "id": attrs["id"] if place == 0 and cell.key == self.shape.main and "id" in attrs else "",
                "is_invalid": "is-invalid" in attrs.get("class", "") and bool(row),
                "is_disabled": bool(attrs.get("disabled")),
                "choices": list(cell.choices.items()) if cell.choices is not None else None,
            }
            for cell in self.shape.cells
        ]

    def _name(self, name: str, key: str) -> str:
        return name if key == self.shape.main else f"{name}_{key}"

    def _render(self, template_name, context, renderer=None):
        """From the project's templates, which the renderer of forms does not know."""
        return render_to_string(template_name, context)


class RowsFormField(forms.Field):
    """Raw rows; the form checks them by its country (see `RowsFormMixin`)."""

    def __init__(self, shape: Shape, **kwargs):
        self.shape = shape
        super().__init__(widget=RowsWidget(shape), required=False, **kwargs)

    def has_changed(self, initial, data):
        return True


class RowsFormMixin:
    """For record forms: rows are shown as stored, checked, and handed to the service under their many name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self._row_names():
            if self.instance.pk:
                many = SINGLES.get(name, name)
                rows = rows_of(self.instance, many) if name in SINGLES else getattr(self.instance, many)
                self.initial[name] = rows

    def _row_names(self) -> list[str]:
        return [name for name, field in self.fields.items() if isinstance(field, RowsFormField)]

    def clean(self):
        cleaned = super().clean()
        for name in self._row_names():
            if self.fields[name].disabled or name not in cleaned:
                continue
            try:
                rows = self.fields[name].shape.clean_rows(cleaned[name], cleaned.get("country") or "")
            except forms.ValidationError as error:
                self.add_error(name, error)
            else:
                cleaned[name] = rows
        return cleaned

    def field_values(self) -> dict:
        values = super().field_values()
        return {
            SINGLES.get(name, name) if name in self.fields and name in self._row_names() else name: value
            for name, value in values.items()
        }
