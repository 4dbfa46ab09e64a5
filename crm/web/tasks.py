from datetime import timedelta

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.web.tokens import purge_tokens


@handler("web.purge_tokens", every=timedelta(hours=12))
def forget_tokens(run: JobRun) -> dict:
    """Forgets form tokens that nobody can send again."""
    with run.slice():
        return {"forgotten": purge_tokens()}
