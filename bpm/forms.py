"""Forms: a task's, built from what its diagram says, and those of administrators and operators."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from bpm.definitions import end_label, ends_of
from bpm.engine.evaluating import fill
from bpm.engine.expressions import ExpressionError
from bpm.engine.model import Field, Form, Node
from bpm.engine.values import ValueKindError
from bpm.models import Period, ProcessDefinition, TriggerKind
from bpm.retrying import CAUSES
from bpm.variables import read_written, written
from crm.attributes.forms import DateInput
from crm.files.services import check_upload
from crm.money.fields import MoneyFormField
from crm.people.models import Role, User
from crm.people.names import localised
from crm.web.widgets import LongSelect
from funnel.models import Mode, Stage, Way

MAX_DIAGRAM = 1024 * 1024


def spoken(text: str, texts: dict[str, str]) -> str:
    """A label of a diagram in the reader's language."""
    return texts.get((get_language() or "en")[:2], "") or text


def _text(**options) -> forms.Field:
    return forms.CharField(max_length=5000, widget=forms.Textarea(attrs={"rows": 2}), **options)


def _number(**options) -> forms.Field:
    return forms.DecimalField(max_digits=20, decimal_places=6, localize=True, **options)


def _money(**options) -> forms.Field:
    return MoneyFormField(max_digits=15, decimal_places=2, **options)


def _date(**options) -> forms.Field:
    return forms.DateField(widget=DateInput(), **options)


def _user(**options) -> forms.Field:
    people = User.objects.filter(is_active=True)
    return forms.ModelChoiceField(people, to_field_name="username", empty_label=_("– choose –"), **options)


def _file(**options) -> forms.Field:
    widget = forms.FileInput(attrs={"class": "file-input"})
    return forms.FileField(validators=[check_upload], max_length=255, widget=widget, **options)


_MAKERS = {
    "text": _text, "number": _number, "money": _money, "date": _date, "bool": forms.BooleanField, "user": _user,
    "file": _file,
}  # fmt: skip


def form_field(field: Field, required: bool) -> forms.Field:
    """The form field for one question of a task."""
    options = {
        "label": spoken(field.label or field.key, field.labels), "required": required,
        "help_text": spoken(field.help, field.helps),
    }  # fmt: skip
    if field.type == "choice":
        choices = [
            (choice.value, spoken(choice.label or choice.value, choice.labels)) for choice in field.choices
        ]
        return forms.ChoiceField(choices=[("", _("– choose –")), *choices], **options)
    return _MAKERS.get(field.type, _text)(**options)


