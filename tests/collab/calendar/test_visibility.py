"""Who sees which activity: the query against a slow reading of the rule."""

import random

import pytest

from collab.calendar.grants import CalendarGrant, grant_calendar
from collab.calendar.models import CARDS, Activity
from collab.calendar.selectors import next_activities
from crm.people.models import Department, Role
from crm.people.visibility import may, share
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


def reach(user, owner, action) -> bool:
    """Whether the role scope on calendars reaches the owner."""
    scope = user.access.scope("collab_calendar.activity", action)
    return scope == "all" or (
        scope == "subordinates" and owner.department_id in user.access.headed_departments()
    ) or (scope == "team" and owner.department_id == user.department_id)  # fmt: skip


def granted(user, owner) -> str:
    """The widest level at which the owner lets the user into his calendar."""
    levels = [
        grant.level
        for grant in CalendarGrant.objects.filter(owner=owner)
        if grant.user == user
        or (grant.role and user.roles.filter(pk=grant.role_id).exists())
        or (grant.department and grant.department == user.department)
    ]
    return max(levels, key=["busy", "view", "edit", "full"].index, default="")


def expected(user, activity, action) -> bool:
    """The rule, word for word."""
    named = activity.owner == user or (
        action == "view" and any(row.user == user for row in activity.participants.all())
    )
    if named:
        return True
    level = granted(user, activity.owner)
    if activity.is_private and level != "full":
        return False
    if (
        reach(user, activity.owner, action)
        or level in {"view": ("view", "edit", "full"), "edit": ("edit", "full")}[action]
    ):
        return True
    primary = next((card for card in (getattr(activity, name) for name in CARDS) if card is not None), None)
    return primary is not None and may(user, action, primary)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_query_equals_the_rule(company, seed):
    dice = random.Random(seed)
    sellers = [company[login] for login in ("rep", "teammate", "head", "outsider")]
    cards = {"deal": [], "lead": [], "counterparty": [], "contact": []}
    for owner in sellers:
        cards["counterparty"].append(make_counterparty(owner))
        cards["deal"].append(make_deal(owner, counterparty=cards["counterparty"][-1]))
        cards["lead"].append(make_lead(owner))
        cards["contact"].append(make_contact(owner))
    share(record=cards["deal"][0], user=company["outsider"], action="edit", by=company["rep"])
    share(record=cards["lead"][1], user=company["outsider"], by=company["teammate"])
    for number in range(60):
        picked = {name: dice.choice(cards[name]) for name in cards if dice.random() < 0.35}
        guests = [one for one in sellers if dice.random() < 0.15]
        owner = dice.choice(sellers)
        activity = make_activity(
            owner, subject=f"No {number}", participants=guests, is_private=dice.random() < 0.2
        )
        Activity.objects.filter(pk=activity.pk).update(
            **{f"{name}_id": card.pk for name, card in picked.items()}
        )
    holders = [*company.values(), *Role.objects.all(), *Department.objects.all()]
    for _number in range(5):
        owner, holder = dice.choice(sellers), dice.choice(holders)
        if holder != owner:
            grant_calendar(
                owner=owner, to=holder, level=dice.choice(["busy", "view", "edit", "full"]), by=owner
            )
    rows = list(Activity.objects.select_related("owner", *CARDS))
    for user in company.values():
        for action in ("view", "edit"):
            found = set(Activity.objects.visible_to(user, action))
            assert found == {row for row in rows if expected(user, row, action)}, (user.username, action)


def test_deleted_and_those_of_people_who_left_are_gone(rep, head):
    activity = make_activity(rep)
    assert Activity.objects.visible_to(head).count() == 1
    Activity.objects.filter(pk=activity.pk).update(deleted_at=activity.starts_at)
    assert Activity.objects.visible_to(head).count() == 0
    rep.is_active = False
    assert Activity.objects.visible_to(rep).count() == 0


def test_next_activities_are_one_query_and_never_more_than_the_card_shows(
    rep, head, django_assert_num_queries
):
    first, second = make_lead(rep), make_lead(rep)
    make_activity(rep, lead=first, hours=9)
    soon = make_activity(rep, lead=first, hours=3)
    make_activity(rep, lead=second, is_private=True)
    make_activity(rep, lead=second, deal=make_deal(rep), hours=1)
    ids = [first.pk, second.pk]
    with django_assert_num_queries(1):
        assert next_activities("leads.lead", ids) == {first.pk: soon}
    mine = next_activities("leads.lead", ids, user=rep)
    assert (mine[first.pk], mine[second.pk].deal_id is not None) == (soon, True)
    assert set(next_activities("leads.lead", ids, user=head)) == {first.pk, second.pk}
