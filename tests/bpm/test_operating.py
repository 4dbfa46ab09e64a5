"""What operators do with runs beside retrying and skipping: suspend, move, change variables, retry many at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from bpm import control, runner, variables
from bpm.exchange import broadcast
from bpm.inbox import TaskClosed, complete_task
from bpm.models import InstanceStatus, NodeRun, NodeStatus, ProcessInstance
from crm.history.models import Event
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.notify.models import Notification
from crm.operations.registry import Operation, register_operation
from deals.models import Deal
from deals.services import withdraw_request
from tests.factories.bpm import chain, make_gate, make_waiting, service_task, user_task

PAUSE = (
    '<bpmn:intermediateCatchEvent id="{key}"><bpmn:timerEventDefinition><bpmn:timeDuration>{time}</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
)


def soon():
    return timezone.now() + timedelta(seconds=1)


def fresh(run):
    return ProcessInstance.objects.select_related("version").get(pk=run.pk)


def place(run, node):
    return NodeRun.objects.get(instance=run, node=node, ended_at=None)


def deeds(run):
    return list(run.events.filter(kind__in=("suspended", "resumed", "moved", "variable_set", "retried", "skipped"))
                .values_list("kind", flat=True))  # fmt: skip


@pytest.fixture
def run(admin_user, rep):
    """Waits for its first task, `Ask`; then for `Check`."""
    make_gate(admin_user, chain(user_task("Ask"), user_task("Check")))
    return make_waiting(rep)


@pytest.fixture
def held(admin_user, rep):
    make_gate(admin_user, chain(user_task("Ask", assignee="nobody")))
    return make_waiting(rep)


# Suspending


def test_a_suspended_run_takes_no_answer_and_says_so(run, rep, head):
    control.suspend_instance(instance=run, reason="Wrong price.", by=head)
    with pytest.raises(TaskClosed, match="suspended"):
        complete_task(task=run.tasks.get(), by=rep)
    run.request.refresh_from_db()
    assert (fresh(run).status, run.request.waits[0]["label"]) == (InstanceStatus.SUSPENDED, "suspended")
    control.resume_instance(instance=run, by=head)
    complete_task(task=run.tasks.get(), by=rep)
    assert run.tasks.open().get().node_run.node == "Check"
    told = Event.objects.filter(kind__startswith="process_").order_by("pk")
    kinds = list(told.values_list("kind", "actor__username"))
    assert [each for each in kinds if each[0] in ("process_suspended", "process_resumed")] == [
        ("process_suspended", head.username), ("process_resumed", head.username),
    ]  # fmt: skip


def test_a_timer_that_comes_due_meanwhile_waits_and_then_counts(admin_user, rep, head, run_jobs):
    make_gate(admin_user, chain(PAUSE.format(key="T", time="PT1H"), user_task("Ask")))
    run = make_waiting(rep)
    control.suspend_instance(instance=run, reason="Holiday.", by=head)
    run_jobs(now=timezone.now() + timedelta(hours=2))
    assert (fresh(run).status, len(fresh(run).parked)) == (InstanceStatus.SUSPENDED, 1)
    assert Job.objects.get(kind="bpm.timer").status == Job.Status.DONE
    control.resume_instance(instance=run, by=head)
    assert fresh(run).parked == []
    run_jobs(now=soon())
    assert (fresh(run).status, run.tasks.open().count()) == (InstanceStatus.WAITING, 1)


def test_what_comes_meanwhile_is_taken_in_the_order_in_which_it_came(admin_user, rep, head, run_jobs):
    make_gate(admin_user, chain(user_task("Ask")))
    run = make_waiting(rep)
    control.suspend_instance(instance=run, reason="Later.", by=head)
    for number in range(3):
        enqueue(
            kind="bpm.hear",
            key=f"{run.pk}:{number}",
            args={"instance": run.pk, "name": str(number), "values": {}},
        )
        run_jobs(now=soon())
    assert [each["args"]["name"] for each in fresh(run).parked] == ["0", "1", "2"]
    control.resume_instance(instance=run, by=head)
    jobs = Job.objects.filter(kind="bpm.hear", status=Job.Status.DUE).order_by("priority", "run_at", "pk")
    assert [job.arguments["name"] for job in jobs] == ["0", "1", "2"]


def test_a_run_suspended_before_it_began_begins_when_it_is_resumed(admin_user, rep, head, run_jobs):
    make_gate(admin_user, chain(user_task("Ask")))
    run = make_waiting(rep)
    ProcessInstance.objects.filter(pk=run.pk).update(state={}, rev=0, log_length=0)
    run.node_runs.all().delete()
    run.events.all().delete()
    control.suspend_instance(instance=fresh(run), reason="Not yet.", by=head)
    run_jobs(now=soon())
    assert (fresh(run).rev, len(fresh(run).parked)) == (0, 1)
    control.resume_instance(instance=run, by=head)
    run_jobs(now=soon())
    assert fresh(run).status == InstanceStatus.WAITING


def test_an_operation_waits_and_what_another_server_said_is_not_lost(admin_user, rep, head, run_jobs):
    calls = []

    def send(context):
        calls.append(context.key)
        if len(calls) == 1:
            control.suspend_instance(instance=fresh(run), reason="While it was sent.", by=head)
        return {}

    register_operation(Operation("test.post", "Post", send, external=True))
    make_gate(admin_user, chain(service_task("Post", "test.post"), service_task("Again", "test.post")))
    run = make_waiting(rep)
    run_jobs(now=soon())
    assert ([each["kind"] for each in fresh(run).parked], len(calls)) == (["bpm.done"], 1)
    control.resume_instance(instance=run, by=head)
    control.suspend_instance(instance=run, reason="Once more.", by=head)
    run_jobs(now=soon())
    control.resume_instance(instance=run, by=head)
    run_jobs(now=soon())
    assert (len(calls), fresh(run).status) == (2, InstanceStatus.COMPLETED)


def test_only_once_and_only_while_it_goes_on(run, head, rep):
    with pytest.raises(PermissionDenied):
        control.suspend_instance(instance=run, reason="x", by=rep)
    with pytest.raises(ValidationError, match="Say why"):
        control.suspend_instance(instance=run, reason=" ", by=head)
    with pytest.raises(ValidationError, match="not suspended"):
        control.resume_instance(instance=run, by=head)
    control.suspend_instance(instance=run, reason="x", by=head)
    with pytest.raises(ValidationError, match="already"):
        control.suspend_instance(instance=run, reason="x", by=head)
    control.cancel_instance(instance=run, reason="Enough.", by=head)
    assert (fresh(run).status, fresh(run).parked) == (InstanceStatus.CANCELLED, [])
    with pytest.raises(ValidationError, match="ended"):
        control.suspend_instance(instance=run, reason="x", by=head)


def test_a_move_taken_back_ends_a_suspended_run(run, rep, head, run_jobs):
    control.suspend_instance(instance=run, reason="x", by=head)
    withdraw_request(request=run.request, by=rep)
    run_jobs(now=soon())
    assert fresh(run).status == InstanceStatus.CANCELLED


def test_a_failed_step_shows_again_after_the_pause(held, head, run_jobs):
    control.suspend_instance(instance=held, reason="x", by=head)
    control.resume_instance(instance=held, by=head)
    assert fresh(held).status == InstanceStatus.INCIDENT


def test_a_signal_waits_with_the_run(admin_user, rep, head, run_jobs):
    inner = '<bpmn:signalEventDefinition signalRef="Go" />'
    make_gate(admin_user, chain(f'<bpmn:intermediateCatchEvent id="W">{inner}</bpmn:intermediateCatchEvent>'))
    run = make_waiting(rep)
    name = run.subscriptions.get().name
    control.suspend_instance(instance=run, reason="x", by=head)
    assert broadcast(name=name, values={}, source=None) == 1
    run_jobs(now=soon())
    assert fresh(run).is_suspended
    control.resume_instance(instance=run, by=head)
    run_jobs(now=soon())
    assert fresh(run).status == InstanceStatus.COMPLETED


# Moving


def test_a_step_is_moved_with_a_reason_on_record(run, head):
    token = place(run, "Ask").token
    assert [node.id for node in control.move_targets(run, token)] == ["Check", "End_ok"]
    control.move_step(instance=run, token=token, node="Check", reason="Asked by phone.", by=head)
    assert [(task.node_run.node, task.status) for task in run.tasks.order_by("pk")] == [
        ("Ask", "withdrawn"), ("Check", "open"),
    ]  # fmt: skip
    assert NodeRun.objects.get(instance=run, node="Ask").status == NodeStatus.CANCELLED
    event = run.events.get(kind="moved")
    assert (event.actor, event.node, event.data["to"], event.data["reason"]) == (
        head,
        "Ask",
        "Check",
        "Asked by phone.",
    )
    told = Event.objects.get(kind="process_moved")
    assert (told.payload["step"]["name"], told.payload["to"]["name"], told.payload["note"]) == (
        "Ask", "Check", "Asked by phone.",
    )  # fmt: skip


def test_the_second_of_two_operators_hears_who_was_quicker(run, head, admin_user):
    token = place(run, "Ask").token
    control.move_step(instance=run, token=token, node="Check", reason="x", by=head)
    with pytest.raises(ValidationError, match=f"{head} was quicker"):
        control.move_step(instance=run, token=token, node="End_ok", reason="y", by=admin_user)
    with pytest.raises(ValidationError, match=f"{head} was quicker"):
        control.skip_step(instance=run, token=token, reason="y", by=admin_user)
    assert run.events.filter(kind="moved").count() == 1


def test_a_move_that_would_strand_the_run_is_refused(run, rep, head):
    token = place(run, "Ask").token
    for node in ("Start", "Ask", "nowhere", ""):
        with pytest.raises(ValidationError, match="could not come to its end"):
            control.move_step(instance=run, token=token, node=node, reason="x", by=head)
    with pytest.raises(ValidationError, match="Say why"):
        control.move_step(instance=run, token=token, node="Check", reason="\x00 ", by=head)
    with pytest.raises(PermissionDenied):
        control.move_step(instance=run, token=token, node="Check", reason="x", by=rep)
    assert deeds(run) == []


def test_a_suspended_run_may_be_moved_and_stays_suspended(run, head):
    control.suspend_instance(instance=run, reason="x", by=head)
    control.move_step(instance=run, token=place(run, "Ask").token, node="Check", reason="x", by=head)
    assert (fresh(run).status, run.tasks.open().get().node_run.node) == (InstanceStatus.SUSPENDED, "Check")


# Variables


def change(run, by, name="price", value=5, was="", reason="Typed wrongly."):
    return variables.set_variable(instance=run, name=name, value=value, was=was, reason=reason, by=by)


def test_a_variable_is_added_changed_and_decides(admin_user, rep):
    ways = (
        '<bpmn:startEvent id="Start" /><bpmn:exclusiveGateway id="Big" /><bpmn:endEvent id="End_ok" />'
        '<bpmn:sequenceFlow id="f1" sourceRef="Start" targetRef="Big" />'
        '<bpmn:sequenceFlow id="f2" sourceRef="Big" targetRef="End_ok">'
        "<bpmn:conditionExpression>price &gt; 2</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )
    make_gate(admin_user, ways)
    run = make_waiting(rep)
    assert fresh(run).status == InstanceStatus.INCIDENT
    change(run, admin_user, value=1)
    change(run, admin_user, value=Decimal("2.5"), was="1")
    event = run.events.filter(kind="variable_set").last()
    assert (event.data["old"], event.data["new"], event.data["reason"]) == (
        1,
        {"$decimal": "2.5"},
        "Typed wrongly.",
    )
    control.retry_step(instance=run, token=place(run, "Big").token, by=admin_user)
    assert fresh(run).status == InstanceStatus.COMPLETED
    told = Event.objects.filter(kind="process_variable_set").last()
    assert (told.payload["variable"], "2.5" in str(told.payload)) == ("price", False)


def test_a_value_changed_meanwhile_is_not_overwritten(run, admin_user):
    change(run, admin_user, value="a")
    with pytest.raises(ValidationError, match="changed meanwhile; it is now: a"):
        change(run, admin_user, value="b", was="")
    with pytest.raises(ValidationError, match="not there"):
        change(run, admin_user, name="other", value="b", was='"x"')
    assert fresh(run).variables["price"] == "a"


def test_variables_are_changed_by_who_keeps_processes_and_may_operate(run, head, rep, admin_user):
    for user in (head, rep):
        with pytest.raises(PermissionDenied):
            change(run, user)
    with pytest.raises(ValidationError, match="fields of the card"):
        change(run, admin_user, name="deal")
    control.cancel_instance(instance=run, reason="x", by=admin_user)
    with pytest.raises(ValidationError, match="ended"):
        change(run, admin_user)
    assert "price" not in fresh(run).variables


FORM = {"name": "price", "reason": "x", "was": ""}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"kind": "text", "value": "two"}, "two"), ({"kind": "number", "value": "12"}, 12),
        ({"kind": "number", "value": "12.5"}, {"$decimal": "12.5"}),
        ({"kind": "date", "value": "2026-11-26"}, "2026-11-26"),
        ({"kind": "yes"}, True), ({"kind": "no"}, False), ({"kind": "nothing"}, None),
        ({"kind": "structure", "value": '[1, {"a": 2.5}]'}, [1, {"a": {"$decimal": "2.5"}}]),
    ],
)  # fmt: skip
def test_kinds_of_values_from_the_page(run, admin_user, signed_in, given, kept):
    url = reverse("bpm:instance_variable", args=[run.pk])
    assert signed_in(admin_user).post(url, FORM | given).status_code == 302
    assert fresh(run).variables["price"] == kept


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "number", "value": "9" * 400}, {"kind": "number", "value": "NaN"},
        {"kind": "date", "value": "tomorrow"},
        {"kind": "structure", "value": "[" * 5_000}, {"kind": "structure", "value": '{"$decimal": "NaN"}'},
        {"kind": "structure", "value": "[NaN]"}, {"kind": "structure", "value": '{"$decimal": []}'},
        {"kind": "structure", "value": "[" * 30 + "]" * 30}, {"kind": "structure", "value": "9" * 5_000},
        {"kind": "nonsense"}, {"kind": "text", "value": "a\x00b"}, {"kind": "text", "value": "x" * 20_001},
        {"kind": "yes", "name": "__proto__()"}, {"kind": "yes", "name": "a" * 101}, {"kind": "yes", "reason": ""},
        {"kind": "yes", "name": "deal"}, {"kind": "yes", "was": '"else"'},
    ],
)  # fmt: skip
def test_a_hostile_value_is_refused_and_nothing_is_written(run, admin_user, signed_in, given):
    url = reverse("bpm:instance_variable", args=[run.pk])
    assert signed_in(admin_user).post(url, FORM | given).status_code == 422
    assert (fresh(run).variables, fresh(run).rev) == (run.variables, run.rev)


def test_the_log_shows_values_only_to_who_keeps_processes(run, head, admin_user, signed_in):
    change(run, admin_user, value="secret")
    url = reverse("bpm:instance_detail", args=[run.pk])
    assert "secret" in signed_in(admin_user).get(url).text
    page = signed_in(head).get(url).text
    assert "secret" not in page and "Typed wrongly." in page


# The pages


def test_an_operator_works_from_the_page(run, head, rep, signed_in, django_assert_max_num_queries):
    token = place(run, "Ask").token
    move = reverse("bpm:instance_move", args=[run.pk, token])
    assert (signed_in(rep).get(move).status_code, signed_in(rep).post(move, {}).status_code) == (403, 403)
    client = signed_in(head)
    assert client.post(move, {"node": "Check"}).status_code == 422
    assert client.post(move, {"node": "Start", "reason": "x"}).status_code == 422
    with django_assert_max_num_queries(15):
        assert client.get(move).status_code == 200
    assert client.post(move, {"node": "Check", "reason": "By phone."}).status_code == 302
    assert client.post(move, {"node": "Check", "reason": "By phone."}).status_code == 422
    client.post(reverse("bpm:instance_suspension", args=[run.pk]), {"reason": "Until Monday."})
    with django_assert_max_num_queries(15):
        page = client.get(reverse("bpm:instance_detail", args=[run.pk]))
    assert "Until Monday." in page.context["suspended"]
    listed = client.get(reverse("bpm:instance_list"), {"show": "suspended"}).context["rows"]
    assert [row.instance.pk for row in listed] == [run.pk]
    client.post(reverse("bpm:instance_resumption", args=[run.pk]))
    assert (fresh(run).status, deeds(run)) == (InstanceStatus.WAITING, ["moved", "suspended", "resumed"])


def test_the_variables_are_changed_from_the_page(
    run, admin_user, head, signed_in, django_assert_max_num_queries
):
    url = reverse("bpm:instance_variable", args=[run.pk])
    assert signed_in(head).get(url).status_code == 403
    client = signed_in(admin_user)
    with django_assert_max_num_queries(15):
        form = client.get(url, {"name": "requester"}).context["form"]
    assert (form["value"].value(), form["was"].value()) == ("anna", '"anna"') or form[
        "kind"
    ].value() == "text"
    assert client.get(url, {"name": "no such"}).context["form"]["kind"].value() == "text"


# Many at once


@pytest.fixture
def many(admin_user, rep):
    """Three held runs of the rep's, for nobody can do their task."""
    make_gate(admin_user, chain(user_task("Ask", assignee="nobody")))
    first = make_waiting(rep)
    counterparty = Deal.objects.get().counterparty
    return [
        first,
        *(make_waiting(rep, name=f"Deal {number}", counterparty=counterparty) for number in (1, 2)),
    ]


