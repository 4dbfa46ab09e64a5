"""Jobs of the runs: each takes one step, in the transaction that completes the job."""

from __future__ import annotations

from bpm import control, gates, runner, working
from bpm.effects import CALL, STEP, TIMER
from bpm.engine.events import Continue, JobFailed, StaleEventError, TimerDue
from bpm.receivers import FAIL, HOLD
from crm.jobs.registry import handler
from crm.jobs.run import JobRun


@handler(gates.START, atomic=True)
def start_instance(run: JobRun) -> None:
    runner.begin(instance_id=run.args["instance"])


@handler(runner.CONTINUE, atomic=True)
def continue_instance(run: JobRun) -> None:
    _advance(run, Continue())


@handler(TIMER, atomic=True)
def ring_timer(run: JobRun) -> None:
    _advance(run, TimerDue(run.args["token"]))


@handler(STEP, atomic=True)
def carry_out_step(run: JobRun) -> None:
    """An operation on our own tables: its effect and the step's completion commit together."""
    working.carry_out(instance_id=run.args["instance"], token=run.args["token"], call=run.args)


@handler(CALL, external=True)
def call_outside(run: JobRun) -> None:
    """An operation that leaves our tables: called first, recorded after; a crash between leaves it doubtful."""
    working.call_out(
        instance_id=run.args["instance"], token=run.args["token"], call=run.args, uid=str(run.job.uid)
    )


@handler(FAIL, atomic=True)
def fail_step(run: JobRun) -> None:
    _advance(run, JobFailed(run.args["token"], run.args["code"], run.args["message"]))


@handler(HOLD, atomic=True)
def hold_instance(run: JobRun) -> None:
    control.mark_held(instance_id=run.args["instance"], message=run.args["message"])


@handler(gates.CANCEL, atomic=True)
def cancel_instance(run: JobRun) -> None:
    control.call_off(instance_id=run.args["instance"], by=run.by)


def _advance(run: JobRun, event) -> None:
    """A repeated delivery finds its event stale and ends here."""
    try:
        runner.advance_instance(instance_id=run.args["instance"], event=event)
    except StaleEventError:
        return
