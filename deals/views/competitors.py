"""The competitors on a deal's card: naming them, changing where they stand, taking them away."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.tokens import once
from deals.cells import cells_of
from deals.competitors import COMPETITORS, add_competitor
from deals.models import Competitor, Deal, DealCompetitor
from deals.row_forms import Refusing
from deals.views.rows import RowsPage, delete_row, update_row, visible_deal


class CompetitorForm(forms.ModelForm):
    """What may be changed of a row where it stands."""

    class Meta:
        model = DealCompetitor
        fields = ["note", "has_won"]
        labels = {"note": _("Note"), "has_won": _("Won it")}


class NewCompetitorForm(Refusing, forms.Form):
    competitor = forms.ModelChoiceField(
        Competitor.objects.none(), label=_("Competitor"), empty_label=_("– choose –")
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, *args, deal: Deal, **kwargs):
        super().__init__(*args, **kwargs)
        present = DealCompetitor.objects.filter(deal=deal).values("competitor")
        self.fields["competitor"].queryset = Competitor.objects.filter(~Q(pk__in=present), is_active=True)


def _context(request, deal: Deal, form: NewCompetitorForm | None = None, **more) -> dict:
    """What the panel shows. Two queries."""
    is_hidden = COMPETITORS.is_hidden(request.user)
    rows = [] if is_hidden else list(deal.competitors.select_related("competitor"))
    may_edit = deal.may_edit and not is_hidden and not COMPETITORS.is_locked(request.user)
    for row in rows:
        row.deal = deal
        row.cells = cells_of(
            COMPETITORS, row, CompetitorForm, reverse("deals:competitor_update", args=[row.pk])
        )
    form = form or (NewCompetitorForm(deal=deal) if may_edit else None)
    if form is not None:
        form.auto_id = f"competitor{len(rows)}_%s"
    return {"deal": deal, "rows": rows, "may_edit": may_edit, "form": form, **more}


PAGE = RowsPage(
    COMPETITORS, CompetitorForm, "deals:deal_competitors", "deals/deal_competitors.html",
    "deals/_competitor_derived.html", _context,
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_competitors(request, pk: int):
    """The panel; a POST names a competitor and gives the panel anew."""
    posting = request.method == "POST"
    deal = visible_deal(request, pk, "edit" if posting else "view")
    if not posting:
        return PAGE.show(request, deal)
    form = NewCompetitorForm(request.POST, deal=deal)
    if form.is_valid():
        try:
            add_competitor(deal=deal, by=request.user, **form.cleaned_data)
            return PAGE.changed(request, deal)
        except ValidationError as error:
            form.refuse(error)
    return PAGE.show(request, deal, form=form, status=422)


@require_POST
@once
def competitor_update(request, pk: int):
    """Saves the note, or who won."""
    return update_row(request, PAGE, pk)


@require_POST
@once
def competitor_delete(request, pk: int):
    """Takes a competitor off the deal."""
    return delete_row(request, PAGE, pk)
