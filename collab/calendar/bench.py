"""Writing activities."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone

from collab.calendar.models import Activity
from crm.web.bench.pages import Page, bench_pages
from deals.models import Deal, DealStatus


@bench_pages
def writing(user) -> Iterator[Page]:
    deal = Deal.objects.visible_to(user).filter(status=DealStatus.ACTIVE).order_by("-pk").first()
    now = timezone.localtime().replace(microsecond=0, tzinfo=None).isoformat()
    if deal is not None:
        url = f"{reverse('collab_calendar:activity_create')}?deal={deal.pk}"
        data = {"kind": "call", "subject": "Rozmowa", "starts_at": now, "minutes": "15"}
        yield Page("plan a call", "post", url, data=data)
        logged = data | {"result": "Odebrał, prosi o ofertę."}
        yield Page("log a call", "post", f"{url}&done=1", data=logged)
    mine = Activity.objects.open().filter(owner=user).order_by("starts_at").first()
    if mine is not None:
        url = reverse("collab_calendar:activity_completion", args=[mine.pk])
        yield Page("complete a call", "post", url, data={"result": "Zrobione."})
