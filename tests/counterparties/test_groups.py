"""Parents and daughters."""

from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from counterparties.hierarchy import DEEPEST, group_ids, parent_chain
from counterparties.services import edit_counterparty
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db


def under(child, parent, by):
    edit_counterparty(counterparty=child, values={"parent": parent}, version=child.version, by=by)


def test_no_rings_and_no_bottomless_groups(rep):
    chain = [make_counterparty(rep, name=f"Level {number}") for number in range(DEEPEST + 1)]
    for parent, child in pairwise(chain[:DEEPEST]):
        under(child, parent, rep)
    assert parent_chain(chain[2].pk) == [chain[2].pk, chain[1].pk, chain[0].pk]
    assert len(group_ids(chain[0])) == DEEPEST
    for child, parent in ((chain[0], chain[0]), (chain[0], chain[5]), (chain[DEEPEST], chain[DEEPEST - 1])):
        with pytest.raises(ValidationError) as error:
            under(child, parent, rep)
        assert list(error.value.error_dict) == ["parent"]


def test_a_parent_out_of_sight_is_no_parent(rep, outsider):
    with pytest.raises(ValidationError):
        under(make_counterparty(rep), make_counterparty(outsider, name="Hidden"), rep)


def test_the_panel_shows_the_visible_tree_and_its_deals(rep, outsider, signed_in):
    top = make_counterparty(rep, name="Top")
    middle = make_counterparty(rep, name="Middle", parent=top)
    make_counterparty(outsider, name="Secret").__class__.objects.filter(name="Secret").update(parent=top)
    make_deal(rep, counterparty=middle, amount="1500")
    url = reverse("counterparties:counterparty_group", args=[top.pk])
    client = signed_in(rep)
    html = client.get(url).content.decode()
    assert "Middle" in html and "Secret" not in html and "1 open deal" in html and "1,500" in html
    assert signed_in(outsider).get(url).status_code == 404


def test_who_does_not_see_the_parent_keeps_it(rep, outsider, signed_in):
    child, hidden = make_counterparty(rep), make_counterparty(outsider, name="Hidden")
    type(child).objects.filter(pk=child.pk).update(parent=hidden)
    client, url = signed_in(rep), reverse("counterparties:counterparty_update", args=[child.pk])
    html = client.get(url).content.decode()
    assert "Hidden" not in html and 'name="parent"' not in html
    sent = {
        "counterparty_type": child.counterparty_type_id,
        "name": "Renamed",
        "country": "PL",
        "owner": rep.pk,
    }
    assert client.post(url, sent).status_code == 302
    child.refresh_from_db()
    assert (child.name, child.parent_id) == ("Renamed", hidden.pk)
