"""Definitions are edited in the administration; deals themselves are not there."""

from django.contrib import admin
from django.urls import reverse

from deals.models import Deal, DealSettings, DealType, PaymentTemplate
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


def schedule_form(*percents: str) -> dict:
    rows = {f"shares-{number}-percent": percent for number, percent in enumerate(percents)}
    rows |= {f"shares-{number}-days": "30" for number in range(len(percents))}
    return {"name": "Halves", "position": "9", "is_active": "on", "shares-TOTAL_FORMS": len(percents),
            "shares-INITIAL_FORMS": "0", **rows}  # fmt: skip


def test_the_shares_of_a_schedule_make_the_whole(admin_user, signed_in):
    client, url = signed_in(admin_user), reverse("admin:deals_paymenttemplate_add")
    assert client.post(url, schedule_form("50", "40")).status_code == 200
    assert not PaymentTemplate.objects.exists()
    assert client.post(url, schedule_form("50", "50")).status_code == 302
    assert PaymentTemplate.objects.get().shares.count() == 2


def test_the_settings_of_deals_are_one_row(admin_user, signed_in):
    client = signed_in(admin_user)
    answer = client.get(reverse("admin:deals_dealsettings_changelist"))
    assert answer["Location"] == reverse("admin:deals_dealsettings_change", args=[1])
    assert (
        client.post(answer["Location"], {"amount_basis": "gross", "number_pattern": "{number}"}).status_code
        == 302
    )
    assert DealSettings.read().amount_basis == "gross"
    assert client.get(reverse("admin:deals_dealsettings_add")).status_code == 403
