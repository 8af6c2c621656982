"""What a wallet's books were opened with at places of customers: it waits in suspense from then on.

Arrivals that the reading tells of afterwards, up to the opening's height, are taken out of it. What is left once all up
there is read came while nobody looked, and becomes an arrival of its own, which two people credit or send back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select, update

from online.chains.api import Arrival
from online.ledger import accounts
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.store import tables
from online.store.assets import finder
from online.store.database import Tx
from shared.effects import Destination
from shared.money import Amount, Asset

NO_TRANSACTION: Final = ""
"""The id of what the opening found: no transaction is known that brought it."""

_TABLE: Final = tables.found_at_opening


class Found:
    """What openings of a network's wallets found and is not told of yet, and what is taken out of it."""

    def __init__(self, connection: Connection, network: str) -> None:
        opened, wallets = tables.openings, tables.wallets
        both = (opened.c.wallet == _TABLE.c.wallet) & (opened.c.asset_code == _TABLE.c.asset_code)
        query = (
            select(_TABLE, opened.c.height)
            .join(opened, both)
            .join(wallets, wallets.c.name == _TABLE.c.wallet)
            .where(wallets.c.network == network, _TABLE.c.left != "0")
            .order_by(_TABLE.c.address, _TABLE.c.asset_code)
        )
        self._network = network
        self._rows = {(row.address, row.asset_code): row for row in connection.execute(query)}
        self._left = {place: int(row.left) for place, row in self._rows.items()}

    def lines(self, address: str, asset: Asset, units: int) -> tuple[Posting, ...]:
        """Give the lines from where an arrival that an opening holds comes: out of what was found, else own funds."""
        place = (address, asset.code)
        took = min(units, self._left.get(place, 0))
        if took:
            self._left[place] -= took
        waited, own = (accounts.of_network(kind, self._network) for kind in (Kind.SUSPENSE, Kind.OWN))
        return Posting(waited, asset, took), Posting(own, asset, units - took)

    def rest(self, connection: Connection, height: int) -> Iterator[tuple[str, Arrival]]:
        """Give the wallet and the arrival of what no reading told of, where all was read up to its opening."""
        asset_of = finder(connection)
        for (address, code), row in self._rows.items():
            units = self._left[address, code]
            if units and row.height <= height:
                self._left[address, code] = 0
                to, amount = Destination(address), Amount(asset_of(self._network, code), units)
                key = f"opening/{address}/{code}"
                yield row.wallet, Arrival(key, NO_TRANSACTION, row.height, "", to, amount)

    def write(self, tx: Tx) -> None:
        """Note what is left."""
        for (address, code), units in self._left.items():
            row = self._rows[address, code]
            if units != int(row.left):
                here = (_TABLE.c.wallet == row.wallet) & (_TABLE.c.asset_code == code) & (_TABLE.c.address == address)
                tx.sql.execute(update(_TABLE).where(here).values(left=str(units)))
