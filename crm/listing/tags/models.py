"""The dictionary of tags and what they stand on. A kind takes part when its list has the field `tags`."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.folding import fold
from crm.people.names import Named


class Tag(Named):
    """A label of the company: everybody may read its name, each finds only the records that are his to see.

    `key`: the folded name, so that "VIP" and "vip" are one.
    """

    class Colour(models.TextChoices):
        SLATE = "slate", _("grey")
        BLUE = "blue", _("blue")
        CYAN = "cyan", _("light blue")
        TEAL = "teal", _("turquoise")
        GREEN = "green", _("green")
        AMBER = "amber", _("amber")
        ORANGE = "orange", _("orange")
        VIOLET = "violet", _("violet")

    key = models.CharField(max_length=120, unique=True, editable=False)
    colour = models.CharField(_("colour"), max_length=6, choices=Colour.choices, default=Colour.SLATE)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering: ClassVar = ["position", "key"]

    def clean(self) -> None:
        """Raises ValidationError for a name without a letter, and for one that is there already."""
        self.key = fold(self.name)[:120]
        if not self.key:
            raise ValidationError({"name": _("Give the tag a name.")})
        if Tag.objects.filter(key=self.key).exclude(pk=self.pk).exists():
            raise ValidationError({"name": _("There is a tag of this name already.")})

    def save(self, *args, **kwargs) -> None:
        self.key = fold(self.name)[:120]
        super().save(*args, **kwargs)


class Tagging(models.Model):
    """One tag on one record."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings", db_index=False)
    record_kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record_kind", "record_id", "tag"], name="tag_once_on_a_record"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tag", "record_kind", "record_id"], name="records_of_a_tag")
        ]
