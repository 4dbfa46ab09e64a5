"""Inviting colleagues by e-mail: a link that is good for some days and once, department and roles chosen before.

The link is derived from the installation's secret, so that nobody who reads the database can use it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from crm.jobs.services import enqueue
from crm.people.company import company, company_language, company_time_zone

GOOD_FOR = timedelta(days=7)
PAUSE = timedelta(minutes=2)
MOST_AN_HOUR = 50
MOST_SENDINGS = 10
MAIL_JOB = "people.invitation_mail"


class InvitationQuerySet(models.QuerySet):
    def open(self) -> InvitationQuerySet:
        """Neither accepted nor withdrawn; the link may have run out."""
        return self.filter(accepted_at=None, revoked_at=None)


class Invitation(models.Model):
    """`nonce` makes the link; sending again changes it, so that only the latest letter's link works."""

    email = models.EmailField(gettext_lazy("e-mail"))
    department = models.ForeignKey(
        "people.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("department"),
    )
    roles = models.ManyToManyField(
        "people.Role", blank=True, related_name="+", verbose_name=gettext_lazy("roles")
    )
    language = models.CharField(
        gettext_lazy("language"), max_length=5, choices=settings.LANGUAGES, default="pl"
    )
    nonce = models.CharField(max_length=32, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(default=timezone.now)
    sendings = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("invitation")
        verbose_name_plural = gettext_lazy("invitations")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    @property
    def is_expired(self) -> bool:
        return self.is_open and self.expires_at <= timezone.now()

    @property
    def token(self) -> str:
        """What stands in the link."""
        return f"{self.pk}-{_seal(self.pk, self.nonce)}"


def _seal(pk: int, nonce: str) -> str:
    return salted_hmac("crm.people.invitation", f"{pk}:{nonce}", algorithm="sha256").hexdigest()


def may_invite(user) -> bool:
    """Whoever may make accounts."""
    return user.is_active and user.is_staff and user.has_perm("people.add_user")


def _demand(by) -> None:
    if not may_invite(by):
        raise PermissionDenied


@transaction.atomic
def invite(*, email: str, department=None, roles=(), language: str = "", by) -> Invitation:
    """Sends a letter with the link. Raises PermissionDenied, ValidationError (an account or invitation is there)."""
    from crm.people.models import User

    _demand(by)
    email = email.strip().lower()
    if User.objects.filter(email__iexact=email).exists():
        raise ValidationError({"email": _("Somebody with this e-mail has an account already.")})
    if Invitation.objects.open().filter(email=email).exists():
        raise ValidationError({"email": _("This address is invited already. Send the invitation again.")})
    recent = Invitation.objects.filter(invited_by=by, created_at__gt=timezone.now() - timedelta(hours=1))
    if recent.count() >= MOST_AN_HOUR:
        raise ValidationError(
            _("That was %(most)s invitations within an hour. Go on later.") % {"most": MOST_AN_HOUR}
        )
    found = Invitation.objects.create(
        email=email, department=department, invited_by=by,
        language=language or company_language(), nonce=secrets.token_hex(16),
        expires_at=timezone.now() + GOOD_FOR,
    )  # fmt: skip
    found.roles.set(roles)
    _send(found, by)
    return found


def _send(invitation: Invitation, by) -> None:
    args = {"invitation": invitation.pk, "nonce": invitation.nonce}
    enqueue(kind=MAIL_JOB, key=f"{invitation.pk}:{invitation.nonce}", args=args, by=by)


@transaction.atomic
def resend(*, invitation: Invitation, by) -> Invitation:
    """A new letter with a new link; the old one stops working. Raises PermissionDenied, ValidationError."""
    _demand(by)
    now = timezone.now()
    waited = Invitation.objects.open().filter(
        pk=invitation.pk, sent_at__lte=now - PAUSE, sendings__lt=MOST_SENDINGS
    )
    fresh = {"nonce": secrets.token_hex(16), "sent_at": now, "expires_at": now + GOOD_FOR}
    if not waited.update(**fresh, sendings=F("sendings") + 1):
        raise ValidationError(_("It was sent a moment ago, or too often. Wait a little, or invite anew."))
    invitation.refresh_from_db()
    _send(invitation, by)
    return invitation


@transaction.atomic
def revoke(*, invitation: Invitation, by) -> bool:
    """The link stops working. False when it was used or withdrawn before. Raises PermissionDenied."""
    _demand(by)
    return bool(Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()))


def invitation_of(token: str) -> Invitation | None:
    """The open invitation that the link belongs to; None for a wrong, used, withdrawn or old one."""
    number, _dash, seal = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    found = Invitation.objects.open().filter(pk=int(number), expires_at__gt=timezone.now()).first()
    if found is None or not constant_time_compare(seal, _seal(found.pk, found.nonce)):
        return None
    return found


@transaction.atomic
def accept(*, invitation: Invitation, user) -> bool:
    """Makes the unsaved `user` an account with the chosen department and roles. False when the link was used before.

    His name, login, password and language are set; the rest is the invitation's.
    """
    user.email, user.department = invitation.email, invitation.department
    user.time_zone = company_time_zone()
    user.save()
    used = Invitation.objects.open().filter(pk=invitation.pk, expires_at__gt=timezone.now())
    if not used.update(accepted_at=timezone.now(), user=user):
        transaction.set_rollback(True)
        return False
    user.roles.set(invitation.roles.all())
    return True


def letter_of(invitation: Invitation) -> EmailMultiAlternatives:
    """The invitation in the language chosen for it."""
    with override(invitation.language):
        context = {
            "invitation": invitation,
            "company": company(),
            "url": f"{settings.CRM_URL}{reverse('people:invitation_acceptance', args=[invitation.token])}",
        }
        return EmailMultiAlternatives(
            subject=_("%(company)s invites you to its CRM") % {"company": company().name},
            body=render_to_string("people/invitation_mail.txt", context),
            to=[invitation.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
