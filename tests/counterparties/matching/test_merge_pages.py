"""The pages of merging: side by side, the choice, rights, the old address, and the way back."""

import pytest
from django.urls import reverse

from counterparties.matching.merging import merge_records
from counterparties.matching.models import Merge
from counterparties.models import Counterparty
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
CARD = "counterparties:counterparty_detail"


@pytest.fixture
def pair(head):
    one = make_counterparty(head, name="Alfa", phone="22 123 45 67", city="Kutno")
    other = make_counterparty(head, name="Alfa Sp. z o.o.", tax_number="5260250274", city="Łódź")
    make_deal(head, counterparty=other)
    return one, other


def address(*records, **more) -> str:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    ids = ",".join(str(one.pk) for one in records)
    return f"{reverse('matching:merge_create')}?kind=counterparties.counterparty&ids={ids}&{query}"


def test_side_by_side(head, pair, signed_in, django_assert_max_num_queries):
    client = signed_in(head)
    client.get(address(*pair))
    with django_assert_max_num_queries(20):
        page = client.get(address(*pair))
    text = page.content.decode()
    assert page.status_code == 200
    for shown in ("Kutno", "Łódź", "5260250274", "22 123 45 67", "<strong>1</strong> deals"):
        assert shown in text
    turned = client.get(address(*pair, survivor=pair[1].pk), headers={"HX-Request": "true"}).content.decode()
    assert turned.index(f'value="{pair[1].pk}" checked') < turned.index(
        f'value="{pair[0].pk}"', turned.index("survivor")
    )
    assert "<html" not in turned


def test_merging_choosing_and_the_way_back(head, pair, signed_in):
    one, other = pair
    client = signed_in(head)
    given = {"kind": "counterparties.counterparty", "ids": f"{one.pk},{other.pk}", "survivor": other.pk}
    answer = client.post(
        reverse("matching:merge_create"), {**given, "field_city": one.pk, "field_name": "99"}
    )
    assert (answer.status_code, answer["Location"]) == (302, reverse(CARD, args=[other.pk]))
    other.refresh_from_db()
    assert (other.name, other.city, other.phone) == ("Alfa Sp. z o.o.", "Kutno", "+48221234567")
    old = client.get(reverse(CARD, args=[one.pk]))
    assert (old.status_code, old["Location"]) == (302, reverse(CARD, args=[other.pk]))
    undo = reverse("matching:merge_undo", args=[Merge.objects.get().pk])
    history = client.get(reverse("history:card_history", args=["counterparties.counterparty", other.pk]))
    assert f'href="{undo}"' in history.content.decode()
    assert "Alfa" in client.get(undo).content.decode()
    assert client.post(undo)["Location"] == reverse(CARD, args=[other.pk])
    assert client.get(reverse(CARD, args=[one.pk])).status_code == 200
    assert client.post(undo).status_code == 422


def test_the_old_address_says_nothing_to_an_outsider(head, outsider, pair, signed_in):
    one, other = pair
    merge = merge_records(survivor=one, merged=[other], by=head)
    client = signed_in(outsider)
    assert client.get(reverse(CARD, args=[other.pk])).status_code == 404
    assert client.get(reverse("matching:merge_undo", args=[merge.pk])).status_code == 404
    assert client.get(address(*pair)).status_code == 404
    assert (
        client.get(
            reverse("matching:merge_partner", args=["counterparties.counterparty", one.pk])
        ).status_code
        == 404
    )


def test_refusals(head, rep, outsider, pair, signed_in):
    client = signed_in(head)
    assert client.get(address(pair[0])).status_code == 422
    assert client.get(address(pair[0], pair[0])).status_code == 422
    assert client.get(address(pair[0], make_counterparty(outsider))).status_code == 404
    assert (
        client.get(reverse("matching:merge_create"), {"kind": "deals.deal", "ids": "1,2"}).status_code == 404
    )
    assert client.put(address(*pair)).status_code == 405
    six = [make_counterparty(head) for _each in range(6)]
    assert client.get(address(*six)).status_code == 422
    role = head.roles.get()
    role.scopes.filter(kind="counterparties.counterparty", action="delete").update(scope="none")
    assert client.get(address(*pair)).status_code == 403
    assert (
        client.post(
            reverse("matching:merge_create"),
            {"kind": "counterparties.counterparty", "ids": f"{pair[0].pk},{pair[1].pk}"},
        ).status_code
        == 403
    )
    assert Counterparty.objects.filter(deleted_at=None).count() == 9


def test_a_partner_is_found_from_the_card(head, pair, signed_in):
    client = signed_in(head)
    card = client.get(reverse(CARD, args=[pair[0].pk])).content.decode()
    dialog = reverse("matching:merge_partner", args=["counterparties.counterparty", pair[0].pk])
    assert f'href="{dialog}"' in card
    assert "Merge with which record?" in client.get(dialog).content.decode()
    offers = client.get(
        reverse("matching:merge_options"),
        {"kind": "counterparties.counterparty", "q": "alfa", "exclude": pair[0].pk},
    )
    assert (
        f'data-value="{pair[1].pk}"' in offers.content.decode(),
        f'data-value="{pair[0].pk}"' in offers.content.decode(),
    ) == (True, False)
