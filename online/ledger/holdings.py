"""What a ledger says that a wallet holds: all of its addresses added up, by asset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from online.chains.api import AccountState, Gateway, Purser
from online.store.assets import registers
from online.store.database import Store
from online.store.wallets import Wallet, find_keys
from shared.chains import chain
from shared.chains.api import NO_ASSETS
from shared.money import Asset


@dataclass(frozen=True, slots=True)
class Holdings:
    """A wallet on its ledger at a height, in base units; `reserved` is what of the native asset is locked there.

    `at` is what each of its addresses holds, where that is anything.
    """

    held: Counter[Asset]
    reserved: int
    height: int
    at: Mapping[tuple[Asset, str], int]


def assets_of(connection: Connection, wallet: Wallet, gateway: Gateway) -> list[Asset]:
    """Give the assets that a wallet can hold and its gateway can count, the native one first."""
    native = chain(wallet.network).network(wallet.network).native
    noted = registers(connection).get(wallet.network, NO_ASSETS) if isinstance(gateway, Purser) else NO_ASSETS
    return [native, *(Asset(wallet.network, code, noted[code]) for code in sorted(noted))]


def holdings(store: Store, wallet: Wallet, gateway: Gateway) -> Holdings:
    """Ask the ledger for what all addresses of a wallet hold; the height is the newest of those read.

    Raises:
        NodeUnreachable: of the node.
    """
    with store.reading() as connection:
        addresses = [key.address for key in find_keys(connection, wallet.name)]
        native, *others = assets_of(connection, wallet, gateway)
    held: Counter[Asset] = Counter({native: 0})
    states = accounts(gateway, addresses)
    at = {(native, state.address): state.balance.units for state in states}
    if isinstance(gateway, Purser):
        at |= {(asset, one): gateway.asset_balance(one, asset).units for asset in others for one in addresses}
    for (asset, _), units in at.items():
        held[asset] += units
    # XRPL lets fees eat into the reserve: no more is locked than is there.
    reserved = sum(min(state.reserved.units, state.balance.units) for state in states)
    height = max((state.height for state in states), default=0)
    return Holdings(held, reserved, height, {place: units for place, units in at.items() if units})


def accounts(gateway: Gateway, addresses: Sequence[str]) -> tuple[AccountState, ...]:
    """Ask what the ledger says of addresses, at once where the gateway can. Raises NodeUnreachable."""
    if isinstance(gateway, Purser):
        return gateway.accounts(addresses) if addresses else ()
    return tuple(gateway.account(address) for address in addresses)
