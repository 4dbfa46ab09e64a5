"""Counterparties, contacts, and who of the contacts stands for which counterparty."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from counterparties.name_keys import name_key, person_key
from crm.attributes.models import AttributedRecord, AttributeSet
from crm.people.names import Named
from crm.people.phones import show_phone
from crm.people.search import Searchable
from crm.people.visibility import OwnedRecord

CONTACT_KIND = "counterparties.contact"


def home_country() -> str:
    return settings.CRM_COUNTRY


class CounterpartyType(Named):
    """A schema of counterparties, with attributes of its own. `is_person`: its counterparties are private persons."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    icon = models.CharField(_("icon"), max_length=40, default="building")
    attribute_set = models.OneToOneField(
        "attributes.AttributeSet",
        models.PROTECT,
        related_name="+",
        verbose_name=_("attributes"),
        editable=False,
    )
    is_person = models.BooleanField(_("private person"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("counterparty type")
        verbose_name_plural = _("counterparty types")
        ordering = ["position", "id"]


class Matchable(Searchable):
    """A record whose name is compared through an indexed `name_key`."""

    name_key = models.CharField(max_length=200, editable=False, default="", db_index=True)

    class Meta:
        abstract = True

    def make_name_key(self) -> str:
        raise NotImplementedError(type(self).__name__)

    def refresh_search(self) -> None:
        super().refresh_search()
        self.name_key = self.make_name_key()

    def save(self, *args, **kwargs) -> None:
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name_key"}
        super().save(*args, **kwargs)


class Counterparty(Matchable, AttributedRecord, OwnedRecord):
    """A company, person or body we deal with.

    `phone` is E.164. `tax_number` is compact; of another country it carries that country's two letters.
    """

    attribute_set_lookup = "counterparty_type__attribute_set_id"

    name = models.CharField(_("name"), max_length=200)
    counterparty_type = models.ForeignKey(
        CounterpartyType, models.PROTECT, related_name="counterparties", verbose_name=_("type")
    )
    tax_number = models.CharField(_("tax number"), max_length=20, blank=True)
    country = models.CharField(
        _("country"),
        max_length=2,
        default=home_country,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, such as PL."))],
    )
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.URLField(_("website"), blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=250, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("counterparty")
        verbose_name_plural = _("counterparties")
        indexes = [
            models.Index(fields=["owner", "sort_key", "id"], name="counterparties_of_owner"),
            models.Index(fields=["department", "sort_key", "id"], name="counterparties_of_dept"),
            models.Index(fields=["counterparty_type", "sort_key", "id"], name="counterparties_of_type"),
            models.Index(fields=["tax_number"], condition=~Q(tax_number=""), name="counterparty_tax_number"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="counterparty_phone"),
            models.Index(fields=["email"], condition=~Q(email=""), name="counterparty_email"),
        ]

    def __str__(self) -> str:
        return self.name

    def searchable_parts(self) -> list[str]:
        phone = [self.phone, show_phone(self.phone)] if self.phone else []
        return [self.name, self.tax_number, *phone, self.email, self.city, self.website]

    def make_name_key(self) -> str:
        return name_key(self.name)

    def get_attribute_set_id(self) -> int | None:
        return self.counterparty_type.attribute_set_id


class CounterpartyShare(UserObjectPermissionBase):
    """A counterparty shared with one user beyond his roles."""

    content_object = models.ForeignKey(Counterparty, models.CASCADE)


Counterparty.share_model = CounterpartyShare


class Contact(Matchable, AttributedRecord, OwnedRecord):
    """A person we talk to, at one or more counterparties or at none."""

    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    position = models.CharField(_("position"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    note = models.TextField(_("note"), blank=True)
    counterparties = models.ManyToManyField(Counterparty, through="ContactLink", related_name="contacts")

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.CheckConstraint(condition=~Q(first_name="") | ~Q(last_name=""), name="contact_has_a_name"),
        ]
        indexes = [
            models.Index(fields=["owner", "sort_key", "id"], name="contacts_of_owner"),
            models.Index(fields=["department", "sort_key", "id"], name="contacts_of_department"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="contact_phone"),
            models.Index(fields=["email"], condition=~Q(email=""), name="contact_email"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def searchable_parts(self) -> list[str]:
        phone = [self.phone, show_phone(self.phone)] if self.phone else []
        return [self.first_name, self.last_name, *phone, self.email, self.position]

    def make_name_key(self) -> str:
        return person_key(self.first_name, self.last_name)

    def get_attribute_set_id(self) -> int | None:
        """All contacts share the one set made for their kind. One query."""
        return (
            AttributeSet.objects.filter(kind=CONTACT_KIND).order_by("pk").values_list("pk", flat=True).first()
        )


class ContactShare(UserObjectPermissionBase):
    """A contact shared with one user beyond his roles."""

    content_object = models.ForeignKey(Contact, models.CASCADE)


Contact.share_model = ContactShare


class ContactLink(models.Model):
    """A contact stands for a counterparty; one of them is the primary one."""

    counterparty = models.ForeignKey(
        Counterparty, models.CASCADE, related_name="contact_links", verbose_name=_("counterparty")
    )
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="links", verbose_name=_("contact"))
    role = models.CharField(_("role"), max_length=80, blank=True)
    is_primary = models.BooleanField(_("primary contact"), default=False)

    class Meta:
        verbose_name = _("contact of a counterparty")
        verbose_name_plural = _("contacts of counterparties")
        ordering = ["-is_primary", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["counterparty", "contact"], name="contact_once_at_a_counterparty"
            ),
            models.UniqueConstraint(
                fields=["counterparty"], condition=Q(is_primary=True), name="one_primary_contact"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.counterparty}"
