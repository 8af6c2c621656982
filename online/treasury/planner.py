"""Proposes orders that keep wallets in their bands and in use, each with its reason. It moves and drafts nothing.

Bands are held against the books, and what single addresses need against their ledger. What is on its way counts as if
it had arrived: what wallets reserve is gone, what live orders bring is there. A node that is silent only means that
nothing which needs it is proposed; bands then go by the books alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, func, select

from online.chains import customs
from online.chains.api import Gateway
from online.store import tables
from online.store.database import Store
from online.store.wallets import Key, find_keys
from online.treasury import upkeep
from online.treasury.bands import Chest, Place, banded
from online.treasury.flight import Flight, in_flight
from online.treasury.proposals import Advice, Proposal, Short, keyed
from online.treasury.seen import Seen, customers_own, look
from online.treasury.settings import Settings, read_settings
from online.treasury.targets import Target, find_targets, tiers_of
from shared.errors import Refusal
from shared.money import Asset


@dataclass(slots=True)
class _Network:
    """What the books, the live orders and, where it answers, the ledger say of a network."""

    wallets: Mapping[str, str]
    keys: Mapping[str, tuple[Key, ...]]
    customs: Mapping[str, str]
    flight: Flight
    seen: Seen | None
    places: dict[Asset, list[Place]] = field(default_factory=dict)


def advise(
    store: Store, gateways: Mapping[str, Gateway] | None = None, settings: Mapping[str, Settings] | None = None
) -> Advice:
    """Look at all targets, the books and the ledgers, and give what should be ordered."""
    seen: dict[str, Seen] = {}
    notes: list[str] = []
    for network, gateway in sorted((gateways or {}).items()):
        wanted = (settings or {}).get(network) or read_settings(network, {}, {})
        try:
            seen[network] = look(store, gateway, wanted)
        except Refusal as refusal:
            notes.append(f"{network}: nothing that needs its ledger is proposed: {refusal} [{refusal.code}]")
    with store.reading() as connection:
        return find_advice(connection, seen, notes)


def find_advice(connection: Connection, seen: Mapping[str, Seen], notes: Sequence[str] = ()) -> Advice:
    """Give what should be ordered within a transaction: by the books, and by what was seen of some networks."""
    networks, tiers = _networks(connection, seen)
    orders = {row.wallet: int(row.orders) for row in connection.execute(_orders_by_wallet())}
    proposals: list[Proposal] = []
    short: list[Short] = []
    told = [*notes]
    for _, one in sorted(networks.items()):
        made, missing = _of_network(one, tiers, told)
        proposals += made
        short += missing
    return Advice(keyed(proposals, orders), tuple(short), tuple(told))


def _of_network(
    network: _Network, tiers: Mapping[str, str], notes: list[str]
) -> tuple[list[Proposal], list[Short]]:
    proposals: list[Proposal] = []
    short: list[Short] = []
    seen, flight = network.seen, network.flight
    if seen is not None and seen.sweeps:
        native_last = sorted(seen.assets.values(), key=lambda one: (one == seen.native, one))
        for asset in native_last:  # assets need the native one for their fees
            proposals += upkeep.swept(seen, flight, asset, network.places.get(asset, ()), notes)
    for group in network.places.values():
        made, missing = banded(group)
        proposals += made
        short += missing
    if seen is not None:
        proposals += upkeep.primed(seen, flight, tiers, notes)
        proposals += upkeep.ticketed(seen, flight)
        proposals += upkeep.consolidated(seen, flight)
    return proposals, short


# --- the books ------------------------------------------------------------------------------------


def _networks(connection: Connection, seen: Mapping[str, Seen]) -> tuple[dict[str, _Network], dict[str, str]]:
    homes = tiers_of(connection)
    tiers = {name: tier for name, (_, tier) in homes.items()}
    found: dict[str, _Network] = {}
    for network in sorted({home for home, _ in homes.values()}):
        names = {name: tier for name, (home, tier) in homes.items() if home == network}
        keys = {name: find_keys(connection, name) for name in names}
        own = customers_own(connection, network)
        found[network] = _Network(names, keys, own, in_flight(connection, network), seen.get(network))
    for target in find_targets(connection):
        network_ = found[target.asset.network]
        network_.places.setdefault(target.asset, []).append(_place(connection, network_, target))
    return found, tiers


def _place(connection: Connection, network: _Network, target: Target) -> Place:
    code = target.asset.code
    kept = _kept(connection, target.asset)
    members = [target.wallet] if target.wallet else [
        name for name, tier in network.wallets.items() if tier == target.tier and not _is_customers(network, name)
    ]  # fmt: skip
    held = {name: kept[name] + _on_its_way(network, name, code) for name in members}
    customers = any(_is_customers(network, name) for name in members)
    # Of several wallets the emptiest takes what comes, so that they are filled in turn.
    doors = [] if customers else [name for name in members if network.keys[name]]
    door = min(doors, key=lambda name: held[name], default="")
    tier = network.wallets[target.wallet] if target.wallet else target.tier
    address = network.keys[door][0].address if door else ""
    chests = [] if customers else [chest for name in members for chest in _chests(network, name, code, held[name])]
    gathers = bool(target.wallet) and network.seen is not None and network.seen.sweeps
    demands = _demands(network, target.asset, address)
    return Place(target, tier, sum(held.values()), door, address, chests, customers, gathers, demands)


def _demands(network: _Network, asset: Asset, address: str) -> str:
    """Say what an address takes an asset with alone: a tag, or where the ledger has none a memo, if it is no coin."""
    seen = network.seen
    if seen is None or address not in seen.demanding:
        return ""
    if customs(asset.network).tags:
        return "tag"
    return "memo" if asset != seen.native else ""


def _chests(network: _Network, wallet: str, code: str, held: int) -> list[Chest]:
    """Give what each address of a wallet can pay; by the books alone all of it lies at the first."""
    if network.seen is None:
        return [Chest(wallet, max(0, held))]
    flight, found = network.flight, []
    for number, spot in enumerate(one for one in network.seen.spots if one.wallet == wallet):
        free = spot.held.get(code, 0) - flight.leaving[spot.address, code]
        if spot.custom != "address" and spot.address not in flight.inputs:
            found.append(Chest(wallet, max(0, free), spot.address, number == 0))
    return found


def _on_its_way(network: _Network, wallet: str, code: str) -> int:
    """Give what will come, less what will leave and the books do not reserve yet."""
    flight = network.flight
    moving = sum(flight.coming[key.address, code] - flight.bare[key.address, code] for key in network.keys[wallet])
    return moving - flight.queued[wallet, code]


def _is_customers(network: _Network, wallet: str) -> bool:
    """Say whether a wallet gives customers addresses of their own, from its first on."""
    keys = network.keys[wallet]
    return bool(keys) and network.customs.get(keys[0].address) == "address"


def _kept(connection: Connection, asset: Asset) -> Counter[str]:
    """Give what the books have in each wallet, what is reserved taken off."""
    table = tables.balances
    here = (table.c.asset_network == asset.network) & (table.c.asset_code == asset.code)
    rows = connection.execute(select(table).where(here, table.c.account.startswith("wallet:", autoescape=True)))
    return Counter({row.account.partition(":")[2]: int(row.posted) + int(row.pending) for row in rows})


def _orders_by_wallet() -> Select[tuple[str, int]]:
    """Count the orders out of each wallet: every order has a job."""
    jobs = tables.jobs.c
    return select(jobs.wallet, func.count(jobs.order_id.distinct()).label("orders")).group_by(jobs.wallet)
