"""Pages and fragments of activities: the list, the day, the forms, and the parts of other rooms' cards."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from collab.calendar import series_services, services
from collab.calendar.blocks import day_context, strip_context
from collab.calendar.forms import (
    CompletionForm,
    LogForm,
    PlanForm,
    TimeForm,
    dropped_at,
    opening_values,
)
from collab.calendar.lists import ActivityList
from collab.calendar.models import CARDS, Activity, ActivityKind
from collab.calendar.repeat_forms import DeletionForm, RepetitionForm
from collab.calendar.resources import book
from collab.calendar.selectors import activities_of, with_cards
from collab.calendar.series_services import Scope
from counterparties.models import Contact, ContactLink
from crm.history.editing import EditConflict
from crm.people.kinds import kind_of
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

CHANGED = ("activity-changed", "history-changed")


@require_safe
def activity_list(request):
    """One person's activities: overdue, today, later, done."""
    records = ActivityList(request.user, request.GET)
    return page(
        request,
        "collab/calendar/activity_list.html",
        {"list": records, "now": timezone.now()},
        partial="rows",
    )


@require_safe
def my_day(request):
    """A fragment: the block of "My day"."""
    return page(request, "collab/calendar/my_day.html", day_context(request), partial="day")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_create(request):
    """Plans an activity, or logs one with `done=1`, on the cards named in the address."""
    cards = _cards(request)
    log = bool(request.GET.get("done"))
    form = _log_form(request) if log else _plan_form(request, cards)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        try:
            activity = _log(form, request.user, cards) if log else _plan(form, request.user, cards)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("Logged.") if log else _("Planned."))
            return _created(request, activity)
    context = {"form": form, "log": log, "card": next(iter(cards.values()), None)}
    return page(request, "collab/calendar/activity_create.html", context, partial="form", status=status)


def _cards(request) -> dict:
    """The cards of the address, each of which the reader must see."""
    found = {}
    for name, model in CARDS.items():
        pk = request.GET.get(name, "")
        if pk.isdecimal() and len(pk) < 16:
            found[name] = get_visible(model, request.user, int(pk))
    return found


def _kind(request) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in ActivityKind.values else ActivityKind.CALL


def _log_form(request) -> LogForm:
    return LogForm(request.POST or None, initial={"kind": _kind(request)})


def _plan_form(request, cards: dict, activity: Activity | None = None) -> PlanForm:
    initial = {} if activity else {"kind": _kind(request), **opening_values(request.GET)}
    contacts = _contacts(request.user, cards, activity)
    return PlanForm(
        request.POST or None, user=request.user, contacts=contacts, instance=activity, initial=initial
    )


def _contacts(user, cards: dict, activity: Activity | None):
    """The people of the cards' counterparties, and those who take part already."""
    parties = [getattr(card, "counterparty_id", None) for card in cards.values()]
    parties += [card.pk for name, card in cards.items() if name == "counterparty"]
    linked = ContactLink.objects.filter(counterparty_id__in=[pk for pk in parties if pk])
    known = Q(pk__in=linked.values("contact_id")) | Q(
        pk__in=[card.pk for name, card in cards.items() if name == "contact"]
    )
    if activity is not None:
        known |= Q(pk__in=activity.participants.values("contact_id"))
    return Contact.objects.visible_to(user).filter(known)


def _log(form: LogForm, user, cards: dict) -> Activity:
    data = form.cleaned_data
    return services.log_activity(
        kind=data["kind"], subject=data["subject"], result=data["result"], at=data["starts_at"],
        direction=data["direction"], next_step=form.next_step(), by=user, **cards,
    )  # fmt: skip


def _plan(form: PlanForm, user, cards: dict) -> Activity:
    data = form.cleaned_data
    values = {
        "kind": data["kind"], "owner": data.get("owner"), "participants": form.participants(),
        "remind_before": form.remind_before(), "by": user, **form.values(), **cards,
    }  # fmt: skip
    if form.rule is not None:
        zone = timezone.get_current_timezone_name()
        return series_services.plan_series(
            rule=form.rule, time_zone=zone, resources=data["resources"], **values
        )
    activity = services.plan_activity(**values)
    book(activity=activity, resources=data["resources"], by=user)
    return activity


