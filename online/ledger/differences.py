"""Holds what a ledger shows against what the books have, and names each difference. Pure: two lists of facts come in.

An amount is what the ledger has beyond the books, below zero where the books have more; of what never happened it is
what the books expect. Nothing is judged beyond the height up to which the ledger is settled, and nothing from before
a wallet's opening, whose balance holds it already.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from shared.money import Asset


class Kind(StrEnum):
    """What a difference is."""

    MISSING_DEPOSIT = "missing-deposit"
    UNEXPECTED_MOVEMENT = "unexpected-movement"
    WRONG_AMOUNT = "wrong-amount"
    FEE_OFF = "fee-off"
    STUCK_IN_FLIGHT = "stuck-in-flight"
    DOUBLE_CREDIT = "double-credit"
    DOUBLE_DEBIT = "double-debit"
    REORGANISED_AWAY = "reorganised-away"
    BEFORE_OPENING = "before-opening"
    ENTRY_WITHOUT_TRANSACTION = "entry-without-transaction"
    BALANCE_OFF = "balance-off"
    RESERVE_CHANGED = "reserve-changed"


_CORRECT: Final = "correct the books by two people's word: `lockgate books correct"

CORRECTABLE: Final = frozenset({
    Kind.MISSING_DEPOSIT, Kind.UNEXPECTED_MOVEMENT, Kind.WRONG_AMOUNT, Kind.FEE_OFF, Kind.DOUBLE_CREDIT,
    Kind.DOUBLE_DEBIT, Kind.REORGANISED_AWAY, Kind.BEFORE_OPENING, Kind.ENTRY_WITHOUT_TRANSACTION,
})  # fmt: skip
"""What `lockgate books correct` takes; the others end by themselves or name no transaction."""

NEXT_STEPS: Final[Mapping[Kind, str]] = {
    Kind.MISSING_DEPOSIT: (
        f"run `lockgate run`; if it stays, look the transaction up, then {_CORRECT} missing-deposit TX --against own`"
    ),
    Kind.UNEXPECTED_MOVEMENT: (
        "stop signing: nobody here ordered this; compare the signer's journal (`lockgate audit`); once it is known, "
        f"{_CORRECT} unexpected-movement TX --against own`"
    ),
    Kind.WRONG_AMOUNT: f"look the transaction up; {_CORRECT} wrong-amount TX --against own`",
    Kind.FEE_OFF: f"look the transaction up; {_CORRECT} fee-off TX --against own`",
    Kind.STUCK_IN_FLIGHT: "run `lockgate run`; if it stays, look at the job: `lockgate order show`",
    Kind.DOUBLE_CREDIT: (
        f"hold the customer (`lockgate customer hold`); {_CORRECT} double-credit TX --reverse ENTRY` with the second"
    ),
    Kind.DOUBLE_DEBIT: f"the ledger took it once: {_CORRECT} double-debit TX --reverse ENTRY` with the second",
    Kind.REORGANISED_AWAY: (
        "an incident: hold whoever was credited, ask a second node, run `lockgate run`; if it stays, "
        f"{_CORRECT} reorganised-away TX --reverse ENTRY`"
    ),
    Kind.BEFORE_OPENING: (
        f"the opening balance holds it already: {_CORRECT} before-opening TX --reverse ENTRY`"
    ),
    Kind.ENTRY_WITHOUT_TRANSACTION: (
        "an incident: only transactions and openings move wallets; `lockgate audit verify`; then "
        f"{_CORRECT} entry-without-transaction ENTRY`"
    ),
    Kind.BALANCE_OFF: "ask a second node; if it agrees, compare the opening balance with the ledger at that height",
    Kind.RESERVE_CHANGED: "what can be spent changed, and not what is held: look for new objects, keys or a new rule",
}
"""What a person does about it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a ledger shows: one transaction's change of an asset at one of a wallet's addresses, the fee included.

    Base units, below zero where it went out; `fee` is None where the ledger does not tell it apart.
    """

    tx_id: str
    wallet: str
    asset: Asset
    units: int
    fee: int | None
    height: int


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books have of a transaction in a wallet: posted at a height, pending, or seen and waiting to be booked.

    `source` says from where, such as "job 3", and `entry` which one of the books it is. Pending is overdue above the
    height `until`, where there is one.
    """

    tx_id: str
    wallet: str
    asset: Asset
    units: int
    fee: int
    status: Literal["posted", "pending", "waiting"]
    source: str
    height: int = 0
    until: int | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Which heights are judged: above the opening, up to where the ledger is settled."""

    opening: int
    settled: int

    def holds(self, height: int) -> bool:
        """Say whether a height is judged."""
        return self.opening < height <= self.settled


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what it is, where, how much in base units, in which transaction, and what to do.

    `lacks` are the units that the books would have to move the wallet by to say what the ledger says, and the fee.
    """

    kind: Kind
    wallet: str
    asset: Asset
    amount: int
    tx_id: str = ""
    height: int | None = None
    source: str = ""
    lacks: tuple[int, int] = (0, 0)

    @property
    def next_step(self) -> str:
        """Give what a person does about it."""
        return NEXT_STEPS[self.kind]


