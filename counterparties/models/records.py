"""Counterparties, contacts, and who of the contacts stands for which counterparty."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from counterparties.models.categories import CategoriesField
from counterparties.models.dictionaries import CounterpartyType, Industry, Region
from counterparties.models.points import ContactPoint
from counterparties.name_keys import name_key, person_key
from counterparties.rows import (
    ACCOUNTS,
    ADDRESSES,
    EMAILS,
    MESSENGERS,
    PHONES,
    SINGLES,
    RowsField,
    with_first,
)
from crm.attributes.models import AttributedRecord, AttributeSet
from crm.people.access import kind_label
from crm.people.company import company_country
from crm.people.phones import show_phone
from crm.people.search import Searchable
from crm.people.visibility import OwnedRecord

CONTACT_KIND = "counterparties.contact"


def home_country() -> str:
    return company_country()


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


class ParentField(models.ForeignKey):
    """History keeps no name of the parent: not everybody who sees the daughter may see it."""

    def shown_text(self, value) -> str:
        return ""


class Reachable(models.Model):
    """A record with several phones and e-mails. `phone` (E.164) and `email` repeat the first of each, indexed.

    The further ones stand, indexed, in `ContactPoint`, which `save()` keeps.
    """

    phones = RowsField(PHONES, _("phones"))
    emails = RowsField(EMAILS, _("e-mails"))

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        is_new, fields = self._state.adding, kwargs.get("update_fields")
        if fields is None:
            self._put_the_main_ones_first()
        super().save(*args, **kwargs)
        if fields is None or {"phones", "emails"} & set(fields):
            write_points([self], are_new=is_new)

    def _put_the_main_ones_first(self) -> None:
        """A merge chooses the main phone and unites the others: the rows follow the single column."""
        for single, many in SINGLES.items():
            rows = getattr(self, many)
            if rows and not getattr(self, single):
                setattr(self, single, PHONES.same_key(rows[0]))
            elif rows:
                setattr(self, many, with_first(single, rows, getattr(self, single)))

    def further_points(self) -> set[tuple[str, str]]:
        """(channel, value) of the phones and e-mails beyond the first."""
        phones = {("phone", row["number"]) for row in self.phones[1:]}
        return phones | {("email", row["email"]) for row in self.emails[1:]}

    def delete(self, *args, **kwargs):
        ContactPoint.objects.filter(record_kind=kind_label(type(self)), record_id=self.pk).delete()
        return super().delete(*args, **kwargs)

    def reachable_parts(self) -> list[str]:
        """The phones in both notations and the e-mails, for the search."""
        numbers = dict.fromkeys([self.phone, *(row["number"] for row in self.phones)])
        phones = [text for number in numbers if number for text in (number, show_phone(number))]
        return [*phones, *dict.fromkeys([self.email, *(row["email"] for row in self.emails)])]


def write_points(records: list[Reachable], *, are_new: bool = False) -> None:
    """Makes the points of records of one kind equal their rows, in a few statements for all of them."""
    wanted = {(record.pk, *point) for record in records for point in record.further_points()}
    if not records or (are_new and not wanted):
        return
    kind = kind_label(type(records[0]))
    rows = ContactPoint.objects.filter(record_kind=kind, record_id__in=[record.pk for record in records])
    present = {(row.record_id, row.channel, row.value): row.pk for row in rows}
    if gone := [pk for key, pk in present.items() if key not in wanted]:
        ContactPoint.objects.filter(pk__in=gone).delete()
    ContactPoint.objects.bulk_create(
        (
            ContactPoint(channel=channel, value=value, record_kind=kind, record_id=pk)
            for pk, channel, value in sorted(wanted - set(present))
        ),
        batch_size=500,
    )


class Counterparty(Reachable, Matchable, AttributedRecord, OwnedRecord):
    """A company, person or body we deal with.

    `tax_number` is compact; of another country it carries that country's two letters. `address`, `postal_code`,
    `city`, `region` and `country` are the registered address; `addresses` are further ones.
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
    address = models.CharField(_("address"), max_length=250, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("region")
    )
    addresses = RowsField(ADDRESSES, _("further addresses"))
    registry_number = models.CharField(_("court register number (KRS)"), max_length=20, blank=True)
    statistical_number = models.CharField(_("statistical number (REGON)"), max_length=14, blank=True)
    accounts = RowsField(ACCOUNTS, _("bank accounts"))
    industry = models.ForeignKey(
        Industry, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("industry")
    )
    employee_count = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    parent = ParentField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="daughters",
        verbose_name=_("parent company"),
    )
    categories = CategoriesField(_("categories"))
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
        numbers = [self.tax_number, self.registry_number, self.statistical_number]
        return [self.name, *numbers, *self.reachable_parts(), self.city, self.website]

    def make_name_key(self) -> str:
        return name_key(self.name)

    def get_attribute_set_id(self) -> int | None:
        return self.counterparty_type.attribute_set_id


class CounterpartyShare(UserObjectPermissionBase):
    """A counterparty shared with one user beyond his roles."""

    content_object = models.ForeignKey(Counterparty, models.CASCADE)


Counterparty.share_model = CounterpartyShare


class Contact(Reachable, Matchable, AttributedRecord, OwnedRecord):
    """A person we talk to, at one or more counterparties or at none."""

    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    position = models.CharField(_("position"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    messengers = RowsField(MESSENGERS, _("messengers"))
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
        handles = [row["handle"] for row in self.messengers]
        return [self.first_name, self.last_name, *self.reachable_parts(), *handles, self.position]

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
    since = models.DateField(_("since"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)

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
            models.CheckConstraint(
                condition=Q(since=None) | Q(until=None) | Q(until__gte=models.F("since")),
                name="link_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.counterparty}"