def _created(request, activity: Activity):
    cards = activity.cards()
    url = kind_of(cards[0]).url(cards[0].pk) if cards else _url_of(activity)
    return done(request, url, *CHANGED)


@require_safe
def activity_detail(request, pk: int):
    """What is planned or came of it; opens in the side panel or as a page."""
    activity = _visible(request, pk)
    [activity] = with_cards(request.user, [activity])
    may_edit = activity.is_open and Activity.objects.visible_to(request.user, "edit").filter(pk=pk).exists()
    context = {
        "activity": activity,
        "may_edit": may_edit,
        "may_delete": activity.series_id is not None and may(request.user, "delete", activity),
        "colleagues": [row.user for row in activity.participants.exclude(user=None).select_related("user")],
        "resources": [one.resource for one in activity.bookings.select_related("resource")],
        "contacts": Contact.objects.visible_to(request.user).filter(participations__activity=activity),
        "letter": activity.letters.order_by("-pk").first() if activity.kind == ActivityKind.LETTER else None,
        "reminders": activity.reminders.filter(user=request.user).order_by("-minutes_before", "at"),
    }
    return page(request, "collab/calendar/activity_detail.html", context, partial="detail")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_update(request, pk: int):
    """Changes a planned activity."""
    activity = _visible(request, pk, "edit")
    form = _plan_form(request, {name: card for name in CARDS if (card := getattr(activity, name))}, activity)
    if form.is_valid():
        try:
            _change(form, activity, _version(request, activity), request.user)
            return _done(request, activity, _("Saved."))
        except EditConflict as conflict:
            return conflict_page(request, conflict, cancel_url=_url_of(activity))
        except ValidationError as error:
            form.add_error(None, error)
    context = {"form": form, "activity": activity}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/activity_update.html", context, partial="form", status=status)


@transaction.atomic
def _change(form: PlanForm, activity: Activity, version: int, user) -> None:
    wanted = list(form.cleaned_data["resources"])
    changes = {
        "activity": activity, "values": form.values(), "version": version, "by": user,
        "participants": form.participants(),
    }  # fmt: skip
    if form.chosen_scope() != Scope.ONE:
        series_services.edit_series(
            scope=form.chosen_scope(), rule=form.new_rule(), resources=wanted, **changes
        )
        return
    activity.bookings.exclude(resource__in=wanted).delete()
    services.edit_activity(**changes)
    if form.rule is not None and activity.series_id is None:
        series_services.repeat_activity(
            activity=activity, rule=form.rule, time_zone=timezone.get_current_timezone_name(), by=user,
            resources=wanted,
        )  # fmt: skip
    else:
        book(activity=activity, resources=wanted, by=user)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_completion(request, pk: int):
    """The result of a planned activity, and the next step."""
    activity = _visible(request, pk, "edit")
    form = CompletionForm(request.POST or None)
    if form.is_valid():
        try:
            services.complete_activity(
                activity=activity,
                result=form.cleaned_data["result"],
                by=request.user,
                next_step=form.next_step(),
            )
            return _done(request, activity, _("Done."))
        except ValidationError as error:
            form.add_error(None, error)
    context = {"form": form, "activity": activity}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/activity_completion.html", context, partial="form", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_time(request, pk: int):
    """Moves a planned activity to another time; a drag of what repeats opens it with `starts_at` and `ends_at`."""
    activity = _visible(request, pk, "edit")
    form = TimeForm(
        request.POST or None,
        activity=activity,
        initial={"starts_at": activity.starts_at, **dropped_at(request.GET)},
    )
    if form.is_valid():
        try:
            _put(form, activity, _version(request, activity), request.user)
            return _done(request, activity, _("Moved."))
        except EditConflict as conflict:
            return conflict_page(request, conflict, cancel_url=_url_of(activity))
        except ValidationError as error:
            form.add_error(None, error)
    context = {"form": form, "activity": activity}
    status = 422 if form.is_bound else 200
    return page(request, "collab/calendar/activity_time.html", context, partial="form", status=status)


