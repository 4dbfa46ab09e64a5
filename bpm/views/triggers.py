"""What an administrator says about the starts of a process."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bpm.definitions import demand_publish
from bpm.forms import TriggerForm
from bpm.models import ProcessDefinition, Trigger
from bpm.trigger_rules import add_trigger, switch_trigger
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def trigger_create(request, pk: int):
    """Another way in which a process starts."""
    demand_publish(request.user)
    definition = get_object_or_404(ProcessDefinition, pk=pk)
    form = TriggerForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            add_trigger(definition=definition, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("“%(process)s” has another start now.") % {"process": definition})
            return redirect(request, reverse("bpm:definition_detail", args=[pk]))
    context = {"definition": definition, "form": form}
    return page(
        request, "bpm/trigger_create.html", context, partial="form", status=422 if form.errors else 200
    )


@require_POST
@once
def trigger_switch(request, pk: int):
    """Switches a trigger on or off."""
    demand_publish(request.user)
    trigger = get_object_or_404(Trigger, pk=pk)
    trigger = switch_trigger(trigger=trigger, on=request.POST.get("on") == "1", by=request.user)
    toast(request, _("Switched on.") if trigger.is_active else _("Switched off."))
    return redirect(request, reverse("bpm:definition_detail", args=[trigger.definition_id]))
