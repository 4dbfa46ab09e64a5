"""Writing leads."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from crm.web.bench.pages import Page, bench_pages
from leads.models import Lead


@bench_pages
def writing(user) -> Iterator[Page]:
    if user.access.may(Lead, "create"):
        data = {"company": "Piekarnia Testowa Rogal", "phone": "601 234 567", "last_name": "Nowak"}
        yield Page("add a lead", "post", reverse("leads:lead_create"), data=data)
