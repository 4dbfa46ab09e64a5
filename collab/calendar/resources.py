"""Rooms and equipment that activities book; nothing is booked twice at one time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named
from crm.web.company import may_change_company


class Resource(Named):
    """A room, a car, a projector. Without `role` everybody may book it, else the holders of that role."""

    place = models.CharField(_("place"), max_length=120, blank=True)
    capacity = models.PositiveSmallIntegerField(_("seats"), null=True, blank=True)
    role = models.ForeignKey(
        "people.Role",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who may book it"),
    )
    is_active = models.BooleanField(_("can be booked"), default=True)

    class Meta:
        verbose_name = _("room or equipment")
        verbose_name_plural = _("rooms and equipment")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name"], name="one_resource_of_a_name")]


class Booking(models.Model):
    """An activity takes a resource for its time; the times are the activity's own."""

    activity = models.ForeignKey("collab_calendar.Activity", models.CASCADE, related_name="bookings")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="bookings")

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints = [
            models.UniqueConstraint(fields=["activity", "resource"], name="one_booking_of_resource")
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {self.activity}"


class ResourceTaken(ValidationError):
    """Somebody else has it at that time; the message says who, and when it is free again."""


@transaction.atomic
def save_resource(*, resource: Resource | None = None, values: dict, by) -> Resource:
    """Adds a room or piece of equipment, or changes one; switched off, it keeps its bookings.

    Raises PermissionDenied for whoever may not change the company, ValidationError for a name that is taken.
    """
    if not may_change_company(by):
        raise PermissionDenied
    resource = resource or Resource()
    for name, value in values.items():
        setattr(resource, name, value)
    resource.full_clean()
    resource.save()
    return resource


def bookable(user) -> QuerySet:
    """The resources that `user` may book."""
    rows = Resource.objects.filter(is_active=True)
    return rows.filter(Q(role=None) | Q(role_id__in=user.roles.order_by().values("pk")))


def bookings_between(resources: Iterable[int], start: datetime, end: datetime) -> QuerySet:
    """What holds these resources in a span of time: neither cancelled nor deleted."""
    return Booking.objects.filter(
        resource_id__in=list(resources), activity__starts_at__lt=end, activity__ends_at__gt=start,
        activity__cancelled_at=None, activity__deleted_at=None,
    )  # fmt: skip


@transaction.atomic
def book(*, activity, resources: Iterable[Resource], by) -> None:
    """The activity holds exactly these resources from now on.

    Raises PermissionDenied for one that `by` may not book, ResourceTaken when another activity holds one at that time,
    ValidationError for an activity without length.
    """
    wanted = {one.pk for one in resources}
    before = set(activity.bookings.values_list("resource_id", flat=True))
    added = wanted - before
    if bookable(by).filter(pk__in=added).count() != len(added):
        raise PermissionDenied
    activity.bookings.exclude(resource_id__in=wanted).delete()
    _demand_free(activity, wanted)
    Booking.objects.bulk_create([Booking(activity=activity, resource_id=pk) for pk in sorted(added)])


@transaction.atomic
def keep_bookings(activity) -> None:
    """After the activity has moved: what it holds must be free at the new time. Raises ResourceTaken."""
    _demand_free(activity, set(activity.bookings.values_list("resource_id", flat=True)))


def _demand_free(activity, resources: set[int]) -> None:
    if not resources:
        return
    if activity.ends_at is None or activity.ends_at <= activity.starts_at:
        raise ValidationError(gettext("What books a room needs a length."))
    # Whoever books the same thing waits here, and then sees what this transaction has written.
    list(Resource.objects.select_for_update().filter(pk__in=resources).order_by("pk").values_list("pk"))
    clashes = bookings_between(resources, activity.starts_at, activity.ends_at).exclude(activity=activity)
    taken = clashes.select_related("resource", "activity__owner").order_by("activity__starts_at").first()
    if taken is not None:
        raise ResourceTaken(_taken(taken, activity))


@transaction.atomic
def book_many(*, activities: list, resources: set[int]) -> list:
    """Occurrences of one series hold these resources where they are free; those that could not have all of them.

    The caller has asked `bookable`. Raises ValidationError for activities without length.
    """
    if not resources or not activities:
        return []
    if any(one.ends_at is None or one.ends_at <= one.starts_at for one in activities):
        raise ValidationError(gettext("What books a room needs a length."))
    list(Resource.objects.select_for_update().filter(pk__in=resources).order_by("pk").values_list("pk"))
    mine = {one.pk for one in activities}
    held = [
        (starts, ends)
        for pk, starts, ends in bookings_between(
            resources, min(one.starts_at for one in activities), max(one.ends_at for one in activities)
        ).values_list("activity_id", "activity__starts_at", "activity__ends_at")
        if pk not in mine
    ]
    refused = [
        one
        for one in activities
        if any(starts < one.ends_at and ends > one.starts_at for starts, ends in held)
    ]
    without = {one.pk for one in refused}
    Booking.objects.bulk_create(
        [Booking(activity_id=one, resource_id=pk) for one in sorted(mine - without) for pk in sorted(resources)],
        ignore_conflicts=True, batch_size=500,
    )  # fmt: skip
    return refused


def _taken(clash: Booking, activity) -> str:
    holder = clash.activity
    free = _free_again(clash.resource_id, holder.ends_at, activity)
    values = {
        "what": clash.resource, "who": holder.owner, "from": _clock(holder.starts_at), "until": _clock(holder.ends_at),
        "free": _clock(free),
    }  # fmt: skip
    return gettext("%(what)s is taken by %(who)s, %(from)s – %(until)s. It is free from %(free)s.") % values


def _free_again(resource: int, after: datetime, activity) -> datetime:
    """The first moment from `after` on at which it is free for as long as the activity takes."""
    length = activity.ends_at - activity.starts_at
    later = bookings_between([resource], after, after + (activity.ends_at - activity.starts_at) * 20)
    times = later.exclude(activity=activity).order_by("activity__starts_at")
    for starts, ends in times.values_list("activity__starts_at", "activity__ends_at"):
        if starts >= after + length:
            break
        after = max(after, ends)
    return after


def _clock(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i')}"
