"""A process writes to nobody who asked not to be written to."""

import pytest
from django.core import mail

from bpm.control import retry_step
from bpm.models import NodeRun, ProcessInstance
from bpm.triggers import start_run
from counterparties.consents import address_refuses, record_consent
from tests.factories.bpm import chain, diagram, make_version, service_task
from tests.factories.counterparties import make_contact
from tests.factories.leads import make_lead

LETTER = service_task("Write", "send_email", to="record", subject="Hello", text="Text")
CAUGHT = (
    '<bpmn:boundaryEvent id="Optout" attachedToRef="Write"><bpmn:errorEventDefinition errorRef="E" />'
    '</bpmn:boundaryEvent><bpmn:endEvent id="End_silent" />'
    '<bpmn:sequenceFlow id="silent" sourceRef="Optout" targetRef="End_silent" />'
)
EMAILS = [{"label": "work", "email": "Jan@Alfa.example"}, {"label": "home", "email": "jan@home.example"}]


def make_process(by, kind, *, caught=""):
    data = diagram(chain(LETTER) + caught).replace(b"deals.deal", kind.encode())
    code = b'<bpmn:error id="E" errorCode="opted_out" /><bpmn:process id='
    return make_version(by, data.replace(b"<bpmn:process id=", code)).definition


def say(contact, state, by):
    record_consent(contact=contact, channel="email", state=state, source="phone call", by=by)


@pytest.fixture
def contact(rep):
    return make_contact(rep, emails=EMAILS)


@pytest.fixture
def refused(contact, rep):
    say(contact, "refused", rep)
    return contact


def written():
    """To whom the process wrote; what the frame tells colleagues is left out."""
    return [letter.to for letter in mail.outbox if letter.subject == "Hello"]


def run_on(definition, record, by, run_jobs):
    start_run(definition=definition, record=record, by=by)
    while run_jobs():
        pass
    return ProcessInstance.objects.get()


def test_without_a_word_the_letter_goes(contact, admin_user, rep, run_jobs):
    run = run_on(make_process(admin_user, "counterparties.contact"), contact, rep, run_jobs)
    assert (run.status, written()) == ("completed", [["jan@alfa.example"]])


def test_who_opted_out_gets_none_and_the_run_is_held_by_name(refused, admin_user, rep, run_jobs):
    run = run_on(make_process(admin_user, "counterparties.contact"), refused, rep, run_jobs)
    visit = NodeRun.objects.get(node="Write")
    assert (run.status, visit.code, written()) == ("incident", "opted_out", [])
    assert "does not wish to get e-mails" in str(visit.reason)
    say(refused, "given", rep)
    retry_step(instance=run, token=visit.token, by=admin_user)
    while run_jobs():
        pass
    run.refresh_from_db()
    assert (run.status, len(written())) == ("completed", 1)


def test_an_error_event_of_that_name_takes_it(refused, admin_user, rep, run_jobs):
    definition = make_process(admin_user, "counterparties.contact", caught=CAUGHT)
    run = run_on(definition, refused, rep, run_jobs)
    assert (run.status, run.state["ends"], written()) == ("completed", ["End_silent"], [])


def test_the_address_counts_on_whatever_card_it_stands(refused, admin_user, rep, run_jobs):
    lead = make_lead(rep, email="JAN@home.example")
    run = run_on(make_process(admin_user, "leads.lead"), lead, rep, run_jobs)
    assert (run.status, written()) == ("incident", [])


def test_which_addresses_refuse(refused, rep):
    other = make_contact(rep, last_name="Other", emails=[{"label": "work", "email": "other@alfa.example"}])
    say(other, "given", rep)
    asked = ["jan@alfa.example", "JAN@HOME.example", "other@alfa.example", "nobody@alfa.example", ""]
    assert [address_refuses("email", address) for address in asked] == [True, True, False, False, False]
    assert address_refuses("post", "jan@alfa.example") is False
