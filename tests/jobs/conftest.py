from pathlib import Path

import pytest

from tests.factories.processes import installation

ACTOR = Path(__file__).parent / "actor.py"


class Actors:
    """Worker processes on a database of their own, whose leases end soon."""

    def __init__(self, place) -> None:
        self.place = place

    def do(self, *words: str) -> str:
        return self.place.run(ACTOR, *words)

    def start_worker(self):
        return self.place.start(ACTOR, "work")

    def effects(self) -> list[tuple]:
        return self.place.select("SELECT name, step FROM effect ORDER BY name, step")

    def jobs(self) -> list[tuple]:
        return self.place.select("SELECT kind, status FROM jobs_job WHERE kind LIKE 'test.%' ORDER BY id")


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("actors"), CRM_LEASE_SECONDS="1.5") as made:
        yield made


@pytest.fixture
def actors(place):
    """Cleaned before each test, stopped after it."""
    found = Actors(place)
    found.do("setup")
    yield found
    place.stop_all()
