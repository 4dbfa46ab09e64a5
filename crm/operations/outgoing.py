"""What processes may send out of the house: a call to another program, a letter.

Both are external: the run waits for a leased job, never inside a transaction. The job's key goes along, so that
the other side can tell a second delivery; where nobody can know whether the first arrived, the job is doubtful and a
person decides.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from crm.jobs.run import JobDoubtful
from crm.operations.http import AddressRefused, AnswerLost, checked, fetch
from crm.operations.reach import may_be_reached
from crm.operations.registry import Context, Input, Operation, OperationFailed, register_operation
from crm.people.fields import ATTRIBUTE
from crm.people.kinds import kind_of
from crm.people.models import User

LOST = gettext_noop("Nobody knows whether it arrived: %(error)s")
OPTED_OUT = "opted_out"
LONGEST_SUBJECT, LONGEST_TEXT = 200, 20_000


def call_webhook(context: Context, url: str, event: str = "") -> dict:
    """Posts the card's values as JSON to a host of `settings.CRM_WEBHOOK_HOSTS` and gives {status}.

    The body is signed: `X-Signature: sha256=…` is its HMAC with `settings.CRM_WEBHOOK_SECRET`.
    """
    try:
        host = str(checked(str(url).strip()).hostname)
    except AddressRefused:
        raise OperationFailed(
            _("“%(url)s” is not a web address that can be called.") % {"url": str(url)[:100]}
        )
    if not {host, "*"} & {entry.lower() for entry in settings.CRM_WEBHOOK_HOSTS}:
        raise OperationFailed(
            _("Processes may not call “%(host)s”: an administrator lists hosts in CRM_WEBHOOK_HOSTS.")
            % {"host": host}
        )
    body = json.dumps(_payload(context, event), ensure_ascii=False).encode()
    try:
        answer = fetch(str(url).strip(), method="POST", body=body, headers=_headers(body, context.key))
    except AddressRefused:
        raise OperationFailed(_("“%(host)s” is not an address on the open internet.") % {"host": host})
    except AnswerLost as error:
        raise JobDoubtful(str(LOST) % {"error": error})
    if answer.status >= 500:
        # Tried again later by the job.
        raise OSError(f"{host} answered {answer.status}")
    if not 200 <= answer.status < 300:
        raise OperationFailed(_("“%(host)s” answered %(status)s.") % {"host": host, "status": answer.status})
    return {"status": answer.status}


def _payload(context: Context, event: str) -> dict:
    """What the publisher of the process may see of the card."""
    kind = kind_of(context.record)
    hidden = context.by.access.hidden_fields(kind.label)
    facts = kind.facts(context.record) if kind.facts else {}
    return {
        "event": str(event)[:100],
        "kind": kind.label,
        "id": context.record.pk,
        "url": f"{settings.CRM_URL}{kind.url(context.record.pk)}",
        "values": {
            name: value
            for name, value in facts.items()
            if name not in hidden and f"{ATTRIBUTE}{name}" not in hidden
        },
    }


def _headers(body: bytes, key: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if secret := settings.CRM_WEBHOOK_SECRET:
        headers["X-Signature"] = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
    return headers


def send_email(context: Context, to: str, subject: str, text: str) -> dict:
    """A plain letter to `to`: "record" (the card's e-mail), "owner", "requester", or a colleague's login.

    Fails with the code `opted_out` when the card's address belongs to somebody who does not wish to get e-mails.
    """
    address = _recipient(context, str(to).strip())
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    letter = EmailMessage(
        subject=" ".join(str(subject).split())[:LONGEST_SUBJECT],
        body=str(text)[:LONGEST_TEXT],
        to=[address],
        headers={"Message-ID": f"<{context.key}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        letter.send()
    except SMTPRecipientsRefused:
        raise OperationFailed(
            _("The mail server does not take letters to %(address)s.") % {"address": address}
        )
    except SMTPServerDisconnected as error:
        raise JobDoubtful(str(LOST) % {"error": error})
    return {"to": address}


def _recipient(context: Context, to: str) -> str:
    if to == "record":
        hidden = "email" in context.by.access.hidden_fields(kind_of(context.record).label)
        address = "" if hidden else getattr(context.record, "email", "")
        if address and not may_be_reached("email", address):
            text = _("“%(address)s” does not wish to get e-mails, so the letter was not sent.")
            raise OperationFailed(text % {"address": address}, code=OPTED_OUT)
    else:
        people = {"owner": getattr(context.record, "owner", None), "requester": context.requester}
        person = people[to] if to in people else User.objects.filter(username=to, is_active=True).first()
        address = person.email if person else ""
    try:
        validate_email(address)
    except ValidationError:
        raise OperationFailed(_("There is no e-mail address for “%(to)s”.") % {"to": to[:100]})
    return address


def register_outgoing() -> None:
    register_operation(
        Operation(
            "call_webhook",
            gettext_lazy("Call a webhook"),
            call_webhook,
            (
                Input("url", "text", gettext_lazy("Web address")),
                Input("event", "text", gettext_lazy("Name of the event"), required=False),
            ),
            external=True,
        )
    )
    register_operation(
        Operation(
            "send_email",
            gettext_lazy("Send an e-mail"),
            send_email,
            (
                Input("to", "text", gettext_lazy("To (record, owner, requester or a login)")),
                Input("subject", "text", gettext_lazy("Subject")),
                Input("text", "text", gettext_lazy("Text")),
            ),
            external=True,
        )
    )