def hire(rep):
    nobody = type(rep).objects.create_user("nobody", password="demo", department=rep.department)
    nobody.roles.set(rep.roles.all())


def test_held_runs_are_tried_again_by_a_job_that_says_what_became_of_each(
    many, rep, head, signed_in, run_jobs
):
    client, url = signed_in(head), reverse("bpm:retry_create")
    assert client.get(url).context["count"] == 3
    hire(rep)
    control.cancel_instance(instance=many[2], reason="x", by=head)
    Job.objects.all().delete()
    answer = client.post(url, {"cause": "nobody"})
    job = Job.objects.get(kind="bpm.retry_held")
    assert (answer.status_code, job.progress_total, job.by) == (302, 2, head)
    control.retry_step(instance=many[1], token=place(many[1], "Ask").token, by=head)
    run_jobs(now=soon())
    job.refresh_from_db()
    assert job.result["items"] == [[many[0].pk, "went_on"], [many[1].pk, "over"]]
    assert [fresh(run).status for run in many[:2]] == [InstanceStatus.WAITING] * 2
    page = client.get(answer["Location"])
    assert page.context["counts"] == [("going on", 1), ("not held up any more", 1)]
    assert Notification.objects.get(kind="bpm.retried").user == head
    assert signed_in(rep).get(answer["Location"]).status_code == 404


