"""A small exchange for measurements: a store with one open hot wallet, two people, and customers.

The keys are of fixed seeds and worth nothing. Unless a signer's card and a gateway are given, the wallet is on paper
and no node is asked: the ledger is what a measurement says it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey
from sqlalchemy import Table, insert

from online.chains.api import AccountState, Gateway
from online.ledger.books import open_wallet, prove_balances
from online.store import journal, tables
from online.store.database import Station, Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.chains.xrpl import XRPL
from shared.envelope import WalletCard, open_card, seal_card
from shared.hdkeys import derive
from shared.journal import read_journal
from shared.money import Amount
from shared.policy import Person

NETWORK: Final = "xrpl:local"
NATIVE: Final = XRPL.network(NETWORK).native
NOW: Final = 1_800_000_000
OPENED: Final = 1_000
FUNDS: Final = 10**16
WALLET: Final = "hot"
_AT_ONCE: Final = 50_000


class Ledger:
    """What a wallet opens its books from: one balance at one height."""

    network = NETWORK

    def __init__(self, units: int = FUNDS, height: int = OPENED) -> None:
        self.units, self.at = units, height

    def height(self) -> int:
        """Give the height."""
        return self.at

    def account(self, address: str) -> AccountState:
        """Give the balance."""
        return AccountState(address, True, self.at, Amount(NATIVE, self.units), Amount(NATIVE, 0))


def on_disk(folder: Path) -> str:
    """Give the URL of a store in a folder, on SQLite as it is by default."""
    return f"sqlite:///{folder / 'lockgate.db'}"


def station(pen: SigningKey | None = None) -> Station:
    """Give the station of a pen, by default of the one on paper, with which any process may open the store."""
    own = pen or _pen("station")
    return Station(own.verify_key.encode(), lambda message: own.sign(message).signature)


class Exchange:
    """The store at a URL, with its people, its wallet and its customers."""

    def __init__(
        self, url: str, customers: int, *, pen: SigningKey | None = None, card: bytes = b"",
        gateway: Gateway | None = None,
    ) -> None:  # fmt: skip
        self._station = station(pen)
        self.store: Store = open_store(url, self._station)
        self.people = {name: _pen(name) for name in ("alice", "bob")}
        for name, key in self.people.items():
            add_person(self.store, name, key.verify_key.encode(), NOW)
        sealed = card or _card()
        pair_signer(self.store, open_card(sealed)[0].signer, "box", NOW)
        import_card(self.store, sealed, NOW)
        ledger: Any = gateway or Ledger()  # which is asked for a balance alone
        open_wallet(self.store, WALLET, ledger, NOW)
        self.customers = [f"c{number:06}" for number in range(customers)]
        self.insert(tables.customers, ({"id": one, "created": NOW, "frozen": False} for one in self.customers))

    @property
    def address(self) -> str:
        """Give the wallet's address."""
        return keys(self.store, WALLET)[0].address

    def signing(self, name: str) -> dict[str, Any]:
        """Give a person with their pen, as what people sign wants them."""
        pen = self.people[name]
        return {"person": Person(name, pen.verify_key.encode()), "sign": lambda message: pen.sign(message).signature}

    def mandate(self, code: str, most: int, *, count: int, age_seconds: int) -> None:
        """Let the wallet pay up to so much without a look, by the word of both people."""
        mandate = Mandate(WALLET, {code: Ceiling(most, most, most, most)}, count, age_seconds)
        given = draft_mandate(self.store, mandate, **self.signing("alice"), now=NOW)
        approve_mandate(self.store, given.id, **self.signing("bob"), now=NOW)

    def require_proven(self) -> None:
        """Demand that the kept balances are those that all lines add up to, and that the journal is whole.

        Raises:
            AssertionError, JournalDamaged: if not; then what was measured is worth nothing.
        """
        if faults := prove_balances(self.store):
            raise AssertionError(f"the balances are not those of the lines: {faults[:3]}")
        with self.store.reading() as connection:
            lines, end = journal.lines(connection), journal.tip(connection)
        if read_journal(lines, self._station.public_key).tip != end:
            raise AssertionError("the journal does not end at its kept tip")

    def insert(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        """Write many rows at once, past the rules that write them one by one; who measures proves them afterwards."""
        with self.store.transaction() as tx:
            lot: list[dict[str, Any]] = []
            for row in rows:
                lot.append(row)
                if len(lot) == _AT_ONCE:
                    tx.sql.execute(insert(table), lot)
                    lot = []
            if lot:
                tx.sql.execute(insert(table), lot)

    def entries(self, moves: Sequence[tuple[str, str, int]], memo: str) -> None:
        """Write an entry for each (giver, taker, units) with its two lines, and the balances that follow."""
        kept = _balances(self.store)
        first = 1 + _last_entry(self.store)
        numbered = list(enumerate(moves, first))
        rows = ({"id": number, "job": None, "memo": memo, "status": "posted", "time": NOW} for number, _ in numbered)
        self.insert(tables.entries, rows)
        if self.store.engine.dialect.name == "postgresql":  # which numbers on from where it numbered itself
            with self.store.transaction() as tx:
                last = "SELECT setval(pg_get_serial_sequence('entries', 'id'), max(id)) FROM entries"
                tx.sql.exec_driver_sql(last)
        asset = {"asset_network": NATIVE.network, "asset_code": NATIVE.code}
        self.insert(
            tables.lines,
            ({"entry": number, "position": at, "account": account, "units": str(units), **asset}
             for number, (giver, taker, amount) in numbered
             for at, (account, units) in enumerate(((giver, -amount), (taker, amount)))),
        )  # fmt: skip
        for giver, taker, amount in moves:
            kept[giver] = kept.get(giver, 0) - amount
            kept[taker] = kept.get(taker, 0) + amount
        with self.store.transaction() as tx:
            tx.sql.execute(tables.balances.delete())
        self.insert(
            tables.balances,
            ({"account": account, "posted": str(units), "pending": "0", **asset} for account, units in kept.items()),
        )


def _card() -> bytes:
    """Seal the card of a wallet that no signer has."""
    pen, seed = _pen("signer"), hashlib.sha256(b"a bench's seed").digest()
    path = XRPL.key_path(NETWORK, "secp256k1", 0, 0)
    node = derive(seed, "secp256k1", path[:-2]).public()
    xpub = node.public_key + node.chain_code
    card = WalletCard(pen.verify_key.encode(), WALLET, NETWORK, "hot", "secp256k1", 0, xpub, ())
    return seal_card(card, lambda message: pen.sign(message).signature)


def _pen(name: str) -> SigningKey:
    return SigningKey(hashlib.sha256(f"a bench's {name}".encode()).digest())


def _balances(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return {row.account: int(row.posted) for row in connection.execute(tables.balances.select())}


def _last_entry(store: Store) -> int:
    with store.reading() as connection:
        newest = connection.execute(tables.entries.select().order_by(tables.entries.c.id.desc()).limit(1)).first()
    return 0 if newest is None else int(newest.id)
