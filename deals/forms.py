"""Forms of deals; choices are limited to what the user may see and do."""

from __future__ import annotations

from datetime import date

from django import forms
from django.db.models import Value
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, Counterparty
from counterparties.pickers import RecordChoiceField
from crm.attributes.forms import DateInput
from crm.listing.assigning import people_to_assign
from crm.money.models import Currency, default_currency
from crm.people.models import User
from crm.web.record_forms import RecordForm
from deals.groupings import NONE, close_date_in, coming_months, name_of_month, read_month
from deals.models import Deal, DealLine, DealSettings, DealStatus, DealType, OutcomeReason
from deals.rules import offered_loss_reasons, offered_reasons
from funnel.models import Stage


class DealForm(RecordForm):
    """Opening and editing a deal. The type is chosen once: it decides the funnel."""

    contacts = forms.ModelMultipleChoiceField(
        Contact.objects.none(), label=_("Contacts"), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Deal
        fields = ["name", "counterparty", "deal_type", "amount", "currency", "close_date", "owner"]
        widgets = {"close_date": DateInput(), "name": forms.TextInput(attrs={"autofocus": True})}

    field_order = [
        "name",
        "counterparty",
        "deal_type",
        "amount",
        "currency",
        "close_date",
        "owner",
        "contacts",
    ]

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, user=user, **kwargs)
        self.fields["currency"].queryset = Currency.objects.filter(is_active=True)
        self.fields["currency"].empty_label = None
        self.fields["counterparty"] = RecordChoiceField(
            Counterparty.objects.visible_to(user),
            url=reverse("counterparties:counterparty_options"),
            label=_("Counterparty"),
        )
        if "owner" in self.fields:
            self.fields["owner"].required = False
        if self.instance.pk and DealLine.objects.filter(deal=self.instance).exists():
            for name in ("amount", "currency"):
                self.fields[name].disabled = True
            self.fields["amount"].help_text = _("The sum of the deal's lines.")
        self._limit_type()
        self._limit_contacts()
        self.add_attribute_fields(self._attribute_set_id())
        self.initial.setdefault("currency", default_currency())

    def _limit_type(self) -> None:
        if self.instance.pk:
            del self.fields["deal_type"]
            return
        field = self.fields["deal_type"]
        self.types = list(DealType.objects.filter(is_active=True).order_by("-is_default", "position", "id"))
        field.queryset, field.empty_label, field.required = (
            DealType.objects.filter(is_active=True),
            None,
            False,
        )
        field.widget.choices = [(one.pk, str(one)) for one in self.types]
        # Another type has other attributes: the form comes anew with what was typed.
        field.widget.attrs |= {
            "hx-get": reverse("deals:deal_create"), "hx-trigger": "change", "hx-include": "closest form",
            "hx-params": "not csrfmiddlewaretoken,form_token", "hx-target": "closest form", "hx-swap": "outerHTML",
        }  # fmt: skip
        if self.types:
            self.initial.setdefault("deal_type", self.types[0].pk)

    def _limit_contacts(self) -> None:
        """The counterparty's people and the deal's: their numbers first, for a join would read every contact."""
        given = str(self.given("counterparty") or "")
        known = given.isdecimal()
        linked = Contact.objects.filter(links__counterparty_id=given) if known else Contact.objects.none()
        pairs = linked.order_by().values_list("pk", Value(False))
        if self.instance.pk:
            pairs = pairs.union(self.instance.contacts.order_by().values_list("pk", Value(True)))
        pairs = list(pairs)
        offered = Contact.objects.visible_to(self.user).filter(pk__in={pk for pk, _is_present in pairs})
        if self.instance.pk:
            self.initial.setdefault("contacts", [pk for pk, is_present in pairs if is_present])
        self.fields["contacts"].queryset = offered
        if not list(offered[:1]):
            self.fields.pop("contacts")

    def _attribute_set_id(self) -> int | None:
        if self.instance.pk:
            return self.instance.get_attribute_set_id()
        wanted = str(self.given("deal_type") or "")
        chosen = next(
            (one for one in self.types if str(one.pk) == wanted), self.types[0] if self.types else None
        )
        self.instance.deal_type = chosen
        return chosen.attribute_set_id if chosen else None

    def clean_owner(self):
        """Nobody chosen: the deal stays with whoever has it, or comes to who opens it."""
        return self.cleaned_data["owner"] or self.instance.owner or self.user


class ContactRoleForm(forms.Form):
    """What a contact is in the negotiation."""

    role = forms.CharField(
        label=_("Role in the deal"), max_length=80, required=False,
        help_text=_("Such as: decides, pays, uses it, advises."),
        widget=forms.TextInput(attrs={"autofocus": True}),
    )  # fmt: skip


class CloneForm(forms.Form):
    """What the new deal is called."""

    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autofocus": True}))


