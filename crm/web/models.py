from django.conf import settings
from django.db import models


class FormToken(models.Model):
    """A form that has been accepted, and the answer its sender got: a second click gets the same one."""

    token = models.CharField(max_length=80, unique=True)
    claim = models.CharField(max_length=32)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    location = models.CharField(max_length=500, blank=True)
    triggers = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self):
        return self.token[:8]


class DemoMark(models.Model):
    """How far the demo data of a table reaches: rows up to `last_id` came with it. `kind` "history.event" too."""

    kind = models.CharField(max_length=60, unique=True)
    last_id = models.BigIntegerField()

    def __str__(self):
        return f"{self.kind} ≤ {self.last_id}"
