"""The forms of activities: plan, log, complete with the next step, move."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from collab.calendar.activity_templates import ActivityTemplate
from collab.calendar.grants import granting
from collab.calendar.models import Activity, ActivityKind, Direction
from collab.calendar.moments import (
    HiddenMoment,
    MomentField,
    local_midnight,
    next_full_hour,
    next_working_morning,
    same_reading,
)
from collab.calendar.reminder_forms import LeadsField
from collab.calendar.reminders import usual_minutes
from collab.calendar.repeat_forms import RepeatMixin, ScopeMixin
from collab.calendar.resources import Resource, bookable
from collab.calendar.series_services import Scope
from collab.calendar.services import NextStep, roles_plan_for
from counterparties.models import Contact
from crm.attributes.forms import DateInput
from crm.people.models import User

MINUTES = (0, 15, 30, 45, 60, 90, 120, 180, 240)
DEFAULT_MINUTES = {ActivityKind.CALL: 15, ActivityKind.MEETING: 60, ActivityKind.LETTER: 0}


MOST_MINUTES = 24 * 60
MOST_DAYS = 62


def last_day_of(activity: Activity) -> date | None:
    """The last of several whole days; None for one day alone."""
    if not activity.all_day or activity.ends_at is None:
        return None
    last = timezone.localtime(activity.ends_at - timedelta(seconds=1)).date()
    return last if last > timezone.localtime(activity.starts_at).date() else None


def minutes_label(minutes: int) -> str:
    if minutes == 0:
        return _("no set length")
    if minutes % 60 == 0:
        return ngettext_lazy("%(count)s hour", "%(count)s hours", minutes // 60) % {"count": minutes // 60}
    return _("%(count)s min") % {"count": minutes}


class LengthField(forms.TypedChoiceField):
    """How long something takes, in minutes; an unusual present length is offered as well."""

    def __init__(self, **kwargs):
        # Asked anew for each form: labels written once would stay in the language of the first reader.
        super().__init__(
            coerce=int, choices=lambda: [(each, minutes_label(each)) for each in MINUTES], **kwargs
        )

    def offer(self, minutes: int) -> None:
        if minutes not in dict(self.choices):
            self.choices = [*self.choices, (minutes, minutes_label(minutes))]


class NextStepMixin(forms.Form):
    """What follows, in the same form: a kind, a subject, a time. Untouched it means nothing follows."""

    next_kind = forms.ChoiceField(
        label=_("Next step"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("", _("Nothing")), *ActivityKind.choices],
    )
    next_subject = forms.CharField(label=_("About"), max_length=200, required=False)
    next_at = MomentField(label=_("When"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("next_at", next_working_morning())
        self.initial.setdefault("next_kind", "")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("next_kind") and not cleaned.get("next_at") and "next_at" not in self.errors:
            self.add_error("next_at", _("Say when the next step is due."))
        return cleaned

    def next_step(self) -> NextStep | None:
        """The step to plan, once the form is valid."""
        data = self.cleaned_data
        kind = data.get("next_kind")
        if not kind:
            return None
        starts_at, length = data["next_at"], timedelta(minutes=DEFAULT_MINUTES[kind])
        return NextStep(kind, data["next_subject"], starts_at, starts_at + length if length else None)


class LogForm(NextStepMixin):
    """Something that has happened."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ActivityKind.choices, widget=forms.RadioSelect)
    result = forms.CharField(
        label=_("Result"), widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}), max_length=10_000
    )
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    direction = forms.ChoiceField(
        label=_("Direction"), choices=[("", "–"), *Direction.choices], required=False
    )
    starts_at = MomentField(label=_("When it was"), required=False)

    def clean_starts_at(self):
        moment = self.cleaned_data["starts_at"]
        if moment and moment > timezone.now() + timedelta(minutes=1):
            raise ValidationError(_("What has not happened yet is planned, not logged."))
        return moment


class CompletionForm(NextStepMixin):
    """What came of a planned activity."""

    result = forms.CharField(
        label=_("Result"), widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}), max_length=10_000
    )


