"""The form that gives a counterparty another type: where each value goes, and what the new type asks for besides."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from counterparties.forms import RELOAD
from counterparties.models import Counterparty, CounterpartyType
from counterparties.retyping import Carry, plan_retyping
from crm.attributes.fields import form_field
from crm.attributes.models import AttributeKind
from crm.attributes.references import readable_links
from crm.attributes.services import attributes_of
from crm.attributes.values import show_value

LONGEST = 60


class TypeForm(forms.Form):
    """Validates and shows; `counterparties.retyping` writes. The first type offered is shown until one is chosen."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    to = forms.ChoiceField(label=_("New type"))

    def __init__(self, data=None, files=None, *, record: Counterparty, user, to: str = "", reload_url: str):
        super().__init__(data, files)
        self.record, self.user = record, user
        types = CounterpartyType.objects.filter(is_active=True).exclude(pk=record.counterparty_type_id)
        self.types = {str(one.pk): one for one in types}
        field = self.fields["to"]
        field.choices = [(pk, str(one)) for pk, one in self.types.items()]
        field.widget.attrs |= {**RELOAD, "hx-params": "to", "hx-get": reload_url}
        self.type = self.types.get(self.data.get("to", to)) or next(iter(self.types.values()), None)
        self.initial = {"version": record.version, "to": str(self.type.pk) if self.type else ""}
        self.plan = self._plan()
        for carry in self.plan:
            self._add_place(carry)
        self._add_required()

    def _plan(self) -> list[Carry]:
        if self.type is None:
            return []
        return plan_retyping(counterparty=self.record, counterparty_type=self.type, by=self.user)

    def _add_place(self, carry: Carry) -> None:
        """Where one value goes; only told where there is no choice."""
        if not carry.offers:
            return
        name = f"map_{carry.source.key}"
        places = [(target.key, self._place(carry, target, value)) for target, value in carry.offers]
        self.fields[name] = forms.ChoiceField(
            label=f"{carry.source}: {self.text(carry)}",
            choices=[*places, ("", _("– put away –"))],
            required=False,
        )
        self.initial[name] = carry.suggested.key if carry.suggested else ""

    def _place(self, carry: Carry, target, value) -> str:
        there = show_value(target, value)
        same = there == show_value(carry.source, carry.value)
        return str(target) if same else f"{target} ({Truncator(there).chars(LONGEST)})"

    def text(self, carry: Carry) -> str:
        """The value as the card shows it; a linked record by its name where the reader sees it."""
        linked = readable_links(self.user, [carry.value] if isinstance(carry.value, str) else [])
        shown = linked.get(carry.value) if linked else None
        return Truncator(str(shown or show_value(carry.source, carry.value))).chars(LONGEST)

    def _add_required(self) -> None:
        """What the new type demands and nothing goes to."""
        taken = {self._given(name) for name in self.fields if name.startswith("map_")}
        schema = attributes_of(self.type.attribute_set_id) if self.type else []
        self.required = [
            one for one in schema if one.required and one.kind != AttributeKind.BOOL and one.key not in taken
        ]
        for attribute in self.required:
            field = form_field(attribute, self.user)
            field.required = False
            self.fields[attribute.field_name] = field

    def _given(self, name: str) -> str:
        return self.data.get(name, "") if self.is_bound else self.initial[name]

    def places(self) -> list[tuple[str, list]]:
        """(heading, bound fields): what carries over by itself, and what a person may send somewhere."""
        known = [(carry.suggested, self[f"map_{carry.source.key}"]) for carry in self.plan if carry.offers]
        groups = (
            (_("Carries over"), [bound for suggested, bound in known if suggested]),
            (_("Choose where it goes"), [bound for suggested, bound in known if not suggested]),
        )
        return [(heading, bounds) for heading, bounds in groups if bounds]

    def put_away(self) -> list[str]:
        """What fits nowhere."""
        return [f"{carry.source}: {self.text(carry)}" for carry in self.plan if not carry.offers]

    def further_fields(self) -> list:
        return [self[attribute.field_name] for attribute in self.required]

    def chosen(self) -> dict:
        """The arguments of the service."""
        data = self.cleaned_data
        return {
            "counterparty_type": self.type,
            "mapping": {carry.source.key: data.get(f"map_{carry.source.key}", "") for carry in self.plan},
            "further": {one.key: data.get(one.field_name) for one in self.required},
            "version": data["version"],
        }

    def refuse(self, error: ValidationError) -> None:
        """Shows what the service said, beside the fields it named."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error.messages)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)
