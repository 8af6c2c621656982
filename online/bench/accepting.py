"""The bench's withdrawals: how many a second are accepted, on SQLite by one process and on PostgreSQL by four clients.

Some share a commit, and each is acknowledged only when that is on disk. Afterwards the books are proven, and every
acknowledged withdrawal is there.
"""

from __future__ import annotations

import multiprocessing
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

from sqlalchemy import make_url, select

from online.bench.exchange import FUNDS, NATIVE, NETWORK, NOW, WALLET, Exchange, on_disk, station
from online.bench.rows import Row
from online.store import tables
from online.store.database import Store, open_store
from online.store.engine import make_engine
from online.withdrawals.accepting import Wish, accept_many
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.errors import Refusal
from shared.money import Amount

WITHDRAWALS: Final = 6_000
CUSTOMERS: Final = 1_000
CLIENTS: Final = 4
GROUP: Final = 200
"""So many withdrawals share a commit."""

NO_SERVER: Final = "no PostgreSQL was named; LOCKGATE_POSTGRES_URL or --postgres names one"
_PATIENCE_SECONDS: Final = 120
_UNIT: Final = "withdrawals/s"


def measure(server: str, folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure on SQLite, and on the PostgreSQL server of a URL, whose user may create databases, if one is given."""
    say("withdrawals: accepted on SQLite")
    rows = [_row("withdrawals.accepted.sqlite", _alone(on_disk(folder)), 600)]
    name = "withdrawals.accepted.postgresql"
    if not server:
        return [*rows, Row(name, None, _UNIT, aim="at least 1000", left_out=NO_SERVER)]
    say(f"withdrawals: accepted on PostgreSQL by {CLIENTS} clients")
    with _database(server) as url:
        rate = _together(url)
        if _reaches_the_disk(url):
            return [*rows, _row(name, rate, 1000)]
        return [*rows, Row(name, rate, _UNIT, aim="at least 1000 on disk, and this server has fsync off", met=False)]


def _row(name: str, rate: float, least: int) -> Row:
    return Row(name, rate, _UNIT, aim=f"at least {least}", met=rate >= least)


def _reaches_the_disk(url: str) -> bool:
    """Say whether a server's commits wait for its disk; one that tests run on may not."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return bool(connection.exec_driver_sql("SHOW fsync").scalar() == "on")
    finally:
        engine.dispose()


def _alone(url: str) -> float:
    exchange = _exchange(url)
    wishes = _wishes(0, WITHDRAWALS, exchange.customers)
    begun = time.perf_counter()
    acknowledged = _accept(exchange.store, wishes)
    rate = len(acknowledged) / (time.perf_counter() - begun)
    _require_there(exchange, acknowledged)
    return rate


def _together(url: str) -> float:
    """Let four processes accept their own withdrawals at once; the time is that of the slowest."""
    exchange, fresh = _exchange(url), multiprocessing.get_context("spawn")
    start: Barrier = fresh.Barrier(CLIENTS + 1)
    done: SimpleQueue[list[str]] = fresh.SimpleQueue()
    given = WITHDRAWALS // CLIENTS, exchange.customers, start, done
    clients = [fresh.Process(target=_client, args=(url, number, *given), daemon=True) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    start.wait(_PATIENCE_SECONDS)
    begun = time.perf_counter()
    for client in clients:
        client.join(_PATIENCE_SECONDS)
        if client.exitcode != 0:
            raise AssertionError(f"a client ended with {client.exitcode}")
    took = time.perf_counter() - begun
    acknowledged = [one for _ in clients for one in done.get()]
    _require_there(exchange, acknowledged)
    return len(acknowledged) / took


def _client(
    url: str, number: int, count: int, customers: Sequence[str], start: Barrier, done: SimpleQueue[list[str]]
) -> None:
    store, wishes = open_store(url, station()), _wishes(number, count, customers)
    start.wait(_PATIENCE_SECONDS)
    done.put(_accept(store, wishes))
    store.close()


def _accept(store: Store, wishes: Sequence[Wish]) -> list[str]:
    """Accept in groups; give the ids that were acknowledged."""
    acknowledged = []
    for first in range(0, len(wishes), GROUP):
        for answer in accept_many(store, wishes[first : first + GROUP], NOW):
            if isinstance(answer, Refusal):
                raise answer
            acknowledged.append(answer.id)
    return acknowledged


def _exchange(url: str) -> Exchange:
    exchange = Exchange(url, CUSTOMERS)
    exchange.entries([(f"customer:{one}", f"own:{NETWORK}", 10**9) for one in exchange.customers], "trade")
    exchange.mandate(NATIVE.code, FUNDS, count=100, age_seconds=3600)
    return exchange


def _wishes(seed: int, count: int, customers: Sequence[str]) -> list[Wish]:
    lots = random.Random(seed)
    return [
        Wish(f"w{seed}-{number}", lots.choice(customers), WALLET, Destination(encode_address(lots.randbytes(20))),
             Amount(NATIVE, lots.randrange(1, 10**6)))
        for number in range(count)
    ]  # fmt: skip


def _require_there(exchange: Exchange, acknowledged: Sequence[str]) -> None:
    exchange.require_proven()
    with exchange.store.reading() as connection:
        kept = connection.execute(select(tables.withdrawals.c.id)).scalars().all()
    if sorted(kept) != sorted(acknowledged):
        raise AssertionError(f"{len(acknowledged)} withdrawals were acknowledged, and {len(kept)} are there")
    exchange.store.close()


@contextmanager
def _database(server: str) -> Iterator[str]:
    """Give the URL of a database of its own on a server, dropped at the end."""
    name = f"lockgate_bench_{uuid.uuid4().hex}"
    engine = make_engine(server)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
            try:
                yield make_url(server).set(database=name).render_as_string(hide_password=False)
            finally:
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        engine.dispose()