def test_what_is_held_again_is_not_called_a_success(many, head, signed_in, run_jobs):
    signed_in(head).post(reverse("bpm:retry_create"))
    run_jobs(now=soon())
    assert {outcome for _pk, outcome in Job.objects.get(kind="bpm.retry_held").result["items"]} == {"held"}


def test_one_that_breaks_does_not_stop_the_others(many, rep, head, signed_in, run_jobs, monkeypatch):
    hire(rep)
    real = control.retry_step

    def breaking(*, instance, token, by):
        if instance.pk == many[1].pk:
            raise RuntimeError("broken")
        return real(instance=instance, token=token, by=by)

    monkeypatch.setattr(control, "retry_step", breaking)
    signed_in(head).post(reverse("bpm:retry_create"))
    run_jobs(now=soon())
    items = dict(Job.objects.get(kind="bpm.retry_held").result["items"])
    assert [items[run.pk] for run in many] == ["went_on", "broke", "went_on"]


def test_filters_and_rights_of_the_bulk_retry(many, rep, head, outsider, signed_in):
    url = reverse("bpm:retry_create")
    assert (signed_in(rep).get(url).status_code, signed_in(rep).post(url).status_code) == (403, 403)
    client = signed_in(head)
    assert client.get(url, {"cause": "denied"}).context["count"] == 0
    assert client.post(url, {"cause": "denied"}).status_code == 422
    assert client.get(url, {"cause": "' OR 1=1", "process": "x"}).status_code == 200
    listed = client.get(reverse("bpm:instance_list"), {"show": "held", "cause": "nobody"})
    assert (len(listed.context["rows"]), listed.context["retry_query"]) == (3, "process=&cause=nobody")
    assert (
        len(client.get(reverse("bpm:instance_list"), {"show": "held", "cause": "time"}).context["rows"]) == 0
    )
    process = many[0].version.definition_id
    assert client.get(url, {"process": process}).context["count"] == 3
    assert not Job.objects.filter(kind="bpm.retry_held").exists()


def test_runs_in_which_one_may_not_step_in_are_left_out(admin_user, rep, head, signed_in, run_jobs):
    make_gate(admin_user, chain(user_task("Ask", assignee="nobody")))
    own = make_waiting(head)
    signed_in(head).post(reverse("bpm:retry_create"))
    run_jobs(now=soon())
    assert Job.objects.get(kind="bpm.retry_held").result["items"] == [[own.pk, "refused"]]


def test_a_job_that_failed_for_good_is_put_back_to_work(run, head, run_jobs, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(runner, "advance_instance", broken)
        job = enqueue(kind="bpm.timer", key=f"{run.pk}:99", args={"instance": run.pk, "token": 99})
        for hours in range(1, 6):
            run_jobs(now=timezone.now() + timedelta(hours=hours))
    run_jobs(now=timezone.now() + timedelta(hours=7))
    assert (fresh(run).status, Job.objects.get(pk=job.pk).status) == (
        InstanceStatus.INCIDENT,
        Job.Status.FAILED,
    )
    control.retry_instance(instance=run, by=head)
    run_jobs(now=timezone.now() + timedelta(hours=8))
    assert (fresh(run).status, Job.objects.get(pk=job.pk).status) == (InstanceStatus.WAITING, Job.Status.DONE)
