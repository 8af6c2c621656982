"""The least deposit of an asset: what is smaller is dust, and waits in suspense whoever sent it.

It is a person's signed word in the store and no line of a configuration, so that all coordinators on one store judge
alike. Nothing is lost by it: two people credit what waits, or send it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store
from online.store.people import known
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadAmount, BadSeal
from shared.money import Amount
from shared.policy import Person
from shared.sealed import Sign, open_sealed, seal

KIND: Final = "least-deposit/1"


def set_least(store: Store, amount: Amount, *, person: Person, sign: Sign, now: int) -> Amount:
    """Set or change the least deposit of an asset; what came before keeps its state.

    Raises:
        UnknownPerson, UnknownAsset. BadAmount: if the asset has other decimals.
    """
    asset = amount.asset
    with store.transaction() as tx:
        known(tx.sql, person)
        if finder(tx.sql)(asset.network, asset.code) != asset:
            raise BadAmount(f"{asset} has other decimals")
        place: dict[str, Value] = {"network": asset.network, "asset": asset.code}
        body = encode({**place, "units": units_to_bytes(amount.units), "time": now})
        sealed = seal(KIND, body, [(person.key, sign)])
        table = tables.least_deposits
        here = (table.c.network == asset.network) & (table.c.asset_code == asset.code)
        tx.sql.execute(delete(table).where(here))
        tx.sql.execute(insert(table).values(network=asset.network, asset_code=asset.code, sealed=sealed))
        journal.append(tx, "least-deposit", {**place, "sealed": sealed, "by": person.name}, now)
    return amount


def leasts(store: Store) -> tuple[Amount, ...]:
    """List the least deposits, by network and asset."""
    with store.reading() as connection:
        asset, query = finder(connection), select(tables.least_deposits.c.network).distinct().order_by("network")
        networks = connection.execute(query).scalars().all()
        return tuple(
            Amount(asset(network, code), units)
            for network in networks
            for code, units in sorted(find_leasts(connection, network).items())
        )


def find_leasts(connection: Connection, network: str) -> Mapping[str, int]:
    """Give a network's least deposits in base units by asset, as they were signed. Raises BadSeal, BadSignature."""
    table = tables.least_deposits
    rows = connection.execute(select(table).where(table.c.network == network)).all()
    return {row.asset_code: _read(row.sealed, network, row.asset_code) for row in rows}


def _read(sealed: bytes, network: str, code: str) -> int:
    fields = Fields(decode(open_sealed(sealed, KIND).body), "least deposit")
    if (fields.text("network"), fields.text("asset")) != (network, code):
        raise BadSeal(f"the least deposit of {code[:40]!r} is another one than its place says")
    return units_from_bytes(fields.bytes("units"))
