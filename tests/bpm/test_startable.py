"""Which processes cards of a type offer: all, until an administrator chooses some."""

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.urls import reverse

from bpm.models import ProcessInstance, StartableProcess
from bpm.trigger_rules import add_trigger
from bpm.triggers import offered_on, start_by_hand
from counterparties.retyping import change_type
from tests.factories.bpm import chain, diagram, make_version, user_task
from tests.factories.counterparties import make_counterparty, make_type
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def processes(admin_user):
    """Two published processes on counterparties that start by hand: (definition, trigger) by key."""
    found = {}
    for key in ("audit", "visit"):
        data = diagram(chain(user_task("Go")), key=key).replace(b"deals.deal", b"counterparties.counterparty")
        definition = make_version(admin_user, data).definition
        found[key] = definition, add_trigger(definition=definition, kind="hand", by=admin_user)
    return found


def keys(record, user) -> list[str]:
    return sorted(trigger.definition.key for trigger in offered_on(record, user))


def choose(definition, type_key: str = "company") -> None:
    StartableProcess.objects.create(counterparty_type=make_type(type_key), definition=definition)


def test_nothing_chosen_offers_all(rep, processes):
    assert keys(make_counterparty(rep), rep) == ["audit", "visit"]


def test_a_type_offers_what_was_chosen_for_it(rep, processes, signed_in):
    company, person = make_counterparty(rep), make_counterparty(rep, name="Jan", type_key="person")
    choose(processes["visit"][0])
    assert (keys(company, rep), keys(person, rep)) == (["visit"], ["audit", "visit"])
    page = reverse("bpm:run_offers", args=["counterparties.counterparty", company.pk])
    offered = signed_in(rep).get(page).content.decode()
    starts = {
        key: reverse("bpm:run_start", args=["counterparties.counterparty", company.pk, trigger.pk])
        for key, (_definition, trigger) in processes.items()
    }
    assert starts["visit"] in offered and starts["audit"] not in offered
    with pytest.raises(ValidationError):
        start_by_hand(trigger=processes["audit"][1], record=company, by=rep)
    client = signed_in(rep)
    client.post(starts["audit"])
    assert ProcessInstance.objects.count() == 0
    client.post(starts["visit"])
    assert ProcessInstance.objects.get().version.definition == processes["visit"][0]


def test_the_offer_follows_the_type(rep, processes):
    record = make_counterparty(rep)
    choose(processes["visit"][0], "person")
    change_type(counterparty=record, counterparty_type=make_type("person"), version=record.version, by=rep)
    assert keys(record, rep) == ["visit"]


def test_other_kinds_are_not_asked(rep, processes):
    choose(processes["visit"][0])
    assert keys(make_lead(rep), rep) == []


def test_the_button_leaves_a_card_that_offers_nothing(rep, processes, signed_in):
    record = make_counterparty(rep)
    card = reverse("counterparties:counterparty_detail", args=[record.pk])
    button = reverse("bpm:run_offers", args=["counterparties.counterparty", record.pk])
    client = signed_in(rep)
    assert button in client.get(card).content.decode()
    choose(processes["visit"][0])
    processes["visit"][1].is_active = False
    processes["visit"][1].save()
    assert button not in client.get(card).content.decode()


def test_an_administrator_chooses_on_the_types_page(rep, admin_user, processes, signed_in):
    kind = make_type("partner")
    url = reverse("admin:counterparties_counterpartytype_change", args=[kind.pk])
    client = signed_in(admin_user)
    page = client.get(url)
    forms = {one.formset.prefix: one.formset for one in page.context["inline_admin_formsets"]}
    prefix = "startable_processes"
    formset = forms[prefix]
    assert {one.key for one in formset.empty_form.fields["definition"].queryset} == {"audit", "visit"}
    sent = {
        "name": kind.name, "name_pl": kind.name_pl, "key": kind.key, "icon": kind.icon, "position": 0,
        "is_active": "on",
        f"{prefix}-0-definition": processes["audit"][0].pk, f"{prefix}-0-counterparty_type": kind.pk,
    }  # fmt: skip
    for name, one in forms.items():
        count = len(one.forms) + (name == prefix)
        sent |= {f"{name}-TOTAL_FORMS": count if name == prefix else 0, f"{name}-INITIAL_FORMS": 0}
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.context["errors"]
    [made] = StartableProcess.objects.all()
    assert (made.counterparty_type, made.definition) == (kind, processes["audit"][0])
    assert client.get(reverse("admin:counterparties_counterpartytype_add")).status_code == 200


def test_who_may_not_publish_does_not_choose(rep, processes, signed_in):
    rep.is_staff = True
    rep.is_superuser = False
    rep.save()
    rep.user_permissions.add(*Permission.objects.filter(content_type__app_label="counterparties"))
    url = reverse("admin:counterparties_counterpartytype_change", args=[make_type("partner").pk])
    page = signed_in(rep).get(url)
    assert page.status_code == 200
    assert "may be started by hand" not in page.content.decode()
