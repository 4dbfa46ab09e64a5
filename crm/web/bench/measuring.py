"""One page, asked for several times by the test client: time, processor, queries and bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory

from crm.web.bench.pages import BUDGETS, Page

_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass
class Result:
    """`cpu_ms`: this process and the database's together, of which `db_ms` PostgreSQL's own."""

    page: Page
    persona: str
    status: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    db_ms: float
    queries: int
    size: int
    over: list[str] = field(default_factory=list)

    def as_json(self) -> dict:
        return {
            "name": self.page.name, "persona": self.persona, "kind": self.page.kind, "status": self.status,
            "median_ms": round(self.median_ms, 1), "p95_ms": round(self.p95_ms, 1), "cpu_ms": round(self.cpu_ms, 1),
            "db_ms": round(self.db_ms, 1), "queries": self.queries, "bytes": self.size, "over": self.over,
        }  # fmt: skip


@dataclass(frozen=True)
class Sample:
    wall_ms: float
    cpu_ms: float
    db_ms: float
    queries: int


class DatabaseClock:
    """The processor time of our connection's PostgreSQL process; always 0 on SQLite, which runs within ours.

    A server on this machine is asked through /proc, another one through pg_stat_statements where that is loaded.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._has_statements = False
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            path = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
            if path.exists():
                self._path = path
                return
            cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'")
            self._has_statements = bool(cursor.fetchone()[0])

    def read_ms(self) -> float:
        if self._path is not None:
            return int(self._path.read_text().split()[0]) / 1e6
        if not self._has_statements:
            return 0.0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(total_exec_time) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
                "WHERE d.datname = current_database()"
            )
            return float(cursor.fetchone()[0])


class Bench:
    def __init__(self, user, *, repeat: int) -> None:
        self.user, self.repeat, self.clock = user, repeat, DatabaseClock()
        self.client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
        self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def close(self) -> None:
        self.client.logout()

    def measure(self, page: Page) -> Result | None:
        """None for a page that this user may not open, or that is no page for reading."""
        answer = self._ask(page)
        if answer.status_code in {302, 403, 404, 405} and page.data is None:
            return None
        samples = [self._sample(lambda: self._ask(page)) for _turn in range(self.repeat)]
        walls = sorted(sample.wall_ms for sample in samples)
        result = Result(
            page, self.user.username, answer.status_code, statistics.median(walls),
            walls[min(round(len(walls) * 0.95), len(walls) - 1)],
            statistics.median(sample.cpu_ms + sample.db_ms for sample in samples),
            statistics.median(sample.db_ms for sample in samples), samples[-1].queries,
            len(answer.getvalue()),
        )  # fmt: skip
        result.over = over_budget(result)
        return result

    def floor_ms(self) -> float:
        """The median of a bare view that reads the session and its user, as the unit of everything else."""
        cookies = self.client.cookies.output(header="", sep=";").strip()
        inner = AuthenticationMiddleware(lambda request: HttpResponse(str(request.user.pk)))
        view = SessionMiddleware(inner)

        def ask():
            return view(RequestFactory().get("/", headers={"cookie": cookies}))

        return statistics.median(self._sample(ask).wall_ms for _turn in range(self.repeat * 5))

    def _ask(self, page: Page):
        headers = {"HX-Request": "true"} if page.fragment else {}
        if page.data is None:
            return self.client.get(page.url, headers=headers)
        with transaction.atomic():
            answer = self.client.post(page.url, page.data, headers=headers)
            transaction.set_rollback(True)
        return answer

    def _sample(self, ask: Callable) -> Sample:
        count = 0

        def counting(execute, sql, params, many, context):
            nonlocal count
            count += not sql.startswith(_BOOKKEEPING)
            return execute(sql, params, many, context)

        db, cpu, wall = self.clock.read_ms(), time.process_time(), time.perf_counter()
        with connection.execute_wrapper(counting):
            ask()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return Sample(wall * 1000, cpu * 1000, self.clock.read_ms() - db, count)


def over_budget(result: Result) -> list[str]:
    """Which of queries, bytes and cpu are over, or that the page failed."""
    budget = BUDGETS[result.page.kind]
    checks = {
        "failed": result.status >= 400,
        "queries": budget.queries < result.queries,
        "bytes": 0 < budget.kilobytes * 1024 < result.size,
        "cpu": budget.cpu_ms < result.cpu_ms,
    }
    return [name for name, is_over in checks.items() if is_over]
