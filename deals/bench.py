"""The board, and writing: a move on it, an edit, a new deal."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from counterparties.models import Counterparty
from crm.web.bench.pages import Page, bench_pages
from deals.models import Deal, DealStatus, DealType
from funnel.models import Stage


@bench_pages
def boards(user) -> Iterator[Page]:
    if not user.access.may(Deal, "view"):
        return
    board = reverse("deals:deal_board")
    yield Page("board", "board", board)
    yield Page("board, own deals", "board", f"{board}?owner=me")
    yield Page("board by owner", "board", f"{board}?group=owner")
    yield Page("board by month", "board", f"{board}?group=month")
    for stage in Stage.objects.order_by("funnel__position", "position")[:1]:
        yield Page(
            "board column", "panel", f"{reverse('deals:deal_column')}?column={stage.pk}", fragment=True
        )


@bench_pages
def writing(user) -> Iterator[Page]:
    deals = Deal.objects.visible_to(user, "edit").filter(status=DealStatus.ACTIVE, stage__position=1)
    deal = deals.exclude(stage_requests__status="pending").select_related("funnel").order_by("-pk").first()
    if deal is None:
        return
    stage = Stage.objects.filter(funnel=deal.funnel, position=2).first()
    data = {"stage": stage.pk if stage else ""}
    yield Page("move a deal", "post", reverse("deals:deal_stage", args=[deal.pk]), data=data)
    form = {
        "name": f"{deal.name} 2",
        "counterparty": deal.counterparty_id,
        "currency": deal.currency_id,
        "amount": "1250",
    }
    people = list(deal.contacts.values_list("pk", flat=True))
    edit = form | {"owner": deal.owner_id, "version": deal.version, "contacts": people}
    yield Page("edit a deal", "post", reverse("deals:deal_update", args=[deal.pk]), data=edit)
    client = Counterparty.objects.visible_to(user).order_by("-pk").first()
    deal_type = DealType.objects.order_by("position").first()
    if client is not None and deal_type is not None and user.access.may(Deal, "create"):
        new = form | {"counterparty": client.pk, "deal_type": deal_type.pk}
        yield Page("open a deal", "post", reverse("deals:deal_create"), data=new)
