"""Connections to exchanges: the list with how they are, the way to a new one step by step, and the page of one."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.history.cards import card_history
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from telephony import connecting
from telephony.adapters.base import adapter_named, all_adapters
from telephony.adapters.webhook import SIGNATURE, TIMESTAMP
from telephony.connection_forms import ConnectionForm, ExtensionForm
from telephony.health import delay_of, refusals_of, state_of, with_health
from telephony.models import Connection, Extension
from telephony.sealing import Unreadable

SHOWN_ONCE = "telephony_shown_once"


@require_safe
def connection_list(request):
    """Every connection and how it is."""
    connecting.demand_keeper(request.user)
    rows = list(with_health(Connection.objects.order_by("-is_active", "name")))
    for row in rows:
        _dress(row)
    return page(request, "telephony/connection_list.html", {"connections": rows}, partial="rows")


def _dress(connection: Connection) -> None:
    adapter = adapter_named(connection.provider)
    connection.kind = adapter.label if adapter else connection.provider
    connection.first_step = adapter.first_step if adapter else ""
    connection.pill = state_of(connection)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def connection_create(request):
    """First the kind, then its settings."""
    connecting.demand_keeper(request.user)
    chosen = adapter_named(request.GET.get("kind", "")[:20])
    if chosen is None:
        kinds = [(kind.key, kind.label, kind.about) for kind in all_adapters()]
        return page(request, "telephony/connection_kind.html", {"kinds": kinds})
    given = request.POST if request.method == "POST" else None
    form = ConnectionForm(given, provider=chosen.key)
    if form.is_valid():
        try:
            connection, shown = connecting.create_connection(
                provider=chosen.key, values=form.values(), given=form.given(), by=request.user
            )
        except ValidationError as error:
            _tell(form, error)
        else:
            request.session[SHOWN_ONCE] = {"connection": connection.pk, **shown}
            return redirect(request, _url(connection))
    context = {"form": form, "kind": chosen.label}
    status = 422 if form.is_bound else 200
    return page(request, "telephony/connection_create.html", context, partial="form", status=status)


def _tell(form, error: ValidationError) -> None:
    """Errors stand at their fields, as far as the form has them."""
    for name, errors in getattr(error, "error_dict", {None: error.error_list}).items():
        form.add_error(name if name in form.fields else None, errors)


@require_safe
def connection_detail(request, pk: int):
    """How one connection is, whose telephones it has, what was changed; keys stand here once, when they are made."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(with_health(Connection.objects.filter(pk=pk)))
    _dress(connection)
    kept = request.session.get(SHOWN_ONCE) or {}
    shown = request.session.pop(SHOWN_ONCE) if kept.get("connection") == pk else {}
    context = {
        "connection": connection,
        "delay": delay_of(connection),
        "refusals": refusals_of(connection),
        "extensions": connection.extensions.select_related("user"),
        "extension_form": ExtensionForm(connection=connection),
        "address": _address(connection, shown["secret"]) if shown else "",
        "made": {
            one.label: shown[one.name]
            for one in connecting.fields_of(connection.provider)
            if one.name in shown
        },
        "example": _example(connection, shown),
        "history": card_history(user=request.user, record=connection),
    }
    return page(request, "telephony/connection_detail.html", context)


def _address(connection: Connection, secret: str) -> str:
    return f"{settings.CRM_URL}{reverse('telephony:hook', args=[connection.uuid, secret])}"


def _example(connection: Connection, shown: dict[str, str]) -> str:
    """A command that posts a first signed event, for the kinds that take such."""
    if not shown or connection.provider != "webhook":
        return ""
    event = (
        '{"call":"test-\'$NOW\'","event":"started","at":"\'$(date -u +%FT%TZ)\'","leg":"c","role":"client",'
        '"party":"+48601234567","direction":"in"}'
    )
    key = shown.get("signing_key", _("the signing key"))
    return "\n".join(
        (
            f"KEY='{key}'",
            "NOW=$(date +%s)",
            f"BODY='{event}'",
            'SIGN=$(printf \'%s.%s\' "$NOW" "$BODY" | openssl dgst -sha256 -hmac "$KEY" -r | cut -d\' \' -f1)',
            f"curl -X POST '{_address(connection, shown['secret'])}' \\",
            f'  -H \'Content-Type: application/json\' -H "{TIMESTAMP}: $NOW" -H "{SIGNATURE}: $SIGN" \\',
            '  --data-binary "$BODY"',
        )
    )


@require_safe
def connection_health(request, pk: int):
    """A fragment that asks again until the first event has come."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(with_health(Connection.objects.filter(pk=pk)))
    _dress(connection)
    context = {
        "connection": connection,
        "delay": delay_of(connection),
        "refusals": refusals_of(connection),
    }
    return page(request, "telephony/connection_health.html", context, partial="health")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def connection_update(request, pk: int):
    """Changes what was entered."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(Connection, pk=pk)
    given = request.POST if request.method == "POST" else None
    form = ConnectionForm(given, instance=connection, provider=connection.provider)
    if form.is_valid():
        values, entered = form.values(), form.given()
        try:
            changed = connecting.edit_connection(
                connection=connection, values=values, given=entered, rota=form.cleaned_data["rota"], by=request.user
            )  # fmt: skip
        except ValidationError as error:
            _tell(form, error)
        else:
            toast(request, _("Saved.") if changed else _("Nothing was changed."))
            return redirect(request, _url(connection))
    context = {"form": form, "connection": connection}
    status = 422 if form.is_bound else 200
    return page(request, "telephony/connection_update.html", context, partial="form", status=status)


@require_POST
def connection_check(request, pk: int):
    """The self-test, line by line; it rings nobody."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(Connection, pk=pk)
    try:
        results = connection.adapter.check()
    except (LookupError, Unreadable):
        results = None
    context = {"connection": connection, "results": results}
    return page(request, "telephony/connection_check.html", context, partial="results")


@require_POST
@once
def connection_secret(request, pk: int):
    """A new address; the old one ends."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(Connection, pk=pk)
    secret = connecting.renew_secret(connection=connection, by=request.user)
    request.session[SHOWN_ONCE] = {"connection": connection.pk, "secret": secret}
    return redirect(request, _url(connection))


@require_POST
def connection_switch(request, pk: int):
    """In use or out of use."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(Connection, pk=pk)
    if request.POST.get("on") not in {"0", "1"}:
        return page(request, "400.html", {}, status=400)
    connecting.switch_connection(connection=connection, on=request.POST["on"] == "1", by=request.user)
    return redirect(request, _url(connection))


@require_POST
@once
def extension_create(request, pk: int):
    """One more telephone, or another person at one."""
    connecting.demand_keeper(request.user)
    connection = get_object_or_404(Connection, pk=pk)
    form = ExtensionForm(request.POST, connection=connection)
    if form.is_valid():
        try:
            connecting.set_extension(connection=connection, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            _tell(form, error)
        else:
            return redirect(request, _url(connection))
    context = {"connection": connection, "extension_form": form}
    return page(request, "telephony/connection_extension.html", context, partial="form", status=422)


@require_POST
def extension_delete(request, pk: int):
    """A telephone that is not there any more."""
    connecting.demand_keeper(request.user)
    extension = get_object_or_404(Extension.objects.select_related("connection"), pk=pk)
    connecting.remove_extension(extension=extension, by=request.user)
    return redirect(request, _url(extension.connection))


def _url(connection: Connection) -> str:
    return reverse("telephony:connection_detail", args=[connection.pk])