Place = tuple[str, Asset]
"""A wallet and one of its assets."""

Key = tuple[str, str, Asset]
"""A transaction in a wallet, and one of its assets."""


def compare(
    shown: Iterable[Shown], booked: Iterable[Booked], spans: Mapping[Place, Span], grace: int = 0
) -> tuple[Finding, ...]:
    """Name every difference, by wallet, asset and transaction. What has no span is not judged.

    What the ledger has settled for no more than `grace` heights may still be on its way into the books.
    """
    ledger, books = _by_key(shown, booked)
    moving = _moving(books)
    found = []
    for key in sorted(ledger.keys() | books.keys()):
        span = spans.get((key[1], key[2]))
        if span is None:
            continue
        judged = _judge(ledger.get(key), books.get(key, []), span, grace, moving=key[0] in moving)
        if judged is not None:
            kind, amount, height = judged
            source = ", ".join(sorted({row.source for row in books.get(key, [])}))
            lacks = _lacks(kind, ledger.get(key, []), books.get(key, []))
            found.append(Finding(kind, key[1], key[2], amount, key[0], height, source, lacks))
    return tuple(sorted(found, key=lambda one: (one.wallet, one.asset, one.height or 0, one.tx_id)))


def unsettled(shown: Iterable[Shown], booked: Iterable[Booked], spans: Mapping[Place, Span]) -> set[str]:
    """Name the transactions that `compare` must see again once more is read; of all others both say the same."""
    ledger, books = _by_key(shown, booked)
    moving = _moving(books)
    return {key[0] for key in ledger.keys() | books.keys()
            if not _is_settled(ledger.get(key), books.get(key, []), spans.get((key[1], key[2])),
                               moving=key[0] in moving)}  # fmt: skip


def balances_off(
    held: Mapping[Place, int], opened: Mapping[Place, int], moved: Mapping[Place, int]
) -> tuple[Finding, ...]:
    """Name each balance on a ledger that is not its opening and all that moved since."""
    return tuple(
        Finding(Kind.BALANCE_OFF, *place, held[place] - opened[place] - moved.get(place, 0))
        for place in sorted(held.keys() & opened.keys())
        if held[place] != opened[place] + moved.get(place, 0)
    )


def reserves_changed(before: Mapping[Place, int], now: Mapping[Place, int]) -> tuple[Finding, ...]:
    """Name each wallet of whose balance the ledger locks another part than before; what is new is no change."""
    return tuple(
        Finding(Kind.RESERVE_CHANGED, *place, now[place] - before[place])
        for place in sorted(before.keys() & now.keys())
        if before[place] != now[place]
    )


_Judged = tuple[Kind, int, int | None]


def _by_key(
    shown: Iterable[Shown], booked: Iterable[Booked]
) -> tuple[dict[Key, list[Shown]], dict[Key, list[Booked]]]:
    ledger: dict[Key, list[Shown]] = defaultdict(list)
    for one in shown:
        ledger[one.tx_id, one.wallet, one.asset].append(one)
    books: dict[Key, list[Booked]] = defaultdict(list)
    for row in booked:
        books[row.tx_id, row.wallet, row.asset].append(row)
    return ledger, books


def _moving(books: Mapping[Key, list[Booked]]) -> set[str]:
    """Name the transactions that the books have on their way, wherever to."""
    return {tx_id for (tx_id, _, _), rows in books.items() if any(row.status == "pending" for row in rows)}


