"""Columns as they were matched once, for files with the same headers: one's own templates and shared ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from crm.listing.imports.columns import plain
from crm.listing.models import Import, ImportTemplate


def fingerprint(headers: Sequence[str]) -> str:
    """The same for files with the same headers in the same order, however they are spelled; "" without any."""
    words = [plain(header) for header in headers]
    return hashlib.sha256("\n".join(words).encode()).hexdigest() if any(words) else ""


def offered_templates(run: Import) -> list[ImportTemplate]:
    """Templates for this kind that the uploader may use, his own first."""
    found = ImportTemplate.objects.visible_to(run.uploaded_by).filter(kind=run.kind).select_related("user")
    return sorted(found, key=lambda one: (one.user_id != run.uploaded_by_id, one.name.lower()))


def recognise(run: Import) -> ImportTemplate | None:
    """The template made for exactly these headers, the uploader's own before a shared one, the latest first."""
    mark = fingerprint(run.columns)
    if not mark:
        return None
    found = ImportTemplate.objects.visible_to(run.uploaded_by).filter(kind=run.kind, fingerprint=mark)
    return max(found, key=lambda one: (one.user_id == run.uploaded_by_id, one.saved_at), default=None)


def apply_template(run: Import, template: ImportTemplate, known: set[str]) -> None:
    """Matches the columns as the template says; columns it does not name stay as they are."""
    for index, header in enumerate(run.columns):
        key = template.mapping.get(plain(header)) if header else None
        if key is not None and (not key or key in known):
            run.mapping[str(index)] = key
    run.options = {name: template.options[name] for name in ("keys", "fixed") if name in template.options}
    run.mode = template.options.get("mode") or run.mode
    run.template = template


def save_template(run: Import, name: str, *, is_shared: bool) -> ImportTemplate:
    """Keeps the matching under this name, over an earlier one of the same user."""
    mapping = {
        plain(header): run.mapping.get(str(index), "") for index, header in enumerate(run.columns) if header
    }
    options = {key: run.options[key] for key in ("keys", "fixed") if run.options.get(key)}
    found, _is_new = ImportTemplate.objects.update_or_create(
        user=run.uploaded_by,
        kind=run.kind,
        name=name[:100],
        defaults={
            "mapping": mapping,
            "options": options,
            "fingerprint": fingerprint(run.columns),
            "is_shared": is_shared,
        },
    )
    return found


def learned(run: Import) -> dict[str, str]:
    """What the uploader's own templates say of single headers, the latest word last."""
    found = ImportTemplate.objects.filter(user=run.uploaded_by, kind=run.kind).order_by("saved_at")
    return {header: key for template in found for header, key in template.mapping.items()}
