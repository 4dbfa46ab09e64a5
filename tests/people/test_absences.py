"""Absence and substitution."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from crm.people.absences import Absence, present, stand_in, substitutes

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 27)


def test_who_is_away_and_who_takes_over(rep, teammate, head):
    Absence.objects.create(user=rep, first_day=FIRST, last_day=LAST, substitute=teammate)
    assert substitutes(date(2026, 11, 22)) == {}
    assert substitutes(LAST) == {rep.pk: teammate.pk}
    assert stand_in(rep.pk, substitutes(FIRST)) == teammate.pk
    assert stand_in(head.pk, substitutes(FIRST)) == head.pk
    assert present([rep.pk, head.pk], substitutes(FIRST)) == [head.pk]


def test_a_chain_of_substitutes_ends_somewhere(rep, teammate, head):
    Absence.objects.create(user=rep, first_day=FIRST, last_day=LAST, substitute=teammate)
    Absence.objects.create(user=teammate, first_day=FIRST, last_day=FIRST, substitute=head)
    assert stand_in(rep.pk, substitutes(FIRST)) == head.pk
    Absence.objects.create(user=head, first_day=FIRST, last_day=FIRST, substitute=rep)
    assert stand_in(rep.pk, substitutes(FIRST)) is None


def test_nobody_stands_in_for_himself_or_comes_back_before_he_left(rep):
    for wrong in ({"substitute": rep, "last_day": LAST}, {"last_day": date(2026, 11, 1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Absence.objects.create(user=rep, first_day=FIRST, **wrong)
