"""Components that are too small or too frequent for a template of their own, and the frame's registries."""

from functools import lru_cache

from django import template
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm.listing.cells import is_writable
from crm.listing.fields import Field
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.phones import show_phone
from crm.web import formats, icons, registry, toasts, tokens

register = template.Library()


@register.simple_tag
def icon(name, label="", css=""):
    return icons.icon(str(name), str(label), css)


@register.simple_tag
def pill(colour, label, icon="", title=""):
    """A status: grey new, blue in work, green won, red lost or overdue, amber waiting. Never colour alone."""
    return _pill(str(colour), str(label), str(icon), str(title))


@lru_cache(maxsize=1024)
def _pill(colour, label, icon, title):
    hover = format_html(' title="{}"', title) if title else ""
    if not icon:
        return format_html('<span class="pill pill-dotted pill-{}"{}>{}</span>', colour, hover, label)
    return format_html('<span class="pill pill-{}"{}>{}{}</span>', colour, hover, icons.icon(icon), label)


@register.simple_tag
def avatar(user, name=True, size=""):
    """A person: initials in a colour of his own, and the name beside them unless ``name=False``."""
    if not user:
        return mark_safe('<span class="text-secondary">–</span>')
    return _avatar(str(user), bool(name), size)


@lru_cache(maxsize=2048)
def _avatar(text, name, size):
    spoken = format_html('role="img" aria-label="{0}" title="{0}"', text)
    look = f"face-{formats.colour_of(text)}{f' face-{size}' if size else ''}"
    short = formats.initials(text)
    if not name:
        return format_html('<span class="face {}" {}>{}</span>', look, spoken, short)
    return format_html('<span class="person {}" data-face="{}">{}</span>', look, short, text)


@register.filter
def money(amount, currency=""):
    """An amount with its currency (a code or a record with one), the company's own when none is given."""
    code = getattr(currency, "code", currency) or default_currency()
    return _money(amount, str(code), get_language()) if amount not in (None, "") else ""


@lru_cache(maxsize=2048)
def _money(amount, code, language):
    return show_money(amount, code)


@register.filter
def phone(number):
    """E.164 as people of the country write it; empty for none."""
    return show_phone(number) if number else ""


@register.filter
def ago(moment):
    """Relative, with the exact moment on hover."""
    return formats.time_tag(moment)


@register.filter
def due(moment):
    """The same for something planned: red with a mark once it is past."""
    if not moment:
        return ""
    if not formats.is_past(moment):
        return formats.time_tag(moment)
    return formats.time_tag(moment, "due")


@register.filter
def exact(moment):
    return formats.exact(moment) if moment else ""


@register.simple_tag
def form_token():
    """The hidden one-time token that ``crm.web.tokens.once`` spends."""
    return format_html('<input type="hidden" name="{}" value="{}">', tokens.FIELD, tokens.new_token())


@register.simple_tag
def dialog(url, look="center"):
    """Attributes of a link that opens *url*'s fragment in the dialog (``look="side"``: the side panel).

    `dialog.js` says where the answer goes, once for all links of the page.
    """
    return format_html('hx-get="{}" data-dialog="{}"', url, look)


@register.inclusion_tag("components/field.html")
def field(bound, label=True, wide=False, autofocus=False, hint=True):
    """A form field with label, required mark, help and errors, looking like every other."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "select" if hasattr(widget, "choices") else "text")
    css = {"checkbox": "form-check-input", "select": "form-select", "radio": "form-check-input"}.get(
        kind, "form-control"
    )
    attrs = {"class": f"{widget.attrs.get('class', '')} {css}{' is-invalid' if bound.errors else ''}".strip()}
    if autofocus:
        attrs["autofocus"] = True
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "is_check": kind == "checkbox" and not hasattr(widget, "choices"),
        "is_rows": getattr(widget, "is_rows", False),
        "is_group": kind in {"radio", "checkbox"} and hasattr(widget, "choices"),
        "label": label,
        "hint": bound.help_text if hint else "",
        "wide": wide,
        "is_demanded": bound.field.required or getattr(bound.field, "is_demanded", False),
        "shown_if": getattr(bound.field, "shown_if", ""),
        "shown_if_values": getattr(bound.field, "shown_if_values", ""),
    }


def _address(name):
    """Nothing for an area whose pages are not installed."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def _may(user, kind, action):
    return kind is None or user.access.may(kind, action)


@register.simple_tag(takes_context=True)
def menu_items(context):
    """The sidebar for this reader: entry, address, whether it is the page's own, and what waits there."""
    request = context["request"]
    if not hasattr(request, "menu_items"):
        request.menu_items = _menu_items(request)
    return request.menu_items


@register.simple_tag(takes_context=True)
def phone_items(context):
    """The bottom bar of a phone: two entries before the "+" and the others behind it."""
    items = [item for item in menu_items(context) if item["entry"].phone]
    return {"before": items[:2], "after": items[2:4]}


def _menu_items(request):
    user = request.user
    found = []
    for entry in registry.menu_entries():
        url = _address(entry.url_name)
        if url is None or not _may(user, entry.kind, "view") or (entry.allowed and not entry.allowed(user)):
            continue
        here = request.path == url or (url != "/" and request.path.startswith(url))
        found.append(
            {"entry": entry, "url": url, "here": here, "count": entry.counter(user) if entry.counter else 0}
        )
    taken = set()
    for item in found:
        item["letter"] = next((letter for letter in item["entry"].key if letter not in taken), "")
        taken.add(item["letter"])
    longest = max((len(item["url"]) for item in found if item["here"]), default=0)
    for item in found:
        item["here"] = item["here"] and len(item["url"]) == longest
    return found


