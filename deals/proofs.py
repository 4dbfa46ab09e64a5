"""What a move still lacks: the requirements of the stages it passes, looked at when it is asked for and ever after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext, override

from deals.models import REQUIREMENTS, Deal, StageRequest
from funnel.models import Mode, Requirement
from funnel.requirements import requirement_kind, requirements_between


def requirements_of(request: StageRequest) -> list[Requirement]:
    """Every requirement in the way of the move; one query."""
    if not request.leaves_stage:
        return []
    entered = request.to_stage_id if request.changes_stage else None
    return requirements_between(request.from_stage_id, entered)


def blocking(requirements: Iterable[Requirement]) -> list[Requirement]:
    return [one for one in requirements if one.mode == Mode.BLOCKING]


def unmet(deal: Deal, requirements: Iterable[Requirement]) -> list[Requirement]:
    """Those that the deal does not meet as it is now."""
    return [one for one in requirements if missing_text(deal, one)]


def missing_text(deal: Deal, requirement: Requirement) -> str:
    """What is to be supplied, in the active language; empty when the requirement is met.

    A requirement of a kind that no area offers any more is met by nobody: it holds until an administrator removes it.
    """
    kind = requirement_kind(requirement.kind)
    return kind.missing(deal, requirement.options) if kind else gettext("something no longer known here")


def lacks(request: StageRequest, requirements: Iterable[Requirement]) -> list[dict]:
    """The entries of `StageRequest.waits` for unmet requirements. The ball is with whoever asked for the move."""
    return [_lack(request, one) for one in requirements]


def _lack(request: StageRequest, requirement: Requirement) -> dict:
    said = {}
    for language in ("en", "pl"):
        with override(language):
            said[language] = missing_text(request.deal, requirement)
    return {
        "label": said["en"], "label_pl": said["pl"], "holder_id": request.requested_by_id,
        "holder": str(request.requested_by), "since": request.requested_at.isoformat(), "due": None,
        "target": reverse("deals:deal_proof", args=[request.deal_id]), "source": REQUIREMENTS,
    }  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """One blocking requirement of a waiting move. `missing`: what is to be supplied; `supply`: where, if elsewhere."""

    requirement: Requirement
    text: str
    missing: str
    supply: str


def proofs_of(request: StageRequest) -> list[Proof]:
    """What the move needs, given or not, as the list of the dialog shows it."""
    found = []
    for one in blocking(requirements_of(request)):
        kind, missing = requirement_kind(one.kind), missing_text(request.deal, one)
        supply = kind.supply(request.deal, one.options) if kind and kind.supply and missing else ""
        found.append(Proof(one, kind.describe(one.options) if kind else missing, missing, supply))
    return found


def unproven_move(deal: Deal) -> StageRequest | None:
    """The way past a gate that an overridden deal never proved, as a request nobody has made; None for all others."""
    if not deal.is_overridden:
        return None
    return StageRequest(
        deal=deal, from_stage=deal.proven_stage, to_stage=deal.stage, from_status=deal.status, to_status=deal.status
    )  # fmt: skip
