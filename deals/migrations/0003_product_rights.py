"""Rights over the catalogue for the roles an installation has begun with: everybody reads it, marketing keeps it."""

from django.db import migrations

KIND = "deals.product"
ACTIONS = ("view", "create", "edit", "delete", "assign", "export", "import")
READING = ("view", "export")


def grant(apps, schema_editor):
    role_model, scope_model = apps.get_model("people", "Role"), apps.get_model("people", "RoleScope")
    keepers = ("marketing", "administrator")
    for role in role_model.objects.filter(key__in=("seller", "head", *keepers)):
        for action in ACTIONS:
            scope = "all" if action in READING or role.key in keepers else "none"
            scope_model.objects.get_or_create(role=role, kind=KIND, action=action, defaults={"scope": scope})


class Migration(migrations.Migration):
    dependencies = [("deals", "0002_products_and_lines"), ("people", "0005_role_limits")]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
