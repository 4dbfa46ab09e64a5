"""How calls are answered: per person and per hour, of what the reader may see, in the same queries for many calls."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from telephony.missed import settle
from telephony.models import Call, State
from telephony.statistics import read_statistics
from tests.factories.telephony import make_connection, play_flow

pytestmark = pytest.mark.django_db
URL = reverse("telephony:statistics")


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


@pytest.fixture
def at():
    """A moment of today, in the reader's zone."""
    today = timezone.localdate()
    return lambda hour: timezone.make_aware(datetime(today.year, today.month, today.day, hour))


def test_figures_by_person_and_hour_and_only_of_calls_that_one_sees(
    connection, rep, teammate, head, outsider, at, signed_in
):
    play_flow(connection, "incoming_answered", call="a", start=at(9))
    play_flow(connection, "ring_group", call="b", start=at(9) + timedelta(minutes=30))
    missed = play_flow(connection, "incoming_missed", call="c", client="+48601000001", start=at(14))
    play_flow(connection, "incoming_missed", call="d", client="+48601000002", start=at(14))
    play_flow(connection, "outgoing_answered", call="e", client="+48601000001", start=at(15))
    settle(missed.pk)
    found = read_statistics(head, "today")
    mine, other = (
        next(line.figures for line in found.people if line.person == who) for who in (rep, teammate)
    )
    assert (mine.answered, mine.missed, mine.returned, mine.reached, mine.returned_share) == (1, 2, 1, 1, 50)
    assert (mine.talk, round(mine.wait), other.answered, other.missed) == (120, 8, 1, 0)
    hours = {line.hour: (line.figures.answered, line.figures.missed) for line in found.hours if line.incoming}
    assert (hours, found.busiest.incoming) == ({9: (2, 0), 14: (0, 2)}, 2)
    assert (found.whole.answered, found.whole.missed) == (2, 2)
    assert read_statistics(head, "today", teammate.pk).whole.missed == 0
    assert read_statistics(outsider, "today").people == []
    assert read_statistics(head, "yesterday").people == []
    client = signed_in(head)
    page = client.get(URL, {"period": "today", "person": rep.pk}).content.decode()
    assert "Most calls come at" in page and "14:00 – answered 0, missed 2" in page
    calls = client.get(
        reverse("telephony:call_list"),
        {
            "tab": "all",
            "f": [f"owner:any:{rep.pk}", "hour:any:14", "started_at:period:today", "direction:any:in"],
        },
    )
    assert {row.provider_id for row in calls.context["list"].page} == {"c", "d"}
    assert client.get(URL, {"period": "x" * 50, "person": "٣"}).status_code == 200


def test_the_same_queries_for_one_call_and_for_many(
    connection, rep, teammate, signed_in, django_assert_max_num_queries
):
    play_flow(connection, "incoming_answered", start=timezone.now())
    client = signed_in(rep)
    client.get(URL)
    with django_assert_max_num_queries(10) as few:
        client.get(URL)
    now = timezone.now()
    Call.objects.bulk_create(
        Call(
            connection=connection, provider_id=f"m{place}", direction="in", state=State.ENDED, result="no_answer",
            started_at=now, ended_at=now, owner=(rep, teammate)[place % 2],
        )
        for place in range(50)
    )  # fmt: skip
    with django_assert_max_num_queries(len(few)):
        client.get(URL)
