"""The list of calls, the page of one, and the calls of a card."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterparties.models import Contact, Counterparty
from crm.people.access import kind_label
from crm.people.fields import mask
from crm.people.kinds import kind_of
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import done, page, trigger
from crm.web.toasts import toast
from crm.web.tokens import once
from leads.models import Lead
from telephony import services
from telephony.connecting import may_keep_connections
from telephony.forms import CardsForm, NoteForm
from telephony.lists import CallList, duration, status_pill, with_cards
from telephony.live import has_phone, on_screen
from telephony.models import CARDS, Call, Recording, RecordingHold
from telephony.numbers import save_number
from telephony.views.recordings import recording_rights

CHANGED = ("call-changed", "history-changed")
PANEL_ROWS = 50
# The page of a card, by URL name, and which of a call's cards it is.
CARD_PAGES = {
    "deals:deal_detail": "deal",
    "leads:lead_detail": "lead",
    "counterparties:counterparty_detail": "counterparty",
    "counterparties:contact_detail": "contact",
}


@require_safe
def call_list(request):
    """Calls: what is going on, what was missed, what came and went."""
    found = CallList(request.user, request.GET)
    for row in with_cards(request.user, found.page):
        _dress(row)
    context = {
        "list": found,
        "has_phone": has_phone(request.user),
        "may_keep": may_keep_connections(request.user),
    }
    return page(request, "telephony/call_list.html", context)


def _dress(call: Call) -> None:
    call.pill = status_pill(call)
    call.talk, call.wait = duration(call.talk_seconds), duration(call.wait_seconds)
    call.cards_shown = [(kind_of(card), card) for card in sorted(call.seen_cards, key=_person_first)]


def _person_first(card) -> int:
    return 0 if isinstance(card, Contact) else 1


@require_safe
def call_detail(request, pk: int):
    """What is known of one call."""
    call = get_visible(Call, request.user, pk, queryset=Call.objects.select_related("owner", "connection"))
    _dress(with_cards(request.user, [call])[0])
    may_edit = may(request.user, "edit", call)
    legs = list(call.legs.select_related("user"))
    for leg in legs:
        leg.talk = duration(leg.talk_seconds)
    sounds = list(call.recordings.order_by("pk"))
    context = {
        "call": call,
        "legs": legs,
        "recordings": sounds,
        "has_sound": any(one.state != Recording.Fetching.PURGED for one in sounds),
        "recording_rights": recording_rights(request.user, call),
        "hold": RecordingHold.objects.filter(call=call).select_related("held_by").first(),
        "kind": kind_label(Call),
        "may_edit": may_edit,
        "form": NoteForm(instance=call) if may_edit else None,
    }
    return page(request, "telephony/call_detail.html", context, partial="detail")


@require_POST
def call_note(request, pk: int):
    """Saves note and result, as often as they are typed."""
    call = get_visible(Call, request.user, pk, "edit")
    form = NoteForm(request.POST, instance=call)
    if not form.is_valid():
        return page(
            request, "telephony/call_note.html", {"form": form, "call": call}, partial="form", status=422
        )
    call = Call.objects.get(pk=call.pk)
    services.note_call(call=call, by=request.user, **form.cleaned_data)
    if request.POST.get("quiet"):
        return trigger(done(request, _url(call)), "call-noted")
    toast(request, _("Saved."))
    return done(request, _url(call), *CHANGED)


@require_POST
def call_wrap_up(request, pk: int):
    """Puts an ended call away from its owner's screen, with what was typed last."""
    call = get_visible(Call, request.user, pk, "edit")
    form = NoteForm(request.POST, instance=call)
    if not form.is_valid():
        return page(
            request, "telephony/call_note.html", {"form": form, "call": call}, partial="form", status=422
        )
    with transaction.atomic():
        services.note_call(call=Call.objects.get(pk=call.pk), by=request.user, **form.cleaned_data)
        services.wrap_up(call=call, by=request.user)
    return done(request, _url(call), "calls-changed", *CHANGED)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def call_cards(request, pk: int):
    """Puts a call on the cards of whom it was with."""
    call = get_visible(Call, request.user, pk, "edit")
    given = request.POST if request.method == "POST" else None
    form = CardsForm(given, user=request.user, call=call)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        services.attach_call(call=call, cards=form.cards, by=request.user)
        if form.cleaned_data.get("save_number"):
            try:
                save_number(cards=form.cards, number=call.number, by=request.user)
            except ValidationError as error:
                toast(request, "; ".join(error.messages))
        toast(request, _("Attached."))
        return done(request, _url(call), "calls-changed", *CHANGED)
    return page(
        request, "telephony/call_cards.html", {"form": form, "call": call}, partial="form", status=status
    )


