"""Why deals are won or set aside, and whom they are up against."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.money.rates import set_rates
from deals.competitors import COMPETITORS, add_competitor
from deals.models import Competitor, DealCompetitor, DealSettings, DealStatus, OutcomeReason, StageTransition
from deals.parts import edit_row
from deals.reports.outcomes import read_outcomes
from deals.services import StageRefused, edit_deal, request_stage
from tests.factories.deals import make_deal, make_loss_reason, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def price(db):
    return OutcomeReason.objects.create(name="Best price", name_pl="Najlepsza cena", outcome="won")


@pytest.fixture
def later(db):
    return OutcomeReason.objects.create(name="Next year", outcome="postponed")


def test_a_reason_is_kept_with_the_outcome_and_goes_with_it(rep, head, price, later):
    deal = make_deal(rep)
    request_stage(deal=deal, status=DealStatus.POSTPONED, outcome_reason=later, by=rep)
    assert deal.outcome_reason == later
    request_stage(deal=deal, status=DealStatus.ACTIVE, by=rep)
    assert deal.outcome_reason is None
    request_stage(deal=deal, status=DealStatus.WON, outcome_reason=price, by=rep)
    assert deal.outcome_reason == price
    assert Event.objects.get(kind="deal_won").payload["note"] == "Best price"


def test_a_reason_of_something_else_is_refused(rep, later):
    deal = make_deal(rep)
    with pytest.raises(StageRefused, match="not for that"):
        request_stage(deal=deal, status=DealStatus.WON, outcome_reason=later, by=rep)
    assert deal.status == DealStatus.ACTIVE


@pytest.mark.parametrize(
    ("to", "setting"), [("won", "won_needs_reason"), ("postponed", "postponed_needs_reason")]
)
def test_it_is_demanded_where_it_is_set_so(rep, signed_in, price, later, to, setting):
    DealSettings.objects.update_or_create(pk=1, defaults={setting: True})
    deal, client = make_deal(rep), signed_in(rep)
    url = f"/deals/{deal.pk}/closure/"
    assert "Best price" in (page := client.get(f"{url}?to=won").content.decode())
    assert "Next year" not in page
    assert client.post(url, {"to": to}).status_code == 422
    with pytest.raises(StageRefused, match="Say why"):
        request_stage(deal=deal, status=to, by=rep)
    other = later if to == "won" else price
    assert client.post(url, {"to": to, "outcome_reason": other.pk}).status_code == 422
    right = price if to == "won" else later
    assert client.post(url, {"to": to, "outcome_reason": right.pk}).status_code in {204, 302}
    deal.refresh_from_db()
    assert (deal.status, deal.outcome_reason) == (to, right)


def test_without_the_setting_nobody_is_asked(rep, signed_in, price):
    deal = make_deal(rep)
    assert signed_in(rep).post(f"/deals/{deal.pk}/closure/", {"to": "won"}).status_code in {204, 302}
    deal.refresh_from_db()
    assert deal.status == "won"


def test_competitors_are_named_once_changed_and_taken_back(rep, teammate, outsider):
    deal, polmag = make_deal(rep), Competitor.objects.create(name="Polmag")
    row = add_competitor(deal=deal, competitor=polmag, note="cheaper", by=rep)
    with pytest.raises(ValidationError):
        add_competitor(deal=deal, competitor=polmag, by=rep)
    with pytest.raises(PermissionDenied):
        add_competitor(deal=deal, competitor=Competitor.objects.create(name="Rolbud"), by=teammate)
    edit_row(part=COMPETITORS, row=row, values={"has_won": True}, by=rep)
    event = Event.objects.filter(kind="deal_competitors_changed").latest("pk")
    assert event.changes.get().new_text == "Polmag, cheaper, won it"
    undo_event(event=event, by=rep)
    row.refresh_from_db()
    assert not row.has_won


def test_the_panel_and_the_list(rep, outsider, signed_in, django_assert_max_num_queries):
    deal, polmag = make_deal(rep, name="Crane"), Competitor.objects.create(name="Polmag")
    make_deal(rep, name="Lift")
    client = signed_in(rep)
    url = f"/deals/{deal.pk}/competitors/"
    assert client.post(url, {"competitor": polmag.pk, "note": "cheap"}).status_code == 302
    assert client.post(url, {"competitor": polmag.pk}).status_code == 422
    assert client.post(url, {"competitor": "x"}).status_code == 422
    row = DealCompetitor.objects.get()
    saved = client.post(f"/deals/competitors/{row.pk}/", {"has_won": "1", "has_won-sent": "1", "seen": ""})
    row.refresh_from_db()
    assert (saved.status_code, row.has_won) == (302, True)
    with django_assert_max_num_queries(10):
        page = client.get(f"/deals/?f=competitors:any:{polmag.pk}&cols=name,competitors").content.decode()
    assert ("Crane" in page, "Lift" in page) == (True, False)
    assert signed_in(outsider).get(url).status_code == 404
    assert signed_in(outsider).post(f"/deals/competitors/{row.pk}/removal/").status_code == 404
    assert signed_in(rep).post(f"/deals/competitors/{row.pk}/removal/").status_code == 302
    assert not DealCompetitor.objects.exists()


def test_the_ledger_keeps_the_worth_of_the_day(rep, run_jobs):
    today = timezone.localdate()
    deal = make_deal(rep, amount=Decimal(100), currency="EUR")
    set_rates(rates={("EUR", today): Decimal("4.20")})
    run_jobs()
    deal.refresh_from_db()
    edit_deal(deal=deal, values={"amount": Decimal(200)}, version=deal.version, by=rep)
    request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    set_rates(rates={("EUR", today): Decimal("4.50")})
    run_jobs()
    rows = StageTransition.objects.filter(deal=deal).order_by("pk").values_list("cause", "worth")
    assert list(rows) == [("created", None), ("amount", Decimal(840)), ("request", Decimal(840))]


def test_the_report_counts_what_one_may_see_and_each_line_opens_its_deals(
    rep, outsider, signed_in, price, django_assert_max_num_queries
):
    polmag = Competitor.objects.create(name="Polmag")
    for amount, reason in ((100, price), (200, price), (50, None)):
        deal = make_deal(rep, name=f"Deal {amount}", amount=Decimal(amount))
        request_stage(deal=deal, status=DealStatus.WON, outcome_reason=reason, by=rep)
    lost = make_deal(rep, name="Gone", amount=Decimal(70))
    add_competitor(deal=lost, competitor=polmag, has_won=True, by=rep)
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    found = read_outcomes(rep, "this_month")
    assert [(line.label, line.count, line.worth, line.share) for line in found.won] == [
        ("Best price", 2, 300, 67), ("", 1, 50, 33),
    ]  # fmt: skip
    assert [(line.label, line.count, line.won, line.worth) for line in found.competitors] == [
        ("Polmag", 1, 1, 70)
    ]
    client = signed_in(rep)
    for line, names in (
        (found.won[0], {"Deal 100", "Deal 200"}),
        (found.won[1], {"Deal 50"}),
        (found.lost[0], {"Gone"}),
        (found.competitors[0], {"Gone"}),
    ):
        page = client.get(f"/deals/?{line.query}").content.decode()
        assert {
            name for name in ("Deal 100", "Deal 200", "Deal 50", "Gone") if f">{name}</a>" in page
        } == names
    with django_assert_max_num_queries(14):
        assert "67%" in client.get("/deals/outcomes/?period=this_month").content.decode()
    assert read_outcomes(outsider, "this_month").won == []