class TaskForm(forms.Form):
    """The questions of a task. With an `outcome` that makes them optional nothing need be filled in."""

    prefix = "a"

    def __init__(
        self, form: Form, *args, outcome: str = "", variables: dict | None = None, draft: dict | None = None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(*args, **kwargs)
        self.snapshot = form
        chosen = next((each for each in form.outcomes if each.key == outcome), None)
        optional = chosen is not None and chosen.fields == "optional"
        for field in form.fields:
            self.fields[field.key] = form_field(field, field.required and not optional)
            self.initial[field.key] = first_value(field, variables or {})
        if any(each.comment for each in form.outcomes):
            must = chosen is not None and chosen.comment == "required"
            error = _("Say why, so that the other side knows what to do.")
            self.fields["comment"] = forms.CharField(
                label=_("Comment"), max_length=5000, required=must, widget=forms.Textarea(attrs={"rows": 3}),
                error_messages={"required": error},
            )  # fmt: skip
        self.initial |= {key: text for key, text in (draft or {}).items() if key in self.fields}

    @property
    def typed_fields(self) -> list[str]:
        """The fields a draft can keep."""
        return [key for key, field in self.fields.items() if not isinstance(field, forms.FileField)]

    def typed(self) -> dict[str, str]:
        """What stands in the fields, right or wrong, as a draft keeps it."""
        return {key: text for key in self.typed_fields if (text := self.data.get(self.add_prefix(key), ""))}

    @property
    def has_files(self) -> bool:
        return any(field.type == "file" for field in self.snapshot.fields)

    @property
    def drops_file(self) -> bool:
        """Whether dropping a file is all there is to do."""
        return [field.type for field in self.snapshot.fields] == ["file"] and "comment" not in self.fields

    def answers(self) -> dict:
        """{field key: process value}; every question has one, None when it was left empty."""
        kept = [field for field in self.snapshot.fields if field.type != "file"]
        answers = {field.key: plain(self.cleaned_data.get(field.key)) for field in kept}
        return {field.key: None for field in self.snapshot.fields if field.type == "file"} | answers

    def uploads(self) -> dict:
        kept = [field.key for field in self.snapshot.fields if field.type == "file"]
        return {key: self.cleaned_data[key] for key in kept if self.cleaned_data.get(key)}

    def comment(self) -> str:
        return self.cleaned_data.get("comment", "")


def plain(value):
    """A cleaned value as a process holds it."""
    if isinstance(value, User):
        return value.username
    if isinstance(value, date):
        return value.isoformat()
    return None if value == "" else value


def first_value(field: Field, variables: dict):
    """What the field shows at first: its default, else what the card's field it is bound to says."""
    if field.default:
        try:
            return fill(field.default, variables, timezone.now())
        except ExpressionError:
            return None
    owner, _dot, name = field.bind.partition(".")
    facts = variables.get(owner)
    return facts.get(name) if isinstance(facts, dict) and field.type != "file" else None


class HandoverForm(forms.Form):
    """Who is to do a task, and why."""

    user = forms.ModelChoiceField(
        User.objects.none(), label=_("Who is to do it"), to_field_name="username", empty_label=_("– choose –"),
        widget=LongSelect,
    )  # fmt: skip
    comment = forms.CharField(
        label=_("What they should know"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, holder_id: int | None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.filter(is_active=True).exclude(pk=holder_id)


class UploadForm(forms.Form):
    """A diagram from any modeler."""

    diagram = forms.FileField(
        label=_("BPMN file"), widget=forms.FileInput(attrs={"accept": ".bpmn,.xml", "class": "file-input"}),
        error_messages={"empty": _("The file is empty.")},
    )  # fmt: skip

    def clean_diagram(self):
        upload = self.cleaned_data["diagram"]
        if upload.size > MAX_DIAGRAM:
            raise ValidationError(_("A diagram may have at most 1 MB."))
        return upload


class GateForm(forms.Form):
    """Which stage a process guards, and which of its ends let a deal in."""

    stage = forms.ModelChoiceField(
        Stage.objects.filter(is_active=True).select_related("funnel"), label=_("Stage")
    )
    granting_ends = forms.MultipleChoiceField(
        label=_("Ends that grant the move"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one end that grants the move.")},
    )  # fmt: skip
    way = forms.ChoiceField(label=_("Way"), choices=Way.choices, initial=Way.ENTRY, required=False)
    mode = forms.ChoiceField(label=_("Mode"), choices=Mode.choices, initial=Mode.BLOCKING, required=False)

    def clean_way(self) -> str:
        return self.cleaned_data["way"] or Way.ENTRY

    def clean_mode(self) -> str:
        return self.cleaned_data["mode"] or Mode.BLOCKING

    def __init__(self, definition: ProcessDefinition, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["stage"].label_from_instance = lambda stage: f"{stage.funnel} – {stage}"
        version = definition.published()
        ends = ends_of(version) if version else []
        self.fields["granting_ends"].choices = [(node.id, end_label(node)) for node in ends]


def _causes() -> list:
    return [("", _("All causes")), *((key, label) for key, (label, _codes) in CAUSES.items())]


def _shown_if(field: forms.Field, name: str, *values: str) -> forms.Field:
    field.shown_if, field.shown_if_values = name, json.dumps(values)
    return field


class TriggerForm(forms.Form):
    """What starts a process; the service says what is missing."""

    kind = forms.ChoiceField(label=_("It starts"), choices=TriggerKind.choices)
    role = forms.ModelChoiceField(
        Role.objects.all(),
        label=_("Who may start it"),
        required=False,
        empty_label=_("everybody who sees the card"),
    )
    query = forms.CharField(
        label=_("Only records of this filter"), required=False, max_length=4000,
        help_text=_("Filter the list of these records and paste its address here. Empty: all of them."),
    )  # fmt: skip
    period = forms.ChoiceField(label=_("How often"), required=False, choices=Period.choices)
    weekday = forms.TypedChoiceField(
        label=_("Weekday"), required=False, coerce=int, empty_value=None, choices=list(WEEKDAYS.items())
    )
    month_day = forms.IntegerField(
        label=_("Day of the month"), required=False, min_value=1, max_value=31,
        help_text=_("A month that has no such day takes its last one."),
    )  # fmt: skip
    at = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("In the company's time zone."),
    )  # fmt: skip
    message = forms.CharField(
        label=_("Name of the message"), required=False, max_length=200,
        help_text=_("Another process sends it from a record of this kind."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _shown_if(self.fields["role"], "kind", "hand")
        _shown_if(self.fields["query"], "kind", "created", "won", "lost", "call", "missed", "schedule")
        for name in ("period", "at"):
            _shown_if(self.fields[name], "kind", "schedule")
        _shown_if(self.fields["weekday"], "period", "weekly")
        _shown_if(self.fields["month_day"], "period", "monthly")
        _shown_if(self.fields["message"], "kind", "message")


class RunFilterForm(forms.Form):
    """The filters above the list of runs."""

    process = forms.ModelChoiceField(
        ProcessDefinition.objects.all(), label=_("Process"), required=False, empty_label=_("All processes")
    )
    cause = forms.ChoiceField(label=_("Held up because"), required=False, choices=_causes)


class VariableForm(forms.Form):
    """An operator gives a variable of a run another value, of a kind that he says."""

    KINDS = (
        ("text", _("text")), ("number", _("number")), ("date", _("date")), ("yes", _("yes")), ("no", _("no")),
        ("nothing", _("nothing")), ("structure", _("list or fields (JSON)")),
    )  # fmt: skip
    VALUED = ("text", "number", "date", "structure")

    name = forms.RegexField(
        label=_("Name"), regex=r"\A[A-Za-z_][A-Za-z0-9_]{0,99}\Z",
        error_messages={"invalid": _("A name has letters, digits and low lines, and begins with no digit.")},
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    value = forms.CharField(
        label=_("Value"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 2})
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)
    was = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput, strip=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["value"].shown_if = "kind"
        self.fields["value"].shown_if_values = json.dumps(self.VALUED)
        self.new_value = None

    def clean(self):
        data = super().clean()
        kind, text = data.get("kind"), data.get("value", "")
        if kind in ("number", "date"):
            try:
                self.new_value = plain(_TYPED[kind](required=True).clean(text))
            except ValidationError as error:
                self.add_error("value", error)
        elif kind == "structure":
            self._read_structure(text)
        else:
            self.new_value = {"text": text, "yes": True, "no": False}.get(kind)
        if isinstance(self.new_value, Decimal) and self.new_value == self.new_value.to_integral_value():
            self.new_value = int(self.new_value)
        return data

    def _read_structure(self, text: str) -> None:
        try:
            self.new_value = read_written(text)
        except ValueKindError:
            self.add_error("value", _("This is not JSON that a process can keep."))

    @classmethod
    def first(cls, value) -> dict:
        """Kind and value as the form shows them at first."""
        if value is None:
            return {"kind": "nothing", "value": ""}
        if isinstance(value, bool):
            return {"kind": "yes" if value else "no", "value": ""}
        if isinstance(value, int | Decimal):
            return {"kind": "number", "value": number_format(value, use_l10n=True, force_grouping=False)}
        if isinstance(value, str):
            return {"kind": "text", "value": value}
        return {"kind": "structure", "value": written(value)}


_TYPED = {"number": _number, "date": _date}


class MoveForm(forms.Form):
    """Where an operator takes a step to."""

    node = forms.ChoiceField(label=_("Go on at"))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, nodes: list[Node], *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["node"].choices = [(node.id, spoken(node.label, node.names)) for node in nodes]


class ReasonForm(forms.Form):
    """An operator says why."""

    reason = forms.CharField(label=_("Reason"), max_length=500)
    outcome = forms.CharField(required=False, max_length=200)


def definition_name(definition: ProcessDefinition) -> str:
    return localised(definition.name, definition.name_pl)
