"""Jobs of the runs: each takes one step, in the transaction that completes the job."""

from __future__ import annotations

from collections import Counter

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop

from bpm import control, deadlines, exchange, gates, reminding, retrying, runner, schedules, triggers, working
from bpm.effects import CALL, FAIL, STEP, TIMER
from bpm.engine.events import (
    Continue,
    Escalated,
    JobDone,
    JobFailed,
    MessageReceived,
    SignalReceived,
    StaleEventError,
    TimerDue,
)
from bpm.engine.values import decode
from bpm.receivers import HOLD
from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.notify.services import notify


@handler(gates.START, atomic=True)
def start_instance(run: JobRun) -> None:
    runner.begin(instance_id=run.args["instance"], carry_on=working.carry_on, job=run.job)


@handler(runner.CONTINUE, atomic=True)
def continue_instance(run: JobRun) -> None:
    _advance(run, Continue())


@handler(TIMER, atomic=True)
def ring_timer(run: JobRun) -> None:
    _advance(run, TimerDue(run.args["token"]))


@handler(deadlines.JOB, atomic=True)
def tell_deadline(run: JobRun) -> None:
    """A task is due soon, due now or overdue."""
    args = run.args
    reminding.tell(task_id=args["task"], due=args["due"], steps=args["steps"], job=run.job)


@handler(STEP, atomic=True)
def carry_out_step(run: JobRun) -> None:
    """An operation on our own tables: its effect and the step's completion commit together."""
    args = run.args
    working.carry_out(instance_id=args["instance"], token=args["token"], call=args, job=run.job)


@handler(CALL, external=True)
def call_outside(run: JobRun) -> None:
    """An operation that leaves our tables: called first, recorded after; a crash between leaves it doubtful."""
    args = run.args
    working.call_out(instance_id=args["instance"], token=args["token"], call=args, job=run.job)


@handler(working.DONE, atomic=True)
def take_result(run: JobRun) -> None:
    _advance(run, JobDone(run.args["token"], decode(run.args["values"])))


@handler(FAIL, atomic=True)
def fail_step(run: JobRun) -> None:
    _advance(run, JobFailed(run.args["token"], run.args["code"], run.args["message"]))


@handler(HOLD, atomic=True)
def hold_instance(run: JobRun) -> None:
    control.mark_held(instance_id=run.args["instance"], message=run.args["message"], job=run.job)


@handler(gates.CANCEL, atomic=True)
def cancel_instance(run: JobRun) -> None:
    control.call_off(instance_id=run.args["instance"], by=run.by)


@handler(exchange.MESSAGE, atomic=True)
def deliver_message(run: JobRun) -> None:
    """Gives the message to whoever waits for it, however often its first choice has just gone on without it."""
    args = run.args
    while found := exchange.receiver_of(args["name"], args["key"], args["record_kind"], args["record_id"]):
        try:
            event = MessageReceived(found.token, decode(args["values"]))
            runner.advance_instance(
                instance_id=found.instance_id, event=event, carry_on=working.carry_on, job=run.job
            )
            return
        except StaleEventError:
            found.delete()
    named = {name: args[name] for name in ("name", "record_kind", "record_id", "values", "source")}
    if not triggers.start_by_message(**named):
        exchange.wait_for_receiver(args)


@handler(triggers.OCCURRED, atomic=True)
def start_on(run: JobRun) -> None:
    """Something happened to a record that may start processes."""
    args = run.args
    triggers.start_on(
        on=args["on"], kind=args["kind"], record_id=args["record"], by_id=args["by"], cause_id=args["cause"],
        key=args["key"], values=args.get("values"),
    )  # fmt: skip


@handler(schedules.CLOCK)
def ring_schedules(run: JobRun) -> dict:
    """Gives every schedule that is due to a job of its own, and waits for the next."""
    rung = 0
    while True:
        with run.slice():
            if not schedules.ring(timezone.now()):
                schedules.watch()
                return {"rung": rung}
        rung += 1


@handler(schedules.FIRE)
def fire_schedule(run: JobRun) -> dict:
    """Starts the runs of one firing, a batch in each slice."""
    at = {"after": 0, "started": 0, "over": False} | run.checkpoint
    while not at["over"]:
        with run.slice():
            at = schedules.start_batch(run.args["trigger"], run.args["due"], at["after"], at["started"])
            run.save(checkpoint=at, done=at["started"])
    return {"started": at["started"]}


@handler(exchange.SIGNAL, atomic=True)
def broadcast_signal(run: JobRun) -> None:
    exchange.broadcast(name=run.args["name"], values=run.args["values"], source=run.args["source"])


@handler(exchange.HEAR, atomic=True)
def hear_signal(run: JobRun) -> None:
    _advance(run, SignalReceived(run.args["name"], decode(run.args["values"])))


@handler(exchange.TELL, atomic=True)
def tell_run(run: JobRun) -> None:
    """A fact of the CRM reaches a run that waited for it; one that has gone on meanwhile does not need it."""
    _advance(run, MessageReceived(run.args["token"], decode(run.args["values"])))


@handler(exchange.ESCALATE, atomic=True)
def raise_escalation(run: JobRun) -> None:
    _advance(run, Escalated(run.args["token"], run.args["code"]))


@handler(exchange.RETURN, atomic=True)
def return_to_caller(run: JobRun) -> None:
    """A called process has ended; its caller goes on, if it still waits for it."""
    args = run.args
    _advance(run, exchange.returned(args["child"], args["token"], args["code"]))


@handler(retrying.RETRY_HELD, long=True)
def retry_held(run: JobRun) -> dict:
    """Tries held runs again; who asked for it hears what became of them."""
    result = retrying.work_through(run)
    went_on = Counter(outcome for _pk, outcome in result["items"])[retrying.WENT_ON]
    notify(
        user=run.by, kind="bpm.retried", text=gettext_noop("Held runs tried again: %(done)s of %(all)s go on"),
        params={"done": went_on, "all": len(result["items"])}, url=reverse("bpm:retry_detail", args=[run.job.pk]),
    )  # fmt: skip
    return result


def _advance(run: JobRun, event) -> None:
    """A repeated delivery finds its event stale and ends here."""
    try:
        runner.advance_instance(
            instance_id=run.args["instance"], event=event, carry_on=working.carry_on, job=run.job
        )
    except StaleEventError:
        return