def _put(form: TimeForm, activity: Activity, version: int, user) -> None:
    times = form.times(activity)
    if form.chosen_scope() == Scope.ONE:
        services.reschedule_activity(activity=activity, by=user, **times)
    else:
        series_services.edit_series(
            activity=activity, scope=form.chosen_scope(), values=times, version=version, by=user
        )


@require_POST
@once
def activity_cancellation(request, pk: int):
    """The activity will not take place."""
    activity = _visible(request, pk, "edit")
    try:
        services.cancel_activity(activity=activity, by=request.user)
    except services.ActivityClosed as closed:
        toast(request, closed.messages[0])
        return done(request, _url_of(activity), *CHANGED)
    return _done(request, activity, _("Cancelled."))


@require_http_methods(["GET", "HEAD", "POST"])
@once
def activity_deletion(request, pk: int):
    """Asks whether one, it and the following, or all of what repeats go into the bin."""
    activity = _visible(request, pk, "delete")
    form = DeletionForm(request.POST or None, series=activity.series)
    if request.method == "POST" and form.is_valid():
        try:
            deletion = series_services.end_series(
                activity=activity, scope=form.chosen_scope(), by=request.user
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            undo = reverse("history:deletion_restoration", args=[deletion.pk])
            toast(request, _("“%(name)s” is in the recycle bin.") % {"name": activity}, undo_url=undo)
            return _gone(request, activity)
    status = 422 if form.is_bound else 200
    context = {"form": form, "activity": activity}
    return page(request, "collab/calendar/activity_deletion.html", context, partial="form", status=status)


def _gone(request, activity: Activity):
    """From its own page on to the calendar; from any other page nowhere."""
    url, here = reverse("collab_calendar:calendar"), request.headers.get("HX-Current-URL", "")
    if not here or _url_of(activity) in here:
        return redirect(request, url)
    return done(request, url, *CHANGED)


@require_safe
def repetition(request):
    """A fragment for the form it stands in: how often it repeats, in a sentence."""
    form = RepetitionForm(request.GET)
    is_valid = form.is_valid()
    context = {"form": form, "is_valid": is_valid, "sentence": form.sentence() if is_valid else ""}
    return page(request, "collab/calendar/repetition.html", context, partial="sentence")


def _visible(request, pk: int, action: str = "view") -> Activity:
    joined = Activity.objects.select_related("owner", "created_by", "series", *CARDS)
    return get_visible(Activity, request.user, pk, action, queryset=joined)


def _version(request, activity: Activity) -> int:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else activity.version


def _url_of(activity: Activity) -> str:
    return reverse("collab_calendar:activity_detail", args=[activity.pk])


def _done(request, activity: Activity, text: str):
    toast(request, text)
    return done(request, _url_of(activity), *CHANGED)


@require_safe
def card_activities(request, pk: int, card: str):
    """The panel "Activities" of a card."""
    record = get_visible(CARDS[card], request.user, pk)
    rows = activities_of(request.user, record).filter(cancelled_at=None)
    planned = list(rows.open().nearest().order_by("starts_at", "pk")[:50])
    past = list(rows.exclude(done_at=None).order_by("-done_at", "-pk")[:50])
    editable = set(
        Activity.objects.visible_to(request.user, "edit")
        .filter(pk__in=[activity.pk for activity in planned]).values_list("pk", flat=True)
    )  # fmt: skip
    context = {
        "record": record,
        "kind": kind_of(record).label,
        "planned": planned,
        "past": past,
        "editable": editable,
    }
    return page(request, "collab/calendar/card_activities.html", context, partial="panel")


@require_safe
def card_next(request, pk: int, card: str):
    """The "what next" line of a card."""
    record = get_visible(CARDS[card], request.user, pk)
    return page(request, "collab/calendar/card_next.html", strip_context(request, record), partial="strip")
