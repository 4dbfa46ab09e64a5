"""What a call needs on its owner's screen, and rights over calls for the roles an installation has begun with."""

from django.db import migrations, models

KIND = "telephony.call"
# As for everything that stands in one person's calendar: sellers have their own.
SCOPES = {
    "seller": {
        "view": "own", "create": "all", "edit": "own", "delete": "own", "assign": "own", "export": "own", "import": "all",
    },
    "head": {
        "view": "subordinates", "create": "all", "edit": "subordinates", "delete": "subordinates",
        "assign": "subordinates", "export": "subordinates", "import": "all",
    },
    "administrator": dict.fromkeys(("view", "create", "edit", "delete", "assign", "export", "import"), "all"),
}


def grant(apps, schema_editor):
    role_model, scope_model = apps.get_model("people", "Role"), apps.get_model("people", "RoleScope")
    for role in role_model.objects.filter(key__in=SCOPES):
        for action, scope in SCOPES[role.key].items():
            scope_model.objects.get_or_create(role=role, kind=KIND, action=action, defaults={"scope": scope})


class Migration(migrations.Migration):
    dependencies = [("telephony", "0001_initial"), ("people", "0005_role_limits")]

    operations = [
        migrations.AddField("call", "wrapped_at", models.DateTimeField(editable=False, null=True)),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
