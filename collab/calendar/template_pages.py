"""Templates of activities: the page of those who keep them."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from collab.calendar.activity_templates import (
    ActivityTemplate,
    order_templates,
    retire_template,
    save_template,
)
from collab.calendar.forms import DEFAULT_MINUTES, LengthField, minutes_label
from collab.calendar.models import ActivityKind
from collab.calendar.reminder_forms import LeadsField
from crm.web.company import may_change_company
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


class ActivityTemplateForm(forms.ModelForm):
    """One template; the service saves, never the form."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=ActivityKind.choices, widget=forms.RadioSelect
    )
    minutes = LengthField(label=gettext_lazy("Length"), required=False, empty_value=0)
    remind = LeadsField(
        label=gettext_lazy("Reminders"), help_text=gettext_lazy("None: what is usual for the owner.")
    )

    class Meta:
        model = ActivityTemplate
        fields = ["name", "name_pl", "kind", "subject", "minutes", "remind", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial |= {"kind": ActivityKind.CALL, "minutes": DEFAULT_MINUTES[ActivityKind.CALL]}


def _demand_right(request) -> None:
    if not may_change_company(request.user):
        raise PermissionDenied


@require_safe
def template_list(request):
    """What forms offer, and what is retired."""
    _demand_right(request)
    rows = list(ActivityTemplate.objects.all())
    labels = dict(ActivityKind.choices)
    for one in rows:
        more = (labels.get(one.kind, one.kind), one.subject, minutes_label(one.minutes))
        one.more = [str(text) for text in more if text]
    context = {
        "templates": [one for one in rows if one.is_active],
        "retired": [one for one in rows if not one.is_active],
    }
    return page(request, "collab/calendar/template_list.html", context, partial="rows")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def template_create(request):
    """A new template."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def template_update(request, pk: int):
    """Changes one; what was planned with it stays as it is."""
    _demand_right(request)
    return _form(request, get_object_or_404(ActivityTemplate, pk=pk))


def _form(request, template: ActivityTemplate | None):
    _demand_right(request)
    shown = None if template is None else ActivityTemplate.objects.get(pk=template.pk)
    form = ActivityTemplateForm(request.POST or None, instance=shown)
    if form.is_valid():
        try:
            save_template(template=template, values=form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _finished(request, _("Saved."))
    status = 422 if form.is_bound else 200
    title = str(template) if template else _("New template")
    return _form_page(request, title, status=status, form=form)


def _form_page(request, title: str, *, status: int = 200, **more):
    context = {"title": title, "url": reverse("collab_calendar:template_list"), **more}
    return page(request, "web/dictionary_form.html", context, partial="form", status=status)


def _finished(request, text: str):
    toast(request, text)
    return done(request, reverse("collab_calendar:template_list"), "templates-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def template_order(request):
    """The order in which forms offer them."""
    _demand_right(request)
    rows = list(ActivityTemplate.objects.filter(is_active=True))
    if request.method == "POST":
        sent = [int(text) for text in request.POST.getlist("row") if text.isascii() and text.isdecimal()]
        order_templates(ids=[pk for pk in sent if pk in {one.pk for one in rows}], by=request.user)
        return _finished(request, _("The order is changed."))
    return _form_page(request, _("Order"), rows=rows)


@require_POST
@once
def template_retirement(request, pk: int):
    """Retires a template, or (`again`) offers it again."""
    _demand_right(request)
    again = "again" in request.POST
    retire_template(template=get_object_or_404(ActivityTemplate, pk=pk), is_active=again, by=request.user)
    return _finished(request, _("Offered again.") if again else _("Not offered any more."))
