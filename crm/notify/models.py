from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.history.kinds import readable


class Cadence(models.TextChoices):
    """How soon a person gets a letter about something."""

    NEVER = "never", _("no mail")
    NOW = "now", _("at once")
    HOURLY = "hourly", _("once an hour")
    DAILY = "daily", _("once a day")


class Choice(models.Model):
    """How somebody wants to hear of one kind of event; without a user it is what the administrator proposes to all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        editable=False,
        related_name="notification_choices",
    )
    kind = models.CharField(_("what happened"), max_length=60)
    page = models.BooleanField(_("in the page"), default=True)
    mail = models.CharField(_("by mail"), max_length=10, choices=Cadence.choices, default=Cadence.NEVER)
    push = models.BooleanField(_("pushed to browsers"), default=False)

    class Meta:
        verbose_name = _("default of a notification")
        verbose_name_plural = _("defaults of notifications")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_choice_of_a_user"),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(user=None), name="one_default_choice"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class Notification(models.Model):
    """Something a person should know. The sentence is stored in English and shown in the reader's language.

    `mail`: the cadence of the letter it waits for, empty when there is none to write (any more).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=60)
    text = models.CharField(max_length=300)
    params = models.JSONField(default=dict, blank=True)
    url = models.CharField(max_length=300, blank=True)
    record_kind = models.CharField(max_length=60, blank=True)
    record_id = models.BigIntegerField(null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    in_page = models.BooleanField(default=True)
    mail = models.CharField(max_length=10, blank=True, default="")
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notify_of_user"),
            models.Index(fields=["user", "read_at"], name="notify_unread"),
            models.Index(fields=["mail", "user"], name="notify_to_mail"),
            models.Index(fields=["created_at"], name="notify_created"),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """The text in the reader's language."""
        words = gettext(self.text)
        return words % {key: readable(value) for key, value in self.params.items()} if self.params else words


class Browser(models.Model):
    """A browser in which somebody turned pushed notifications on: where its push service takes messages for it.

    `public_key`, `auth`: what messages to it are encrypted with, as the browser wrote them (base64url).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="browsers")
    endpoint = models.CharField(max_length=1000, unique=True)
    public_key = models.CharField(max_length=88)
    auth = models.CharField(max_length=24)
    agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("browser")
        verbose_name_plural = _("browsers")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.agent


class PushKey(models.Model):
    """The one pair of keys by which push services know this installation. `sealed` holds the private half."""

    ONLY = 1

    public = models.CharField(max_length=88)
    sealed = models.TextField()

    def __str__(self) -> str:
        return self.public


class LiveRow(models.Model):
    """A change that open pages want to hear of. Carries no content: the browser fetches that with its own rights.

    With a user it is for him alone, else for everybody who may see the record. Append-only, purged after an hour.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=60)
    record_kind = models.CharField(max_length=60, blank=True)
    record_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="notify_live_created")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_kind} {self.record_id}"
