"""Rights over recordings for the roles an installation has begun with: seeing a call is not enough to hear it."""

from django.db import migrations

KIND = "telephony.call"
SCOPES = {
    "seller": {"listen": "own"},
    "head": {"listen": "subordinates", "hold": "subordinates"},
    "administrator": {"listen": "all", "hold": "all", "purge": "all"},
}


def grant(apps, schema_editor):
    role_model, scope_model = apps.get_model("people", "Role"), apps.get_model("people", "RoleScope")
    for role in role_model.objects.filter(key__in=SCOPES):
        for action, scope in SCOPES[role.key].items():
            scope_model.objects.get_or_create(role=role, kind=KIND, action=action, defaults={"scope": scope})


class Migration(migrations.Migration):
    dependencies = [("telephony", "0004_recordings"), ("people", "0005_role_limits")]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
