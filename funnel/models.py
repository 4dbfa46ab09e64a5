"""Funnels and their stages: what a deal moves along. Nothing here knows of deals or processes."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named


class Funnel(Named):
    """An ordered way from the first talk to the signature."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("funnel")
        verbose_name_plural = _("funnels")
        ordering = ["position", "id"]

    def first_stage(self) -> "Stage":
        """Where a deal is born. Raises Stage.DoesNotExist for a funnel without stages."""
        stage = self.stages.filter(is_active=True).order_by("position", "id").first()
        if stage is None:
            raise Stage.DoesNotExist(self.key)
        return stage


class StageColour(models.TextChoices):
    """The rule above a column and the dot of a pill; the shades themselves are the stylesheet's."""

    SLATE = "slate", _("slate")
    BLUE = "blue", _("blue")
    CYAN = "cyan", _("cyan")
    TEAL = "teal", _("teal")
    GREEN = "green", _("green")
    AMBER = "amber", _("amber")
    ORANGE = "orange", _("orange")
    VIOLET = "violet", _("violet")


class Stage(Named):
    """One step of a funnel. `allowed_moves` empty: a deal may go from here to any stage of the funnel.

    One that is no longer `is_active` keeps the past readable: no deal goes there any more.
    """

    funnel = models.ForeignKey(Funnel, models.CASCADE, related_name="stages", verbose_name=_("funnel"))
    key = models.SlugField(_("key"), max_length=40)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    colour = models.CharField(
        _("colour"), max_length=8, choices=StageColour.choices, default=StageColour.SLATE
    )
    probability = models.PositiveSmallIntegerField(
        _("probability of winning, %"), default=0, validators=[MaxValueValidator(100)]
    )
    expected_conversion = models.PositiveSmallIntegerField(
        _("expected conversion to the next stage, %"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
    )
    rot_days = models.PositiveSmallIntegerField(
        _("days until a deal goes stale"), null=True, blank=True, help_text=_("Empty: never.")
    )
    is_active = models.BooleanField(_("in use"), default=True, editable=False)
    allowed_moves = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="+",
        verbose_name=_("allowed moves"),
        help_text=_("Stages a deal may go to from here; none chosen means all of the funnel."),
    )

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["funnel__position", "funnel_id", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["funnel", "key"], name="one_stage_key_in_a_funnel")]


class Way(models.TextChoices):
    """Where a gate stands: in front of a stage, or behind it. Winning a deal is a way out of its stage, too."""

    ENTRY = "entry", _("into the stage")
    EXIT = "exit", _("out of the stage")


class Mode(models.TextChoices):
    BLOCKING = "blocking", _("the move waits for it")
    ADVISORY = "advisory", _("the move happens, and the seller is reminded")


class Requirement(models.Model):
    """What a deal must have on its way into or out of a stage, without a process.

    `kind` names a `funnel.requirements.RequirementKind`, `options` is what its form gave.
    """

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="requirements", verbose_name=_("stage"))
    way = models.CharField(_("way"), max_length=5, choices=Way.choices, default=Way.ENTRY)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, default=Mode.BLOCKING)
    kind = models.CharField(_("what is required"), max_length=40)
    options = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("requirement of a stage")
        verbose_name_plural = _("requirements of stages")
        ordering = ["stage", "id"]
