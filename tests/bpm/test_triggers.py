"""Processes started on a card outside the gates of stages."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from bpm.models import InstanceStatus, ProcessInstance, UserTask
from bpm.triggers import start_run
from tests.factories.bpm import chain, diagram, make_version, user_task
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead


@pytest.fixture
def definition(admin_user):
    return make_version(admin_user, diagram(chain(user_task("Ask")))).definition


def test_a_run_starts_with_the_next_worker_and_asks_its_starter(definition, rep, run_jobs):
    run = start_run(definition=definition, record=make_deal(rep), by=rep, variables={"limit": 5})
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.started_by, run.variables["limit"]) == (InstanceStatus.WAITING, rep, 5)
    assert UserTask.objects.get().assignee == rep


def test_the_same_key_starts_once(definition, rep, run_jobs):
    deal = make_deal(rep)
    first = start_run(definition=definition, record=deal, by=rep, start_key="won:1")
    assert start_run(definition=definition, record=deal, by=rep, start_key="won:1") == first
    run_jobs()
    assert (ProcessInstance.objects.count(), UserTask.objects.count()) == (1, 1)


def test_refused_on_another_s_card_another_kind_and_when_out_of_use(definition, rep, outsider):
    deal = make_deal(rep)
    with pytest.raises(PermissionDenied):
        start_run(definition=definition, record=deal, by=outsider)
    with pytest.raises(ValidationError):
        start_run(definition=definition, record=make_lead(rep), by=rep)
    definition.is_active = False
    with pytest.raises(ValidationError):
        start_run(definition=definition, record=deal, by=rep)
    assert ProcessInstance.objects.count() == 0
