from datetime import timedelta

from django.utils.translation import gettext_noop

from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun
from crm.web import demo_removal
from crm.web.tokens import purge_tokens

REMOVED = 20


@handler("web.purge_tokens", every=timedelta(hours=12))
def forget_tokens(run: JobRun) -> dict:
    """Forgets form tokens that nobody can send again."""
    with run.slice():
        return {"forgotten": purge_tokens()}


@handler(demo_removal.JOB, long=True)
def remove_demo(run: JobRun) -> dict:
    """Erases the demo's records, a few a slice. What is left over is left where it is, so it may run again."""
    if run.by is None or not demo_removal.may_remove(run.by):
        raise JobRefused(gettext_noop("Only an administrator removes the demo data."))
    removed, kept = run.checkpoint.get("removed", 0), run.checkpoint.get("kept", 0)
    for kind in demo_removal.removable_kinds():
        last = 0
        while batch := list(demo_removal.untouched(kind).filter(pk__gt=last).order_by("pk")[:REMOVED]):
            last = batch[-1].pk
            with run.slice():
                for record in batch:
                    gone = demo_removal.remove_one(kind, record, run.by)
                    removed, kept = removed + gone, kept + (not gone)
                note = gettext_noop("Removing demo data")
                run.save(checkpoint={"removed": removed, "kept": kept}, done=removed, note=note)
    with run.slice():
        demo_removal.finish_removal(run.by)
    return {"removed": removed, "kept": kept}
