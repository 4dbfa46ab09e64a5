"""The simulator plays whole calls through the real hook: from its page, and from the command line."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from telephony.models import Call, Connection
from tests.factories.telephony import KNOWN, events_of, make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


def test_an_administrator_plays_a_call(connection, admin_user, rep, signed_in, run_jobs):
    client = signed_in(admin_user)
    phone = connection.extensions.get(user=rep).pk
    data = {"flow": "incoming_answered", "phone": phone, "number": KNOWN, "speed": "20"}
    answer = client.post(reverse("telephony:simulator"), data)
    assert answer.status_code == 302
    run_jobs()
    call = Call.objects.get()
    assert (call.result, call.owner, call.number) == ("answered", rep, KNOWN)
    assert "7 / 7" in client.get(answer["Location"]).content.decode()


def test_a_simulated_exchange_is_made_once(admin_user, signed_in):
    client = signed_in(admin_user)
    assert "no simulated exchange" in client.get(reverse("telephony:simulator")).content.decode()
    for _ in range(2):
        client.post(reverse("telephony:simulator_create"))
    assert Connection.objects.get().extensions.get().user == admin_user


def test_it_is_for_administrators(connection, rep, signed_in):
    assert signed_in(rep).get(reverse("telephony:simulator")).status_code == 403


def command(*words) -> str:
    out = io.StringIO()
    call_command("telephony", *words, stdout=out)
    return out.getvalue()


def test_a_flow_is_played_from_the_command_line(connection, rep):
    told = command("simulate", "ring_group", "--speed", "1000", "--user", "rep", "--client", KNOWN)
    assert told.count("\n") == 10
    assert Call.objects.get().number == KNOWN


def test_a_file_of_events_is_replayed_in_any_order(connection, tmp_path):
    path = tmp_path / "calls.jsonl"
    events = [*events_of("blind_transfer"), *events_of("incoming_missed", call="c-2")]
    path.write_text("\n".join(json.dumps(event) for event in reversed(events)))
    wanted = [
        {
            "call_id": "c-2", "direction": "in", "client": KNOWN, "our_number": "+48221234567", "result": "no_answer",
            "handled_by": [], "ring_s": 26, "talk_s": 0, "legs": 2, "missed_task": True,
        },
        {
            "call_id": "c-1", "direction": "in", "client": KNOWN, "our_number": "+48221234567", "result": "answered",
            "handled_by": ["101", "102"], "ring_s": 5, "talk_s": 95, "legs": 3, "missed_task": False,
        },
    ]  # fmt: skip
    assert json.loads(command("replay", str(path))) == {"calls": wanted}
    assert json.loads(command("replay", str(path))) == {"calls": wanted}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"events": [{}]}', "7"])
def test_a_file_that_cannot_be_read_takes_in_nothing(connection, tmp_path, text):
    path = tmp_path / "calls.json"
    path.write_text(text)
    with pytest.raises(CommandError):
        command("replay", str(path))
    assert not Call.objects.exists()
