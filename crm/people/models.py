"""Users, the department tree with its heads, and roles made of scopes."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.people.absences import Absence
from crm.people.access import Access
from crm.people.calendar import CalendarDay, WorkingSpan
from crm.people.company import Company
from crm.people.names import Named
from crm.people.time_zones import validate_time_zone

__all__ = [
    "Absence",
    "CalendarDay",
    "Company",
    "Department",
    "FieldLevel",
    "FieldRule",
    "Role",
    "RoleScope",
    "Scope",
    "Theme",
    "User",
    "WorkingSpan",
]


class Scope(models.TextChoices):
    """How far a right reaches, from nothing to everything; each contains the one before."""

    NONE = "none", _("nobody's")
    OWN = "own", _("own")
    TEAM = "team", _("own department")
    SUBORDINATES = "subordinates", _("departments I head")
    ALL = "all", _("everybody's")


class Department(Named):
    """A node of the organisation; its head sees the whole subtree below."""

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    head = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="headed_departments",
        verbose_name=_("head"),
    )

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["name"]

    def clean(self) -> None:
        """Raises ValidationError when the department would stand below itself."""
        above = self.parent
        while above is not None:
            if above.pk == self.pk:
                raise ValidationError({"parent": _("A department cannot stand below itself.")})
            above = above.parent


class Role(Named):
    """What its holders may do; the scopes of several roles add up."""

    key = models.SlugField(_("key"), max_length=40, unique=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]


class RoleScope(models.Model):
    """How far one action on one kind of record reaches for a role."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="scopes", verbose_name=_("role"))
    kind = models.CharField(_("kind of record"), max_length=60)
    action = models.CharField(_("action"), max_length=40)
    scope = models.CharField(_("reach"), max_length=12, choices=Scope.choices, default=Scope.NONE)

    class Meta:
        verbose_name = _("right")
        verbose_name_plural = _("rights")
        ordering = ["kind", "action"]
        constraints = [
            models.UniqueConstraint(fields=["role", "kind", "action"], name="one_scope_per_action")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.action}: {self.scope}"


class FieldLevel(models.TextChoices):
    READONLY = "readonly", _("read-only")
    HIDDEN = "hidden", _("hidden")


class FieldRule(models.Model):
    """A field or attribute (`attr_key`) of a kind that a role's holders may not write, or not even see."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="field_rules", verbose_name=_("role"))
    kind = models.CharField(_("kind of record"), max_length=60)
    field = models.CharField(_("field"), max_length=80)
    level = models.CharField(_("level"), max_length=10, choices=FieldLevel.choices)

    class Meta:
        verbose_name = _("restricted field")
        verbose_name_plural = _("restricted fields")
        ordering = ["kind", "field"]
        constraints = [models.UniqueConstraint(fields=["role", "kind", "field"], name="one_level_per_field")]

    def __str__(self) -> str:
        return f"{self.kind} {self.field}: {self.level}"


class RoleLimit(models.Model):
    """A role's holders see only records of `kind` that bear one of the role's `value`s, such as a category's id.

    The area of the kind says what a value means and applies it (`crm.people.access.register_category_rule`).
    """

    role = models.ForeignKey(Role, models.CASCADE, related_name="limits", verbose_name=_("role"))
    kind = models.CharField(_("kind of record"), max_length=60)
    value = models.CharField(max_length=40)

    class Meta:
        verbose_name = _("limit of a role")
        verbose_name_plural = _("limits of roles")
        constraints = [models.UniqueConstraint(fields=["role", "kind", "value"], name="one_limit_per_value")]

    def __str__(self) -> str:
        return f"{self.role}: {self.kind} {self.value}"


class Theme(models.TextChoices):
    AUTO = "auto", _("as the system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class User(AbstractUser):
    """Somebody who signs in. Rights come from roles alone; `is_staff` only opens the administration."""

    email = models.EmailField(_("e-mail"), blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="people", verbose_name=_("department")
    )
    roles = models.ManyToManyField(Role, blank=True, related_name="users", verbose_name=_("roles"))
    position = models.CharField(_("position"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=settings.TIME_ZONE, validators=[validate_time_zone]
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)

    class Meta(AbstractUser.Meta):
        ordering = ["first_name", "last_name", "username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def access(self) -> Access:
        """The user's rights, read once for each instance, that is once a request."""
        return Access.of(self)
