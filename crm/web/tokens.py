"""One-time form tokens: the second submit of the same form gets the first one's answer.

The token row and everything the view writes share one transaction, so the pair cannot come apart in a crash,
and a concurrent twin waits for the first one and then finds its answer.
"""

import secrets
from datetime import timedelta
from functools import wraps

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone

from crm.web import htmx
from crm.web.models import FormToken

FIELD = "form_token"
KEEP = timedelta(days=7)


def new_token() -> str:
    return secrets.token_urlsafe(24)


def spend_token(request) -> HttpResponse | None:
    """Spend the submitted form's token, inside the transaction of what the form does.

    Nothing when it was fresh (or the form carries none); else the answer that the first submit got.
    """
    request.spent_token = None
    token = request.POST.get(FIELD, "")[:64]
    if not token:
        return None
    user = request.user if request.user.is_authenticated else None
    token = f"{user.pk if user else 0}:{token}"
    claim = secrets.token_hex(16)
    FormToken.objects.bulk_create([FormToken(token=token, claim=claim, user=user)], ignore_conflicts=True)
    row = FormToken.objects.get(token=token)
    if row.claim != claim:
        return _replay(request, row)
    request.spent_token = row
    return None


def keep_answer(request, response) -> None:
    """Remember what the first submit was answered, for its replays."""
    row = getattr(request, "spent_token", None)
    if row is None:
        return
    row.location = response.get("HX-Redirect") or response.get("Location") or ""
    row.triggers = response.get("HX-Trigger") or ""
    row.save(update_fields=["location", "triggers"])


def _replay(request, row):
    if row.location and not row.triggers:
        return htmx.redirect(request, row.location)
    response = HttpResponse(status=204)
    if row.triggers:
        response["HX-Trigger"] = row.triggers
    if row.location:
        response["HX-Redirect"] = row.location
    return response


def once(view):
    """For a POST view whose form carries ``{% form_token %}``: view and token in one transaction.

    An answer of 400 and above rolls back everything, the token as well, so the corrected form can be sent.
    Not for views that handle big files or talk to other machines: they would hold the write lock meanwhile.
    """

    @wraps(view)
    def wrapped(request, *args, **kwargs):
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            replay = spend_token(request)
            if replay is not None:
                return replay
            response = view(request, *args, **kwargs)
            keep_answer(request, response)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    return wrapped


def purge_tokens(now=None) -> int:
    """Forget tokens nobody can replay any more."""
    return FormToken.objects.filter(created_at__lt=(now or timezone.now()) - KEEP).delete()[0]
