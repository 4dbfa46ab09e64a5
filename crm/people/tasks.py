"""Letters of invitation."""

from __future__ import annotations

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.people.invitations import MAIL_JOB, Invitation, letter_of


@handler(MAIL_JOB, external=True)
def invitation_mail(run: JobRun) -> dict:
    """Sends the letter unless the invitation was used, withdrawn or sent anew meanwhile."""
    found = Invitation.objects.open().filter(pk=run.args["invitation"], nonce=run.args["nonce"]).first()
    if found is None:
        return {"sent": 0}
    return {"sent": letter_of(found).send()}
