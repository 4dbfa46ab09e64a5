"""Imports: the file, how its columns are understood, and every row with what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.listing.tags.models import Tag, Tagging  # noqa: F401


class ImportQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> "ImportQuerySet":
        """Imports are seen by whoever uploaded them, as long as they may still import the kind."""
        kinds = [
            kind for (kind, act), scope in user.access.scopes.items() if act == "import" and scope != "none"
        ]
        return self.filter(uploaded_by=user, kind__in=kinds)


class Import(models.Model):
    """One file on its way to becoming records of `kind`. `expired_at`: since then its file and rows are gone.

    `columns`: the headers by position; `mapping`: field keys by column position (as text,
    since JSON has no other keys). `head`: the first rows as `[number, cells]`, for matching and for samples.
    `options`: `keys` that tell a duplicate, `fixed` texts by field for every row, `create`: by field the values to be
    added to dictionaries. `corrections`: `cells` by row and column, `values` by column and text, `decisions` by row.
    `unknown`: by field the texts no dictionary knows, with the number of their rows.
    """

    class Status(models.TextChoices):
        READING = "reading", _("being read")
        UPLOADED = "uploaded", _("columns to be matched")
        CHECKING = "checking", _("being checked")
        PREVIEWED = "previewed", _("ready to import")
        RUNNING = "running", _("being imported")
        DONE = "done", _("done")
        FAILED = "failed", _("unsuccessful")
        CANCELLED = "cancelled", _("broken off")

    class Mode(models.TextChoices):
        CREATE = "create", _("create new ones, skip duplicates")
        BOTH = "both", _("create new ones, update duplicates")
        UPDATE = "update", _("only update those that exist")
        ALL = "all", _("create all, duplicates too")

    WORKING: ClassVar = (Status.READING, Status.CHECKING, Status.RUNNING)
    ENDED: ClassVar = (Status.DONE, Status.FAILED, Status.CANCELLED)

    kind = models.CharField(_("kind of record"), max_length=60)
    file = models.ForeignKey("files.StoredFile", models.PROTECT, related_name="+", verbose_name=_("file"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    finished_at = models.DateTimeField(_("ended"), null=True)
    expired_at = models.DateTimeField(null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.UPLOADED)
    template = models.ForeignKey("ImportTemplate", models.SET_NULL, null=True, related_name="+")
    delimiter = models.CharField(_("separator"), max_length=1, blank=True)
    sheets = models.JSONField(default=list)
    sheet = models.CharField(_("sheet"), max_length=200, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    formulas = models.PositiveIntegerField(default=0)
    row_count = models.PositiveIntegerField(default=0)
    header_row = models.PositiveIntegerField(_("row with the headers"), default=0)
    head = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    mode = models.CharField(_("what to do"), max_length=6, choices=Mode.choices, default=Mode.CREATE)
    options = models.JSONField(default=dict)
    corrections = models.JSONField(default=dict)
    unknown = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    error = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["uploaded_by", "-id"], name="imports_of_user")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_working(self) -> bool:
        return self.status in self.WORKING

    @property
    def is_ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def by_column(self) -> dict[int, str]:
        return {int(index): key for index, key in self.mapping.items() if key}


class ImportRow(models.Model):
    """One row of the sheet: the cells as read, the values they mean, and what became of them.

    `errors`: `{"field", "column", "code", "params"}`. `duplicate`: `{"by", "kind", "id", "text"}` for a
    record, or `{"by", "row"}` for an earlier row of the same sheet. `companions`: [kind, id] of what else it made.
    """

    class Status(models.TextChoices):
        READY = "ready", _("new")
        DUPLICATE = "duplicate", _("duplicate")
        BAD = "bad", _("with errors")
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("refused")
        WITHDRAWN = "withdrawn", _("undone")
        LEFT = "left", _("left alone")

    class Decision(models.TextChoices):
        DEFAULT = "", _("as for all")
        CREATE = "create", _("create")
        UPDATE = "update", _("update")
        SKIP = "skip", _("skip")

    PENDING: ClassVar = (Status.READY, Status.DUPLICATE)
    FAULTY: ClassVar = (Status.BAD, Status.FAILED)
    WRITTEN: ClassVar = (Status.CREATED, Status.UPDATED)

    run = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    values = models.JSONField(default=dict)
    errors = models.JSONField(default=list)
    duplicate = models.JSONField(default=dict)
    decision = models.CharField(max_length=6, choices=Decision.choices, default=Decision.DEFAULT, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.READY)
    record_id = models.BigIntegerField(null=True)
    companions = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="one_row_per_number")]
        indexes: ClassVar = [models.Index(fields=["run", "status", "number"], name="rows_by_status")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"


class ImportTemplateQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> "ImportTemplateQuerySet":
        """One's own, and what others share."""
        return self.filter(models.Q(user=user) | models.Q(is_shared=True))


