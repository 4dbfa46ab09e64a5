"""Saved views and the dialogs of a list: whose they are, what they keep, and what they never grant."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.listing.models import DefaultView, SavedView
from crm.listing.saved import delete_view, save_view, set_default, share_view
from crm.people.models import FieldRule, Role, RoleScope
from leads.lists import LeadList
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

LEAD = "leads.lead"


def make_view(by, name="In Łódź", query="f=city%3Ahas%3Alodz&cols=name%2Ccity", **options) -> SavedView:
    return save_view(kind=LEAD, name=name, query=query, by=by, **options)


def test_a_list_opens_with_the_default_view(rep, teammate):
    make_lead(rep, company="Ada", city="Łódź")
    make_lead(rep, company="Bolek")
    view = make_view(rep, is_default=True)
    opened = LeadList(rep, QueryDict(""))
    assert [row.name for row in opened.page] == ["Ada"]
    assert [one.key for one in opened.columns] == ["name", "city"]
    assert opened.view.pk == view.pk
    assert len(LeadList(rep, QueryDict("view=0")).page) == 2
    assert len(LeadList(teammate, QueryDict("")).page) == 2


def test_own_shared_and_foreign_views(rep, teammate, outsider):
    mine, shared = make_view(rep), make_view(rep, name="For all", audience="all")
    assert [view.name for view in LeadList(rep, QueryDict("")).offers.views] == ["For all", "In Łódź"]
    assert [view.pk for view in LeadList(outsider, QueryDict("")).offers.views] == [shared.pk]
    set_default(view=shared, by=outsider)
    with pytest.raises(PermissionDenied):
        set_default(view=mine, by=teammate)
    with pytest.raises(PermissionDenied):
        delete_view(view=shared, by=teammate)
    share_view(view=shared, audience="", by=rep)
    assert not DefaultView.objects.filter(user=outsider).exists()
    assert LeadList(outsider, QueryDict("")).offers.views == []


def test_a_shared_view_grants_nothing(rep, outsider):
    make_lead(rep, company="Ada", city="Łódź")
    view = make_view(rep, audience="all")
    assert LeadList(outsider, QueryDict(f"{view.query}&view={view.pk}")).page == []


def test_views_of_people_who_left(rep, teammate, admin_user):
    view = make_view(rep, audience="all")
    set_default(view=view, by=teammate)
    rep.is_active = False
    rep.save()
    assert LeadList(teammate, QueryDict("")).offers.default_view.pk == view.pk
    with pytest.raises(PermissionDenied):
        delete_view(view=view, by=teammate)
    delete_view(view=SavedView.objects.get(pk=view.pk), by=admin_user)
    assert LeadList(teammate, QueryDict("")).offers.default_view is None


def test_names(rep):
    first = make_view(rep)
    again = make_view(rep, name="  In   Łódź ", query="q=x")
    assert (again.pk, again.query) == (first.pk, "q=x")
    with pytest.raises(ValidationError):
        make_view(rep, name=" \x00 ")
    with pytest.raises(ValidationError):
        make_view(rep, query="q=" + "x" * 9000)


def test_views_and_filters_cost_no_query_more(rep, signed_in):
    client = signed_in(rep)
    make_lead(rep, city="Łódź")
    client.get("/leads/")

    def queries(url):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    plain = queries("/leads/")
    for number in range(20):
        make_view(rep, name=f"View {number}", is_default=number == 3)
    assert queries("/leads/") == plain
    assert queries("/leads/?f=city:has:lodz&f=owner:any:me&cols=name,city,company") == plain
    assert queries("/leads/?cols=attr_x") == plain + 1


def test_chips_name_and_undo_each_filter(rep, signed_in):
    make_lead(rep, city="Łódź")
    page = signed_in(rep).get("/leads/?f.1=city:has:lodz&f.1=owner:any:me&tab=new").content.decode()
    assert "contains lodz" in page
    assert (
        'href="?f.1=owner%3Aany%3Ame&amp;tab=new"' in page
        or 'href="?tab=new&amp;f.1=owner%3Aany%3Ame"' in page
    )
    assert '<span class="chip-or">or</span>' in page


def test_chosen_columns_are_drawn_in_their_order(rep, signed_in):
    make_deal(rep, name="<b>Umowa</b>", amount=5)
    page = signed_in(rep).get("/deals/?cols=number,amount,name,updated_at").content.decode()
    head = page[page.index("<thead>") : page.index("</thead>")]
    assert head.index("Number") < head.index("Amount") < head.index("Name") < head.index("Changed")
    assert "&lt;b&gt;Umowa" in page and "<b>Umowa" not in page
    assert "next step" not in page[page.index("<tbody>") :].lower()


def post(client, dialog, /, **values):
    return client.post(reverse(f"lists:{dialog}"), {"kind": LEAD, "query": "tab=new", **values})


def test_the_filter_dialog(rep, signed_in):
    client = signed_in(rep)
    url = reverse("lists:list_filter")
    for field in LeadList.fields:
        assert client.get(url, {"kind": LEAD, "query": "", "field": field.key}).status_code == 200
    answer = post(client, "list_filter", field="city", operator="has", value="Łódź", apply="1")
    assert answer["Location"] == "/leads/?tab=new&f=city%3Ahas%3A%C5%81%C3%B3d%C5%BA"
    assert (
        post(client, "list_filter", field="created_at", operator="on", value="soon", apply="1").status_code
        == 422
    )
    answer = post(
        client,
        "list_filter",
        query="f=city:has:x",
        field="owner",
        operator="any",
        value="me",
        group="0",
        apply="1",
    )
    assert answer["Location"] == "/leads/?f.1=city%3Ahas%3Ax&f.1=owner%3Aany%3Ame"
    answer = post(
        client,
        "list_filter",
        query="f=city:has:x",
        field="city",
        operator="has",
        value="y",
        edit="0",
        apply="1",
    )
    assert answer["Location"] == "/leads/?f=city%3Ahas%3Ay"


def test_the_columns_dialog(rep, signed_in):
    client = signed_in(rep)
    assert client.get(reverse("lists:list_columns"), {"kind": LEAD}).status_code == 200
    answer = post(client, "list_columns", column=["city", "name", "owner__password"])
    assert answer["Location"] == "/leads/?tab=new&cols=city%2Cname"
    assert post(client, "list_columns", column=["city"], reset="1")["Location"] == "/leads/?tab=new"


def test_the_pages_of_views(rep, teammate, marketing, signed_in):
    client = signed_in(rep)
    answer = post(client, "view_create", name="Mine", is_default="on")
    view = SavedView.objects.get()
    assert answer["Location"] == f"/leads/?tab=new&view={view.pk}"
    assert (view.query, view.is_shared, DefaultView.objects.get().view) == ("tab=new", False, view)
    assert post(client, "view_create", name="").status_code == 422
    assert "Mine" in client.get(reverse("lists:view_list")).content.decode()
    for action in ("view_default", "view_sharing", "view_removal"):
        assert signed_in(teammate).post(reverse(f"lists:{action}", args=[view.pk])).status_code == 404
    client = signed_in(rep)
    client.post(reverse("lists:view_sharing", args=[view.pk]), {"audience": "all"})
    assert SavedView.objects.get().is_shared
    for action in ("view_sharing", "view_removal"):
        assert signed_in(teammate).post(reverse(f"lists:{action}", args=[view.pk])).status_code == 404
    client = signed_in(rep)
    client.post(reverse("lists:view_removal", args=[view.pk]))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["list_filter", "list_columns", "view_create"])
def test_a_kind_one_sees_nothing_of_does_not_exist(marketing, rep, signed_in, name):
    assert signed_in(marketing).get(reverse(f"lists:{name}"), {"kind": "deals.deal"}).status_code == 404
    assert signed_in(rep).get(reverse(f"lists:{name}"), {"kind": "auth.user"}).status_code == 404
    assert signed_in(rep).get(reverse(f"lists:{name}")).status_code == 404


def test_a_view_for_a_department_or_a_role(rep, teammate, outsider, head):
    department = make_view(rep, name="North", audience=f"department-{rep.department_id}")
    role = make_view(rep, name="Sellers", audience=f"role-{rep.roles.first().pk}")
    seen = {user: set(SavedView.objects.visible_to(user)) for user in (rep, teammate, outsider)}
    assert seen == {rep: {department, role}, teammate: {department, role}, outsider: {role}}
    with pytest.raises(ValidationError):
        make_view(rep, name="Foreign", audience=f"department-{outsider.department_id}")
    for audience in ("role-999999", "owner__password", "department-", "\x00"):
        with pytest.raises(ValidationError):
            share_view(view=role, audience=audience, by=rep)


def test_anothers_view_names_no_hidden_field(rep, teammate, signed_in):
    """A filter on a field that is hidden from the reader is neither applied nor written anywhere on the page."""
    view = make_view(
        rep, query="f=note:has:topsecret&f=city:has:lodz&cols=name,note&sort=-id", audience="all"
    )
    role = Role.objects.create(name="Without notes", key="without_notes")
    RoleScope.objects.create(role=role, kind=LEAD, action="view", scope="all")
    FieldRule.objects.create(role=role, kind=LEAD, field="note", level="hidden")
    teammate.roles.set([role])
    make_lead(rep, company="Ada", city="Łódź", note="x")
    page = signed_in(teammate).get(f"/leads/?view={view.pk}").content.decode()
    assert "Ada" in page
    assert "topsecret" not in page
    assert "topsecret" not in signed_in(teammate).get("/lists/views/").content.decode()


def test_back_to_the_page_one_came_from(rep):
    for number in range(120):
        make_lead(rep, company=f"Lead {number % 7}", city="Łódź" if number % 2 else "")
    for sort in ("sort_key", "-sort_key", "-id", "id"):
        first = LeadList(rep, QueryDict(f"sort={sort}"))
        second = LeadList(rep, QueryDict(f"sort={sort}&after={first.next_cursor}"))
        third = LeadList(rep, QueryDict(f"sort={sort}&after={second.next_cursor}"))
        assert (len(third.page), third.next_cursor, first.previous_cursor) == (20, "", "")
        back = LeadList(rep, QueryDict(f"sort={sort}&before={third.previous_cursor}"))
        assert back.page == second.page
        again = LeadList(rep, QueryDict(f"sort={sort}&before={back.previous_cursor}"))
        assert again.page == first.page
        assert again.previous_cursor == ""
        assert LeadList(rep, QueryDict(f"sort={sort}&after={again.next_cursor}")).page == second.page
