"""The score of a lead: the points of every rule that holds for it, each remembered so that the card can explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from crm.jobs.services import enqueue
from crm.listing.models import ImportRow
from crm.people.many_rows import update_rows
from leads.models import Lead, ScoreRule, ScoreTest
from leads.rules import fitting

JOB = "leads.score"
EVERYTHING = "all"
# Mailboxes that say nothing of a company.
FREE_MAIL = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com",
    "icloud.com", "me.com", "aol.com", "gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com", "mail.ru", "yandex.ru",
    "proton.me", "protonmail.com", "zoho.com", "tutanota.com", "wp.pl", "o2.pl", "onet.pl", "onet.eu", "op.pl",
    "vp.pl", "poczta.onet.pl", "interia.pl", "interia.eu", "poczta.fm", "gazeta.pl", "tlen.pl", "go2.pl", "autograf.pl",
    "buziaczek.pl", "seznam.cz", "centrum.cz", "ukr.net", "i.ua", "free.fr", "orange.fr", "libero.it", "t-online.de",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One line of the explanation."""

    rule: ScoreRule
    points: int


def is_company_email(email: str) -> bool:
    """Whether the address belongs to a domain of its own."""
    domain = email.rpartition("@")[2].lower()
    return bool(domain) and domain not in FREE_MAIL


def explain(lead: Lead, user) -> list[Part]:
    """Why the lead has its score, the most points first; nothing to somebody from whom it is kept. One query."""
    if "score" in user.access.hidden_fields(Lead):
        return []
    given = {int(pk): points for pk, points in lead.score_parts.items()}
    rules = ScoreRule.objects.filter(pk__in=given) if given else []
    return sorted((Part(rule, given[rule.pk]) for rule in rules), key=lambda part: -part.points)


def watch_scores(key: str, **args) -> None:
    """Has scores computed anew: `lead` one lead, `import_id` those an import wrote, neither all of them."""
    enqueue(kind=JOB, key=key, args=args)


@transaction.atomic
def score_leads(pks: Iterable[int]) -> int:
    """Computes the scores of these leads; how many changed. One query a rule."""
    needed = ("email", "first_response_at", "score_parts")
    leads = list(Lead.objects.filter(pk__in=list(pks)).only(*needed))
    parts: dict[int, dict[str, int]] = {lead.pk: {} for lead in leads}
    for rule in ScoreRule.objects.filter(is_active=True).select_related("author"):
        for pk in _holds(rule, leads):
            parts[pk][str(rule.pk)] = rule.points
    changed = {lead.pk for lead in leads if lead.score_parts != parts[lead.pk]}
    update_rows(
        Lead,
        ("score", "score_parts"),
        {pk: (sum(found.values()), found) for pk, found in parts.items() if pk in changed},
    )
    return len(changed)


def _holds(rule: ScoreRule, leads: list[Lead]) -> set[int]:
    if rule.test == ScoreTest.COMPANY_EMAIL:
        return {lead.pk for lead in leads if is_company_email(lead.email)}
    if rule.test == ScoreTest.ANSWERED:
        return {lead.pk for lead in leads if lead.first_response_at}
    return fitting(rule, [lead.pk for lead in leads])


def next_batch(after: int, *, import_id: int | None = None, size: int = 500) -> list[int]:
    """The ids of the next leads to score."""
    wanted = _written_by(import_id) if import_id else Q()
    rows = Lead.objects.filter(wanted, pk__gt=after, deleted_at=None).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:size])


def _written_by(import_id: int) -> Q:
    """The leads an import made, and those it wrote over."""
    updated = ImportRow.objects.filter(
        run=import_id, status=ImportRow.Status.UPDATED, record_id__isnull=False
    )
    return Q(import_id=import_id) | Q(pk__in=updated.values("record_id"))
