"""Who has a record, sharing it, and "what may Anna see here, and why"."""

import pytest
from django.urls import reverse

from crm.history.models import Event
from crm.notify.models import Notification
from crm.people.models import Department, Role, User
from crm.people.reasons import holder_of
from tests.factories.deals import make_deal

KIND = "deals.deal"


@pytest.fixture
def deal(rep):
    return make_deal(rep)


def shares_url(deal) -> str:
    return reverse("web:record_shares", args=[KIND, deal.pk])


def withdrawal_url(deal) -> str:
    return reverse("web:record_share_withdrawal", args=[KIND, deal.pk])


def fresh(user) -> User:
    return User.objects.get(pk=user.pk)


def card(client, deal) -> int:
    return client.get(reverse("deals:deal_detail", args=[deal.pk])).status_code


def test_every_card_has_the_button(signed_in, rep, deal):
    html = signed_in(rep).get(reverse("deals:deal_detail", args=[deal.pk])).content.decode()
    assert shares_url(deal) in html


def test_the_dialog_says_who_has_it_and_why(signed_in, rep, head, teammate, admin_user, deal):
    html = signed_in(rep).get(shares_url(deal), headers={"HX-Request": "true"}).content.decode()
    for words in (
        "Role “Sales manager”: owns the record",
        "Role “Sales manager”: the record belongs to their department, Sales North",
        "Role “Supervisor”: heads Sales North, under which the record falls",
        "Role “Administrator”: sees everybody&#x27;s records",
    ):
        assert words in html


def test_sharing_lets_a_colleague_in_and_taking_back_lets_him_out(signed_in, rep, outsider, deal):
    client = signed_in(rep)
    answer = client.post(
        shares_url(deal), {"user": outsider.pk, "action": "view"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert "history-changed" in answer["HX-Trigger"]
    assert card(signed_in(outsider), deal) == 200
    assert signed_in(outsider).get(reverse("deals:deal_update", args=[deal.pk])).status_code == 403
    told = Notification.objects.get(user=outsider)
    assert told.sentence == f"Anna Zielińska shared “{deal}” with you: you may look at it"
    assert signed_in(rep).post(withdrawal_url(deal), {"user": outsider.pk}).status_code == 302
    assert card(signed_in(outsider), deal) == 404
    events = Event.objects.filter(subject_id=deal.pk, subject_kind=KIND).order_by("pk")
    kinds = list(events.values_list("kind", flat=True))
    assert kinds == ["deal_created", "shared_view", "share_withdrawn"]


def test_edit_can_be_given_and_lowered(signed_in, rep, outsider, deal):
    client = signed_in(rep)
    for action, allowed in (("edit", True), ("view", False), ("view", False)):
        client.post(shares_url(deal), {"user": outsider.pk, "action": action})
        assert holder_of(deal, outsider).may("edit") is allowed
        assert holder_of(deal, outsider).may("view")
    assert Event.objects.filter(subject_id=deal.pk, kind__startswith="shared").count() == 2


@pytest.mark.parametrize("whom", ["rep", "owner", "dismissed", "nobody", "junk"])
def test_sharing_that_makes_no_sense_is_refused(signed_in, rep, head, outsider, deal, whom):
    """Oneself, the owner, somebody dismissed, an id that does not exist, and no id at all."""
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    actor = head if whom == "owner" else rep
    given = {"rep": rep.pk, "owner": rep.pk, "dismissed": outsider.pk, "nobody": 10**9, "junk": "1 OR 1=1"}[
        whom
    ]
    answer = signed_in(actor).post(shares_url(deal), {"user": given, "action": "view"})
    assert answer.status_code == 422
    assert not deal.share_model.objects.exists()


def test_sharing_needs_the_right_to_edit(signed_in, teammate, outsider, marketing, deal):
    data = {"user": marketing.pk, "action": "view"}
    assert signed_in(teammate).post(shares_url(deal), data).status_code == 403
    assert signed_in(teammate).post(withdrawal_url(deal), data).status_code == 403
    assert signed_in(outsider).post(shares_url(deal), data).status_code == 404
    assert signed_in(outsider).get(shares_url(deal)).status_code == 404
    assert not deal.share_model.objects.exists()
    html = signed_in(teammate).get(shares_url(deal)).content.decode()
    assert 'name="action"' not in html


def test_who_had_it_by_a_share_alone_may_give_it_up(signed_in, rep, outsider, deal):
    signed_in(rep).post(shares_url(deal), {"user": outsider.pk, "action": "edit"})
    answer = signed_in(outsider).post(
        withdrawal_url(deal), {"user": outsider.pk}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/deals/{deal.pk}/")
    assert card(signed_in(outsider), deal) == 404


def access(client, deal, user) -> str:
    url = reverse("web:record_access", args=[KIND, deal.pk])
    return client.get(url, {"user": user.pk}).content.decode()


def test_yes_and_no_come_with_their_reasons(signed_in, rep, head, outsider, deal):
    client = signed_in(rep)
    yes, no = access(client, deal, head), access(client, deal, outsider)
    assert "Yes, Katarzyna Lewandowska may see this record" in yes
    assert "Role “Supervisor”: heads Sales North, under which the record falls" in yes
    assert "No, for Tomasz Kamiński this record does not exist" in no
    assert "Sales South" in no
    assert signed_in(outsider).get(reverse("web:record_access", args=[KIND, deal.pk])).status_code == 404


def test_a_kind_that_follows_its_card_cannot_be_shared(signed_in, admin_user, deal):
    url = reverse("web:record_shares", args=["collab_calendar.activity", 1])
    assert signed_in(admin_user).get(url).status_code == 404
    assert signed_in(admin_user).get(reverse("web:record_shares", args=["people.user", 1])).status_code == 404


def test_the_overview_counts_and_names_the_roles(signed_in, admin_user, rep, outsider, deal):
    client = signed_in(admin_user)
    url = reverse("web:access_overview")
    html = client.get(url, {"user": rep.pk}).content.decode()
    assert "see those of their own department" in html
    assert "Sales manager" in html
    counts = {user: client.get(url, {"user": user.pk}).context["kinds"] for user in (rep, outsider)}
    deals = {
        user: next(line.count for line in lines if line.kind.label == KIND) for user, lines in counts.items()
    }
    assert deals == {rep: "1", outsider: "0"}
    assert signed_in(rep).get(url).status_code == 403
    assert url not in signed_in(rep).get("/").content.decode()


def test_reaches_of_several_roles_add_up(rep, outsider, deal):
    """A member of one department who heads another has both."""
    south = Department.objects.get(name="Sales South")
    south.head = rep
    south.save()
    rep.roles.add(Role.objects.get(key="head"))
    theirs = make_deal(outsider)
    assert set(type(deal).objects.visible_to(fresh(rep))) == {deal, theirs}
