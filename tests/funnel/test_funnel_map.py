"""A funnel's stages in order, and the moves it allows."""

import pytest

from funnel.models import Funnel, Stage
from funnel.services import active_maps, map_of
from tests.factories.deals import make_funnel, make_stage

pytestmark = pytest.mark.django_db


def test_without_chosen_moves_everything_is_allowed():
    way = map_of(make_funnel())
    assert [stage.key for stage in way.stages] == ["qualification", "needs", "proposal", "contract"]
    first, second = way.stages[:2]
    assert way.allows(first.pk, second.pk)
    assert not way.allows(first.pk, first.pk)


def test_chosen_moves_narrow_it(django_assert_num_queries):
    first, second, third = (make_stage(key) for key in ("qualification", "needs", "proposal"))
    first.allowed_moves.set([second])
    second.allowed_moves.set([first, third])
    with django_assert_num_queries(1):
        way = map_of(first.funnel_id)
    assert way.moves[first.pk] == {second.pk}
    assert way.moves[second.pk] == {first.pk, third.pk}
    assert len(way.moves[third.pk]) == 3


def test_a_funnel_out_of_use_is_not_offered():
    make_funnel()
    Funnel.objects.create(key="old", name="Old", is_active=False)
    assert [way.stages[0].funnel.key for way in active_maps().values()] == ["new"]


def test_a_funnel_without_stages_has_no_first_one():
    with pytest.raises(Stage.DoesNotExist):
        Funnel.objects.create(key="empty", name="Empty").first_stage()
    assert map_of(Funnel.objects.get(key="empty")).stages == []
