"""Targets: how much of an asset a wallet, or all wallets of a tier together, should hold, and the band around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Store
from online.store.people import known
from online.store.wallets import find_wallet
from shared.encoding import Fields, Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadTarget
from shared.money import Asset
from shared.policy import Person
from shared.sealed import Sign, open_sealed, seal

KIND: Final = "target/1"
TIERS: Final = ("cold", "warm", "hot")
_TIER: Final = "tier:"
_BAND: Final = 3


@dataclass(frozen=True, slots=True)
class Target:
    """A band for one asset, in base units: below `low` it is filled, above `high` emptied, to `target`.

    It is a wallet's, or that of a whole `tier` on the asset's network where no wallet is named.
    """

    wallet: str
    asset: Asset
    low: int
    target: int
    high: int
    tier: str = ""

    @property
    def holder(self) -> str:
        """Name whose it is: "hot" for a wallet, "tier:hot" for a tier."""
        return self.wallet or f"{_TIER}{self.tier}"


def set_target(store: Store, wanted: Target, *, person: Person, sign: Sign, now: int) -> Target:
    """Set or change a target by a person's signed word; it moves nothing, since orders need two people.

    Raises:
        BadTarget: if low, target and high do not ascend, the asset is another network's, or both a tier and one of its
            wallets would have a band. UnknownWallet, UnknownPerson, UnknownAsset.
    """
    with store.transaction() as tx:
        known(tx.sql, person)
        _require_holder(tx.sql, wanted)
        if not 0 <= wanted.low <= wanted.target <= wanted.high:
            raise BadTarget("low, target and high ascend")
        units: list[Value] = [*map(units_to_bytes, (wanted.low, wanted.target, wanted.high))]
        place = {"network": wanted.asset.network, "holder": wanted.holder, "asset": wanted.asset.code}
        sealed = seal(KIND, encode({**place, "units": units, "time": now}), [(person.key, sign)])
        table = tables.targets
        row = {"network": place["network"], "holder": place["holder"], "asset_code": place["asset"]}
        here = [table.c[name] == value for name, value in row.items()]
        tx.sql.execute(delete(table).where(*here))
        tx.sql.execute(insert(table).values(sealed=sealed, **row))
        journal.append(tx, "target", {"sealed": sealed, "by": person.name}, now)
    return wanted


def targets(store: Store) -> tuple[Target, ...]:
    """List the targets, by network, holder and asset."""
    with store.reading() as connection:
        return find_targets(connection)


def find_targets(connection: Connection) -> tuple[Target, ...]:
    """List the targets within a transaction, each as it was signed. Raises BadSeal, BadSignature: of an altered one."""
    table, asset = tables.targets, finder(connection)
    rows = connection.execute(select(table).order_by(table.c.network, table.c.holder, table.c.asset_code)).all()
    return tuple(_read(row.sealed, asset(row.network, row.asset_code)) for row in rows)


def tiers_of(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Give each wallet's network and tier."""
    table = tables.wallets.c
    rows = connection.execute(select(table.name, table.network, table.tier).order_by(table.name))
    return {row.name: (row.network, row.tier) for row in rows}


def _read(sealed: bytes, asset: Asset) -> Target:
    fields = Fields(decode(open_sealed(sealed, KIND).body), "target")
    holder, units = fields.text("holder"), [units_from_bytes(_bytes(one)) for one in fields.list("units", most=3)]
    if (fields.text("network"), fields.text("asset")) != (asset.network, asset.code) or len(units) != _BAND:
        raise BadTarget(f"the target of {holder[:40]!r} is another one than its place says")
    low, aim, high = units
    tier = holder.removeprefix(_TIER) if holder.startswith(_TIER) else ""
    return Target("" if tier else holder, asset, low, aim, high, tier)


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _require_holder(connection: Connection, wanted: Target) -> None:
    network = wanted.asset.network
    if finder(connection)(network, wanted.asset.code) != wanted.asset:
        raise BadTarget(f"{wanted.asset} has other decimals")
    if bool(wanted.wallet) == bool(wanted.tier) or wanted.tier not in ("", *TIERS):
        raise BadTarget(f"a target is a wallet's or a tier's, and tiers are {', '.join(TIERS)}")
    if wanted.wallet and find_wallet(connection, wanted.wallet).network != network:
        raise BadTarget(f"{wanted.asset} is no asset of the wallet {wanted.wallet}")
    where = tiers_of(connection)
    for other in find_targets(connection):
        both = {(network, one.tier) for one in (other, wanted) if one.tier}
        named = {where[one.wallet] for one in (other, wanted) if one.wallet}
        if other.asset == wanted.asset and both & named:
            raise BadTarget(f"{other.holder} has a band for {wanted.asset.code}: not both a tier and its wallets do")
