"""What processes may do that no area below owns: telling people."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bpm.assigning import NobodyFound, person
from crm.notify.services import notify
from crm.operations.registry import Context, Input, Operation, OperationFailed, register_operation


def register_operations() -> None:
    register_operation(
        Operation(
            "notify.user", gettext_lazy("Notify somebody"), notify_user,
            (Input("user", "user", gettext_lazy("Whom")), Input("text", "text", gettext_lazy("Text"))),
        )
    )  # fmt: skip


def notify_user(context: Context, user, text) -> dict:
    """`user`: requester, owner, head or a login. Nobody is told of a record they may not see."""
    try:
        reader = person(user, requester=context.requester, record=context.record)
    except NobodyFound as nobody:
        raise OperationFailed(nobody.phrase.said(_)) from nobody
    row = notify(
        user=reader,
        kind="bpm.message",
        text="%(text)s",
        params={"text": str(text)[:500]},
        record=context.record,
    )
    return {"notified": row is not None}