class StageForm(forms.Form):
    """Where the deal shall go: any stage of its funnel; the service says whether it may."""

    stage = forms.ModelChoiceField(Stage.objects.none())
    reason = forms.CharField(label=_("Reason"), required=False, max_length=2000)

    def __init__(self, *args, deal: Deal, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["stage"].queryset = Stage.objects.filter(funnel_id=deal.funnel_id, is_active=True)


CLOSURES = {
    DealStatus.WON: (_("Won"), _("Mark as won")),
    DealStatus.LOST: (_("Lost"), _("Mark as lost")),
    DealStatus.POSTPONED: (_("Postpone"), _("Postpone")),
}


class ClosureForm(forms.Form):
    """Won, lost with a reason, or postponed."""

    to = forms.ChoiceField(choices=[(status, status) for status in CLOSURES], widget=forms.HiddenInput)
    loss_reason = forms.ModelChoiceField(
        offered_loss_reasons(), label=_("Why was it lost?"), empty_label=_("– choose –")
    )
    outcome_reason = forms.ModelChoiceField(OutcomeReason.objects.none(), empty_label=_("– choose –"))
    postponed_until = forms.DateField(label=_("Until"), required=False, widget=DateInput())
    reason = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args, to: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.to = to if to in CLOSURES else DealStatus.WON
        self.initial["to"] = self.to
        self.fields["loss_reason"].queryset = offered_loss_reasons()
        if self.to != DealStatus.LOST:
            del self.fields["loss_reason"]
        if self.to != DealStatus.POSTPONED:
            del self.fields["postponed_until"]
        self._offer_reasons()

    def _offer_reasons(self) -> None:
        """Reasons of winning and postponing stand here where there are any, and are asked for where it is set so."""
        offered = offered_reasons(self.to)
        needed = self.to != DealStatus.LOST and DealSettings.read().needs_reason(self.to)
        if self.to == DealStatus.LOST or not (needed or offered.exists()):
            del self.fields["outcome_reason"]
            return
        field = self.fields["outcome_reason"]
        field.queryset, field.required = offered, needed
        field.label = _("Why was it won?") if self.to == DealStatus.WON else _("Why is it postponed?")

    @property
    def title(self) -> str:
        return CLOSURES[self.to][0]

    @property
    def save_label(self) -> str:
        return CLOSURES[self.to][1]


class OverrideForm(forms.Form):
    """Passing a gate wants a reason that stays on record."""

    reason = forms.CharField(
        label=_("Why does the deal pass its gate?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    calls_off = forms.BooleanField(
        label=_("Call off the process that holds it"), required=False, initial=True,
        help_text=_("Otherwise it goes on to its end, without deciding about the move."),
    )  # fmt: skip


class ColumnForm(forms.Form):
    """Another column of a board for one deal. `version` is the one the tile shows, if it says so."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    title: object = ""
    save_label: object = ""

    def __init__(self, *args, deal: Deal, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.deal = deal
        self.fields["version"].initial = deal.version

    @property
    def all_errors(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]

    def values(self) -> dict:
        """What `edit_deal` is to write."""
        raise NotImplementedError

    def told(self) -> str:
        """What to say when it is done."""
        raise NotImplementedError


class AssignmentForm(ColumnForm):
    """Whose the deal becomes."""

    owner = forms.ModelChoiceField(
        User.objects.none(), label=_("Owner"), empty_label=None,
        error_messages={"invalid_choice": _("You may not hand the deal over to this person.")},
    )  # fmt: skip
    title = _("Hand the deal over")
    save_label = _("Hand over")

    def __init__(self, *args, deal: Deal, user, **kwargs):
        super().__init__(*args, deal=deal, user=user, **kwargs)
        self.fields["owner"].queryset = people_to_assign(user, Deal)
        self.fields["owner"].initial = deal.owner_id

    def values(self) -> dict:
        return {"owner": self.cleaned_data["owner"]}

    def told(self) -> str:
        return gettext("Handed over to %(owner)s.") % {"owner": self.cleaned_data["owner"]}


class CloseMonthForm(ColumnForm):
    """In which month the deal is to close."""

    month = forms.CharField(label=_("Close month"), max_length=7, widget=forms.Select)
    title = _("Move the close date")
    save_label = _("Move")

    def __init__(self, *args, deal: Deal, user, **kwargs):
        super().__init__(*args, deal=deal, user=user, **kwargs)
        offered = coming_months(deal.close_date)
        self.fields["month"].widget.choices = [
            *((f"{first:%Y-%m}", name_of_month(first)) for first in offered),
            (NONE, _("Without close date")),
        ]
        self.fields["month"].initial = f"{deal.close_date:%Y-%m}" if deal.close_date else NONE

    def clean_month(self) -> date | None:
        text = self.cleaned_data["month"]
        if text != NONE and read_month(text) is None:
            raise forms.ValidationError(gettext("There is no such month."))
        return read_month(text)

    def values(self) -> dict:
        return {"close_date": close_date_in(self.cleaned_data["month"], self.deal.close_date)}

    def told(self) -> str:
        """The deal has its new date by now."""
        if self.deal.close_date is None:
            return gettext("The deal has no close date any more.")
        return gettext("To close on %(day)s.") % {"day": date_format(self.deal.close_date, "DATE_FORMAT")}


class QuestionForm(forms.Form):
    """A question to whoever has the ball; people named by @login are told."""

    text = forms.CharField(
        label=_("Question"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True})
    )
