"""Definitions are edited in the administration; deals themselves are not there."""

from django.contrib import admin
from django.urls import reverse

from deals.models import Deal, DealType
from funnel.models import Funnel
from tests.factories.deals import make_funnel, make_stage


def test_deals_are_not_in_the_administration():
    assert Deal not in admin.site._registry


def test_a_new_deal_type_gets_attributes_of_its_own(admin_user, signed_in):
    data = {
        "name": "Rental",
        "name_pl": "Najem",
        "key": "rental",
        "funnel": make_funnel().pk,
        "position": 3,
        "is_active": "on",
        "attributes-TOTAL_FORMS": "1",
        "attributes-INITIAL_FORMS": "0",
        "attributes-0-name": "Lease ends",
        "attributes-0-kind": "choice",
        "attributes-0-choices": "y1 | one year | rok\nlong",
        "attributes-0-position": "1",
    }
    assert signed_in(admin_user).post(reverse("admin:deals_dealtype_add"), data).status_code == 302
    made = DealType.objects.get(key="rental")
    assert (made.attribute_set.kind, made.attribute_set.name) == ("deals.deal", "Rental")
    attribute = made.attribute_set.attributes.get()
    assert (attribute.key, attribute.name) == ("lease_ends", "Lease ends")
    assert attribute.choices == [["y1", "one year", "rok"], ["long", "long", "long"]]


def test_a_funnel_with_its_stages_and_moves(admin_user, signed_in):
    funnel = make_funnel()
    other = make_funnel("other", "Other")
    answer = signed_in(admin_user).get(reverse("admin:funnel_funnel_change", args=[funnel.pk]))
    assert answer.status_code == 200
    form = answer.context["inline_admin_formsets"][0].formset.forms[0]
    offered = set(form.fields["allowed_moves"].queryset.values_list("funnel_id", flat=True))
    assert offered == {funnel.pk}
    assert Funnel.objects.get(pk=other.pk).stages.count() == 4
    assert make_stage("needs", other).funnel == other
