"""The jobs of duplicates: keys for what imports and bulk edits wrote, and the scan."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from counterparties.matching.keys import matchable_kinds
from counterparties.matching.models import MatchKey, Scan
from counterparties.matching.reading import traits_of_record
from counterparties.matching.scanning import (
    INDEX_JOB,
    JOB,
    Comparing,
    all_kinds_after,
    batches,
    begin_scan,
    crowded_keys,
    end_scan,
    index_batch,
    since_of,
)
from counterparties.matching.scoring import ScoringTable
from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.notify.services import notify
from crm.people.kinds import kind_named

NIGHTLY = timedelta(hours=24)
OVERLAP = timedelta(minutes=5)


@handler(INDEX_JOB, long=True, every=timedelta(minutes=10))
def index(run: JobRun) -> dict:
    """Brings the keys up to date with what no signal told of: imports, bulk edits, an older installation."""
    began, count = timezone.now(), 0
    reach = timedelta(minutes=int(run.args.get("minutes", 10)))
    since = began - reach - OVERLAP if MatchKey.objects.exists() else None
    for kind in matchable_kinds():
        after = 0
        while records := batches(kind, after, since):
            with run.slice():
                index_batch(kind, records)
            after = records[-1].pk
            count += len(records)
    return {"indexed": count}


@handler(JOB, long=True, every=NIGHTLY)
def scan(run: JobRun) -> dict:
    """First the keys of what changed, then the pairs; goes on after an interruption where it was."""
    at = {"scan": 0, "phase": "index", "kind": "", "after": 0, "done": 0} | run.checkpoint
    if not at["scan"]:
        with run.slice():
            at["scan"] = begin_scan(bool(run.args.get("is_full"))).pk
            run.save(checkpoint=at)
    found = Scan.objects.get(pk=at["scan"])
    since = since_of(found)
    run.save(total=_total(since) * 2, note=gettext_noop("Reading records"))
    if at["phase"] == "index":
        _walk(run, at, since, index_batch)
        at |= {"phase": "compare", "kind": "", "after": 0}
    comparing = Comparing(found, ScoringTable(), crowded_keys())
    run.save(checkpoint=dict(at), note=gettext_noop("Comparing records"))
    _walk(run, at, since, lambda kind, records: comparing.compare(kind, _traits(kind, records)))
    with run.slice():
        end_scan(found, at["done"] // 2)
        if run.by is not None:
            text = gettext_noop("The search for duplicates is done: %(found)s pairs")
            notify(
                user=run.by,
                kind="duplicates_found",
                text=text,
                params={"found": found.found},
                url="/duplicates/",
            )
    return {"compared": found.compared, "found": found.found}


def _traits(kind: str, records: list) -> dict:
    return {record.pk: traits_of_record(kind, record) for record in records}


def _total(since) -> int:
    rows = [kind_named(kind).model._base_manager.filter(deleted_at=None) for kind in matchable_kinds()]
    return sum((one if since is None else one.filter(updated_at__gte=since)).count() for one in rows)


def _walk(run: JobRun, at: dict, since, work) -> None:
    """Every batch of every kind from the checkpoint on, each in a slice of its own."""
    for kind in all_kinds_after(at["kind"]):
        if kind != at["kind"]:
            at |= {"kind": kind, "after": 0}
        while records := batches(kind, at["after"], since):
            with run.slice():
                work(kind, records)
                at |= {"after": records[-1].pk, "done": at["done"] + len(records)}
                run.save(checkpoint=dict(at), done=at["done"])
