"""Two people give the same value of a unique attribute at the same moment: one has it, the other is told."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from counterparties.models import Counterparty
from counterparties.services import create_counterparty
from crm.attributes.models import AttributeValue
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_type

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="SQLite's test database lives in memory: one connection cannot wait for another",
)


@pytest.mark.django_db(transaction=True)
def test_a_unique_value_goes_to_one_of_two(rep, head):
    attribute = make_attribute("badge", unique=True)
    company_type = make_type()
    barrier, refused, broken = threading.Barrier(2), [], []

    def create(by, number):
        try:
            barrier.wait(timeout=30)
            create_counterparty(
                counterparty_type=company_type,
                values={"name": f"Firm {by.pk} {number}"},
                attributes={"badge": f"No. {number}"},
                by=by,
            )
        except ValidationError as error:
            refused.append((number, list(error.message_dict)))
        except Exception as error:
            broken.append(error)
        finally:
            connection.close()

    for number in range(8):
        people = [threading.Thread(target=create, args=(by, number)) for by in (rep, head)]
        for person in people:
            person.start()
        for person in people:
            person.join()
    assert broken == []
    assert sorted(number for number, _fields in refused) == list(range(8))
    assert Counterparty.objects.filter(name__startswith="Firm").count() == 8
    assert AttributeValue.objects.filter(attribute=attribute).count() == 8