@require_POST
def call_choice(request, pk: int):
    """One of the several records that have the number: this call is with that one."""
    call = get_visible(Call, request.user, pk, "edit")
    kind, _sep, number = request.POST.get("card", "").partition(":")
    if kind not in CARDS or not number.isdecimal() or len(number) > 15:
        return page(request, "400.html", {}, status=400)
    record = get_visible(CARDS[kind], request.user, int(number))
    kept = (
        {name: getattr(call, name) for name in CARDS if getattr(call, f"{name}_id")} if kind == "deal" else {}
    )
    cards = {name: card for name, card in kept.items() if may(request.user, "view", card)} | {kind: record}
    services.attach_call(call=call, cards=cards, by=request.user)
    return done(request, _url(call), "calls-changed", *CHANGED)


@require_POST
def call_create(request):
    """Rings the reader's phone and then the number; what fails is said."""
    try:
        call = services.start_call(
            number=request.POST.get("number", "")[:60], by=request.user, cards=_cards_of_page(request)
        )
    except (ValidationError, PermissionDenied) as error:
        text = (
            "; ".join(error.messages)
            if isinstance(error, ValidationError)
            else _("You are not allowed to do that.")
        )
        return _not_started(request, text)
    return done(request, _url(call), "calls-changed")


def _not_started(request, text: str):
    context = {"text": text}
    return page(request, "telephony/call_refused.html", context, partial="refusal", status=422)


def _cards_of_page(request) -> dict:
    """The card from which the call was started."""
    path = request.POST.get("page", "")[:200]
    try:
        match = resolve(path)
    except (Resolver404, ValueError):
        return {}
    name = CARD_PAGES.get(match.view_name)
    record = (
        CARDS[name].objects.visible_to(request.user).filter(pk=match.kwargs["pk"]).first() if name else None
    )
    return {name: record} if name == "deal" and record is not None else {}


def _url(call: Call) -> str:
    return reverse("telephony:call_detail", args=[call.pk])


@require_safe
def card_calls(request, pk: int, card: str):
    """The panel "Calls" of a card."""
    record = get_visible(CARDS[card], request.user, pk)
    rows = calls_of(request.user, record, card).select_related("owner")[: PANEL_ROWS + 1]
    calls = list(rows)
    for call in calls:
        call.seen_cards = []
        _dress(call)
    _with_sound(request.user, calls)
    mask(request.user, calls)
    context = {
        "record": record,
        "kind": kind_of(record).label,
        "calls": calls[:PANEL_ROWS],
        "has_more": len(calls) > PANEL_ROWS,
    }
    return page(request, "telephony/card_calls.html", context, partial="panel")


def _with_sound(user, calls: list[Call]) -> None:
    """Gives each call `sound`: its first recording that the reader may hear, if it is here. One query."""
    audible = Call.objects.visible_to(user, "listen").filter(pk__in=[call.pk for call in calls])
    stored = Recording.objects.filter(call__in=audible, state=Recording.Fetching.STORED)
    first = {recording.call_id: recording for recording in stored.order_by("-pk")}
    for call in calls:
        call.sound = first.get(call.pk)


def calls_of(user, record, card: str):
    """The calls on a card that the reader may see, the latest first."""
    return Call.objects.visible_to(user).filter(**{card: record.pk}).order_by("-started_at", "-pk")


@require_safe
def live(request):
    """A fragment: what stands on the reader's screen."""
    shown = on_screen(request.user)
    for one in shown:
        one.pill = status_pill(one.call)
        one.form = NoteForm(instance=one.call, prefix=None, auto_id=f"call-{one.call.pk}-%s")
        one.links = [(kind_of(card), card) for card in one.cards]
    context = {"shown": shown, "has_phone": has_phone(request.user), "creates": _creates(request.user)}
    return page(request, "telephony/live.html", context, partial="calls")


def _creates(user) -> list[dict]:
    """What the reader may make of a caller whom nobody knows."""
    kinds = (
        (Lead, _("Lead"), "person-plus", "leads:lead_create"),
        (Contact, _("Contact"), "person", "counterparties:contact_create"),
        (Counterparty, _("Counterparty"), "building", "counterparties:counterparty_create"),
    )
    return [
        {"label": label, "icon": icon, "url": reverse(url)}
        for model, label, icon, url in kinds
        if user.access.may(model, "create")
    ]
