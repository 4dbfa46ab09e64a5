"""Categories by hand and by rule, required groups, and roles that see only some of them."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from counterparties.categories import refresh_categories, rule_condition
from counterparties.models import Category, CategoryGroup, CategoryMember, Counterparty
from counterparties.services import create_counterparty, edit_counterparty
from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.jobs.services import enqueue
from crm.jobs.worker import run_job
from crm.people.models import Role, RoleLimit, RoleScope, User
from crm.people.visibility import share
from tests.factories.counterparties import make_counterparty, make_type

pytestmark = pytest.mark.django_db


def make_category(name, *, rule="", by=None, required=False, group=None):
    group = group or CategoryGroup.objects.create(name=f"Group of {name}", is_required=required)
    return Category.objects.create(name=name, group=group, rule=rule, rule_by=by if rule else None)


def names(record):
    return sorted(record.memberships.values_list("category__name", flat=True))


def test_by_hand_with_history_and_undo(rep):
    key, small = make_category("Key"), make_category("Small")
    record = make_counterparty(rep, categories=[key])
    assert (record.categories, names(record)) == ([key.pk], ["Key"])
    edit_counterparty(counterparty=record, values={"categories": "small"}, version=1, by=rep)
    assert names(record) == ["Small"]
    event = Event.objects.get(kind="counterparty_changed")
    assert [(one.old_text, one.new_text) for one in event.changes.all()] == [("Key", "Small")]
    undo_event(event=event, by=rep)
    record.refresh_from_db()
    assert (record.categories, names(record)) == ([key.pk], ["Key"])
    assert small.members.count() == 0


def test_unknown_and_ruled_ones_are_not_chosen(rep, admin_user):
    ruled = make_category("Ruled", rule="f=city:is:Gdynia", by=admin_user)
    for given in ([9999], [ruled], "no such"):
        with pytest.raises(ValidationError) as error:
            make_counterparty(rep, categories=given)
        assert list(error.value.error_dict) == ["categories"]


def test_a_rule_follows_the_record(rep, admin_user):
    make_category("Coast", rule="/counterparties/?f=city:is:Gdynia&cols=name", by=admin_user)
    record = make_counterparty(rep, city="Gdynia")
    assert names(record) == ["Coast"]
    edit_counterparty(counterparty=record, values={"city": "Łódź"}, version=1, by=rep)
    assert names(record) == []


def test_the_job_brings_all_in_line(rep, admin_user):
    inside, outside = make_counterparty(rep, city="Gdynia"), make_counterparty(rep, name="Other")
    coast = make_category("Coast", rule="f=city:is:Gdynia", by=admin_user)
    CategoryMember.objects.create(category=coast, counterparty=outside, by_rule=True)
    job = enqueue(kind="counterparties.category", args={"category": coast.pk}, by=admin_user)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.result == {"changed": 2}
    assert list(coast.members.values_list("counterparty", flat=True)) == [inside.pk]


@pytest.mark.parametrize("rule", ["sort=-id", "f=nothing:is:1", "https://x.example/?cols=name", "\x00"])
def test_a_rule_without_a_filter_is_refused(admin_user, rule):
    with pytest.raises(ValidationError):
        rule_condition(rule, admin_user)


def test_a_required_group_must_be_chosen(rep, signed_in):
    size = make_category("Big", required=True)
    values = {"name": "New", "categories": []}
    with pytest.raises(ValidationError):
        create_counterparty(counterparty_type=make_type(), values=values, attributes={}, by=rep)
    create_counterparty(counterparty_type=make_type(), values={"name": "Imported"}, by=rep)
    client, url = signed_in(rep), reverse("counterparties:counterparty_create")
    field = f"categories_{size.group_id}"
    assert f'name="{field}"' in client.get(url).content.decode()
    sent = {"counterparty_type": make_type().pk, "name": "Typed", "country": "PL"}
    assert client.post(url, sent).status_code == 422
    assert client.post(url, {**sent, field: size.pk}).status_code == 302
    assert names(Counterparty.objects.get(name="Typed")) == ["Big"]


@pytest.fixture
def limited(rep):
    """A role that sees all counterparties of the category Key, and somebody who has it alone."""
    role = Role.objects.create(key="key", name="Key accounts")
    for action in ("view", "edit"):
        RoleScope.objects.create(role=role, kind="counterparties.counterparty", action=action, scope="all")
    key = make_category("Key")
    RoleLimit.objects.create(role=role, kind="counterparties.counterparty", value=str(key.pk))
    person = User.objects.create(username="limited")
    person.roles.add(role)
    return person, key


def test_a_limited_role_sees_its_categories_only(rep, limited, signed_in):
    person, key = limited
    seen, hidden = (
        make_counterparty(rep, name="Seen", categories=[key]),
        make_counterparty(rep, name="Hidden"),
    )
    assert list(Counterparty.objects.visible_to(person)) == [seen]
    client = signed_in(person)
    html = client.get(reverse("counterparties:counterparty_list")).content.decode()
    assert "Seen" in html and "Hidden" not in html
    assert client.get(reverse("counterparties:counterparty_detail", args=[hidden.pk])).status_code == 404
    share(record=hidden, user=person, by=rep)
    assert set(Counterparty.objects.visible_to(person)) == {seen, hidden}


def test_a_role_without_limit_lifts_it(rep, limited):
    person, _key = limited
    record = make_counterparty(rep)
    free = Role.objects.create(key="free", name="Free")
    RoleScope.objects.create(role=free, kind="counterparties.counterparty", action="view", scope="all")
    person.roles.add(free)
    person.__dict__.pop("access", None)
    assert list(Counterparty.objects.visible_to(person)) == [record]
    assert not Counterparty.objects.visible_to(person, "edit").exists()


def test_a_deleted_category_opens_nothing(rep, limited):
    person, key = limited
    make_counterparty(rep)
    key.delete()
    assert not Counterparty.objects.visible_to(person).exists()


def test_memberships_cost_four_queries_for_many_rules(rep, admin_user, django_assert_max_num_queries):
    for number in range(8):
        make_category(f"Rule {number}", rule=f"f=city:is:Town {number}", by=admin_user)
    record = make_counterparty(rep)
    with django_assert_max_num_queries(4):
        refresh_categories([record])


def test_admin_page(admin_user, rep, signed_in):
    group = CategoryGroup.objects.create(name="Size")
    role = rep.roles.first()
    admin_user.is_superuser = admin_user.is_staff = True
    admin_user.save()
    client = signed_in(admin_user)
    url = reverse("admin:counterparties_category_add")
    sent = {"name": "Coast", "group": group.pk, "tone": "blue", "is_active": "on", "position": 0}
    refused = client.post(url, {**sent, "rule": "sort=name"})
    assert refused.status_code == 200 and not Category.objects.exists()
    answer = client.post(url, {**sent, "rule": "http://x/?f=city:is:Gdynia", "roles": [role.pk]})
    assert answer.status_code == 302
    made = Category.objects.get()
    assert (made.rule, made.rule_by) == ("f=city:is:Gdynia", admin_user)
    assert list(RoleLimit.objects.values_list("role", "value")) == [(role.pk, str(made.pk))]
