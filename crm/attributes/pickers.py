"""A field for one of many records: a few letters are typed, and what matches is offered."""

from __future__ import annotations

from django import forms
from django.template.loader import render_to_string


class RecordPicker(forms.Widget):
    """A hidden id, a box to type into, and the offers that `url` answers with (see `static/js/picker.js`).

    `typed`: what stands in the box while nothing is chosen, for forms that take a free text as well.
    """

    template_name = "components/picker.html"

    def __init__(self, url: str, attrs=None):
        super().__init__(attrs)
        self.url = url
        self.chosen = None
        self.typed = ""

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        chosen = self.chosen(value) if self.chosen and value else None
        context["widget"] |= {
            "url": self.url,
            "value": chosen.pk if chosen else "",
            "text": str(chosen) if chosen else self.typed,
        }
        return context

    def _render(self, template_name, context, renderer=None):
        """From the project's templates, which the renderer of forms does not know."""
        return render_to_string(template_name, context)


class RecordChoiceField(forms.ModelChoiceField):
    """One of `queryset`, which holds only what the user may see."""

    def __init__(self, queryset, *, url: str, **kwargs):
        super().__init__(queryset, widget=RecordPicker(url), **kwargs)
        self.widget.chosen = self._record

    def _record(self, value):
        given = str(getattr(value, "pk", value))
        return self.queryset.filter(pk=given).first() if given.isdecimal() and len(given) < 19 else None