def _is_settled(shown: list[Shown] | None, books: list[Booked], span: Span | None, *, moving: bool) -> bool:
    """Say whether both tell the same of a transaction in a wallet, or nothing that is judged."""
    posted = [row for row in books if row.status == "posted"]
    if moving or len(posted) < len(books):
        return False
    if span is None:
        return True
    if shown is None:
        return not any(row.units or row.fee for row in posted)
    height = max(one.height for one in shown)
    if height > span.settled:
        return False
    if height <= span.opening:
        return not posted
    units = sum(one.units for one in shown)
    return _unequal(shown, units, posted, height) is None if posted else not units and not any(one.fee for one in shown)


def _judge(
    shown: list[Shown] | None, books: list[Booked], span: Span, grace: int, *, moving: bool
) -> _Judged | None:
    """Judge one transaction in one wallet; `moving` says that the books have it on its way there or elsewhere."""
    posted = [row for row in books if row.status == "posted"]
    if shown is None:
        return _absent(posted, books, span, grace)
    height = max(one.height for one in shown)
    if not span.holds(height):
        # Shown, and not judged yet or any more: the opening has it already if it was posted besides.
        return (Kind.BEFORE_OPENING, -_sum(posted), height) if posted and height <= span.opening else None
    units = sum(one.units for one in shown)
    if posted:
        return _unequal(shown, units, posted, height)
    fresh = height + grace > span.settled and grace > 0
    if fresh or any(row.status == "waiting" for row in books):
        return None
    if books or moving:
        return Kind.STUCK_IN_FLIGHT, units, height
    if units > 0:
        return Kind.MISSING_DEPOSIT, units, height
    return (Kind.UNEXPECTED_MOVEMENT, units, height) if units or any(one.fee for one in shown) else None


def _lacks(kind: Kind, shown: list[Shown], books: list[Booked]) -> tuple[int, int]:
    """Give what posted entries lack of what the ledger shows; what the opening holds already it does not show."""
    posted = [row for row in books if row.status == "posted"]
    there = [] if kind is Kind.BEFORE_OPENING else shown
    kept_fee = sum(row.fee for row in posted)
    told = not any(one.fee is None for one in there)
    return sum(one.units for one in there) - _sum(posted), sum(one.fee or 0 for one in there) - kept_fee if told else 0


def _absent(posted: list[Booked], books: list[Booked], span: Span, grace: int) -> _Judged | None:
    """Judge what the books have and the ledger does not show."""
    if posted:
        height = max(row.height for row in posted)
        if height > span.settled or not (_sum(posted) or sum(row.fee for row in posted)):
            return None
        kind = Kind.REORGANISED_AWAY if height > span.opening else Kind.BEFORE_OPENING
        return kind, -_sum(posted), height
    limit = span.settled - grace
    overdue = [row for row in books if row.status == "pending" and row.until is not None and row.until < limit]
    return (Kind.STUCK_IN_FLIGHT, _sum(overdue), None) if overdue else None


def _unequal(shown: list[Shown], units: int, posted: list[Booked], height: int) -> _Judged | None:
    fee = None if any(one.fee is None for one in shown) else sum(one.fee or 0 for one in shown)
    kept, kept_fee = _sum(posted), sum(row.fee for row in posted)
    if units == kept:
        return None if fee is None or fee == kept_fee else (Kind.FEE_OFF, kept_fee - fee, height)
    if twice := _repeated(posted, kept - units):
        return (Kind.DOUBLE_CREDIT if twice > 0 else Kind.DOUBLE_DEBIT), units - kept, height
    if fee is not None and units + fee == kept + kept_fee:
        return Kind.FEE_OFF, units - kept, height
    return Kind.WRONG_AMOUNT, units - kept, height


def _repeated(posted: list[Booked], excess: int) -> int:
    """Give the units of an entry that explains by its repetition what the books have too much; else nothing."""
    for units, times in Counter(row.units for row in posted).items():
        if units and times > 1 and any(excess == units * extra for extra in range(1, times)):
            return units
    return 0


def _sum(rows: Iterable[Booked]) -> int:
    return sum(row.units for row in rows)
