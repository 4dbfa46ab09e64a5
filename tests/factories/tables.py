"""Every row of every table, for tests that say nothing was changed."""

from django.apps import apps


def all_rows(*, without: set[str] = frozenset(), ignoring: set[str] = frozenset()) -> dict:
    """{(table, primary key): {column: value}} of the installed models, except the tables `without`."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label_lower in without or not model._meta.managed or model._meta.proxy:
            continue
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in ignoring]
        for row in model._base_manager.values("pk", *names):
            found[model._meta.label_lower, row.pop("pk")] = row
    return found
