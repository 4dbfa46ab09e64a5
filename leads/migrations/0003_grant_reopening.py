"""Whoever could edit a lead could reopen it; now that is a right of its own, which they keep."""

from django.db import migrations


def grant(apps, schema_editor):
    RoleScope = apps.get_model("people", "RoleScope")
    kind, action = "leads.lead", "reopen"
    known = set(RoleScope.objects.filter(kind=kind, action=action).values_list("role_id", flat=True))
    RoleScope.objects.bulk_create(
        RoleScope(role_id=right.role_id, kind=kind, action=action, scope=right.scope)
        for right in RoleScope.objects.filter(kind=kind, action="edit").exclude(role_id__in=known)
    )


class Migration(migrations.Migration):
    dependencies = [("leads", "0002_rules_and_first_response"), ("people", "0003_calendar_and_absences")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
