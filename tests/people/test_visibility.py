"""The one rule of visibility, against a slow reference that a reader can check by eye."""

import random

import pytest
from django.core.exceptions import PermissionDenied

from counterparties.models import Counterparty, CounterpartyType
from crm.attributes.models import AttributeSet
from crm.people.kinds import STANDARD_ACTIONS
from crm.people.models import Department, Role, RoleScope, Scope, User
from crm.people.visibility import demand, may, share

KIND = "counterparties.counterparty"
REACH = ["none", "own", "team", "subordinates", "all"]


@pytest.fixture
def counterparty_type(db):
    schema = AttributeSet.objects.create(name="Company", kind=KIND)
    return CounterpartyType.objects.create(name="Company", key="company", attribute_set=schema)


def above(department: Department | None) -> list[Department]:
    """The department and everything over it."""
    found = []
    while department is not None:
        found.append(department)
        department = department.parent
    return found


def reference(user: User, record: Counterparty, action: str) -> bool:
    """The rule in plain Python, one record at a time."""
    if not user.is_active or record.deleted_at is not None:
        return False
    scopes = RoleScope.objects.filter(role__users=user, kind=KIND, action=action)
    widest = max((row.scope for row in scopes), key=REACH.index, default="none")
    if widest == "all":
        return True
    shares = Counterparty.share_model.objects.filter(user=user, content_object=record)
    codename = {"view": "view_counterparty", "edit": "change_counterparty"}.get(action)
    if codename and shares.filter(permission__codename=codename).exists():
        return True
    if widest == "none":
        return False
    if record.owner_id == user.pk:
        return True
    if widest == "team":
        return user.department_id is not None and record.department_id == user.department_id
    return widest == "subordinates" and any(place.head_id == user.pk for place in above(record.department))


def random_company(rng: random.Random) -> list[User]:
    departments: list[Department] = []
    for number in range(7):
        parent = rng.choice([None, *departments])
        departments.append(Department.objects.create(name=f"D{number}", parent=parent))
    roles = [Role.objects.create(name=f"R{number}", key=f"r{number}") for number in range(4)]
    for role in roles:
        for action in rng.sample(STANDARD_ACTIONS, 5):
            RoleScope.objects.create(role=role, kind=KIND, action=action, scope=rng.choice(Scope.values))
    users = []
    for number in range(12):
        user = User.objects.create(
            username=f"u{number}", department=rng.choice([None, *departments]), is_active=number != 3
        )
        user.roles.set(rng.sample(roles, rng.randint(0, 2)))
        users.append(user)
    for department in departments:
        department.head = rng.choice([None, *users])
        department.save()
    return users


@pytest.mark.parametrize("seed", range(4))
def test_visible_to_equals_the_reference(counterparty_type, seed):
    """12 users × 35 records × 7 actions × 4 random companies: 11,760 pairs and not one difference."""
    rng = random.Random(seed)
    users = random_company(rng)
    records = [
        Counterparty.objects.create(
            name=f"C{number}", counterparty_type=counterparty_type, owner=rng.choice([None, *users])
        )
        for number in range(35)
    ]
    Counterparty.objects.filter(pk=records[0].pk).update(deleted_at="2026-01-01T00:00Z")
    from guardian.shortcuts import assign_perm

    for _ in range(20):
        assign_perm(
            rng.choice(["view_counterparty", "change_counterparty"]), rng.choice(users), rng.choice(records)
        )
    for user in User.objects.select_related("department"):
        for action in STANDARD_ACTIONS:
            visible = set(Counterparty.objects.visible_to(user, action).values_list("pk", flat=True))
            expected = {
                r.pk for r in Counterparty.objects.select_related("department") if reference(user, r, action)
            }
            assert visible == expected, (user, action)


def test_the_personas_see_what_their_place_allows(company, counterparty_type):
    record = Counterparty.objects.create(
        name="Łódź", counterparty_type=counterparty_type, owner=company["rep"]
    )
    seen = {login for login, user in company.items() if may(user, "view", record)}
    edited = {login for login, user in company.items() if may(user, "edit", record)}
    assert seen == {"rep", "teammate", "head", "marketing", "admin"}
    assert edited == {"rep", "head", "admin"}


def test_sharing_opens_one_record_and_its_scope_is_kept(company, counterparty_type):
    mine, other = (
        Counterparty.objects.create(name=name, counterparty_type=counterparty_type, owner=company["rep"])
        for name in ("shared", "not shared")
    )
    share(record=mine, user=company["outsider"], by=company["rep"])
    outsider = User.objects.get(pk=company["outsider"].pk)
    assert list(Counterparty.objects.visible_to(outsider)) == [mine]
    assert not may(outsider, "edit", mine)
    with pytest.raises(PermissionDenied):
        share(record=other, user=outsider, by=company["teammate"])


def test_the_department_follows_the_owner(company, counterparty_type):
    record = Counterparty.objects.create(name="x", counterparty_type=counterparty_type, owner=company["rep"])
    assert record.department == company["rep"].department
    record.owner = company["outsider"]
    record.save(update_fields=["owner"])
    record.refresh_from_db()
    assert record.department == company["outsider"].department


def test_a_dismissed_person_may_do_nothing(company, counterparty_type):
    record = Counterparty.objects.create(name="x", counterparty_type=counterparty_type, owner=company["rep"])
    User.objects.filter(pk=company["rep"].pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        demand(User.objects.get(pk=company["rep"].pk), "view", record)


def test_rights_cost_two_queries_however_many_records(
    company, counterparty_type, django_assert_max_num_queries
):
    for number in range(50):
        Counterparty.objects.create(
            name=f"C{number}", counterparty_type=counterparty_type, owner=company["rep"]
        )
    head = User.objects.get(pk=company["head"].pk)
    with django_assert_max_num_queries(4):
        assert len(Counterparty.objects.visible_to(head)) == 50
