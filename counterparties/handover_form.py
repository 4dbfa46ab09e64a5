"""The form of a hand-over: whose, what, to whom, and who of several gets which part."""

from __future__ import annotations

from django import forms
from django.urls import reverse_lazy
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from counterparties.models import Counterparty
from counterparties.splitting import Group, Split, proposed_shares, rules_for
from crm.listing.assigning import people_to_assign
from crm.people.models import User

ANEW = {
    "hx-get": reverse_lazy("counterparties:handover_create"),
    "hx-trigger": "change",
    "hx-include": "closest form",
    "hx-params": "source,closed_too,kinds,successors,rule",
    "hx-target": "closest form",
    "hx-swap": "outerHTML",
}


class HandOverForm(forms.Form):
    """Whose records, which kinds, to whom, and by which rule; `given` is what was chosen so far."""

    def __init__(self, data=None, *, user, given):
        super().__init__(data)
        self.groups: dict[str, Group] = {}
        everybody = _portfolio_owners(user)
        self.source = next((one for one in everybody if str(one.pk) == given.get("source", "")), None)
        self.rule = given.get("rule", "") if given.get("rule", "") in rules_for(user) else ""
        successors = people_to_assign(user, Counterparty).order_by("last_name", "first_name", "pk")
        if self.source is not None:
            successors = successors.exclude(pk=self.source.pk)
        chosen = {text for text in given.getlist("successors") if text.isdecimal() and len(text) < 19}
        self.successors = [one for one in successors if str(one.pk) in chosen]
        self.initial = {
            "source": given.get("source", ""), "closed_too": bool(given.get("closed_too")), "rule": self.rule,
            "successors": [one.pk for one in self.successors],
        }  # fmt: skip
        self.fields["source"] = forms.ChoiceField(
            label=_("Whose portfolio"), choices=[("", "–"), *((str(one.pk), str(one)) for one in everybody)]
        )
        self.fields["closed_too"] = forms.BooleanField(
            label=_("What is closed too: won and lost deals, finished leads"), required=False
        )
        self.fields["successors"] = forms.ModelMultipleChoiceField(
            successors, label=_("To whom"), widget=forms.CheckboxSelectMultiple(attrs=ANEW)
        )
        self.fields["rule"] = forms.ChoiceField(
            label=_("How several share it"),
            choices=list(rules_for(user).items()),
            required=False,
            widget=forms.Select(attrs=ANEW),
        )

    def offer(self, preview: list, kinds_given: list[str]) -> None:
        """The kinds with their counts; those with records are ticked, or those that were."""
        kinds = [(kind, number) for kind, number in preview if number]
        self.fields["kinds"] = forms.MultipleChoiceField(
            label=_("What"),
            choices=[
                (kind.kind, f"{capfirst(str(kind.record_kind.plural))}: {number}") for kind, number in kinds
            ],
            widget=forms.CheckboxSelectMultiple,
        )
        self.initial["kinds"] = kinds_given or [kind.kind for kind, _number in kinds]
        self.order_fields(["source", "closed_too", "kinds", "successors", "rule"])

    def offer_groups(self, groups: list[Group]) -> None:
        """Who gets which group; about as much for everybody is proposed."""
        self.groups = {f"share_{group.key.encode().hex()}": group for group in groups}
        proposed = proposed_shares(groups, self.successors)
        for name, group in self.groups.items():
            counted = (f"{capfirst(str(kind.record_kind.plural))}: {number}" for kind, number in group.counts)
            self.fields[name] = forms.ChoiceField(
                label=group.label,
                choices=[*((one.pk, str(one)) for one in self.successors), ("", _("– in turn –"))],
                required=False,
                help_text=", ".join(counted),
            )
            self.initial[name] = proposed.get(group.key, "")

    def group_fields(self) -> list:
        return [self[name] for name in self.groups]

    def chosen(self) -> dict:
        """The arguments of the service."""
        data = self.cleaned_data
        shares = {group.key: int(data[name]) for name, group in self.groups.items() if data.get(name)}
        return {
            "successors": list(data["successors"]),
            "kinds": data["kinds"],
            "closed_too": data["closed_too"],
            "split": Split(self.rule, shares),
        }

    def refuse(self, error: forms.ValidationError) -> None:
        for field, errors in getattr(error, "error_dict", {None: [error]}).items():
            self.add_error(field if field in self.fields else None, errors)


def _portfolio_owners(user) -> list[User]:
    """Everybody in the user's reach, also those who work here no more."""
    reach = people_to_assign(user, Counterparty)
    gone = User.objects.filter(is_active=False)
    if user.access.scope("counterparties.counterparty", "assign") != "all":
        departments = {user.department_id, *user.access.headed_departments()}
        gone = gone.filter(department_id__in=departments)
    found = User.objects.filter(
        pk__in=[*reach.values_list("pk", flat=True), *gone.values_list("pk", flat=True)]
    )
    return list(found.order_by("last_name", "first_name", "pk"))
