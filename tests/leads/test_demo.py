"""The demo's leads and counterparties."""

from collections import Counter
from datetime import date

from counterparties import demo as counterparties_demo
from counterparties.models import Contact, Counterparty
from crm.people.models import User
from crm.web.demo import Demo
from leads import demo as leads_demo
from leads.models import Lead


def test_every_status_and_every_owner(company):
    demo = Demo(
        scale="small", today=date.today(), users={user.username: user for user in User.objects.all()}, say=str
    )
    for step in (counterparties_demo.load, leads_demo.dictionaries, leads_demo.load):
        step(demo)
    counts = Counter(Lead.objects.values_list("status", flat=True))
    assert counts == dict(leads_demo.STATUSES)
    owners = set(Lead.objects.values_list("owner__username", flat=True))
    assert (
        owners
        == set(Counterparty.objects.values_list("owner__username", flat=True))
        == {"rep", "teammate", "head", "outsider"}
    )
    assert Counterparty.objects.count() == 40
    assert Contact.objects.count() > 50
