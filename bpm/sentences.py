"""One plain sentence for everything a run waits for: for whom or what, since when, until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from bpm.effects import CALL, STEP
from bpm.engine import state as waits
from bpm.engine.state import State, Wait
from bpm.gates import instance_url
from bpm.models import ProcessInstance
from crm.jobs.models import Job


@dataclass
class Helpers:
    """What sentences need beside the state: the jobs under way and the runs that were called, by run and token."""

    jobs: dict[tuple[int, int], Job] = field(default_factory=dict)
    called: dict[tuple[int, int], ProcessInstance] = field(default_factory=dict)


def helpers_of(runs: Iterable[ProcessInstance]) -> Helpers:
    """Two queries at most, however many runs."""
    found, busy, calling = Helpers(), {}, []
    for run in runs:
        for token in run.state.get("tokens", ()):
            kind = token.get("wait", {}).get("kind")
            if kind == waits.JOB:
                busy[f"{run.pk}:{token['id']}"] = (run.pk, token["id"])
            elif kind == waits.CALL:
                calling.append(run.pk)
    if busy:
        for job in Job.objects.open().filter(kind__in=(STEP, CALL), key__in=busy):
            found.jobs[busy[job.key]] = job
    if calling:
        children = ProcessInstance.objects.filter(parent__in=calling, ended_at=None)
        for child in children.select_related("version__definition").defer("version__xml", "version__graph"):
            found.called[child.parent_id, child.parent_token] = child
    return found


def sentence_of(run_id: int, token: int, wait: Wait | None, holder: str, helpers: Helpers) -> str:
    """What the step waits for, without the times."""
    if holder:
        return _("Waits for %(who)s") % {"who": holder}
    if wait is None:
        return _("In progress")
    if wait.kind == waits.JOB:
        return _of_job(helpers.jobs.get((run_id, token)))
    if wait.kind == waits.CALL:
        child = helpers.called.get((run_id, token))
        return _("Waits for the process “%(process)s” to end") % {"process": child} if child else _plain(wait)
    if wait.kind == waits.MESSAGE and wait.key:
        return _("Waits for the message “%(name)s” about “%(key)s”") % {"name": wait.name, "key": wait.key}
    return _plain(wait) % {"name": wait.name}


def _plain(wait: Wait) -> str:
    return {
        waits.TIMER: _("Waits for its time"),
        waits.MESSAGE: _("Waits for the message “%(name)s”"),
        waits.SIGNAL: _("Waits for the signal “%(name)s”"),
        waits.EVENT: _("Waits for whatever happens first"),
        waits.CALL: _("Waits for another process to end"),
        waits.JOIN: _("Waits for the other branches"),
        waits.SCOPE: _("Waits for the steps inside it"),
        waits.LOOP: _("Waits for its repetitions"),
        waits.INCIDENT: _("Held up: an operator has to decide"),
    }.get(wait.kind, _("In progress"))


def _of_job(job: Job | None) -> str:
    if job is None or not job.attempts:
        return _("Waits for a worker of the server")
    if job.status == Job.Status.RUNNING:
        return _("A worker of the server is doing it")
    text = _("Attempt %(number)s failed (%(error)s); the next one is on %(when)s")
    return text % {"number": job.attempts, "error": job.reason[:200], "when": moment(job.run_at)}


def times_of(since: datetime, until: datetime | None) -> str:
    """Since when and until when."""
    if until is None:
        return _("since %(when)s") % {"when": moment(since)}
    return _("since %(since)s, until %(until)s") % {"since": moment(since), "until": moment(until)}


def until_of(wait: Wait | None, token: int, state: State) -> datetime | None:
    """When the wait ends by itself: its own time, or the earliest timer that watches it."""
    moments = [wait.until] if wait and wait.until else []
    moments += [
        other.wait.until for other in state.tokens.values() if other.host == token and other.wait and other.wait.until
    ]  # fmt: skip
    return datetime.fromisoformat(min(moments, key=datetime.fromisoformat)) if moments else None


def url_of(run_id: int, token: int, helpers: Helpers) -> str:
    """The run that was called."""
    child = helpers.called.get((run_id, token))
    return instance_url(child) if child else ""


def moment(at: datetime) -> str:
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")
