"""The form of a record: its fields, its attributes, who owns it, and the version it was opened with."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from crm.attributes.forms import AttributesFormMixin
from crm.listing.assigning import people_to_assign
from crm.people.models import User


class RecordForm(AttributesFormMixin, forms.ModelForm):
    """Validates and shows; the area's service writes.

    Subclasses call `add_attribute_fields` at the end of their `__init__`. The instance is never changed, so that
    the service can compare it with what was typed.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # (title, field names): what few records need stands folded, open where something is filled.
    folded: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.attribute_list = []
        self.fields["version"].initial = self.instance.version if self.instance.pk else None
        if "owner" in self.fields:
            self._limit_owner()

    def add_attribute_fields(self, attribute_set_id: int | None) -> None:
        super().add_attribute_fields(attribute_set_id)
        self.limit_fields()

    def limit_fields(self) -> None:
        """Takes hidden fields away and locks read-only ones; a new record keeps what it cannot be made without.

        Called by `add_attribute_fields`; a form without attributes calls it at the end of its `__init__`.
        """
        for name, level in self.user.access.field_levels(self._meta.model).items():
            if name not in self.fields or (not self.instance.pk and self.fields[name].required):
                continue
            if level == "hidden" or not self.instance.pk:
                del self.fields[name]
            else:
                self.fields[name].disabled = True
        self.attribute_list = [item for item in self.attribute_list if item.field_name in self.fields]

    def _limit_owner(self) -> None:
        model = type(self.instance)
        if not self.user.access.may(model, "assign"):
            del self.fields["owner"]
            return
        people = people_to_assign(self.user, model)
        if self.instance.owner_id:
            people = people | User.objects.filter(pk=self.instance.owner_id)
        field = self.fields["owner"]
        field.queryset, field.empty_label = people, None
        if not self.instance.pk:
            self.initial["owner"] = self.initial.get("owner") or self.user.pk

    def _post_clean(self) -> None:
        """Models are validated by the services."""

    def given(self, name: str):
        """What the field holds now: sent, preset or saved."""
        return self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)

    def plain_fields(self) -> list:
        """The visible bound fields that are neither attributes nor folded."""
        elsewhere = {item.field_name for item in self.attribute_list}
        elsewhere |= {name for _title, names in self.folded for name in names}
        return [bound for bound in self.visible_fields() if bound.name not in elsewhere]

    def folded_fields(self) -> list[tuple[str, list, bool]]:
        """(title, bound fields, whether to open it), without those whose fields are all hidden from the user."""
        groups = [
            (title, [self[name] for name in names if name in self.fields]) for title, names in self.folded
        ]
        return [
            (title, bounds, any(bound.value() or bound.errors for bound in bounds))
            for title, bounds in groups
            if bounds
        ]

    def field_values(self) -> dict:
        """{field: value} of the model's own fields, for the service."""
        return {name: self.cleaned_data[name] for name in self._meta.fields if self._may_write(name)}

    def attribute_values(self) -> dict:
        """{attribute key: cleaned value} of those the user may write, for the service."""
        values = super().attribute_values()
        free = {
            item.key
            for item in self.attribute_list
            if not self.fields[item.field_name].disabled and not self._keeps_theirs(item.field_name)
        }
        return {key: value for key, value in values.items() if key in free}

    def _may_write(self, name: str) -> bool:
        return name in self.cleaned_data and not self.fields[name].disabled and not self._keeps_theirs(name)

    def _keeps_theirs(self, name: str) -> bool:
        """On the page of a conflict the other's value was chosen for this field."""
        return self.data.get(f"choice-{name}") == "theirs"

    def refuse(self, error: ValidationError) -> None:
        """Shows what the service said, beside the fields it named."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error.messages)
            return
        for field, errors in error.error_dict.items():
            self.add_error(field if field in self.fields else None, errors)
