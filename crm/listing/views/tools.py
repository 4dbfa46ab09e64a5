"""The dialogs of a list: one further filter, and which columns stand in which order."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.listing.conditions import (
    BARE,
    GROUPS,
    LABELS,
    OPERATORS,
    WHO,
    Condition,
    read_condition,
    write_conditions,
)
from crm.listing.fields import CHOSEN
from crm.listing.lists import RecordList
from crm.listing.periods import PERIODS
from crm.listing.views.opening import list_address, open_list
from crm.web.htmx import page, redirect


@require_http_methods(["GET", "HEAD", "POST"])
def list_filter(request):
    """Adds a condition to the list's address, or changes the one at place `edit`."""
    given = request.POST if request.method == "POST" else request.GET
    rows = open_list(request, given)
    edited = _edited(rows, given)
    field = rows.field(given.get("field", "")) or (edited.field if edited else _filterable(rows)[0])
    error = ""
    if request.method == "POST" and "apply" in given:
        condition = read_condition(field, given.get("operator", ""), _typed(field, given))
        if condition is not None:
            return redirect(request, _with_condition(rows, condition, edited, given.get("group", "")))
        error = _("Fill in a value that fits the field.")
    context = {**_form(rows, field, edited, given), "error": error}
    return page(request, "listing/list_filter.html", context, partial="form", status=422 if error else 200)


def _filterable(rows: RecordList) -> list:
    return [one for one in rows.all_fields if one.is_filterable]


def _edited(rows: RecordList, given) -> Condition | None:
    place = given.get("edit", "")
    known = place.isascii() and place.isdecimal() and len(place) < 3 and int(place) < len(rows.conditions)
    return rows.conditions[int(place)] if known else None


def _typed(field, given) -> str:
    """The value as the address spells it."""
    if field.kind in CHOSEN:
        return ",".join(given.getlist("value"))
    if given.get("operator") == "between":
        return f"{given.get('value', '')}..{given.get('value2', '')}"
    return given.get("value", "")


def _form(rows: RecordList, field, edited: Condition | None, given) -> dict:
    """What the dialog shows: the field's operators, the widget for its values, and the groups it may join."""
    same = edited if edited and edited.field == field else None
    operators = OPERATORS[field.kind]
    operator = given.get("operator") or (same.operator if same else "")
    operator = operator if operator in operators else operators[0]
    values = given.getlist("value") or ([str(value) for value in same.values] if same else [])
    if same and field.kind not in CHOSEN and not given.getlist("value"):
        values = same.raw.split("..")
    others = [
        (number, one, one.shown(rows.names_for(one)), one.label)
        for number, one in enumerate(rows.conditions)
        if one != edited
    ]
    joined = next(
        (str(n) for n, one, *_rest in others if edited and edited.group and one.group == edited.group), ""
    )
    return {
        "rows": rows, "field": field, "fields": _filterable(rows), "operator": operator, "others": others,
        "operators": [(key, LABELS[key]) for key in operators], "edit": given.get("edit", "") if edited else "",
        "group": given.get("group", joined), "widget": _widget(field, operator), "values": values,
        "value2": given.get("value2") or (values[1] if len(values) > 1 else ""),
        "choices": _choices(rows, field, operator),
    }  # fmt: skip


def _widget(field, operator: str) -> str:
    if operator in BARE:
        return ""
    if field.kind in CHOSEN or operator == "period":
        return "choices" if field.kind in CHOSEN else "select"
    two = "two_" if operator == "between" else ""
    return two + ("date" if field.kind in {"date", "moment"} else "text")


def _choices(rows: RecordList, field, operator: str) -> list[tuple[str, str]]:
    if operator == "period":
        return list(PERIODS.items())
    if field.kind not in CHOSEN:
        return []
    mine = list(WHO.items()) if field.kind == "person" else []
    return [*mine, *rows.offers.of(field)]


def _with_condition(rows: RecordList, fresh: Condition, edited: Condition | None, partner: str) -> str:
    """The list's address with the condition in it, as an alternative to `partner` (the place of another) or alone."""
    found = list(rows.conditions)
    group = ""
    known = partner.isascii() and partner.isdecimal() and len(partner) < 3 and int(partner) < len(found)
    if known and found[int(partner)] != edited:
        other = found[int(partner)]
        used = {one.group for one in found}
        group = other.group or next((free for free in GROUPS if free not in used), "")
        found[int(partner)] = Condition(other.field, other.operator, other.values, group)
    fresh = Condition(fresh.field, fresh.operator, fresh.values, group)
    if edited in found:
        found[found.index(edited)] = fresh
    else:
        found.append(fresh)
    params = rows.params.copy()
    write_conditions(params, found)
    return list_address(rows, params)


@require_http_methods(["GET", "HEAD", "POST"])
def list_columns(request):
    """Which fields are columns, and in which order."""
    given = request.POST if request.method == "POST" else request.GET
    rows = open_list(request, given)
    if request.method == "POST":
        params = rows.params.copy()
        known = {one.key for one in rows.all_fields}
        wanted = [key for key in dict.fromkeys(given.getlist("column")) if key in known]
        params.pop("cols", None)
        if wanted and "reset" not in given and tuple(wanted) != rows.default_columns:
            params["cols"] = ",".join(wanted)
        return redirect(request, list_address(rows, params))
    shown = [one.key for one in rows.columns]
    rest = [one for one in rows.all_fields if one.key not in shown]
    return page(request, "listing/list_columns.html", {"rows": rows, "rest": rest}, partial="form")
