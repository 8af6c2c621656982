"""What the planner must know of a ledger, asked once: what each address of our wallets holds, its tickets, its coins.

A chain is known here by its customs and by what its gateway can do, and never by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from online.chains import customs
from online.chains.api import CoinCounter, Doorkeeper, Gateway, Purser, TicketCounter
from online.jobs.build import taken_claims
from online.ledger.holdings import accounts, assets_of
from online.store import tables
from online.store.database import Store
from online.store.wallets import Key, Wallet, find_keys, find_wallet
from online.treasury.settings import Settings, least_units, require_wallets
from shared.chains import chain
from shared.effects import Claim
from shared.errors import FeeRateUnknown
from shared.money import Asset, parse_amount


@dataclass(frozen=True, slots=True)
class Spot:
    """One address of a wallet on its ledger, in base units by asset.

    `native` is all that it holds of the native asset; in `held` what is locked and what is left for fees are taken off.
    `custom` says how customers pay there: "address" where it is one customer's own, "memo" or "tag" where they share
    it, nothing where none does. `tickets` and `coins` are the free ones, None where nobody asked.
    """

    wallet: str
    address: str
    native: int
    held: Mapping[str, int]
    custom: str = ""
    tickets: int | None = None
    coins: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A network's ledger: its assets by code, what is worth a sweep, our addresses, the fee rate where it matters.

    `sweeps` says that what many addresses hold can be gathered there; `demanding` are first addresses that take
    payments with a tag, or assets with a memo, alone.
    """

    network: str
    native: Asset
    assets: Mapping[str, Asset]
    least: Mapping[str, int]
    spots: tuple[Spot, ...]
    settings: Settings
    sweeps: bool
    rate: int | None = None
    demanding: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Ours:
    """What the store says of a network."""

    wallets: Sequence[Wallet] = ()
    keys: Sequence[Key] = ()
    assets: list[Asset] = field(default_factory=list)
    customs: dict[str, str] = field(default_factory=dict)
    taken: dict[str, frozenset[Claim]] = field(default_factory=dict)


def look(store: Store, gateway: Gateway, settings: Settings) -> Seen:
    """Ask a network's ledger.

    Raises:
        BadConfig: for settings that are none. Refusal: as the gateway, such as NodeUnreachable.
    """
    with store.reading() as connection:
        ours = _ours(connection, gateway)
    native, *others = ours.assets
    require_wallets(settings, gateway.network, [one.name for one in ours.wallets])
    least = least_units(settings, gateway.network, {one.code: one for one in others})
    spots = _spots(gateway, ours, settings)
    rate, coins = _coins(gateway, ours, settings)
    return Seen(
        gateway.network, native, {one.code: one for one in ours.assets}, least,
        tuple(_with_coins(spot, coins) for spot in spots), settings, isinstance(gateway, Purser), rate,
        _demanding(gateway, ours),
    )  # fmt: skip


def customers_own(connection: Connection, network: str) -> dict[str, str]:
    """Say of each address where customers pay how they do: "address", "memo" or "tag"."""
    places = tables.places.c
    return dict(connection.execute(select(places.address, places.custom).where(places.network == network)).all())


def _ours(connection: Connection, gateway: Gateway) -> _Ours:
    network = gateway.network
    named = select(tables.wallets.c.name).where(tables.wallets.c.network == network).order_by(tables.wallets.c.name)
    wallets = [find_wallet(connection, name) for name in connection.execute(named).scalars()]
    native = chain(network).network(network).native
    return _Ours(
        wallets,
        [key for one in wallets for key in find_keys(connection, one.name)],
        assets_of(connection, wallets[0], gateway) if wallets else [native],
        customers_own(connection, network),
        {one.name: taken_claims(connection, one.name) for one in wallets},
    )


def _spots(gateway: Gateway, ours: _Ours, settings: Settings) -> list[Spot]:
    native, *others = ours.assets
    room = parse_amount(customs(gateway.network).fee_room, native).units
    first = _first(ours)
    spots = []
    for key, state in zip(ours.keys, accounts(gateway, [key.address for key in ours.keys]), strict=True):
        held = {native.code: max(0, state.balance.units - state.reserved.units - room)}
        if isinstance(gateway, Purser):
            held |= {one.code: gateway.asset_balance(key.address, one).units for one in others}
        pooled = key.wallet in settings.tickets and key.address == first[key.wallet]
        tickets = None
        if pooled and isinstance(gateway, TicketCounter):
            tickets = gateway.free_tickets(key.address, ours.taken[key.wallet])
        custom = ours.customs.get(key.address, "")
        spots.append(Spot(key.wallet, key.address, state.balance.units, held, custom, tickets))
    return spots


def _first(ours: _Ours) -> dict[str, str]:
    return {one.name: next((key.address for key in ours.keys if key.wallet == one.name), "") for one in ours.wallets}


def _demanding(gateway: Gateway, ours: _Ours) -> frozenset[str]:
    if not isinstance(gateway, Doorkeeper):
        return frozenset()
    return frozenset(address for address in _first(ours).values() if address and gateway.demands(address))


def _coins(gateway: Gateway, ours: _Ours, settings: Settings) -> tuple[int | None, dict[str, int]]:
    """Count coins where fees are low: counting reads the whole ledger, and is left out while nothing follows of it."""
    if settings.coins is None or not isinstance(gateway, CoinCounter):
        return None, {}
    try:
        rate = gateway.fee_rate()
    except FeeRateUnknown:
        return None, {}
    if rate > settings.rate:
        return rate, {}
    addresses = [key.address for key in ours.keys]
    counts = gateway.free_coins(addresses, frozenset().union(*ours.taken.values()), rate)
    return rate, dict(zip(addresses, counts, strict=True))


def _with_coins(spot: Spot, coins: Mapping[str, int]) -> Spot:
    return Spot(
        spot.wallet, spot.address, spot.native, spot.held, spot.custom, spot.tickets, coins.get(spot.address)
    )
