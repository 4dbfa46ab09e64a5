"""Deals that a file wins or sets aside: the reason's column, and what the row is told where a reason is missing."""

import pytest

from crm.listing.imports.registry import importers_of
from crm.listing.imports.staging import message_of
from deals.models import Deal, DealSettings, OutcomeReason
from funnel.models import Requirement, Stage
from tests.factories import sheets
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_deal_type, make_stage
from tests.factories.imports import finished_import

pytestmark = pytest.mark.django_db
DEAL = "deals.deal"
HEAD = ["Nazwa szansy", "Klient", "Stan", "Powód wygranej"]


@pytest.fixture
def reasons(db):
    make_deal_type()
    OutcomeReason.objects.create(name="Best price", name_pl="Najlepsza cena", outcome="won")
    OutcomeReason.objects.create(name="Budget", outcome="postponed")
    OutcomeReason.objects.create(name="Budget", outcome="won")


def demand(*names):
    DealSettings.objects.update_or_create(pk=1, defaults=dict.fromkeys(names, True))


def brought(rows, by, tmp_path, run_jobs, mode="create"):
    """{deal: (status, reason)} and {row: what it is told} after importing the rows."""
    make_counterparty(by, name="Żubr S.A.")
    path = sheets.write_workbook(tmp_path / "szanse.xlsx", rows)
    run = finished_import(path, by=by, run_jobs=run_jobs, kind=DEAL, mode=mode)
    importer = next(one for one in importers_of(by) if one.kind == DEAL)
    told = {
        row.number: [message_of(importer, error) for error in row.errors] for row in run.rows.all() if row.errors
    }  # fmt: skip
    deals = Deal.objects.select_related("outcome_reason")
    reason = lambda deal: deal.outcome_reason and (deal.outcome_reason.outcome, deal.outcome_reason.name)  # noqa: E731
    return {deal.name: (deal.status, reason(deal)) for deal in deals}, told


def test_new_deals_keep_their_reason_and_lack_it_by_name(admin_user, reasons, tmp_path, run_jobs):
    demand("won_needs_reason")
    rows = [
        HEAD,
        ["A", "Żubr", "wygrana", "najlepsza cena"],
        ["B", "Żubr", "won", "Budget"],
        ["C", "Żubr", "odłożona", "Budget"],
        ["D", "Żubr", "wygrana", ""],
        ["E", "Żubr", "odłożona", "Best price"],
        ["F", "Żubr", "odłożona", ""],
        ["G", "Żubr", "wygrana", "Bo tak"],
        ["H", "Żubr", "aktywna", "Budget"],
    ]
    deals, told = brought(rows, admin_user, tmp_path, run_jobs)
    assert deals == {
        "A": ("won", ("won", "Best price")),
        "B": ("won", ("won", "Budget")),
        "C": ("postponed", ("postponed", "Budget")),
        "F": ("postponed", None),
    }
    needs = "A won deal needs a reason, in the column “Reason of winning or postponing”."
    assert (told[5], told[6], told[9]) == (
        [needs], ["“Best price” is no reason for that."], ["“Budget” is no reason for that."],
    )  # fmt: skip
    assert sorted(told) == [5, 6, 8, 9]


def test_a_file_without_the_column_is_told_its_name(admin_user, reasons, tmp_path, run_jobs):
    demand("won_needs_reason", "postponed_needs_reason")
    rows = [HEAD[:3], ["A", "Żubr", "wygrana"], ["B", "Żubr", "odłożona"], ["C", "Żubr", ""]]
    deals, told = brought(rows, admin_user, tmp_path, run_jobs)
    assert deals == {"C": ("active", None)}
    assert [texts[0].endswith("in the column “Reason of winning or postponing”.") for texts in told.values()] == [
        True, True,
    ]  # fmt: skip


def test_deals_that_are_there_are_won_through_the_one_door(admin_user, rep, reasons, tmp_path, run_jobs):
    demand("won_needs_reason")
    client = make_counterparty(admin_user, name="Żubr S.A.")
    known = {name: make_deal(admin_user, name=name, counterparty=client) for name in "ABCD"}
    Requirement.objects.create(
        stage=make_stage("qualification"),
        kind="deals.fields",
        way="exit",
        options={"fields_asked": ["amount"]},
    )
    Deal.objects.filter(pk__in=[known["A"].pk, known["C"].pk]).update(amount=100)
    Stage.objects.get(key="needs", funnel=known["A"].funnel).allowed_moves.set([])
    rows = [
        HEAD,
        ["A", "Żubr", "wygrana", "Best price"],
        ["B", "Żubr", "wygrana", "Best price"],
        ["C", "Żubr", "wygrana", ""],
        ["D", "Żubr", "przegrana", ""],
    ]
    path = sheets.write_workbook(tmp_path / "szanse.xlsx", rows)
    run = finished_import(path, by=admin_user, run_jobs=run_jobs, kind=DEAL, mode="update")
    importer = next(one for one in importers_of(admin_user) if one.kind == DEAL)
    told = {row.number: message_of(importer, row.errors[0]) for row in run.rows.exclude(errors=[])}
    assert told == {
        4: "A won deal needs a reason, in the column “Reason of winning or postponing”.",
        5: "A lost deal needs a reason of loss.",
    }
    status = {name: Deal.objects.get(pk=deal.pk).status for name, deal in known.items()}
    assert status == {"A": "won", "B": "active", "C": "active", "D": "active"}
    assert Deal.objects.get(pk=known["A"].pk).outcome_reason.name == "Best price"
    waiting = known["B"].stage_requests.get()
    assert (waiting.status, waiting.outcome_reason.name) == ("pending", "Best price")
    again = sheets.write_workbook(tmp_path / "again.xlsx", [HEAD, ["B", "Żubr", "wygrana", "Best price"]])
    second = finished_import(again, by=admin_user, run_jobs=run_jobs, kind=DEAL, mode="update")
    (row,) = second.rows.exclude(errors=[])
    assert message_of(importer, row.errors[0]) == "Not moved: This move is already waiting for a decision."


def test_an_import_written_twice_over_changes_nothing_more(admin_user, reasons, tmp_path, run_jobs):
    demand("won_needs_reason")
    client = make_counterparty(admin_user, name="Żubr S.A.")
    deal = make_deal(admin_user, name="A", counterparty=client)
    path = sheets.write_workbook(tmp_path / "a.xlsx", [HEAD, ["A", "Żubr", "wygrana", "Best price"]])
    for _time in range(2):
        run = finished_import(path, by=admin_user, run_jobs=run_jobs, kind=DEAL, mode="update")
        assert run.rows.exclude(errors=[]).count() == 0
    assert deal.transitions.filter(to_status="won").count() == 1
