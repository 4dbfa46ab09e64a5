"""What happens to leads after the transaction: escalations when time is over, scores."""

from django.utils import timezone

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from leads import response, scoring
from leads.web_forms import services as web_forms


@handler(response.JOB)
def escalate_unanswered(run: JobRun) -> dict:
    """Tells the heads, and sets the clock to the next deadline."""
    told = 0
    while True:
        with run.slice():
            found = response.escalate(timezone.now())
            if not found:
                response.watch_next()
                return {"escalated": told}
        told += found


@handler(scoring.JOB)
def score(run: JobRun) -> dict:
    """Scores one lead, the leads of an import, or all, in slices."""
    if lead := run.args.get("lead"):
        with run.slice():
            return {"changed": scoring.score_leads([lead])}
    after, changed = run.checkpoint.get("after", 0), run.checkpoint.get("changed", 0)
    while pks := scoring.next_batch(after, import_id=run.args.get("import_id")):
        with run.slice():
            changed += scoring.score_leads(pks)
            after = pks[-1]
            run.save(checkpoint={"after": after, "changed": changed}, done=changed)
    return {"changed": changed}


@handler(web_forms.JOB)
def take_in_forms(run: JobRun) -> dict:
    """Makes leads of what visitors sent, a few in each slice."""
    made = run.checkpoint.get("made", 0)
    while submissions := web_forms.waiting():
        with run.slice():
            made += sum(web_forms.take_in(submission) is not None for submission in submissions)
            run.save(checkpoint={"made": made}, done=made)
    return {"made": made}
