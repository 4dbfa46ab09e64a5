"""Form controls beyond Django's own."""

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe


class LongSelect(forms.Select):
    """A select with hundreds of plain options: Django renders a template for each of them, this one does not."""

    def render(self, name, value, attrs=None, renderer=None):
        chosen = {str(item) for item in self.format_value(value)}
        rows = (
            (key, mark_safe(" selected" if str(key) in chosen else ""), text) for key, text in self.choices
        )
        options = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        final = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(final), options)
