"""What happened: append-only events, the fields they changed, and the cards they stand on."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


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
    """A note somebody left on a card; its event is of kind `comment_added`.

    A removed note keeps its event and loses its text. `mentions`: the people it names, as {id, login, name}.
    """

    event = models.OneToOneField(Event, models.CASCADE, related_name="comment")
    text = models.TextField()
    mentions = models.JSONField(default=list)
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)


class DeletionQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> "DeletionQuerySet":
        """What the user would be allowed to delete, were it not deleted already."""
        from crm.history.bin import deletable_kinds

        condition = Q(pk__in=[])
        for kind in deletable_kinds():
            seen = Exists(kind.model.objects.in_bin(user).filter(pk=OuterRef("record_id")))
            condition |= Q(seen, kind=kind.label)
        return self.filter(condition)


class Deletion(models.Model):
    """A record in the recycle bin. The row leaves with the record: restored, or erased for good.

    `along_with`: the record went because it hangs on that one, and comes back with it.
    `kept`: why the last attempt to erase it came to nothing.
    """

    kind = models.CharField(_("kind of record"), max_length=60)
    record_id = models.BigIntegerField()
    title = models.CharField(_("name"), max_length=200)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("deleted by")
    )
    deleted_at = models.DateTimeField(_("deleted"))
    along_with = models.ForeignKey("self", models.CASCADE, null=True, related_name="followers")
    kept = models.CharField(max_length=200, blank=True)

    objects = DeletionQuerySet.as_manager()

    class Meta:
        verbose_name = _("deleted record")
        verbose_name_plural = _("recycle bin")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "record_id"], name="once_in_the_bin")]
        indexes = [
            models.Index(fields=["kind", "-id"], name="bin_by_kind"),
            models.Index(fields=["deleted_by", "-id"], name="bin_by_person"),
        ]

    def __str__(self) -> str:
        return self.title
