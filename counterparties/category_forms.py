"""A category on its page of the administration: its rule, and the roles that see only its counterparties."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from counterparties.categories import KIND, rule_condition, rule_query
from counterparties.models import Category
from crm.people.models import Role, RoleLimit, User


class CategoryForm(forms.ModelForm):
    roles = forms.ModelMultipleChoiceField(
        Role.objects.all(),
        label=_("Roles limited to it"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "People of these roles see only counterparties of the categories chosen for their role, and none else, "
            "not even their own. Somebody with another role that is not limited sees by that one."
        ),
    )

    class Meta:
        model = Category
        fields = ["name", "name_pl", "group", "tone", "is_active", "position", "rule"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            limits = RoleLimit.objects.filter(kind=KIND, value=str(self.instance.pk))
            self.initial["roles"] = list(limits.values_list("role_id", flat=True))

    def clean_rule(self) -> str:
        """Kept as the query of the list; checked with the eyes of somebody who sees every field."""
        rule = rule_query(self.cleaned_data["rule"])
        if rule:
            rule_condition(rule, User(is_active=False))
        return rule

    def save_limits(self) -> None:
        """Called after the category is saved."""
        limits = RoleLimit.objects.filter(kind=KIND, value=str(self.instance.pk))
        chosen = set(self.cleaned_data["roles"])
        limits.exclude(role__in=chosen).delete()
        present = set(limits.values_list("role_id", flat=True))
        RoleLimit.objects.bulk_create(
            RoleLimit(role=role, kind=KIND, value=str(self.instance.pk))
            for role in chosen
            if role.pk not in present
        )
