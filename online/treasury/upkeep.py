"""Upkeep: what single addresses need, as their ledger shows them: sweeps, priming, tickets, fewer coins. Pure.

What a live order spends from is left alone until that order has ended; what is on its way to an address counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from online.ledger.csv_text import plain
from online.treasury.bands import Place, best_door, memo_of
from online.treasury.flight import Flight
from online.treasury.proposals import MOST_ADDRESSES, Proposal, at
from online.treasury.seen import Seen, Spot
from online.treasury.targets import TIERS
from shared.money import Amount, Asset

_RATE = Asset("", "base units a virtual byte", 3)


def swept(seen: Seen, flight: Flight, asset: Asset, group: Sequence[Place], notes: list[str]) -> Iterator[Proposal]:
    """Propose that what customers paid to addresses of their own is gathered, where it is worth its fee.

    A wallet with a band is swept above it, another always. What is proposed counts as on its way.
    """
    for wallet, spots in _by_wallet(one for one in seen.spots if one.custom == "address"):
        place = next((one for one in group if one.target.wallet == wallet), None)
        if place is not None and place.held <= place.target.high:
            continue
        lying = [one for one in spots if one.held.get(asset.code, 0) and one.address not in flight.busy]
        if asset.code not in seen.least:
            if lying:
                notes.append(f"{asset.code} lies at {_addresses(lying)} of {wallet}: plan_sweep does not say "
                             "from how much on it is worth its fee")  # fmt: skip
            continue
        ready = [one for one in lying if _is_ready(seen, one, asset)]
        door = best_door(group, wallet)
        if ready and door is None:
            notes.append(f"{asset.code} lies at {_addresses(ready)} of {wallet}: no other wallet has a target for it")
        if ready and door is not None:
            part = ready[:MOST_ADDRESSES]
            amount = Amount(asset, sum(one.held[asset.code] for one in part))
            door.held += amount.units
            if place is not None:
                place.held -= amount.units
            flight.busy |= {one.address for one in part}
            yield _sweep(seen, ready, part, amount, door)


def primed(seen: Seen, flight: Flight, tiers: Mapping[str, str], notes: list[str]) -> Iterator[Proposal]:
    """Propose that customers' addresses get what they need to pay for sends of what lies there."""
    for wallet, spots in _by_wallet(one for one in seen.spots if _is_low(seen, flight, one)):
        for memo, least in ((False, seen.settings.prime), (True, seen.settings.prime_memo)):
            needy = [one for one in spots if (one.custom == "memo") == memo]
            if not needy or least is None:
                continue
            part = needy[:MOST_ADDRESSES]
            whole = Amount(least.asset, least.units * len(part))
            why = f"less than {least} lies at {_addresses(needy, part)} of {wallet}, to send what comes there"
            payer = _payer(seen, flight, whole, tiers)
            if payer is None:
                notes.append(f"{why}: no address has {whole} to spare")
                continue
            words = ["prime", "--wallet", payer.wallet, "--for-memo" if memo else "--for", wallet]
            words += [] if _is_first(seen, payer) else ["--address", payer.address]
            yield Proposal("prime", payer.wallet, wallet, whole, why, (*words, *at([one.address for one in part])))


def ticketed(seen: Seen, flight: Flight) -> Iterator[Proposal]:
    """Propose that pools of tickets are filled up."""
    for spot in seen.spots:
        pool = seen.settings.tickets.get(spot.wallet)
        if spot.tickets is None or pool is None:
            continue
        will = spot.tickets + flight.tickets[spot.address]
        if will < pool.low:
            why = f"{spot.wallet} will have {will} free tickets, fewer than {pool.low}"
            words = ("tickets", "--wallet", spot.wallet, "--count", str(pool.full - will))
            yield Proposal("tickets", spot.wallet, "", None, why, words)


def consolidated(seen: Seen, flight: Flight) -> Iterator[Proposal]:
    """Propose that an address's many coins become one while fees are low."""
    most, rate = seen.settings.coins, seen.rate
    for spot in seen.spots:
        if most is None or rate is None or spot.coins is None or spot.coins <= most:
            continue
        if spot.custom != "address" and spot.address not in flight.consolidating:
            now, limit = plain(rate, _RATE.decimals), plain(seen.settings.rate, _RATE.decimals)
            why = f"{spot.coins} coins lie at {spot.address}, more than {most}; the fee rate is {now}, at most {limit}"
            words = ["consolidate", "--wallet", spot.wallet, "--fee-rate", now]
            words += [] if _is_first(seen, spot) else ["--address", spot.address]
            yield Proposal("consolidate", spot.wallet, "", None, why, tuple(words))


# --- sweeps ---------------------------------------------------------------------------------------


def _is_ready(seen: Seen, spot: Spot, asset: Asset) -> bool:
    """Say whether it is worth its fee here and now: other assets go first, and need the native one to be sent."""
    if spot.held[asset.code] < seen.least[asset.code]:
        return False
    if asset == seen.native:
        return not _worthy(seen, spot)
    return seen.settings.prime is None or spot.native >= seen.settings.prime.units


def _worthy(seen: Seen, spot: Spot) -> list[str]:
    """Name the assets beside the native one of which a sweep's worth lies at an address."""
    return [code for code, least in seen.least.items() if code != seen.native.code and spot.held.get(code, 0) >= least]


def _sweep(seen: Seen, ready: Sequence[Spot], part: Sequence[Spot], amount: Amount, door: Place) -> Proposal:
    asset, wallet = amount.asset, part[0].wallet
    why = f"{Amount(asset, seen.least[asset.code])} or more lies at {_addresses(ready, part)} of {wallet}"
    words = ["sweep", "--wallet", wallet, "--to", door.address]
    words += [] if asset == seen.native else ["--asset", asset.code, *memo_of(door)]
    return Proposal("sweep", wallet, door.door, amount, why, (*words, *at([one.address for one in part])))


# --- priming --------------------------------------------------------------------------------------


def _is_low(seen: Seen, flight: Flight, spot: Spot) -> bool:
    least = seen.settings.prime_memo if spot.custom == "memo" else seen.settings.prime
    if least is None or spot.custom not in ("address", "memo") or spot.address in flight.busy:
        return False
    wanted = seen.settings.prime_given or bool(_worthy(seen, spot))
    return wanted and spot.native + flight.coming[spot.address, seen.native.code] < least.units


def _payer(seen: Seen, flight: Flight, amount: Amount, tiers: Mapping[str, str]) -> Spot | None:
    """Give the address that pays: no customer's, of the hottest wallet that has enough, where it has most."""
    code = seen.native.code
    able = [one for one in seen.spots if one.custom != "address" and one.address not in flight.inputs]
    free = {one.address: one.held[code] - flight.leaving[one.address, code] for one in able}
    enough = [one for one in able if free[one.address] >= amount.units]
    return min(enough, key=lambda one: (-TIERS.index(tiers[one.wallet]), -free[one.address]), default=None)


def _is_first(seen: Seen, spot: Spot) -> bool:
    return next(one.address for one in seen.spots if one.wallet == spot.wallet) == spot.address


def _by_wallet(spots: Iterable[Spot]) -> Iterator[tuple[str, list[Spot]]]:
    for wallet, found in groupby(spots, key=lambda one: one.wallet):
        yield wallet, list(found)


def _addresses(spots: Sequence[Spot], part: Sequence[Spot] = ()) -> str:
    some = f" ({len(part)} of them now)" if part and len(part) < len(spots) else ""
    return f"1 address{some}" if len(spots) == 1 else f"{len(spots)} addresses{some}"
