"""What happened: append-only events, the fields they changed, and the cards they stand on."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Event(models.Model):
    """One fact about one record (`subject`). Seen by whoever sees the subject.

    `via` names the process that acted on somebody's behalf. `version` is the subject's version after the event,
    for events that changed fields. `payload` fills the sentence registered for `kind`.
    """

    kind = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    via = models.CharField(max_length=200, blank=True)
    subject_kind = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    version = models.PositiveIntegerField(null=True)
    payload = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id", "-id"], name="events_of_subject")]


class Change(models.Model):
    """One field an event changed. The texts are what people saw at the time."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="changes")
    field = models.CharField(max_length=80)
    label = models.CharField(max_length=120)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    old_text = models.CharField(max_length=300, blank=True)
    new_text = models.CharField(max_length=300, blank=True)


class EventLink(models.Model):
    """A card an event stands on. A card's history is one range scan of this index."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="links")
    kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "record_id", "event"], name="one_link_per_card")
        ]
        indexes = [models.Index(fields=["kind", "record_id", "-at", "-event"], name="history_of_card")]


class Comment(models.Model):
    """A note somebody left on a card; its event is of kind `comment_added`."""

    event = models.OneToOneField(Event, models.CASCADE, related_name="comment")
    text = models.TextField()
