"""What deals tell the areas above. Every signal is sent inside the transaction, with `send`: an error rolls back.

A receiver writes rows (a job, a process instance) and returns. Where a request is withdrawn, overridden or a deal
is moved, it must not lock a run of a process: the deal is locked already, and the order is run before deal.
"""

from dataclasses import dataclass

from django.dispatch import Signal


@dataclass(frozen=True)
class Hold:
    """What a receiver of `deal_stage_requested` returns to keep the request pending.

    `label`: what it waits for. `source`: the name under which the holder lets go (`deals.services.release_hold`).
    """

    label: str = ""
    label_pl: str = ""
    source: str = "process"


deal_created = Signal()
"""A deal was born at the first stage of its funnel. Payload: deal, by."""

deal_changed = Signal()
"""Fields of a deal changed (not stage or status). Payload: deal, by, fields (names; attributes as `attr_key`)."""

deal_stage_requested = Signal()
"""Somebody asks for another stage or status. Payload: request, by. A receiver may return `Hold`, or several."""

deal_stage_changed = Signal()
"""A move was committed. Payload: deal, transition, by, calls_off.

`transition.cause` "override": past whoever held it; `calls_off` then says whether what held it shall stop.
"""

deal_stage_refused = Signal()
"""A request was refused by its gate, or could not be applied any more. Payload: request, by, reason."""

deal_request_withdrawn = Signal()
"""A pending request was taken back. Payload: request, by."""

deal_file_attached = Signal()
"""A file came onto the deal's card. Payload: deal, file (crm.files.StoredFile), by."""
