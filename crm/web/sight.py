"""Pages about rights: who has a record, sharing it, and what one person may see here and why."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.people.explaining import YES_OR_NO, actions_of, sentence
from crm.people.fields import ATTRIBUTE, restrictable
from crm.people.kinds import RecordKind, granted_kinds, kind_named
from crm.people.models import FieldLevel, RoleScope, User
from crm.people.reasons import Holder, holder_of, holders
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import page, redirect, trigger, wants_fragment
from crm.web.sharing import share_record, withdraw_share
from crm.web.toasts import toast
from crm.web.tokens import once
from crm.web.widgets import LongSelect

COUNT_CAP = 1000
SHOWN = 200


def _people():
    return User.objects.filter(is_active=True).select_related("department")


class PersonForm(forms.Form):
    """Whom the question is about."""

    user = forms.ModelChoiceField(
        _people(), label=gettext_lazy("Person"), empty_label=gettext_lazy("– choose –"), widget=LongSelect
    )


class ShareForm(PersonForm):
    """A colleague, and how much."""

    action = forms.ChoiceField(
        label=gettext_lazy("May"),
        choices=[("view", gettext_lazy("look at it")), ("edit", gettext_lazy("look at it and edit it"))],
    )

    def __init__(self, *args, record, by, **kwargs):
        super().__init__(*args, **kwargs)
        people = _people().exclude(pk__in=[by.pk, record.owner_id or 0])
        self.fields["user"].queryset, self.fields["user"].label = people, _("Colleague")


def _record(request, kind: str, pk: int):
    known = kind_named(kind)
    if known is None or getattr(known.model, "share_model", None) is None:
        raise Http404
    return get_visible(known.model, request.user, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def record_shares(request, kind: str, pk: int):
    """Who has the record and why; whoever may edit it adds a colleague or takes a share back."""
    record = _record(request, kind, pk)
    if request.method != "POST":
        return _shares_page(request, kind, record, ShareForm(record=record, by=request.user))
    if not may(request.user, "edit", record):
        raise PermissionDenied
    form = ShareForm(request.POST, record=record, by=request.user)
    if not form.is_valid() or not _shared(request, record, form):
        return _shares_page(request, kind, record, form, 422)
    return _answer(request, kind, record)


def _shared(request, record, form: ShareForm) -> bool:
    user = form.cleaned_data["user"]
    try:
        share_record(record=record, user=user, action=form.cleaned_data["action"], by=request.user)
    except ValidationError as error:
        form.add_error("user", error)
        return False
    toast(request, _("Shared with %(user)s.") % {"user": user})
    return True


@require_POST
def record_share_withdrawal(request, kind: str, pk: int):
    """Takes a colleague's share back."""
    record = _record(request, kind, pk)
    if not may(request.user, "edit", record):
        raise PermissionDenied
    given = request.POST.get("user", "")
    user = User.objects.filter(pk=given).first() if given.isascii() and given.isdecimal() else None
    if user is not None and withdraw_share(record=record, user=user, by=request.user):
        toast(request, _("%(user)s no longer has it by a share.") % {"user": user})
    return _answer(request, kind, record)


def _answer(request, kind: str, record):
    """The dialog anew; without JavaScript the card. Whoever had it by a share alone has just closed it for himself."""
    card = kind_named(kind).url(record.pk)
    if not wants_fragment(request) or not may(User.objects.get(pk=request.user.pk), "view", record):
        return redirect(request, card)
    form = ShareForm(record=record, by=request.user)
    return trigger(_shares_page(request, kind, record, form), "history-changed")


def _shares_page(request, kind: str, record, form: ShareForm, status: int = 200):
    found = sorted(holders(record), key=lambda holder: (holder.user.pk != record.owner_id, str(holder.user)))
    context = {
        "record": record,
        "card_kind": kind,
        "card_url": kind_named(kind).url(record.pk),
        "form": form,
        "holders": [_line(record, holder) for holder in found[:SHOWN]],
        "more": max(0, len(found) - SHOWN),
        "may_edit": may(request.user, "edit", record),
    }
    return page(request, "web/record_shares.html", context, partial="shares", status=status)