@register.simple_tag(takes_context=True)
def quick_items(context):
    """What this reader may create from the "+" of the top bar."""
    user = context["request"].user
    pairs = [
        (entry, _address(entry.url_name))
        for entry in registry.quick_creates()
        if _may(user, entry.kind, "create")
    ]
    return [{"entry": entry, "url": url} for entry, url in pairs if url]


@register.simple_tag(takes_context=True)
def topbar_slots(context):
    request = context["request"]
    slots = [slot for slot in registry.topbar_slots() if slot.allowed is None or slot.allowed(request.user)]
    return mark_safe("".join(_slot(slot, request) for slot in slots))


def _slot(slot, request):
    """One area without its template must not take every page down; a test finds it instead."""
    try:
        return render_to_string(slot.template, request=request)
    except TemplateDoesNotExist:
        return ""


@register.simple_tag
def toast_parts(message):
    return toasts.as_json(message)


@register.inclusion_tag("components/panels.html", takes_context=True)
def panels(context, card, record, first=None):
    """The tabs of a card; each is loaded by htmx when opened, the first (or ``?panel=key``) at once."""
    request = context["request"]
    tabs = []
    for panel in registry.card_panels(card):
        if not _may(request.user, panel.kind, "view"):
            continue
        count = panel.count(record, request.user) if panel.count else None
        tabs.append({"panel": panel, "url": reverse(panel.url_name, args=[record.pk]), "count": count})
    wanted = request.GET.get("panel") or first
    current = next((tab for tab in tabs if tab["panel"].key == wanted), tabs[0] if tabs else None)
    return {"tabs": tabs, "current": current, "record": record, "card": card}


@register.simple_tag(takes_context=True)
def composer_items(context, card, record):
    """The buttons of the composer above a card's history: action and address."""
    user = context["request"].user
    actions = registry.composer_actions(card)
    return [
        {"action": action, "url": action.url(record)}
        for action in actions
        if action.allowed is None or action.allowed(user, record)
    ]


@register.simple_tag(takes_context=True)
def card_strips(context, card, record):
    """The "what next" lines that areas put above this card."""
    request = context["request"]
    parts = [strip.render(request, record) for strip in registry.card_strips(card)]
    return mark_safe("".join(part for part in parts if part))


@register.simple_tag(takes_context=True)
def card_actions(context, card, record):
    """The buttons that every card has beside its own: action and address."""
    actions = registry.card_actions(context["request"].user, card, record)
    return [{"action": each, "url": reverse(each.url_name, args=[card, record.pk])} for each in actions]


@register.simple_tag(takes_context=True)
def list_tabs(context, rows):
    """The tabs of a ``RecordList``: everything, then each status with its count."""
    counted = rows.tab_counts()
    total = sum(count for *_, count in counted)
    tabs = [
        {
            "label": _("All"),
            "count": formats.capped(total),
            "url": _with(context, tab=None),
            "current": not rows.tab,
        }
    ]
    for value, label, count in counted:
        url = _with(context, tab=value)
        shown = formats.capped(count)
        tabs.append({"label": label, "count": shown, "url": url, "current": str(value) == rows.tab})
    return tabs


@register.simple_tag(takes_context=True)
def list_head(context, rows):
    """The heading cells of a ``RecordList``; those that sort are links that turn the order round."""
    return format_html_join("", "{}", ((_heading(context, rows, column),) for column in rows.columns))


def _is_editable(rows, column) -> bool:
    """Whether the column's cells open for the reader: where he may edit at least some of the records."""
    if not isinstance(column, Field) or not rows.user.access.may(rows.kind, "edit"):
        return False
    return "tag" in rows.actions if column.kind == "tags" else is_writable(rows, column)


def _heading(context, rows, column):
    css = "num" if column.kind in {"money", "number"} else ""
    edit = format_html(' data-edit="{}"', column.key) if _is_editable(rows, column) else ""
    if not column.sort:
        return format_html('<th scope="col" class="{}"{}>{}</th>', css, edit, column.label)
    up, down = rows.sort == column.sort, rows.sort == f"-{column.sort}"
    order = mark_safe(f'aria-sort="{"ascending" if up else "descending"}"') if up or down else ""
    mark = icons.icon("arrow-up" if up else "arrow-down") if up or down else ""
    url = _with(context, sort=f"-{column.sort}" if up else column.sort)
    return format_html(
        '<th scope="col" class="{}"{} {}><a href="{}">{} {}</a></th>',
        css,
        edit,
        order,
        url,
        column.label,
        mark,
    )


@register.inclusion_tag("components/pager.html", takes_context=True)
def list_pager(context, rows):
    """How many rows there are, and the way to the next ones and back to the first."""
    text = ngettext("%(count)s record", "%(count)s records", rows.count) % {
        "count": formats.capped(rows.count)
    }
    return {
        "count_text": text,
        "first_url": _with(context) if rows.previous_cursor else "",
        "previous_url": _with(context, before=rows.previous_cursor) if rows.previous_cursor else "",
        "next_url": _with(context, after=rows.next_cursor) if rows.next_cursor else "",
    }


def _with(context, **changes):
    """This page's address with some parameters changed; the place in the list is forgotten."""
    params = getattr(context.get("list"), "params", context["request"].GET).copy()
    for name, value in {"after": None, "before": None, **changes}.items():
        params.pop(name, None)
        if value:
            params[name] = value
    return f"?{params.urlencode()}" if params else context["request"].path