class ImportTemplate(models.Model):
    """How a user wants columns of these names understood: plain header → field key, "" for "leave out".

    `fingerprint` tells files with exactly these headers; `options` as on the import.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    name = models.CharField(_("name"), max_length=100)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True, db_index=True)
    is_shared = models.BooleanField(_("for everybody"), default=False)
    saved_at = models.DateTimeField(auto_now=True)

    objects = ImportTemplateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "name"], name="one_template_per_name"),
        ]

    def __str__(self) -> str:
        return self.name


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> "SavedViewQuerySet":
        """One's own, and what others share; only one's own is changed."""
        mine = models.Q(owner=user)
        if action != "view":
            return self.filter(mine)
        everybody = models.Q(department=None, role=None)
        some = models.Q(role__in=user.roles.values("pk"))
        if user.department_id:
            some |= models.Q(department=user.department_id)
        return self.filter(mine | models.Q(is_shared=True) & (everybody | some))


class SavedView(models.Model):
    """A list as somebody likes it: the address's query with filters, columns, order and tab. It grants nothing.

    Shared with the people of `department` or `role`; with everybody when both are empty.
    """

    kind = models.CharField(_("kind of record"), max_length=60)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    is_shared = models.BooleanField(_("shared"), default=False)
    department = models.ForeignKey(
        "people.Department", models.CASCADE, null=True, blank=True, related_name="+"
    )
    role = models.ForeignKey("people.Role", models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("view of a list")
        verbose_name_plural = _("views of lists")
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "kind", "name"], name="one_view_per_name"),
        ]
        indexes: ClassVar = [models.Index(fields=["kind", "is_shared"], name="views_of_kind")]

    def __str__(self) -> str:
        return self.name

    @property
    def audience(self) -> str:
        """The key of `crm.listing.audiences`."""
        if not self.is_shared:
            return ""
        if self.department_id:
            return f"department-{self.department_id}"
        return f"role-{self.role_id}" if self.role_id else "all"


class DefaultView(models.Model):
    """The view a user's list opens with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="defaults")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_default_view_per_kind"),
        ]


class RunQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> "RunQuerySet":
        """Whoever started it, nobody else."""
        return self.filter(made_by=user)


class Export(models.Model):
    """The rows of a list (`query`), columns as chosen, on their way into a file that only its maker may fetch."""

    class Form(models.TextChoices):
        XLSX = "xlsx", _("Excel workbook")
        CSV = "csv", _("CSV file")

    kind = models.CharField(_("kind of record"), max_length=60)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=list)
    form = models.CharField(_("form"), max_length=4, choices=Form.choices, default=Form.XLSX)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    file = models.ForeignKey("files.StoredFile", models.SET_NULL, null=True, related_name="+")
    row_count = models.PositiveIntegerField(default=0)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["made_by", "-id"], name="exports_of_user")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class FullExport(models.Model):
    """Everything the installation holds, in one archive that only its maker may fetch."""

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    file = models.ForeignKey("files.StoredFile", models.SET_NULL, null=True, related_name="+")
    counts = models.JSONField(default=dict)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("full export")
        verbose_name_plural = _("full exports")
        ordering: ClassVar = ["-pk"]
        permissions: ClassVar = [("export_everything", "Can export everything")]

    def __str__(self) -> str:
        return f"full export #{self.pk}"


class BulkRun(models.Model):
    """One change of many records: those named in `ids`, or all that the list (`query`) holds.

    `field`, `value`: for an edit, as typed; for an assignment `value` is the new owner's id, for tags theirs; for what
    an area does to them (`crm.listing.bulk.deeds`) `field` is its key and `value` JSON.
    """

    class Action(models.TextChoices):
        ASSIGN = "assign", _("assign")
        EDIT = "edit", _("edit a field")
        TAG = "tag", _("add tags")
        UNTAG = "untag", _("take tags off")
        DELETE = "delete", _("delete")
        DEED = "deed", _("do something with them")

    kind = models.CharField(_("kind of record"), max_length=60)
    action = models.CharField(_("action"), max_length=6, choices=Action.choices)
    query = models.TextField(blank=True)
    ids = models.JSONField(null=True)
    field = models.CharField(max_length=80, blank=True)
    value = models.TextField(blank=True)
    value_text = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    undo_job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["made_by", "-id"], name="bulk_runs_of_user")]

    def __str__(self) -> str:
        return f"{self.kind} {self.action} #{self.pk}"


class BulkItem(models.Model):
    """One record of a bulk edit and what became of it.

    `version`: the record's when the run was asked for. `reason`: an English text. `event`: what history says.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        SAME = "same", _("was so already")
        SKIPPED = "skipped", _("skipped")
        UNDONE = "undone", _("undone")
        KEPT = "kept", _("not undone")

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="items")
    record_id = models.BigIntegerField()
    version = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=300, blank=True)
    event = models.ForeignKey("history.Event", models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "record_id"], name="record_once_in_a_bulk_run"),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "status", "id"], name="bulk_items_by_status")]
