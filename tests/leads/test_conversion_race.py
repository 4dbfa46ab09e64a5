"""Two conversions of one lead at the same moment."""

import threading

import pytest
from django.db import connection, connections

from counterparties.models import Counterparty
from leads.services import convert_lead
from tests.factories.counterparties import make_type
from tests.factories.leads import make_lead


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="an in-memory SQLite has one connection")
def test_the_second_waits_and_gets_what_the_first_made(rep):
    lead, kind, start, made = make_lead(rep), make_type(), threading.Barrier(2), []

    def convert():
        try:
            start.wait(timeout=10)
            made.append(convert_lead(lead=type(lead).objects.get(pk=lead.pk), by=rep, counterparty_type=kind))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=convert) for _thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(result.is_new for result in made) == [False, True]
    assert {result.counterparty for result in made} == {Counterparty.objects.get()}
