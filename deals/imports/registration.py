"""What deals tell the machinery of imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from counterparties.name_keys import name_key
from crm.history.kinds import EventKind, register_event
from crm.listing.imports.lookups import register_finder
from crm.listing.imports.registry import Importer, Key, Match, Values, register_importer
from crm.people.folding import sort_key
from deals.imports.batch import DealBatch
from deals.imports.columns import DEAL_KIND, EXAMPLE, deal_columns
from deals.models import Deal, DealStatus

BETWEEN = "|"


def register_imports() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("deal_imported", _("imported the deal at “%(stage)s” from %(file)s"), "upload"),
        EventKind("deal_import_updated", _("changed the deal by importing %(file)s"), "upload"),
    )
    register_finder(DEAL_KIND, find_deals)
    register_importer(
        Importer(
            kind=DEAL_KIND,
            label=_("Deals"),
            fields=deal_columns,
            keys=keys_of,
            existing=existing,
            write=lambda creates, updates, run, by: DealBatch(run, by).write(creates, updates),
            faults=_faults,
            list_url=lambda run: reverse("deals:deal_list"),
            messages={
                "negative": _("The amount may not be negative."),
                "number_taken": _("Another deal has this number."),
                "no_reason": _("A lost deal needs a reason of loss."),
                "stage_refused": _("Not moved: %(why)s"),
                "no_won_reason": _(
                    "A won deal needs a reason, in the column “Reason of winning or postponing”."
                ),
                "no_postponed_reason": _(
                    "A postponed deal needs a reason, in the column “Reason of winning or postponing”."
                ),
                "reason_misfit": _("“%(reason)s” is no reason for that."),
                "amount_of_lines": _("The amount is the sum of the lines. Change the lines instead."),
            },
            key_labels={"number": _("Number"), "name": _("Deal and counterparty")},
            example=EXAMPLE,
        )
    )


def _faults(values: Values) -> list[tuple[str, str]]:
    lost = values.get("status") == DealStatus.LOST
    found = [("no_reason", "loss_reason")] if lost and not values.get("loss_reason") else []
    return [*found, ("negative", "amount")] if Decimal(values.get("amount") or 0) < 0 else found


def keys_of(values: Values) -> list[Key]:
    """Its number; else its name with its counterparty."""
    found: list[Key] = [("number", values["number"])] if values.get("number") else []
    name, place = sort_key(values.get("name", "")), values.get("counterparty")
    if name and place:
        where = str(place[1]) if isinstance(place, list) else name_key(place)
        found.append(("name", f"{name[:200]}{BETWEEN}{where}"))
    return found


def existing(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    """The deals that carry any of the keys. A deal out of sight is no duplicate of anything one may know of."""
    numbers = {value for key, value in keys if key == "number"}
    names = {value for key, value in keys if key == "name"}
    titles = {name.rpartition(BETWEEN)[0] for name in names}
    seen = Deal.objects.visible_to(by).filter(Q(number__in=numbers) | Q(sort_key__in=titles)).order_by("pk")
    rows = list(seen) if numbers or names else []
    editable = set(
        Deal.objects.visible_to(by, "edit").filter(pk__in=[deal.pk for deal in rows]).values_list("pk", flat=True)
    )  # fmt: skip
    found: dict[Key, Match] = {}
    for deal in rows:
        match = Match(DEAL_KIND, deal.pk, f"{deal.number} {deal.name}", deal.pk in editable)
        for key in (
            ("number", deal.number or ""),
            ("name", f"{deal.sort_key}{BETWEEN}{deal.counterparty_id}"),
        ):
            if key[1] in numbers or key[1] in names:
                found.setdefault(key, match)
    return found


def find_deals(texts: Iterable[str], *, by) -> dict[str, list[int]]:
    """The deals a text may mean: by number or by name."""
    wanted = {text: sort_key(text)[:200] for text in texts}
    rows = Deal.objects.visible_to(by).filter(
        Q(number__in=list(wanted)) | Q(sort_key__in=list(wanted.values()))
    )
    found: dict[str, list[int]] = defaultdict(list)
    for pk, number, key in rows.order_by("pk").values_list("pk", "number", "sort_key"):
        for text, folded in wanted.items():
            if number == text or (key and key == folded):
                found[text].append(pk)
    return dict(found)