@dataclass(frozen=True)
class HolderLine:
    """A person in the list of those who have the record."""

    user: User
    is_owner: bool
    may_edit: bool
    has_share: bool
    why: list[str]


def _line(record, holder: Holder) -> HolderLine:
    view = holder.reasons.get("view", [])
    edit = holder.reasons.get("edit", [])
    shared = any(reason.how == "share" for reason in [*view, *edit])
    why = list(dict.fromkeys(str(reason) for reason in [*view, *edit]))
    return HolderLine(holder.user, holder.user.pk == record.owner_id, bool(edit), shared, why)


@require_safe
def record_access(request, kind: str, pk: int):
    """May this person see this record, and why: every action with its reasons."""
    record = _record(request, kind, pk)
    known = kind_named(kind)
    form = PersonForm(request.GET if "user" in request.GET else None)
    context = {"record": record, "card_kind": kind, "card_url": known.url(pk), "form": form}
    if form.is_bound and form.is_valid():
        actions = {each: label for each, label in actions_of(known).items() if each not in YES_OR_NO}
        holder = holder_of(record, form.cleaned_data["user"], actions=tuple(actions))
        context |= {
            "person": holder.user,
            "sees": holder.may("view"),
            "verdicts": [
                (label, [str(reason) for reason in holder.reasons.get(action, [])])
                for action, label in actions.items()
            ],
            "places": _places(holder.user, record),
            "restricted": _restricted(holder.user, known),
        }
    return page(request, "web/record_access.html", context, partial="verdict")


def _places(user: User, record) -> list[tuple[str, str]]:
    """What the verdict rests on."""
    return [
        (_("Owner of the record"), str(record.owner or "–")),
        (_("Department of the record"), str(record.department or "–")),
        (_("Department of the person"), str(user.department or "–")),
        (_("Roles of the person"), ", ".join(str(role) for role in user.roles.all()) or "–"),
    ]


@require_safe
def access_overview(request):
    """For administrators: what one person may do with every kind, how much he sees, and which role grants it."""
    if not request.user.is_staff:
        raise PermissionDenied
    form = PersonForm(request.GET if "user" in request.GET else None)
    context = {"form": form}
    if form.is_bound and form.is_valid():
        person = form.cleaned_data["user"]
        context |= {"person": person, "roles": list(person.roles.all()), "kinds": _kind_lines(person)}
        context["headed"] = list(person.headed_departments.all())
    return page(request, "web/access_overview.html", context, partial="overview")


@dataclass(frozen=True)
class KindLine:
    """What one person may do with one kind."""

    kind: RecordKind
    count: str
    rights: list[tuple[str, str]]
    restricted: list[tuple[str, str]]


def _kind_lines(person: User) -> list[KindLine]:
    granted: dict[str, dict[str, dict[str, str]]] = {}
    rows = RoleScope.objects.filter(role__users=person).exclude(scope="none").select_related("role")
    for row in rows:
        granted.setdefault(row.kind, {}).setdefault(str(row.role), {})[row.action] = row.scope
    return [_kind_line(person, kind, granted.get(kind.label, {})) for kind in granted_kinds()]


def _kind_line(person: User, kind: RecordKind, by_role: dict[str, dict[str, str]]) -> KindLine:
    count = kind.visible(person).order_by()[: COUNT_CAP + 1].count()
    rights = [(role, sentence(kind, scopes)) for role, scopes in sorted(by_role.items())]
    shown = f"{COUNT_CAP}+" if count > COUNT_CAP else str(count)
    return KindLine(kind, shown, rights, _restricted(person, kind))


def _restricted(person: User, kind: RecordKind) -> list[tuple[str, str]]:
    """(field, level) of what is kept from the person."""
    labels = {name: label for name, (label, _hideable) in restrictable(kind.model).items()}
    return [
        (labels.get(name, name.removeprefix(ATTRIBUTE)), FieldLevel(level).label)
        for name, level in sorted(person.access.field_levels(kind.label).items())
    ]
