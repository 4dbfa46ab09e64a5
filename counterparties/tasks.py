"""Jobs of counterparties: the categories that rules give."""

from datetime import timedelta

from django.utils.translation import gettext_noop

from counterparties.categories import (
    add_members,
    drop_members,
    missing_members,
    rule_categories,
    stale_members,
)
from counterparties.models import Category
from crm.jobs.registry import handler
from crm.jobs.run import JobRun


def _follow(run: JobRun, category: Category) -> int:
    """Brings the memberships of one category in line with its rule, some hundred a slice. How many changed."""
    changed = 0
    while stale := stale_members(category):
        with run.slice():
            drop_members(stale)
            changed += len(stale)
            run.save(done=changed, note=gettext_noop("Giving categories"))
    while missing := missing_members(category):
        with run.slice():
            add_members(category, missing)
            changed += len(missing)
            run.save(done=changed, note=gettext_noop("Giving categories"))
    return changed


@handler("counterparties.category", long=True)
def category(run: JobRun) -> dict:
    """After an administrator wrote, changed or emptied a rule."""
    found = Category.objects.select_related("rule_by").filter(pk=run.args["category"]).first()
    return {"changed": _follow(run, found) if found else 0}


@handler("counterparties.categories", long=True, every=timedelta(hours=6))
def categories(run: JobRun) -> dict:
    """All rules: some speak of time, and bulk work changes records without a word."""
    return {"changed": sum(_follow(run, one) for one in rule_categories())}
