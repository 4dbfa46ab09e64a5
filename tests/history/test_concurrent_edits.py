"""Two people edit the same record at the same moment, again and again: no edit is lost."""

import itertools
import threading

import pytest
from django.db import connection

from crm.history.editing import EditConflict
from crm.history.models import Change
from leads.models import Lead
from leads.services import edit_lead
from tests.factories.leads import make_lead

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="SQLite's test database lives in memory: one connection cannot wait for another",
)


class Person(threading.Thread):
    """Edits one field of its own in every round; every tenth round both edit the same field from the same version."""

    def __init__(self, pk, field, by, rounds, barrier):
        super().__init__()
        self.pk, self.field, self.by, self.rounds, self.barrier = pk, field, by, rounds, barrier
        self.conflicts, self.wrong = [], []

    def run(self):
        try:
            for number in range(self.rounds):
                lead = Lead.objects.get(pk=self.pk)
                self.barrier.wait(timeout=30)
                self.edit(lead, number)
                self.barrier.wait(timeout=30)
        except Exception as error:
            self.wrong.append(error)
            self.barrier.abort()
        finally:
            connection.close()

    def edit(self, lead, number):
        values = {self.field: f"{self.field} {number}"}
        if number % 10 == 0:
            values = {"note": f"{self.field} {number}"}
        try:
            edit_lead(lead=lead, values=values, version=lead.version, by=self.by)
        except EditConflict:
            self.conflicts.append(number)


@pytest.mark.parametrize(
    "rounds", [pytest.param(500, id="500"), pytest.param(10_000, id="10000", marks=pytest.mark.slow)]
)
@pytest.mark.django_db(transaction=True)
def test_no_edit_is_lost(rep, head, rounds, request):
    if rounds > 500 and "slow" not in request.config.option.markexpr:
        pytest.skip("ten thousand pairs run with -m slow")
    lead = make_lead(rep)
    barrier = threading.Barrier(2)
    people = [
        Person(lead.pk, "city", rep, rounds, barrier),
        Person(lead.pk, "position", head, rounds, barrier),
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.wrong for person in people] == [[], []]
    same = set(range(0, rounds, 10))
    first, second = (set(person.conflicts) for person in people)
    assert first | second == same
    assert not first & second
    edits = 2 * (rounds - len(same)) + len(same)
    stored = Lead.objects.get()
    assert stored.version == 1 + edits
    assert (stored.city, stored.position) == (f"city {rounds - 1}", f"position {rounds - 1}")
    changes = Change.objects.filter(event__kind="lead_changed")
    assert changes.count() == edits
    versions = list(changes.order_by("event__version").values_list("event__version", flat=True))
    assert versions == list(range(2, edits + 2))
    for field, person in zip(("city", "position"), people, strict=True):
        olds = list(changes.filter(field=field).order_by("event__version").values_list("old", "new"))
        assert all(before[1] == after[0] for before, after in itertools.pairwise(olds)), person.field
