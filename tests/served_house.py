"""A store with two open wallets on a served XRP Ledger, where strangers pay and books go wrong; it is no test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online.chains.xrpl.gateway import XrplGateway, connect
from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.intake import take_in
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.ledger import postings
from online.ledger.books import journal, open_wallet
from online.ledger.differences import Kind
from online.ledger.postings import Posting
from online.ledger.reconcile import Report, keep, reconcile
from online.store import journal as station_journal
from online.store import tables
from online.store.database import Store
from online.store.wallets import keys
from tests.online_world import NETWORK, NOW, set_up

Found = list[tuple[Kind, str, int]]


@dataclass
class House:
    """A store with two open wallets, the served ledger that they are on, and dave with tag 1 on the cold one."""

    store: Store
    world: XrplWorld
    gateway: XrplGateway

    def tick(self) -> None:
        """Take deposits in, once."""
        assert take_in(self.store, {NETWORK: self.gateway}, NOW).troubles == ()


@contextmanager
def a_house(folder: Path) -> Iterator[House]:
    """Serve a ledger, open both wallets' books with 20 XRP each, and give dave his tag."""
    store, world = set_up(folder), XrplWorld()
    with serve(world) as server, closing(connect(NETWORK, {"url": server.url})) as gateway:
        world.fund_all({one.address: 20_000_000 for name in ("cold", "hot") for one in keys(store, name)})
        for name in ("cold", "hot"):
            open_wallet(store, name, gateway, NOW)
        register(store, "dave", NOW)
        instruct(store, "dave", "cold", NOW)
        yield House(store, world, gateway)


def look(house: House, **options: Any) -> Report:
    return reconcile(house.store, {NETWORK: house.gateway}, **options)


def found(house: House, **options: Any) -> Found:
    report = look(house, **options)
    assert report.failed == {}
    return [(one.kind, one.wallet, one.amount) for one in report.findings]


def kept(house: House) -> None:
    keep(house.store, look(house), NOW)


def paid(house: House, *drops: int) -> None:
    """Let a stranger pay dave so often, each payment in a ledger of its own."""
    alice, cold = Stranger(house.world, 1_000), keys(house.store, "cold")[0].address
    for each in drops:
        alice.pay(cold, each, 1)


def posted(house: House, *lines: Posting) -> int:
    """Post an entry that names no transaction, with its line in the journal, and give its number."""
    with house.store.transaction() as tx:
        number = postings.post(tx, "by hand", "posted", lines, None, NOW)
        station_journal.append(tx, "by-hand", {"posted": postings.sworn(tx.sql, number)}, NOW)
    return number


def again(house: House, **change: Any) -> int:
    """Post the last entry once more as an arrival, by default of the same transaction, and give its number."""
    last = journal(house.store)[-1]
    number = posted(house, *(Posting(*line) for line in last.lines))
    came = tables.arrivals
    with house.store.transaction() as tx:
        row = dict(tx.sql.execute(came.select().where(came.c.entry == last.id)).mappings().one())
        del row["id"]
        tx.sql.execute(came.insert().values(row | {"entry": number, "key": f"{row['key']} again"} | change))
    return number
