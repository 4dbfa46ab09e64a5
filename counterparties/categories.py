"""Giving counterparties their categories, by hand and by rule, and what rights follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from counterparties.lists import CounterpartyList
from counterparties.models import Category, CategoryMember, Counterparty
from crm.listing.conditions import combined, read_conditions
from crm.people.access import kind_label
from crm.people.search import matching

KIND = kind_label(Counterparty)
BATCH = 500
QUICK = {"type": "counterparty_type_id", "owner": "owner_id"}


# Rules


def rule_query(text: str) -> str:
    """The query of a list's address, whether it was pasted whole or not."""
    text = text.strip()
    return (urlsplit(text).query if "?" in text or "//" in text else text)[:8000]


def rule_condition(rule: str, user) -> Q:
    """What a rule keeps. Raises ValidationError for a rule without any filter, which would keep everything."""
    params = QueryDict(rule_query(rule))
    listing = CounterpartyList(user, QueryDict("view=0"))
    condition, found = Q(), False
    for key, column in QUICK.items():
        if (value := params.get(key, "")).isdecimal() and len(value) < 19:
            condition, found = condition & Q(**{column: int(value)}), True
    if words := params.get("q", "").replace("\x00", "").strip()[:100]:
        condition, found = condition & matching(words), True
    if conditions := read_conditions(params, listing.field):
        if any(one.field.key == "categories" for one in conditions):
            raise ValidationError(_("A rule cannot ask for categories: they would wait for each other."))
        condition, found = condition & combined(conditions, user, KIND), True
    if not found:
        raise ValidationError(_("This address has no filter of the counterparties' list."))
    return condition


def ruled_by(category: Category) -> QuerySet:
    """The counterparties that the category's rule keeps, whoever may see them; none for a rule that broke."""
    try:
        condition = rule_condition(category.rule, category.rule_by)
    except ValidationError:
        return Counterparty._base_manager.none()
    return Counterparty._base_manager.filter(condition, deleted_at=None)


def rule_categories() -> list[Category]:
    """Those with a rule in use; categories of one administrator share him, so that his rights are read once."""
    rows = Category.objects.filter(is_active=True, rule_by__isnull=False).exclude(rule="")
    found, people = list(rows.select_related("rule_by")), {}
    for one in found:
        one.rule_by = people.setdefault(one.rule_by_id, one.rule_by)
    return found


# Membership


def matched_rules(pks: list[int]) -> dict[int, set[int]]:
    """The ids of the rule categories that hold, by record. Three queries, however many rules there are."""
    rules = rule_categories()
    if not rules:
        return {}
    columns = {f"rule_{one.pk}": Exists(ruled_by(one).filter(pk=OuterRef("pk")).order_by()) for one in rules}
    rows = Counterparty._base_manager.filter(pk__in=pks).annotate(**columns).values("pk", *columns)
    return {row["pk"]: {one.pk for one in rules if row[f"rule_{one.pk}"]} for row in rows}


def refresh_categories(counterparties: list[Counterparty]) -> None:
    """Makes memberships equal what was chosen and what the rules say; in the caller's transaction."""
    pks = [one.pk for one in counterparties]
    by_rule = matched_rules(pks)
    chosen = {pk for one in counterparties for pk in one.categories}
    plain = (
        set(Category.objects.filter(pk__in=chosen, rule="").values_list("pk", flat=True)) if chosen else set()
    )
    wanted = {(one.pk, pk): False for one in counterparties for pk in one.categories if pk in plain}
    wanted |= {(one, pk): True for one, found in by_rule.items() for pk in found}
    rows = CategoryMember.objects.filter(counterparty__in=pks)
    present = {
        row[:2]: row[2:] for row in rows.values_list("counterparty_id", "category_id", "by_rule", "pk")
    }
    stale = [pk for key, (ruled, pk) in present.items() if wanted.get(key) != ruled]
    if stale:
        CategoryMember.objects.filter(pk__in=stale).delete()
    CategoryMember.objects.bulk_create(
        [
            CategoryMember(counterparty_id=record, category_id=category, by_rule=ruled)
            for (record, category), ruled in wanted.items()
            if present.get((record, category), (None,))[0] != ruled
        ],
        ignore_conflicts=True,
    )


def stale_members(category: Category) -> list[int]:
    """Up to BATCH memberships that the rule no longer gives."""
    members = CategoryMember.objects.filter(category=category, by_rule=True)
    kept = ruled_by(category).values("pk") if category.rule and category.is_active else []
    return list(members.exclude(counterparty__in=kept).values_list("pk", flat=True)[:BATCH])


def missing_members(category: Category) -> list[int]:
    """Up to BATCH counterparties that the rule keeps and that lack the category."""
    if not (category.rule and category.is_active):
        return []
    has = CategoryMember.objects.filter(category=category, counterparty=OuterRef("pk"))
    rows = ruled_by(category).filter(~Exists(has)).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def add_members(category: Category, pks: Iterable[int]) -> None:
    rows = [CategoryMember(category=category, counterparty_id=pk, by_rule=True) for pk in pks]
    CategoryMember.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def drop_members(pks: Iterable[int]) -> None:
    CategoryMember.objects.filter(pk__in=list(pks)).delete()


# Rights


def category_rule(user, action: str) -> Q | None:
    """Roles limited to categories see only counterparties of these; see `crm.people.access`."""
    wanted = user.access.limited_to(KIND, action)
    if wanted is None:
        return None
    ids = [int(value) for value in wanted if value.isdecimal()]
    return Q(Exists(CategoryMember.objects.filter(counterparty=OuterRef("pk"), category__in=ids)))
