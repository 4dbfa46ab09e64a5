"""Trying telephony out: a whole call is played through the real hook while one watches."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.people.models import User
from crm.web.htmx import page, redirect
from crm.web.tokens import once
from telephony.adapters.simulator import PLAY, SimulatorAdapter
from telephony.flows import LABELS, flow_named
from telephony.models import Connection, Extension
from telephony.simulator import cast_of, create_simulator

SPEEDS = [
    ("1", gettext_lazy("as it is")),
    ("4", gettext_lazy("four times as fast")),
    ("20", gettext_lazy("in no time")),
]


class PlayForm(forms.Form):
    """Which call is played, and at whose telephone."""

    flow = forms.ChoiceField(label=gettext_lazy("Call"), choices=list(LABELS.items()))
    phone = forms.ModelChoiceField(Extension.objects.none(), label=gettext_lazy("At whose telephone"))
    number = forms.CharField(
        label=gettext_lazy("Client's number"), required=False, max_length=40,
        help_text=gettext_lazy("Empty: somebody who fits."),
    )  # fmt: skip
    speed = forms.ChoiceField(label=gettext_lazy("Speed"), choices=SPEEDS, initial="4")

    def __init__(self, *args, connection: Connection, user, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        phones = connection.extensions.exclude(user=None).select_related("user")
        self.fields["phone"].queryset = phones
        self.fields["phone"].label_from_instance = lambda phone: f"{phone.number} · {phone.user}"
        self.fields["phone"].initial = phones.filter(user=user).first() or phones.first()


@require_http_methods(["GET", "HEAD", "POST"])
@once
def simulator(request):
    """Chooses a call and plays it by a job, step by step."""
    _demand(request.user)
    connection = _simulated()
    if connection is None:
        return page(request, "telephony/simulator.html", {})
    form = PlayForm(request.POST or None, connection=connection, user=request.user)
    job = None
    if form.is_valid():
        job = _play(form.cleaned_data, connection, request.user)
        return redirect(request, f"{reverse('telephony:simulator')}?job={job.pk}")
    number = request.GET.get("job", "")
    if number.isdecimal() and len(number) < 16:
        job = Job.objects.filter(pk=int(number), kind=PLAY, by=request.user).first()
    context = {"form": form, "job": job, "connection": connection}
    status = 422 if form.is_bound else 200
    return page(request, "telephony/simulator.html", context, partial="form", status=status)


@require_POST
@once
def simulator_create(request):
    """A simulated exchange, with a telephone for whoever asks for it."""
    _demand(request.user)
    if _simulated() is None:
        connection = create_simulator(name=_("Simulator"), by=request.user)
        Extension.objects.create(connection=connection, number="101", user=request.user)
    return redirect(request, reverse("telephony:simulator"))


def _demand(user: User) -> None:
    if not user.is_staff:
        raise PermissionDenied


def _simulated() -> Connection | None:
    return Connection.objects.filter(provider=SimulatorAdapter.key, is_active=True).order_by("pk").first()


def _play(chosen: dict, connection: Connection, user: User) -> Job:
    flow = flow_named(chosen["flow"])
    cast = cast_of(connection, flow, chosen["phone"].user)
    if chosen["number"]:
        cast["client"] = chosen["number"]
    arguments = {
        "connection": connection.pk,
        "flow": flow.name,
        "cast": cast,
        "speed": float(chosen["speed"]),
    }
    return enqueue(kind=PLAY, args=arguments, by=user, total=len(flow.steps), priority=1)
