"""Work over all values of an attribute, in slices."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from crm.attributes.conversion import JOB, convert_value, retyped, spelled
from crm.attributes.models import Attribute
from crm.attributes.signals import values_lost
from crm.attributes.stored import holders_of, rewrite_rows
from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun

SLICE = 200
CONVERTED = [
    "kind", "choices", "link_kind", "default", "filterable", "sortable", "unique", "is_converting",
]  # fmt: skip


@handler(JOB, long=True)
def change_kind(run: JobRun) -> dict:
    """Rewrites the values for another kind; what does not fit leaves the record and stays in its history."""
    attribute = Attribute.objects.select_related("attribute_set").get(pk=run.args["attribute"])
    if not attribute.is_converting:
        return {"kept": run.checkpoint.get("kept", 0), "lost": run.checkpoint.get("lost", 0)}
    target = retyped(
        attribute, kind=run.args["kind"], choices=run.args["choices"], link_kind=run.args["link_kind"]
    )
    state = {"after": 0, "kept": 0, "lost": 0, **run.checkpoint}
    holders = holders_of(attribute)
    total = state["kept"] + state["lost"] + _left(holders, state["after"])
    while True:
        with run.slice():
            records = _next(holders, state["after"])
            if not records:
                target.save(update_fields=CONVERTED)
                break
            lost = _convert(records, attribute, target, run.by)
            state["after"] = records[-1].pk
            state["lost"] += len(lost)
            state["kept"] += len(records) - len(lost)
            if lost:
                values_lost.send(Attribute, attribute=target, lost=lost, by=run.by)
            done = state["kept"] + state["lost"]
            run.save(checkpoint=dict(state), done=done, total=total, note=gettext_noop("Changing the values"))
    return {"kept": state["kept"], "lost": state["lost"]}


def _left(holders, after: int) -> int:
    return holders.filter(pk__gt=after).count() if holders is not None else 0


def _next(holders, after: int) -> list:
    if holders is None:
        return []
    return list(holders.filter(pk__gt=after).select_for_update(of=("self",))[:SLICE])


def _convert(records: list, attribute: Attribute, target: Attribute, by) -> list[tuple]:
    """Writes the new values with their derived rows; returns (record, old value, old text) of what is lost."""
    lost = []
    for record in records:
        old = record.attributes[attribute.key]
        new = convert_value(attribute, target, old, by=by)
        if new is None:
            del record.attributes[attribute.key]
            lost.append((record, old, spelled(attribute, old)))
        else:
            record.attributes[attribute.key] = new
    type(records[0])._base_manager.bulk_update(records, ["attributes"], batch_size=100)
    rewrite_rows(target, records)
    return lost


@handler("attributes.derive", long=True)
def derive(run: JobRun) -> dict:
    """Rebuilds the derived rows of an attribute that became filterable, sortable or unique, or ceased to be."""
    attribute = Attribute.objects.select_related("attribute_set").filter(pk=run.args["attribute"]).first()
    if attribute is None:
        raise JobRefused(gettext_noop("The attribute is no longer there."))
    holders = holders_of(attribute)
    state = {"after": 0, "done": 0, "repeated": 0, **run.checkpoint}
    while True:
        with run.slice():
            records = _next(holders, state["after"])
            if not records:
                break
            state["repeated"] += rewrite_rows(attribute, records)
            state["after"], state["done"] = records[-1].pk, state["done"] + len(records)
            run.save(checkpoint=dict(state), done=state["done"], note=gettext_noop("Indexing the values"))
    return {"records": state["done"], "repeated": state["repeated"]}
