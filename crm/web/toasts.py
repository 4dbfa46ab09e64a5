"""Short messages to the person who has just done something."""

from django.contrib import messages

UNDO = "undo:"


def toast(request, text, *, level=messages.SUCCESS, undo_url="") -> None:
    """Shown at the bottom of this or the next page; *undo_url* is POSTed by its "Undo" button."""
    messages.add_message(request, level, text, extra_tags=f"{UNDO}{undo_url}" if undo_url else "")


def as_json(message) -> dict:
    tags = message.extra_tags or ""
    undo = tags.removeprefix(UNDO) if tags.startswith(UNDO) else ""
    return {"text": str(message), "level": message.level_tag, "undo": undo}
