"""What pages of a `RecordList` need beyond the frame: cells by column, chips of filters, saved views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

from django import template
from django.template.base import TextNode
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from crm.listing.cells import is_writable, plain_list
from crm.listing.conditions import BARE, write_conditions
from crm.listing.exports.services import may_export
from crm.listing.lists import list_of
from crm.listing.paging import PLACE
from crm.listing.tags.services import tags_of
from crm.people.kinds import kind_named
from crm.people.phones import show_phone
from crm.people.visibility import may
from crm.web import formats
from crm.web.templatetags import web

register = template.Library()


class CellsNode(template.Node):
    """Draws the cells of the chosen columns: the page's own `{% cell %}` where it has one, else a plain one."""

    def __init__(self, rows, row, cells):
        self.rows, self.row, self.cells = rows, row, cells

    def render(self, context):
        row, parts = self.row.resolve(context), []
        for one in self.rows.resolve(context).columns:
            own = self.cells.get(one.key)
            parts.append(own.render(context) if own is not None else plain_cell(one, row))
        return "".join(parts)


@register.tag
def cells(parser, token):
    """`{% cells list row %}{% cell "name" %}<td>…</td>{% cell "city" %}<td>…</td>{% endcells %}`"""
    _tag, rows, row = token.split_contents()
    found = {}
    parser.parse(("cell", "endcells"))
    token = parser.next_token()
    while not token.contents.startswith("endcells"):
        key = token.split_contents()[1].strip("\"'")
        found[key] = _without_margins(parser.parse(("cell", "endcells")))
        token = parser.next_token()
    return CellsNode(parser.compile_filter(rows), parser.compile_filter(row), found)


def _without_margins(nodes):
    """A cell without the line breaks around it: fifty rows of them are kilobytes."""
    if nodes and isinstance(nodes[-1], TextNode):
        nodes[-1].s = nodes[-1].s.rstrip()
    return nodes


CELL_CSS = {"money": "num", "number": "num", "date": "", "moment": "", "tags": "tag-cell"}


def plain_cell(one, row):
    """A cell of a field that the page draws in no way of its own."""
    value = one.value(row)
    css = CELL_CSS.get(one.kind, "soft")
    return format_html('<td class="{}">{}</td>', css, shown_value(one, value, row))


def shown_value(one, value, row=None):
    """A field's value as a list shows it."""
    if value is None or value in ("", []):
        return ""
    if one.kind == "tags":
        return tag_chips(value)
    if one.kind == "person":
        return web.avatar(value)
    if one.kind == "money" and isinstance(value, Decimal):
        return web.money(value, "" if one.attributes else getattr(row, "currency_id", ""))
    if one.kind == "phone":
        return show_phone(str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return formats.time_tag(value)
    if isinstance(value, date):
        return web.ago(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


TAGS_IN_A_CELL = 2


def tag_chips(tags):
    """The tags of a row; those that find no room are counted, and named when one points at them."""
    shown = format_html_join(
        "", '<span class="tag-chip stage-{}">{}</span>', ((tag.colour, tag) for tag in tags[:TAGS_IN_A_CELL])
    )
    more = tags[TAGS_IN_A_CELL:]
    rest = format_html('<span class="tag-more" title="{}">+{}</span>', ", ".join(map(str, more)), len(more))
    return format_html('<span class="tag-line">{}{}</span>', shown, rest if more else "")


@register.inclusion_tag("listing/_tag_line.html", takes_context=True)
def record_tags(context, kind, record):
    """The line of tags on a card; each leads to the records that carry it."""
    user, rows = context["request"].user, list_of(kind)
    taggable = rows is not None and any(one.kind == "tags" for one in rows.fields)
    if not taggable or "tags" in user.access.hidden_fields(kind):
        return {}
    return {
        "tags": tags_of(kind, [record.pk]).get(record.pk, []),
        "list_url": reverse(rows.url_name),
        "edit_url": reverse("lists:record_tags", args=[kind, record.pk]),
        "may_edit": "tags" not in user.access.locked_fields(kind) and _may_edit(context, record, user),
    }


@dataclass(frozen=True)
class ShownFact:
    """A line of a card; `edit_url`: where its value is changed in place, empty for none."""

    name: str
    value: object
    edit_url: str = ""


@register.simple_tag(takes_context=True)
def fact_groups(context):
    """{groups, empty}: what the card knows, by section, and the empty fields that the reader may fill.

    A fact named as a field of the kind's list is that field.
    """
    record, kind, user = context["record"], context["card_kind"], context["request"].user
    rows = plain_list(kind, user) if _may_edit(context, record, user) else None
    known = {str(one.label): one.key for one in rows.fields if is_writable(rows, one)} if rows else {}
    locked = user.access.locked_fields(kind)

    def shown(name, value, key=""):
        key = (key if key not in locked else "") if key else known.get(str(name), "")
        url = reverse("lists:cell_update", args=[kind, record.pk, key]) if rows and key else ""
        return ShownFact(name, value, url)

    sections = [("", context["facts"]), *context.get("sections", ())]
    lines = [(title, [shown(*fact) for fact in facts]) for title, facts in sections]
    groups = [
        {"title": title, "facts": full}
        for title, facts in lines
        if (full := [fact for fact in facts if fact.value or fact.value == 0])
    ]
    empty = [fact for _title, facts in lines for fact in facts if not fact.value and fact.value != 0]
    return {"groups": groups, "empty": [fact for fact in empty if fact.edit_url]}


def _may_edit(context, record, user) -> bool:
    """As the card has found out already; else one query."""
    known = context.get("may_edit", getattr(record, "may_edit", None))
    return may(user, "edit", record) if known is None else bool(known)


@register.simple_tag
def record_address(kind, pk):
    """Where the card of a record stands."""
    found = kind_named(kind)
    return found.url(pk) if found else ""


def dialog_address(rows, name: str, **more) -> str:
    """The address of a dialog about this list."""
    return f"{reverse(f'lists:{name}')}?{urlencode({'kind': rows.kind, 'query': rows.query_string, **more})}"


@register.simple_tag
def list_chips(rows):
    """The further filters of the address: label, value, where it is changed, and the list without it."""
    found, groups = [], [one.group for one in rows.conditions]
    for number, one in enumerate(rows.conditions):
        params = rows.params.copy()
        write_conditions(params, [other for other in rows.conditions if other != one])
        for name in (*PLACE, "view"):
            params.pop(name, None)
        value = one.label
        if one.operator not in BARE:
            value = f"{value} {one.shown(rows.names_for(one))}"
        joined = bool(one.group) and one.group in groups[:number]
        found.append(
            {
                "label": one.field.label,
                "value": value,
                "joined": joined,
                "edit_url": dialog_address(rows, "list_filter", edit=number),
                "remove_url": f"?{params.urlencode() or 'view=0'}",
            }
        )
    return found


@register.simple_tag
def list_dialog(rows, name):
    return dialog_address(rows, name)


@register.simple_tag
def list_may_export(rows):
    return may_export(rows.user, rows.kind)


@register.simple_tag
def hidden_conditions(rows):
    """(name, value) of the parameters that a change of the choosers keeps."""
    kept = [(one.parameter, one.written) for one in rows.conditions]
    kept += [(name, rows.params[name]) for name in ("cols", "view") if rows.params.get(name)]
    return kept