class TimeForm(ScopeMixin):
    """Another time; the length stays, unless a drag has said another end."""

    starts_at = MomentField(label=_("New time"))
    ends_at = MomentField(required=False, widget=HiddenMoment)

    def __init__(self, *args, activity: Activity, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_scope(activity.series)

    def times(self, activity: Activity) -> dict:
        """The new times, as fields of the activity."""
        starts_at, ends_at = self.cleaned_data["starts_at"], activity.ends_at
        dropped = self.initial.get("dropped_at")
        if self.cleaned_data["ends_at"] and dropped is not None and same_reading(starts_at, dropped):
            return {"starts_at": starts_at, "ends_at": self.cleaned_data["ends_at"]}
        if ends_at is not None:
            ends_at = starts_at + (ends_at - activity.starts_at)
        return {"starts_at": starts_at, "ends_at": ends_at}


def dropped_at(address) -> dict:
    """Where a drag has put an activity, as the address of its form says; no nonsense."""
    field, found = MomentField(required=False), {}
    try:
        found["dropped_at"] = found["starts_at"] = field.clean(address.get("starts_at", "")[:16])
        found["ends_at"] = field.clean(address.get("ends_at", "")[:16])
    except ValidationError:
        return {}
    return {name: value for name, value in found.items() if value is not None}


def opening_values(address) -> dict:
    """What the address says of a new activity: `starts_at`, `minutes`, `all_day`, `last_day`, `owner`; no nonsense."""
    found: dict = {}
    try:
        found["starts_at"] = MomentField(required=False).clean(address.get("starts_at", "")[:16])
        found["last_day"] = forms.DateField(required=False).clean(address.get("last_day", "")[:10])
    except ValidationError:
        return {}
    minutes, owner = address.get("minutes", ""), address.get("owner", "")
    if minutes.isdecimal() and 0 < len(minutes) < 5 and int(minutes) <= MOST_MINUTES:
        found["minutes"] = int(minutes)
    if owner.isdecimal() and len(owner) < 16:
        found["owner"] = int(owner)
    if address.get("all_day"):
        found["all_day"] = True
    return {name: value for name, value in found.items() if value is not None}


class TemplateMixin(forms.Form):
    """Offers the company's templates: choosing one fills the fields, in the browser."""

    @cached_property
    def templates(self) -> list[tuple[ActivityTemplate, str]]:
        """Each with what it fills, as JSON."""
        rows = ActivityTemplate.objects.filter(is_active=True)
        return [(one, json.dumps(one.fills())) for one in rows]

    @property
    def auto_id_of_template(self) -> str:
        return f"id_{self.add_prefix('template')}"


class PlanForm(TemplateMixin, RepeatMixin, ScopeMixin):
    """A planned activity, new or being changed. `contacts` are the people of the card it stands on."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ActivityKind.choices, widget=forms.RadioSelect)
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    starts_at = MomentField(label=_("When"))
    minutes = LengthField(label=_("Length"), required=False, empty_value=0)
    all_day = forms.BooleanField(label=_("All day"), required=False)
    last_day = forms.DateField(label=_("Last day"), required=False, widget=DateInput())
    place = forms.CharField(label=_("Place"), max_length=200, required=False)
    owner = forms.ModelChoiceField(
        label=_("In the calendar of"), queryset=User.objects.none(), required=False
    )
    colleagues = forms.ModelMultipleChoiceField(
        label=_("Colleagues"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    contacts = forms.ModelMultipleChoiceField(
        label=_("Contacts"),
        queryset=Contact.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    resources = forms.ModelMultipleChoiceField(
        label=_("Rooms and equipment"),
        queryset=Resource.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    description = forms.CharField(
        label=_("Description"), widget=forms.Textarea(attrs={"rows": 2}), max_length=10_000, required=False
    )
    is_private = forms.BooleanField(
        label=_("Private: only the owner and the participants see it"), required=False
    )

    remind = LeadsField(label=_("Remind me"))

    def __init__(self, *args, user, contacts, instance: Activity | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance, self.user = instance, user
        people = list(User.objects.filter(is_active=True).select_related("department"))
        self.fields["colleagues"].queryset = User.objects.filter(is_active=True).exclude(pk=user.pk)
        self.fields["contacts"].queryset = contacts
        self._offer_resources(user)
        let_in = set(granting(user, "assign").values_list("owner_id", flat=True))
        self._limit_owners(user, [one for one in people if one.pk in let_in or roles_plan_for(user, one)])
        if instance is None:
            self._suggest()
        else:
            self._show(instance)
        series = instance.series if instance is not None else None
        self.show_rule(series)
        self.ask_scope(series)

    def _offer_resources(self, user) -> None:
        offered = bookable(user)
        if self.instance is not None:
            self.held = list(self.instance.bookings.values_list("resource_id", flat=True))
            offered = offered | Resource.objects.filter(pk__in=self.held)
        self.fields["resources"].queryset = offered.distinct()

    def _limit_owners(self, user, owners: list[User]) -> None:
        if self.instance is not None or len(owners) < 2:
            del self.fields["owner"]
            return
        self.fields["owner"].queryset = User.objects.filter(pk__in=[person.pk for person in owners])
        self.initial.setdefault("owner", user.pk)

    def _suggest(self) -> None:
        self.initial.setdefault("kind", ActivityKind.CALL)
        self.initial.setdefault("starts_at", next_full_hour())
        self.initial.setdefault("minutes", DEFAULT_MINUTES[self.initial["kind"]])
        self.initial.setdefault("remind", usual_minutes(self.user, self.initial["kind"]))
        self.fields["remind"].offer(self.initial["remind"])
        self.fields["minutes"].offer(self.initial["minutes"])

    def _show(self, activity: Activity) -> None:
        length = (activity.ends_at - activity.starts_at) if activity.ends_at else timedelta(0)
        minutes = 0 if activity.all_day else int(length.total_seconds() // 60)
        self.fields["minutes"].offer(minutes)
        del self.fields["kind"], self.fields["remind"]
        people = list(activity.participants.values_list("user_id", "contact_id"))
        self.initial = {
            "subject": activity.subject, "starts_at": activity.starts_at, "minutes": minutes,
            "all_day": activity.all_day, "last_day": last_day_of(activity),
            "place": activity.place, "description": activity.description,
            "is_private": activity.is_private,
            "resources": self.held,
            "colleagues": [user for user, _contact in people if user],
            "contacts": [contact for _user, contact in people if contact],
        }  # fmt: skip

    def clean(self):
        start = self.cleaned_data.get("starts_at")
        if start is not None and self.instance is not None and same_reading(start, self.instance.starts_at):
            self.cleaned_data["starts_at"] = self.instance.starts_at
        cleaned = super().clean()
        start = cleaned.get("starts_at")
        if start is None:
            return cleaned
        if self.series is not None and self.chosen_scope() == Scope.ONE and self.new_rule() is not None:
            self.add_error(
                "scope", _("How often it repeats is changed for this and the following, or for all.")
            )
        cleaned["ends_at"] = None
        if cleaned.get("all_day"):
            cleaned["starts_at"], cleaned["ends_at"] = self._whole_days(start, cleaned.get("last_day"))
        elif minutes := cleaned.get("minutes"):
            cleaned["ends_at"] = start + timedelta(minutes=minutes)
        return cleaned

    def remind_before(self) -> list[int] | None:
        """None where the offer was left as it was: then what is usual for the chosen kind holds."""
        return self.cleaned_data["remind"] if "remind" in self.changed_data else None

    def _whole_days(self, start: datetime, last_day: date | None) -> tuple[datetime, datetime]:
        days = (last_day - timezone.localtime(start).date()).days + 1 if last_day else 1
        if not 1 <= days <= MOST_DAYS:
            self.add_error("last_day", _("The last day lies before the first, or too far after it."))
            days = 1
        return local_midnight(start), local_midnight(start, days=days)

    def participants(self) -> list:
        return [*self.cleaned_data["colleagues"], *self.cleaned_data["contacts"]]

    def values(self) -> dict:
        """{field of the activity: value}, the times included."""
        names = ("subject", "starts_at", "ends_at", "all_day", "place", "description", "is_private")
        return {name: self.cleaned_data[name] for name in names}
