"""Trying the scoring table out on two records, for administrators."""

from __future__ import annotations

from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from counterparties.matching.finding import told
from counterparties.matching.keys import matchable_kinds
from counterparties.matching.reading import traits_of_record
from counterparties.matching.scoring import LABELS, ScoringTable
from crm.people.access import kind_label
from crm.people.kinds import kind_named
from crm.web.htmx import page


class CardField(forms.CharField):
    """The address of a card, as it stands in the browser; becomes the record, if the reader sees it."""

    def __init__(self, *, user, **kwargs):
        super().__init__(max_length=500, **kwargs)
        self.user = user

    def clean(self, value):
        path = urlsplit(super().clean(value).strip()).path
        kinds = [kind for label in matchable_kinds() if (kind := kind_named(label))]
        try:
            match = resolve(path)
        except Resolver404:
            match = None
        kind = next((one for one in kinds if match and one.detail_url == match.view_name), None)
        pk = match.kwargs.get("pk", 0) if match else 0
        record = kind.visible(self.user).filter(pk=pk).first() if kind and pk < 2**63 else None
        if record is None:
            raise ValidationError(_("No such record, or you do not see it."))
        return record


class TrialForm(forms.Form):
    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["first"] = CardField(user=user, label=gettext_lazy("Address of the first card"))
        self.fields["second"] = CardField(user=user, label=gettext_lazy("Address of the second card"))


@require_safe
def score_trial(request):
    """`first` and `second` are addresses of cards; shows each likeness with its points, the sum and the verdict."""
    if not request.user.is_staff:
        raise PermissionDenied
    form = TrialForm(request.GET if "first" in request.GET else None, user=request.user)
    context = {"form": form}
    if form.is_bound and form.is_valid():
        context |= _verdict(request.user, form.cleaned_data["first"], form.cleaned_data["second"])
    status = 422 if form.is_bound and form.errors else 200
    return page(request, "matching/score_trial.html", context, partial="trial", status=status)


def _verdict(user, first, second) -> dict:
    table = ScoringTable()
    (kind, one), (other, two) = (
        (label, told(traits_of_record(label, record), user.access.hidden_fields(label)))
        for record in (first, second)
        for label in [kind_label(type(record))]
    )
    row, score = table.row(kind, other), table.score(kind, one, other, two)
    return {
        "first": first, "second": second, "row": row, "score": score,
        "lines": [(LABELS[name], getattr(row, name)) for name in score.reasons],
        "verdict": {"certain": _("surely duplicates"), "possible": _("perhaps duplicates")}.get(
            score.level, _("not duplicates for this table")
        ),
    }  # fmt: skip
