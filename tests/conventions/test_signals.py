"""Every signal says in a comment or docstring beside it what it carries, and no area reacts to post_save."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["crm", "funnel", "counterparties", "deals", "leads", "collab", "telephony", "bpm"]


def modules(name: str = "*.py") -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob(name)]
    return sorted(path for path in found if "migrations" not in path.parts)


@pytest.mark.parametrize("path", modules("signals.py"), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_signal_documents_its_payload(path):
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", "") == "Signal"
        ):
            above = lines[node.lineno - 2].strip() if node.lineno > 1 else ""
            below = lines[node.end_lineno].strip() if node.end_lineno < len(lines) else ""
            assert above.startswith("#") or below.startswith(('"""', "#")), (
                f"{path.name}:{node.lineno} says nothing of its payload"
            )


def test_no_room_goes_round_the_ladder_or_reacts_to_saving():
    """`get_model`, `import_module` of a room, and post_save would each hide a dependency."""
    # A setting may name a module (the session engine); the engine of processes names Python's internals to refuse them.
    forbidden = (
        r"get_model\(|\bpost_save\b|\bpre_save\b|\bpost_delete\b|import_module\((?!settings\.)|__import__\("
    )
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in modules()
        if "engine" not in path.parts
        for match in re.findall(forbidden, path.read_text())
    ]
    assert found == []
