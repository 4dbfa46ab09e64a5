"""Letting others into one's calendar: what each level gives, and the page where it is done."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from collab.calendar.grants import CalendarGrant, grant_calendar, withdraw_grant
from collab.calendar.models import Activity
from collab.calendar.schedule import entries, people_shown
from collab.calendar.services import plan_activity
from crm.notify.models import Notification
from tests.factories.collab import in_hours, make_activity

pytestmark = pytest.mark.django_db


def titles(reader, owner) -> list[str]:
    found = entries(reader, [owner.pk], in_hours(0), in_hours(24))
    return [one.activity.subject if one.is_seen else "busy" for one in found]


@pytest.fixture
def rows(rep):
    end = {"ends_at": in_hours(4)}
    return make_activity(rep, subject="Open", **end), make_activity(
        rep, subject="Secret", is_private=True, **end
    )


@pytest.mark.parametrize(
    ("level", "seen", "edits"),
    [
        ("busy", ["busy", "busy"], []),
        ("view", ["Open", "busy"], []),
        ("edit", ["Open", "busy"], ["Open"]),
        ("full", ["Open", "Secret"], ["Open", "Secret"]),
    ],
)
def test_what_a_level_gives(rep, outsider, rows, level, seen, edits):
    assert rep not in people_shown(outsider)
    grant = grant_calendar(owner=rep, to=outsider, level=level, by=rep)
    assert rep in people_shown(outsider)
    assert titles(outsider, rep) == seen
    editable = Activity.objects.visible_to(outsider, "edit").order_by("pk")
    assert [row.subject for row in editable] == edits
    deletable = Activity.objects.visible_to(outsider, "delete").count()
    assert deletable == (2 if level == "full" else 0)
    withdraw_grant(grant=grant, by=rep)
    assert not Activity.objects.visible_to(outsider).exists()


def test_roles_and_departments_are_let_in_as_well(rep, outsider, marketing, rows):
    grant_calendar(owner=rep, to=outsider.department, level="view", by=rep)
    grant_calendar(owner=rep, to=marketing.roles.get(), level="view", by=rep)
    assert titles(outsider, rep) == titles(marketing, rep) == ["Open", "busy"]


def test_planning_for_another_needs_the_level_and_is_told(rep, outsider):
    values = {"kind": "call", "subject": "Ring them", "starts_at": in_hours(2), "owner": rep, "by": outsider}
    grant_calendar(owner=rep, to=outsider, level="view", by=rep)
    with pytest.raises(PermissionDenied):
        plan_activity(**values)
    grant_calendar(owner=rep, to=outsider, level="edit", by=rep)
    plan_activity(**values)
    assert Notification.objects.filter(user=rep, kind="collab_calendar.planned").count() == 1
    assert CalendarGrant.objects.count() == 1


def test_only_the_owner_lets_others_in(rep, head, outsider):
    with pytest.raises(ValidationError):
        grant_calendar(owner=rep, to=outsider, level="full", by=head)
    with pytest.raises(ValidationError):
        grant_calendar(owner=rep, to=rep, level="full", by=rep)
    outsider.is_active = False
    with pytest.raises(ValidationError):
        grant_calendar(owner=rep, to=outsider, level="full", by=rep)


def test_the_page_adds_changes_and_takes_back(signed_in, rep, outsider):
    address = reverse("collab_calendar:calendar_sharing")
    client = signed_in(rep)
    assert client.get(address).status_code == 200
    for level in ("busy", "edit"):
        assert client.post(address, {"to": f"user-{outsider.pk}", "level": level}).status_code == 302
    grant = CalendarGrant.objects.get()
    assert (grant.owner, grant.user, grant.level) == (rep, outsider, "edit")
    assert str(outsider) in client.get(address).content.decode()
    for wrong in (
        {"to": f"user-{rep.pk}", "level": "edit"},
        {"to": "x-1", "level": "edit"},
        {"to": "", "level": "all"},
    ):
        assert client.post(address, wrong).status_code == 422
    removal = reverse("collab_calendar:grant_removal", args=[grant.pk])
    assert signed_in(outsider).post(removal).status_code == 404
    assert signed_in(rep).post(removal).status_code == 302
    assert not CalendarGrant.objects.exists()


def test_a_granted_calendar_can_be_chosen_in_the_list_and_the_form(signed_in, rep, outsider, rows):
    grant_calendar(owner=rep, to=outsider, level="edit", by=rep)
    client = signed_in(outsider)
    page = client.get(reverse("collab_calendar:activity_list"), {"owner": rep.pk}).content.decode()
    assert "Open" in page and "Secret" not in page
    assert (
        f'<option value="{rep.pk}"' in client.get(reverse("collab_calendar:activity_create")).content.decode()
    )
