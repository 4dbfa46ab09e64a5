"""Pages of the dictionaries: one for all of them, and one for the entries of each."""

from __future__ import annotations

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.listing.counting import capped_counts
from crm.web.dictionaries import (
    MOST_ENTRIES,
    Dictionary,
    dictionaries_of,
    dictionary,
    order_entries,
    retire_entry,
    save_entry,
)
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once

RECENT = 10


def _book(request, key: str) -> Dictionary:
    """404 for what is no dictionary, 403 for one that the reader may not change."""
    found = dictionary(key)
    if found is None:
        raise Http404
    if not found.may_change(request.user):
        raise PermissionDenied
    return found


def _form_of(book: Dictionary, *, is_new: bool = False) -> type[forms.ModelForm]:
    """What is used as one thing does not become another: the group is said once."""
    fields = [name for name in book.fields if is_new or name != book.group]
    return forms.modelform_factory(book.model, form=EntryForm, fields=["name", "name_pl", *fields])


class EntryForm(forms.ModelForm):
    """Names without stray blanks; the service saves, never the form."""

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_name_pl(self) -> str:
        return " ".join(self.cleaned_data["name_pl"].split())


@require_safe
def dictionary_list(request):
    """Every dictionary that the reader keeps, with the number of its entries."""
    found = dictionaries_of(request.user)
    if not found:
        raise PermissionDenied
    offered = [(one.key, one.model._default_manager.filter(is_active=True).order_by()) for one in found]
    counts = capped_counts(offered, MOST_ENTRIES)
    books = [(one, counts[one.key]) for one in found]
    return page(request, "web/dictionary_list.html", {"books": books})


@require_safe
def dictionary_detail(request, key: str):
    """The entries of one dictionary, those that are retired apart, and the latest changes."""
    book = _book(request, key)
    entries = list(book.model._default_manager.order_by(*filter(None, [book.group]), "position", "id"))
    for entry in entries:
        entry.more = [_shown(entry, name) for name in book.fields]
    changes = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(book.model))
    context = {
        "book": book, "entries": [one for one in entries if one.is_active],
        "retired": [one for one in entries if not one.is_active],
        "changes": changes.select_related("user").order_by("-action_time")[:RECENT],
    }  # fmt: skip
    return page(request, "web/dictionary_detail.html", context)


def _shown(entry, name: str) -> str:
    column = entry._meta.get_field(name)
    value = getattr(entry, f"get_{name}_display")() if column.choices else getattr(entry, name)
    return "" if value is None else f"{column.verbose_name}: {value}"


@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_create(request, key: str):
    book = _book(request, key)
    form = _form_of(book, is_new=True)(request.POST or None)
    return _answer(request, book, form, _("New entry"), None)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_update(request, key: str, pk: int):
    book = _book(request, key)
    entry = get_object_or_404(book.model, pk=pk)
    form = _form_of(book)(request.POST or None, instance=get_object_or_404(book.model, pk=pk))
    return _answer(request, book, form, str(entry), entry)


def _answer(request, book: Dictionary, form, title: str, entry):
    """Shows the form, or saves what it holds; what the service refuses stands beside the fields."""
    if request.method == "POST" and form.is_valid():
        try:
            save_entry(book=book, entry=entry, values=form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _finished(request, book, _("Saved."))
    status = 422 if form.is_bound else 200
    return _form_page(request, book, title, status=status, form=form)


def _form_page(request, book: Dictionary, title: str, *, status: int = 200, **more):
    url = reverse("web:dictionary_detail", args=[book.key])
    return page(
        request,
        "web/dictionary_form.html",
        {"title": title, "url": url, **more},
        partial="form",
        status=status,
    )


def _finished(request, book: Dictionary, text: str):
    toast(request, text)
    return done(request, reverse("web:dictionary_detail", args=[book.key]), "dictionary-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def entry_order(request, key: str):
    """The order in which entries are offered."""
    book = _book(request, key)
    rows = list(book.model._default_manager.filter(is_active=True).order_by("position", "id"))
    if request.method == "POST":
        sent = [int(text) for text in request.POST.getlist("row") if text.isascii() and text.isdecimal()]
        order_entries(book=book, ids=[pk for pk in sent if pk in {one.pk for one in rows}], by=request.user)
        return _finished(request, book, _("The order is changed."))
    return _form_page(request, book, _("Order"), rows=rows)


@require_POST
@once
def entry_retirement(request, key: str, pk: int):
    """Retires an entry, or (`again`) offers it again."""
    book = _book(request, key)
    entry = get_object_or_404(book.model, pk=pk)
    again = "again" in request.POST
    retire_entry(book=book, entry=entry, is_active=again, by=request.user)
    return _finished(
        request, book, _("Offered again.") if again else _("Not offered any more; records keep it.")
    )
