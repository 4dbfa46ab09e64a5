"""Categories of counterparties: given by hand or by a rule, grouped, some groups required."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named


class CategoryGroup(Named):
    """Categories of one meaning, such as size or importance. Of a required group every counterparty needs one."""

    is_required = models.BooleanField(
        _("required"), default=False, help_text=_("Everybody who fills in a counterparty must choose one.")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("group of categories")
        verbose_name_plural = _("groups of categories")
        ordering = ["position", "id"]


class Category(Named):
    """One category. With a `rule`, the query of a counterparties' list, membership follows the rule.

    `rule_by`: the administrator who wrote the rule, with whose eyes it is read.
    """

    group = models.ForeignKey(
        CategoryGroup, models.PROTECT, related_name="categories", verbose_name=_("group")
    )
    tone = models.CharField(
        _("colour"),
        max_length=5,
        choices=[
            ("grey", _("grey")),
            ("blue", _("blue")),
            ("green", _("green")),
            ("amber", _("amber")),
            ("red", _("red")),
        ],
        default="grey",
    )
    rule = models.TextField(
        _("rule"),
        blank=True,
        help_text=_(
            "Empty: chosen by hand. Else the address of the counterparties' list with the filters that decide: "
            "set them in the list and copy the address here."
        ),
    )
    rule_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["group__position", "group_id", "position", "id"]


class CategoryMember(models.Model):
    """A counterparty has a category. Derived from its `categories` (by hand) and from the rules."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="members")
    counterparty = models.ForeignKey(
        "counterparties.Counterparty", models.CASCADE, related_name="memberships"
    )
    by_rule = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["counterparty", "category"], name="category_once_on_a_counterparty"
            )
        ]
        indexes = [models.Index(fields=["category", "counterparty"], name="members_of_category")]


class CategoriesField(models.JSONField):
    """The ids of the categories chosen by hand, in order; an empty list by default."""

    def __init__(self, verbose_name=None, **kwargs):
        super().__init__(verbose_name, **{"default": list, "blank": True, **kwargs})

    def shown_text(self, value) -> str:
        """Their names, for history."""
        found = Category.objects.filter(pk__in=value or []).order_by("pk")
        return ", ".join(str(one) for one in found)
