"""The editor of a role: a matrix of kinds and actions, and the fields the role may not write or see."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from crm.attributes.models import Attribute
from crm.people.access import SCOPES
from crm.people.explaining import YES_OR_NO, actions_of, phrase, sentence
from crm.people.fields import ATTRIBUTE, restrictable
from crm.people.kinds import STANDARD_ACTIONS, RecordKind, granted_kinds, kind_named
from crm.people.models import FieldLevel, FieldRule, Role, RoleScope, Scope
from crm.people.visibility import OwnedRecord


class ScopeSelect(forms.Select):
    """Every option says in plain words what it allows, for the script that keeps the sentence below true."""

    def __init__(self, kind: RecordKind, action: str, **options):
        super().__init__(**options)
        self.kind, self.action = kind, action

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-says"] = phrase(self.kind, self.action, str(value))
        return option


@dataclass(frozen=True)
class MatrixRow:
    """One kind: the selects of the standard actions, those of its named rights, and what they mean together."""

    kind: RecordKind
    cells: list
    named: list
    says: str


class RoleForm(forms.ModelForm):
    """The role's names, and one select for each kind and action."""

    class Meta:
        model = Role
        fields = ["name", "name_pl", "key"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rows = self.instance.scopes.all() if self.instance.pk else []
        self.present = {(row.kind, row.action): row.scope for row in rows}
        for kind in granted_kinds():
            for action, label in actions_of(kind).items():
                self._add(kind, action, label)

    def _add(self, kind: RecordKind, action: str, label: str) -> None:
        scope = self.present.get((kind.label, action), Scope.NONE)
        choices = list(Scope.choices)
        if action in YES_OR_NO:
            scope = Scope.NONE if scope == Scope.NONE else Scope.ALL
            choices = [(Scope.NONE, _("no")), (Scope.ALL, _("yes"))]
        elif not issubclass(kind.model, OwnedRecord):
            choices = [(Scope.NONE, _("no")), (Scope.ALL, _("yes"))] if scope in {"none", "all"} else choices
        self.fields[_name(kind, action)] = forms.ChoiceField(
            label=label,
            choices=choices,
            initial=scope,
            required=False,
            widget=ScopeSelect(kind, action, attrs={"aria-label": f"{kind.plural}: {label}"}),
        )

    def matrix(self) -> list[MatrixRow]:
        """The selects as the page shows them."""
        return [self._row(kind) for kind in granted_kinds()]

    def _row(self, kind: RecordKind) -> MatrixRow:
        bound = {action: self[_name(kind, action)] for action in actions_of(kind)}
        scopes = {action: str(field.value() or Scope.NONE) for action, field in bound.items()}
        return MatrixRow(
            kind,
            [bound[action] for action in STANDARD_ACTIONS],
            [bound[action] for action, _label in kind.rights],
            sentence(kind, {action: scope for action, scope in scopes.items() if scope in SCOPES}),
        )

    def clean(self):
        """Nobody edits, deletes or hands over what he does not see."""
        cleaned = super().clean()
        for kind in granted_kinds():
            seen = cleaned.get(_name(kind, "view")) or Scope.NONE
            for action in actions_of(kind):
                scope = cleaned.get(_name(kind, action)) or Scope.NONE
                if action not in YES_OR_NO and SCOPES.index(scope) > SCOPES.index(seen):
                    words = _("%(kind)s: “%(action)s” may not reach further than “see”.")
                    params = {"kind": str(kind.plural).capitalize(), "action": actions_of(kind)[action]}
                    self.add_error(None, ValidationError(words, params=params))
        return cleaned

    def save_scopes(self, role: Role) -> None:
        """Writes what differs; rights of areas that are not installed any more stay as they are."""
        for kind in granted_kinds():
            for action in actions_of(kind):
                name = _name(kind, action)
                if name in self.changed_data or not self.present:
                    scope = self.cleaned_data[name] or Scope.NONE
                    RoleScope.objects.update_or_create(
                        role=role, kind=kind.label, action=action, defaults={"scope": scope}
                    )


def _name(kind: RecordKind, action: str) -> str:
    return f"right-{kind.label}-{action}"


def field_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """[(kind, [("deals.deal|amount", label)])]: what may be restricted, with the attributes in use."""
    labels: dict[str, dict[str, str]] = {}
    attributes = Attribute.objects.filter(archived=False).select_related("attribute_set")
    for attribute in attributes:
        names = labels.setdefault(attribute.attribute_set.kind, {})
        names.setdefault(f"{ATTRIBUTE}{attribute.key}", str(attribute))
    found = []
    for kind in restricted_kinds():
        own = {name: label for name, (label, _hideable) in restrictable(kind.model).items()}
        options = [
            (f"{kind.label}|{name}", label) for name, label in {**own, **labels.get(kind.label, {})}.items()
        ]
        found.append((str(kind.plural), options))
    return found


def restricted_kinds() -> list[RecordKind]:
    """The kinds with records of their own rights; what hangs on a card has none of its own."""
    return [kind for kind in granted_kinds() if getattr(kind.model, "share_model", None) is not None]


class FieldRuleForm(forms.ModelForm):
    """One field of one kind, chosen in one list, and what the role may not do with it."""

    target = forms.ChoiceField(label=_("field"), choices=field_choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = FieldRule
        fields = ["target", "level"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["target"] = f"{self.instance.kind}|{self.instance.field}"

    def clean(self):
        cleaned = super().clean()
        kind, _bar, name = cleaned.get("target", "").partition("|")
        if not name:
            return cleaned
        self.instance.kind, self.instance.field = kind, name
        if cleaned.get("level") == FieldLevel.HIDDEN and not may_be_hidden(kind, name):
            self.add_error("level", _("Records need this field everywhere: it can only be read-only."))
        return cleaned


def may_be_hidden(kind: str, name: str) -> bool:
    """Not for names and for what a record cannot be without."""
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        return not Attribute.objects.filter(attribute_set__kind=kind, key=key, required=True).exists()
    model = kind_named(kind).model
    return restrictable(model).get(name, ("", False))[1]


class FieldRuleFormSet(forms.BaseInlineFormSet):
    """Each field once."""

    def clean(self):
        super().clean()
        targets = [
            form.cleaned_data.get("target")
            for form in self.forms
            if form.cleaned_data.get("target") and not form.cleaned_data.get("DELETE")
        ]
        if len(targets) != len(set(targets)):
            raise ValidationError(_("Name each field once."))
