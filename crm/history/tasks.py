from crm.history.erasing import JOB, erasable, erase_record
from crm.jobs.registry import handler
from crm.jobs.run import JobRun


@handler(JOB, long=True)
def erase(run: JobRun) -> dict:
    """Erases what has been in the bin for a month, one record a slice; rights are asked again for each."""
    counts = {"erased": 0, "kept": 0, "last": 0} | run.checkpoint
    while run.by is not None:
        deletion = erasable(run.by).filter(pk__gt=counts["last"]).order_by("pk").first()
        if deletion is None:
            break
        with run.slice():
            counts["last"] = deletion.pk
            counts["erased" if erase_record(deletion=deletion, by=run.by) else "kept"] += 1
            run.save(checkpoint=counts, done=counts["erased"] + counts["kept"])
    return {name: counts[name] for name in ("erased", "kept")}
