from pathlib import Path

import pytest

from tests.factories.processes import installation

ACTOR = Path(__file__).parent / "actor.py"


@pytest.fixture(scope="session")
def live_place(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("live")) as made:
        yield made
