"""The coordinator's register of assets beside the native ones: by network and code, their decimals.

The signer has a register of its own in its sealed policy and believes no other. Decimals once noted never change, since
every amount in the books would change its meaning with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, insert, select

from online.chains import customs
from online.store import journal, tables
from online.store.database import Store
from shared.chains import chain
from shared.chains.api import NO_ASSETS, Register
from shared.encoding import Value
from shared.errors import BadAsset, UnknownAsset
from shared.money import Asset

_MOST_DECIMALS = 24
_CODE = re.compile(r"[!-~]{1,64}", re.ASCII)


def add_asset(store: Store, network: str, code: str, decimals: int, now: int) -> Asset:
    """Note an asset with its decimals; the same again changes nothing.

    Raises:
        BadAsset: for a native one, bad numbers, other decimals than before, or what the ledger can not have.
        UnknownChain: for an unknown network.
    """
    found = Asset(chain(network).network(network).name, code, decimals)
    native = chain(network).network(network).native
    if code == native.code or not _CODE.fullmatch(code) or not 0 <= decimals <= _MOST_DECIMALS:
        raise BadAsset(f"{code[:40]!r} with {decimals} decimals can not be noted for {network}")
    can_have = customs(network).can_have
    if can_have is not None and not can_have(code, decimals):
        raise BadAsset(f"{network} can have no asset {code[:40]!r} with {decimals} decimals")
    with store.transaction() as tx:
        before = registers(tx.sql).get(found.network, NO_ASSETS).get(code)
        if before is not None and before != decimals:
            raise BadAsset(f"{found} has {before} decimals, and not {decimals}")
        if before is None:
            tx.sql.execute(insert(tables.assets).values(network=found.network, code=code, decimals=decimals))
            body: dict[str, Value] = {"network": found.network, "code": code, "decimals": decimals}
            journal.append(tx, "asset", body, now)
    return found


def assets(store: Store) -> tuple[Asset, ...]:
    """List the noted assets, by network and code."""
    with store.reading() as connection:
        known = registers(connection)
    return tuple(
        Asset(network, code, known[network][code]) for network in sorted(known) for code in sorted(known[network])
    )


def asset(store: Store, network: str, code: str) -> Asset:
    """Give an asset of a network, the native one or a noted one. Raises UnknownAsset."""
    with store.reading() as connection:
        return finder(connection)(network, code)


def registers(connection: Connection) -> Mapping[str, Register]:
    """Give each network's register within a transaction."""
    known: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(tables.assets)):
        known.setdefault(row.network, {})[row.code] = row.decimals
    return known


def register_of(connection: Connection, network: str) -> Register:
    """Give one network's register within a transaction."""
    rows = connection.execute(select(tables.assets).where(tables.assets.c.network == network))
    return {row.code: row.decimals for row in rows}


def finder(connection: Connection) -> Callable[[str, str], Asset]:
    """Give a function that finds assets by network and code; it raises UnknownAsset."""
    known = registers(connection)

    def find(network: str, code: str) -> Asset:
        native = chain(network).network(network).native
        if code == native.code:
            return native
        decimals = known.get(network, NO_ASSETS).get(code)
        if decimals is None:
            raise UnknownAsset(f"the decimals of {code[:40]!r} on {network} are not noted here")
        return Asset(network, code, decimals)

    return find
