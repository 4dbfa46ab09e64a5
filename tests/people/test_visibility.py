"""The one rule of visibility, against a slow reference that a reader can check by eye."""

import random

import pytest
from django.core.exceptions import PermissionDenied
from guardian.shortcuts import assign_perm

from counterparties.models import Counterparty, CounterpartyType
from crm.attributes.models import AttributeSet
from crm.people.kinds import STANDARD_ACTIONS
from crm.people.models import Department, Role, RoleScope, Scope, User
from crm.people.reasons import holders
from crm.people.visibility import demand, may, share

KIND = "counterparties.counterparty"


@pytest.fixture
def counterparty_type(db):
    schema = AttributeSet.objects.create(name="Company", kind=KIND)
    return CounterpartyType.objects.create(name="Company", key="company", attribute_set=schema)


class Reference:
    """The rule in plain Python, one record at a time, over rows read beforehand. Reaches of several roles add up."""

    def __init__(self) -> None:
        self.departments = {place.pk: place for place in Department.objects.all()}
        self.scopes: dict = {}
        rows = RoleScope.objects.filter(kind=KIND).values_list("role__users", "action", "scope")
        for user, action, scope in rows:
            self.scopes.setdefault((user, action), []).append(scope)
        shares = Counterparty.share_model.objects
        self.shares = set(shares.values_list("user_id", "content_object_id", "permission__codename"))

    def allows(self, user: User, record: Counterparty, action: str) -> bool:
        if not user.is_active or record.deleted_at is not None:
            return False
        codename = {"view": "view_counterparty", "edit": "change_counterparty"}.get(action)
        if (user.pk, record.pk, codename) in self.shares:
            return True
        return any(
            self._reaches(scope, user, record) for scope in self.scopes.get((user.pk, action), ["none"])
        )

    def _reaches(self, scope: str, user: User, record: Counterparty) -> bool:
        if scope in {"none", "all"}:
            return scope == "all"
        if record.owner_id == user.pk:
            return True
        if scope == "team":
            return user.department_id is not None and record.department_id == user.department_id
        return scope == "subordinates" and self._heads_above(user, record.department_id)

    def _heads_above(self, user: User, place: int | None) -> bool:
        while place is not None:
            if self.departments[place].head_id == user.pk:
                return True
            place = self.departments[place].parent_id
        return False


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


@pytest.mark.parametrize("seed", range(8))
def test_visible_to_equals_the_reference(counterparty_type, seed):
    """12 users × 35 records × 7 actions × 8 random companies: 23,520 pairs, all three ways of asking agree."""
    rng = random.Random(seed)
    users = random_company(rng)
    records = [
        Counterparty.objects.create(
            name=f"C{number}", counterparty_type=counterparty_type, owner=rng.choice([None, *users])
        )
        for number in range(35)
    ]
    Counterparty.objects.filter(pk=records[0].pk).update(deleted_at="2026-01-01T00:00Z")
    for _ in range(20):
        codename = rng.choice(["view_counterparty", "change_counterparty"])
        assign_perm(codename, rng.choice(users), rng.choice(records))
    reference, records = Reference(), list(Counterparty.objects.all())
    for user in User.objects.select_related("department"):
        for action in STANDARD_ACTIONS:
            visible = set(Counterparty.objects.visible_to(user, action).values_list("pk", flat=True))
            assert visible == {r.pk for r in records if reference.allows(user, r, action)}, (user, action)
    for record in records[:12]:
        explained = {holder.user: set(holder.reasons) for holder in holders(record)}
        assert explained == {
            user: allowed
            for user in users
            if (allowed := {each for each in ("view", "edit") if reference.allows(user, record, each)})
        }


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
