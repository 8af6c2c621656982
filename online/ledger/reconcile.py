"""Node against books: every wallet, asset and transaction since the opening, and whether what is owed is covered.

It reads and judges, and changes nothing: a difference is shown, never absorbed. `keep` writes what was found into the
station's journal, with how far each network was held against the books: the next look goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, insert

from online.chains.api import Gateway
from online.ledger.accounts import OWED, kind_of
from online.ledger.accounts import wallet as account_name
from online.ledger.books import Balance
from online.ledger.differences import (
    Finding,
    Kind,
    Place,
    balances_off,
    compare,
    reserves_changed,
)
from online.ledger.looks import Memory, Seen, look, networks
from online.ledger.moments import balances_at
from online.ledger.reserves import locked, noted
from online.ledger.stands import Stand, find_stand, keep_stand
from online.store import journal, tables
from online.store.database import Store, Tx
from shared.chains import chain
from shared.encoding import Value
from shared.money import Asset


@dataclass(frozen=True, slots=True)
class Solvency:
    """One asset: what the ledgers hold for the house and what it owes, at the lowest height that was read.

    `reserved` is the part of what is held that the ledger locks. `whole` is false where a wallet could not be read.
    """

    asset: Asset
    on_ledger: int
    owed: int
    reserved: int
    height: int
    whole: bool

    @property
    def covered(self) -> bool:
        """Say whether the ledgers hold at least what is owed."""
        return self.whole and self.on_ledger >= self.owed

    @property
    def payable(self) -> bool:
        """Say whether what is owed could be paid out at once: what is locked pays nobody."""
        return self.whole and self.on_ledger - self.reserved >= self.owed


@dataclass(frozen=True, slots=True)
class Report:
    """What a look found.

    `limits` say what could not be judged by transactions, `failed` which networks could not be read, and why. `stands`
    are how far networks are held against the books by now.
    """

    findings: tuple[Finding, ...]
    solvency: tuple[Solvency, ...]
    heights: Mapping[str, int]
    reserves: Mapping[Place, int]
    limits: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    stands: Mapping[str, Stand] = field(default_factory=dict)


def reconcile(
    store: Store,
    gateways: Mapping[str, Gateway],
    *,
    grace: int = 0,
    before: Mapping[Place, int] | None = None,
    memory: Memory | None = None,
    whole: bool = False,
) -> Report:
    """Hold every open wallet against its ledger, where a gateway is given.

    `grace` heights are left to the books to take in what the ledger has just settled. `before` are the reserves of an
    earlier look; without them those that were kept last. What is new since the stand in the `memory`, which is filled,
    or since the one that was kept is read; all since the openings where `whole` asks for it, or there is none. A node
    that does not answer is a failure of its own network alone.
    """
    known_before: Memory = {} if memory is None else memory
    seen = []
    for network in (one for one in networks(store) if one in gateways):
        with store.reading() as connection:
            stand = None if whole else known_before.get(network) or find_stand(connection, network)
        seen.append(look(store, gateways[network], network, stand))
    stands = {one.network: one.walked.stand for one in seen if one.walked is not None}
    known_before |= stands
    with store.reading() as connection:
        balances = balances_at(connection)
        kept = locked(connection, tables.reserves.c.reconciled)
    last = {(one.wallet, one.asset): one.units for one in kept} if before is None else before
    findings = [finding for one in seen for finding in _differences(one, balances, grace)]
    reserves = {place: units for one in seen for place, units in _reserves(one).items()}
    return Report(
        findings=(*findings, *reserves_changed(last, reserves)),
        solvency=_solvency(seen, balances),
        heights={one.network: max((held.height for held in one.held.values()), default=0) for one in seen},
        reserves=reserves,
        limits=tuple(limit for one in seen for limit in _limits(one)),
        failed={one.network: one.trouble for one in seen if one.trouble},
        stands=stands,
    )


def keep(store: Store, report: Report, now: int) -> None:
    """Write into the station's journal that the books were held against the ledgers, and what was found.

    What was found stands in the store until the next look is kept.
    """
    rows = [(one.kind.value, one.wallet, one.asset.code, str(one.amount), one.tx_id) for one in report.findings]
    body: dict[str, Value] = {"heights": dict(report.heights), "differences": [[*row] for row in rows]}
    seen = [(name, asset, units, report.heights[asset.network]) for (name, asset), units in report.reserves.items()]
    with store.transaction() as tx:
        body["stands"] = {network: keep_stand(tx, network, stand) for network, stand in report.stands.items()}
        body["reserves"] = noted(tx, seen, now, reconciled=True)
        _replace(tx, rows)
        journal.append(tx, "reconciled", body, now)


def _replace(tx: Tx, rows: Sequence[tuple[str, ...]]) -> None:
    table, names = tables.differences, ("kind", "wallet", "asset_code", "units", "tx_id")
    tx.sql.execute(delete(table))
    if rows:
        values = [{"position": at, **dict(zip(names, row, strict=True))} for at, row in enumerate(rows)]
        tx.sql.execute(insert(table), values)


def _native(network: str) -> Asset:
    return chain(network).network(network).native


# --- judging ------------------------------------------------------------------------------------------


def _differences(seen: Seen, balances: Sequence[Balance], grace: int) -> Iterable[Finding]:
    if seen.walked is None:
        yield from () if seen.trouble else _by_balance(seen, balances)
        return
    known, opened = seen.walked, seen.opened.units
    yield from compare(known.shown, known.booked, known.spans, grace)
    for entry, name, asset, units in known.strays:
        kind = Kind.ENTRY_WITHOUT_TRANSACTION
        yield Finding(kind, name, asset, -units, source=f"entry {entry}", lacks=(-units, 0))
    if seen.quiet:
        yield from balances_off({place: seen.held[place[0]].held[place[1]] for place in opened}, opened, known.moved)


def _by_balance(seen: Seen, balances: Sequence[Balance]) -> Iterable[Finding]:
    """Judge by balances alone, and only what nothing is on its way for."""
    for name, held in seen.held.items():
        kept = {one.asset: one for one in balances if one.account == account_name(name)}
        for asset in sorted(kept.keys() | {asset for asset in held.held if held.held[asset]}):
            posted, pending = (kept[asset].posted, kept[asset].pending) if asset in kept else (0, 0)
            if pending == 0 and held.held[asset] != posted:
                yield Finding(Kind.BALANCE_OFF, name, asset, held.held[asset] - posted, height=held.height)


def _reserves(seen: Seen) -> dict[Place, int]:
    return {(name, _native(seen.network)): held.reserved for name, held in seen.held.items()}


def _limits(seen: Seen) -> Iterable[str]:
    if seen.walked is None and seen.wallets and not seen.trouble:
        yield f"{seen.network}: judged by balances alone, its gateway tells no movements"
    if seen.wallets and not seen.quiet and not seen.trouble:
        yield f"{seen.network}: the ledger went on while it was read, its balances were not judged"


def _solvency(seen: Sequence[Seen], balances: Sequence[Balance]) -> tuple[Solvency, ...]:
    owed: Counter[Asset] = Counter()
    kept: dict[Asset, set[str]] = {}
    for one in balances:
        if kind_of(one.account) in OWED:
            owed[one.asset] -= one.posted
        elif one.account.startswith(account_name("")) and one.posted:
            kept.setdefault(one.asset, set()).add(one.account.partition(":")[2])
    lines = []
    for asset in sorted({asset for asset in owed if owed[asset]} | kept.keys()):
        read = {name: held for one in seen if one.network == asset.network for name, held in one.held.items()}
        lines.append(
            Solvency(
                asset,
                sum(held.held[asset] for held in read.values()),
                owed[asset],
                sum(held.reserved for held in read.values()) if asset == _native(asset.network) else 0,
                min((held.height for held in read.values()), default=0),
                whole=kept.get(asset, set()) <= read.keys(),
            )
        )
    return tuple(lines)
