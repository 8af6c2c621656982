"""Names what a store is asked that costs more the longer the house has worked: statements that read a table whole.

SQLite itself says how it would answer each statement (EXPLAIN QUERY PLAN), so that no clock is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from online.store.database import Store

FOR_EVER = frozenset({
    "answers", "arrivals", "audit", "claims", "entries", "job_transfers", "jobs", "lines", "orders", "outbox",
    "request_items", "requests", "signer_entries", "sweeps", "taken_back", "trades", "transfers", "withdrawals",
})  # fmt: skip
"""Tables that keep a row of everything that ever happened."""

COARSE = ("(network=?)", "(source=?)", "(wallet=?)", "(signer=?)", "(scope=?)", "(network=? AND scope=?)")
"""What a search of such a table finds a good part of it by."""

SHORT = ("not_handed_over",)
"""Indexes that hold what is under way alone."""


@contextmanager
def no_whole_reads(store: Store, *also: str) -> Iterator[None]:
    """Fail where a statement of the block reads such a table whole, or a part that grows with it; SQLite tells.

    `also` are further tables that shall not be read so.
    """
    found: set[str] = set()

    def look(connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if statement.split(maxsplit=1)[0] not in ("SELECT", "UPDATE", "DELETE"):
            return
        given = values[0] if many else values
        plan = connection.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        for *_, step in plan.fetchall():
            if _is_whole(step, FOR_EVER.union(also)):
                found.add(f"{step}: {' '.join(statement.split())}")

    if store.engine.dialect.name != "sqlite":
        yield
        return
    event.listen(store.engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(store.engine, "before_cursor_execute", look)
    assert not found, "\n".join(sorted(found))


def _is_whole(step: str, tables: frozenset[str]) -> bool:
    way, table, *_ = step.split()
    if way == "SCAN":
        return table in tables and not any(index in step for index in SHORT)
    return way == "SEARCH" and table in tables and any(part in step for part in COARSE)
