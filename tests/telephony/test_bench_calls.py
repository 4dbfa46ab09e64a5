"""The measuring of many calls: what it posts is taken, and it notices what is missing."""

import pytest

from telephony.management.commands.bench_calls import Answer, _address, _stored, signed_posts
from telephony.models import CallEvent
from tests.factories.telephony import make_connection

pytestmark = pytest.mark.django_db


def test_whole_calls_are_posted_and_what_is_missing_is_noticed(client, admin_user, rep):
    exchange = make_connection(admin_user, [rep])
    posts = signed_posts(exchange, rate=20, seconds=1, calls=3)
    assert [post.at for post in posts] == sorted(post.at for post in posts)
    answers = []
    for post in posts:
        answer = client.post(_address(exchange), post.raw, "application/json", headers=post.headers)
        answers.append(Answer(post, answer.status_code, 0.0, 0.0))
    found = _stored(exchange, answers)
    assert found["events"] == len({post.key for post in posts}) >= 20
    assert (found["lost"], found["doubled"], found["unfinished"]) == (0, 0, 0)
    CallEvent.objects.filter(key=posts[-1].key).delete()
    assert _stored(exchange, answers)["lost"] == 1
