"""Fragments and beginnings of a record's text are found through an index. On PostgreSQL alone: SQLite reads its smaller tables through."""

from django.db import migrations

TABLES = ("counterparties_counterparty", "counterparties_contact", "leads_lead", "deals_deal")


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for table in TABLES:
            schema_editor.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_fragments ON {table} USING gin (search_text gin_trgm_ops)"
            )
            schema_editor.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_beginnings ON {table} ((left(search_text, 40)) text_pattern_ops)"
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_fragments")
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_beginnings")


class Migration(migrations.Migration):
    dependencies = [
        ("web", "0002_demo_marks"),
        ("counterparties", "0001_initial"),
        ("leads", "0001_initial"),
        ("deals", "0001_initial"),
    ]

    operations = [migrations.RunPython(make, drop)]
