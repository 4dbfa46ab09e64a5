"""Attributes that an administrator defines for a kind of record, and the derived rows that make them searchable.

The truth is the record's own JSON column; `AttributeValue` repeats, indexed, what may be filtered, sorted or unique.
"""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named, localised


class AttributeSet(Named):
    """The attributes of one schema: a counterparty type, a deal type, all contacts, all leads."""

    kind = models.CharField(_("kind of record"), max_length=60)

    class Meta:
        verbose_name = _("set of attributes")
        verbose_name_plural = _("sets of attributes")
        ordering = ["kind", "name"]


class AttributeKind(models.TextChoices):
    TEXT = "text", _("text")
    NUMBER = "number", _("number")
    MONEY = "money", _("money")
    DATE = "date", _("date")
    CHOICE = "choice", _("choice")
    BOOL = "bool", _("yes / no")
    CHOICES = "choices", _("several choices")
    PERSON = "person", _("person")
    LINK = "link", _("link to a record")
    FILE = "file", _("file")
    URL = "url", _("web address")
    PHONE = "phone", _("phone")
    EMAIL = "email", _("e-mail")


CHOOSING = (AttributeKind.CHOICE, AttributeKind.CHOICES)
DECIDING = (*CHOOSING, AttributeKind.BOOL)
"""The kinds on which it may depend whether another attribute is shown."""
WITHOUT_DEFAULT = (AttributeKind.LINK, AttributeKind.FILE)


class Attribute(Named):
    """One attribute.

    `choices` lists [value, label, label in Polish] for the kinds of CHOOSING; `link_kind` is the kind of record a
    link leads to. `default` is written as a person types it; a new record starts with it. With `shown_if_key` the
    attribute exists only while that other attribute of the set has one of `shown_if_values` ("yes" and "no" for a
    yes / no). While `is_converting`, a job is rewriting the values for another kind and nobody sees the attribute.
    """

    attribute_set = models.ForeignKey(
        AttributeSet, models.CASCADE, related_name="attributes", verbose_name=_("set")
    )
    key = models.CharField(
        _("key"),
        max_length=40,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", _("Small letters, digits and underscores."))],
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=AttributeKind.choices, default=AttributeKind.TEXT
    )
    choices = models.JSONField(_("choices"), default=list, blank=True)
    section = models.CharField(_("section"), max_length=80, blank=True)
    section_pl = models.CharField(_("section in Polish"), max_length=80, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    help = models.CharField(_("help"), max_length=200, blank=True)
    required = models.BooleanField(_("required"), default=False)
    unique = models.BooleanField(_("unique"), default=False)
    filterable = models.BooleanField(_("filterable"), default=False)
    sortable = models.BooleanField(_("sortable"), default=False)
    archived = models.BooleanField(_("archived"), default=False)
    link_kind = models.CharField(_("linked kind of record"), max_length=60, blank=True)
    default = models.CharField(_("default"), max_length=400, blank=True)
    shown_if_key = models.CharField(_("shown only if"), max_length=40, blank=True)
    shown_if_values = models.JSONField(_("has one of"), default=list, blank=True)
    is_converting = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["attribute_set", "key"], name="one_key_in_a_set")]

    def clean(self) -> None:
        """Raises ValidationError for choices, a linked kind, a default or flags that do not fit the kind."""
        self._clean_choices()
        if self.kind != AttributeKind.LINK:
            self.link_kind = ""
        elif not self.link_kind:
            raise ValidationError({"link_kind": _("Say what kind of record the link leads to.")})
        if self.kind == AttributeKind.FILE:
            self.filterable = self.sortable = self.unique = False
        if not self.shown_if_key:
            self.shown_if_values = []
        elif not self.shown_if_values:
            raise ValidationError({"shown_if_values": _("List at least one value.")})
        if self.default and self.kind in WITHOUT_DEFAULT:
            raise ValidationError({"default": _("This kind has no default.")})

    def _clean_choices(self) -> None:
        if self.kind not in CHOOSING:
            self.choices = []
        elif not self.choices:
            raise ValidationError({"choices": _("List at least one choice.")})
        for choice in self.choices:
            if not (
                isinstance(choice, list)
                and len(choice) == 3
                and all(isinstance(text, str) for text in choice)
            ):
                raise ValidationError({"choices": _("Each choice has a value, a label and a Polish label.")})

    @property
    def field_name(self) -> str:
        """The name of the form field, list column and filter."""
        return f"attr_{self.key}"

    @property
    def section_label(self) -> str:
        return localised(self.section, self.section_pl)

    def choice_labels(self) -> list[tuple[str, str]]:
        """(value, label in the reader's language) pairs."""
        return [(value, localised(label, label_pl)) for value, label, label_pl in self.choices]

    @property
    def is_derived(self) -> bool:
        return self.filterable or self.sortable or self.unique


class AttributeValue(models.Model):
    """The searchable copy of one value; `text` holds the first 200 folded characters.

    Several choices make a row for each, told apart by `place`. A person or a file is its id in `number`; a link is
    its text (`deals.deal/7`) and the id in `number`.
    """

    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="+")
    record_kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()
    place = models.PositiveSmallIntegerField(default=0)
    text = models.CharField(max_length=200, null=True)
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    date = models.DateField(null=True)
    unique_key = models.CharField(max_length=200, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attribute", "record_id", "place"], name="one_value_in_a_place"),
            models.UniqueConstraint(fields=["attribute", "unique_key"], name="unique_attribute_values"),
        ]
        indexes = [
            models.Index(fields=["attribute", "text", "record_id"], name="value_by_text"),
            models.Index(fields=["attribute", "number", "record_id"], name="value_by_number"),
            models.Index(fields=["attribute", "date", "record_id"], name="value_by_date"),
        ]


class AttributedRecord(models.Model):
    """A record with attributes; the area says which set applies.

    `attribute_set_lookup`: the way from the model to the id of its set, empty when all records of the kind share one.
    """

    attribute_set_lookup: ClassVar[str] = ""

    attributes = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True

    def get_attribute_set_id(self) -> int | None:
        """The id of the set that describes this record's attributes, None when it has none."""
        raise NotImplementedError(type(self).__name__)
