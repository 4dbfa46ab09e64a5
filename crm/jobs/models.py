import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class JobQuerySet(models.QuerySet):
    def open(self) -> "JobQuerySet":
        """Jobs that have not ended."""
        return self.filter(status__in=Job.OPEN)

    def claimable(self, now) -> "JobQuerySet":
        """Jobs that are due, and running ones whose worker let its lease run out."""
        due = Q(status=Job.Status.DUE, run_at__lte=now)
        orphaned = Q(status=Job.Status.RUNNING, lease_until__lt=now)
        return self.filter(due | orphaned)


class Job(models.Model):
    """Something that will happen after a transaction: once, even when a worker dies.

    `key` names the job while it is open: asking for an open key again does not make a second job.
    `uid` is stable over all attempts: the idempotency key for mail and HTTP.
    """

    class Status(models.TextChoices):
        DUE = "due", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        DOUBTFUL = "doubtful", _("doubtful")

    OPEN = (Status.DUE, Status.RUNNING)
    RETRYABLE = (Status.FAILED, Status.CANCELLED, Status.DOUBTFUL)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=80)
    key = models.CharField(_("key"), max_length=200, null=True, blank=True)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("on behalf of"),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=5)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DUE)
    run_at = models.DateTimeField(_("due at"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("most attempts"), default=4)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    rerun_at = models.DateTimeField(_("asked for again at"), null=True, editable=False)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False, editable=False)
    checkpoint = models.JSONField(default=dict, blank=True, editable=False)
    progress_done = models.PositiveIntegerField(default=0, editable=False)
    progress_total = models.PositiveIntegerField(null=True, editable=False)
    progress_note = models.CharField(max_length=200, blank=True, editable=False)
    progress_params = models.JSONField(default=dict, blank=True, editable=False)
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    error_params = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("ended"), null=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(status__in=("due", "running"), key__isnull=False),
                name="jobs_job_open_key",
            ),
        ]
        # Not partial: SQLite cannot match a bound parameter with the condition of a partial index.
        indexes = [
            models.Index(fields=["status", "run_at"], name="jobs_job_due"),
            models.Index(fields=["status", "lease_until"], name="jobs_job_leased"),
            models.Index(fields=["status", "finished_at"], name="jobs_job_ended"),
            models.Index(fields=["key", "kind", "status"], name="jobs_job_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def percent(self) -> int | None:
        """How much is done, None while the total is not known."""
        if not self.progress_total:
            return None
        return min(100, self.progress_done * 100 // self.progress_total)

    @property
    def note(self) -> str:
        """What is being done, in the reader's language."""
        return translated(self.progress_note, self.progress_params)

    @property
    def reason(self) -> str:
        """Why the job ended badly, in the reader's language."""
        return translated(self.error, self.error_params)


def translated(text: str | Promise, params: dict) -> str:
    """A stored English text with its parameters, as the reader should see it."""
    if not text:
        return ""
    words = gettext(str(text))
    return words % params if params else words
