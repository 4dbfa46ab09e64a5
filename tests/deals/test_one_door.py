"""Only deals.moves writes where a deal stands."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AREAS = ["crm", "funnel", "counterparties", "deals", "leads", "collab", "telephony", "bpm"]
DOOR = {"deals/models/records.py", "deals/moves.py"}


def sources():
    for area in AREAS:
        for path in (ROOT / area).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def test_place_is_called_by_moves_alone():
    assert {name for name, text in sources() if re.search(r"\.place\(", text)} - DOOR == set()


def test_nobody_bulk_updates_deals():
    assert {name for name, text in sources() if re.search(r"Deal\.objects[^\n]*bulk_update", text)} == set()


def test_the_ledger_is_written_in_one_place():
    writers = {
        name
        for name, text in sources()
        if re.search(r"StageTransition(\.objects\.(create|bulk_create))?\(", text)
    }
    assert writers - {"deals/models/moves.py"} == {"deals/ledger.py"}
