"""Takes in what arrived: each arrival once, with its posting, its journal line and the cursor in one transaction.

It is a customer's where the place is exactly theirs, address and tag. Where the gateway asks for it, what came to an
address of their own waits until it is swept from there (`sweeping`). What one of our own jobs moved is booked by that
job, unless it paid what we owed: then it is a deposit like any other. Everything else goes to suspense with a reason.
What comes of an asset of which a wallet's books are not open waits, and is posted once they are: a stranger's asset can
not disturb the books, and what a wallet held before comes into them by its opening alone. Wallets without places are
read as well once their books are open, so that whatever comes to one is in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from online.chains import customs
from online.chains.api import Arrival, Arrivals, Collector, Gateway, Receiver
from online.deposits.found import Found
from online.deposits.known import Known
from online.deposits.least import find_leasts
from online.deposits.reorganised import give_again, is_same, take_back
from online.deposits.states import State
from online.deposits.sweeping import credit_swept
from online.deposits.texts import fitting
from online.deposits.unanswered import require_answers
from online.jobs.leases import leases
from online.jobs.lost import lost_jobs
from online.jobs.model import effects_of, find_job
from online.jobs.moves import OWED_BY
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Entry, Posting
from online.store import journal, tables
from online.store.assets import registers
from online.store.database import Store, Tx
from online.telling import in_the_way
from shared.chains import chain
from shared.encoding import Value, units_to_bytes
from shared.errors import Refusal
from shared.money import Amount, Asset

UNSWEPT: Final = "it is credited once it is swept from there: `lockgate prime`, then `lockgate sweep --asset`"
"""What people read of a deposit that waits for its sweep."""

_BOOKED: Final = frozenset({State.CREDITED, State.UNSWEPT, State.SUSPENSE})


@dataclass(frozen=True, slots=True)
class Taken:
    """What a look took in: how many were credited, how many wait in suspense, and what people must look into."""

    credited: int
    suspended: int
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of a network: at which addresses, of which assets, from a cursor, or a height where it is empty."""

    addresses: tuple[str, ...]
    assets: tuple[Asset, ...]
    cursor: str
    since: int | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an arrival was found to be, and the entry that books it, if one does.

    `anew` is the number of the row that was taken back, and comes as something else.
    """

    arrival: Arrival
    wallet: str
    state: State
    customer: str | None
    reason: str
    entry: Entry | None
    anew: int | None


def take_in(store: Store, gateways: Mapping[str, Gateway], now: int) -> Taken:
    """Read every ledger on that has open books or customers' places, and book what arrived.

    Calling it again is always safe. What another process reads meanwhile is left to it.
    """
    looks = []
    for network, gateway in sorted(gateways.items()):
        with leases(store) as held, held.cursor(network) as mine:
            if mine:
                looks.append(_read_on(store, network, gateway, now))
    troubles = tuple(text for one in looks for text in one.troubles)
    return Taken(sum(one.credited for one in looks), sum(one.suspended for one in looks), troubles)


def _read_on(store: Store, network: str, gateway: Gateway, now: int) -> Taken:
    """Read one ledger on, and book what arrived."""
    with store.reading() as connection:
        wanted = _wanted(connection, network)
    if not wanted.addresses or not isinstance(gateway, Receiver):
        return Taken(0, 0, ())
    try:
        with store.reading() as connection:
            find_leasts(connection, network)  # an altered one stops the reading before anything is judged by it
        found = gateway.arrivals(wanted.addresses, wanted.assets, wanted.cursor, wanted.since)
        once = {one.key: fitting(one) for one in found.found}  # whatever a node tells twice
        found = replace(found, found=tuple(once.values()))
        require_answers(store, network, found)
        lost = lost_jobs(store, gateway, found.rewound)
    except Refusal as refusal:
        return Taken(0, 0, (in_the_way(f"deposits on {network}", refusal),))
    states, told = _book(store, network, wanted, found, lost, now)
    troubles = [*found.notices, *told, *lost]
    try:
        swept = credit_swept(store, gateway, now) if isinstance(gateway, Collector) else 0
    except Refusal as refusal:
        swept = 0
        troubles.append(in_the_way(f"sweeps of deposits on {network}", refusal))
    return Taken(states.count(State.CREDITED) + swept, states.count(State.SUSPENSE), tuple(troubles))


def _wanted(connection: Connection, network: str) -> _Wanted:
    """Give the addresses of the wallets that are in the books or have places of customers, and how far it was read.

    At first all is read above where the first of those wallets came into the books.
    """
    places, keys, cursors, opened = tables.places, tables.keys, tables.cursors, tables.openings
    wallets = tables.wallets.c.name
    placed = select(wallets).where(select(places.c.place).where(places.c.wallet == wallets).exists())
    either = keys.c.wallet.in_(placed) | keys.c.wallet.in_(select(opened.c.wallet))
    query = select(keys.c.address).where(keys.c.network == network, either).distinct().order_by(keys.c.address)
    addresses = connection.execute(query).scalars()
    here = select(keys.c.wallet).where(keys.c.network == network)
    since = connection.execute(select(func.min(opened.c.height)).where(opened.c.wallet.in_(here))).scalar()
    cursor = connection.execute(select(cursors.c.cursor).where(cursors.c.network == network)).scalar()
    noted = registers(connection).get(network, {})
    assets = [chain(network).network(network).native, *(Asset(network, code, noted[code]) for code in sorted(noted))]
    return _Wanted(tuple(addresses), tuple(assets), cursor or "", since)


def _book(
    store: Store, network: str, before: _Wanted, found: Arrivals, lost: Sequence[str], now: int
) -> tuple[list[State], list[str]]:
    """Write everything of one reading, and say what is gone and what was not kept.

    Nothing is written where another process has read on meanwhile, or there is more to read than was read.
    """
    table = tables.cursors
    with store.transaction() as tx:
        row = tx.sql.execute(select(table).where(table.c.network == network)).one_or_none()
        if _wanted(tx.sql, network) != before:
            return [], []
        opened = Found(tx.sql, network)
        _post_waiting(tx, network, opened, now)
        gone = _rewound(tx, network, found, lost, now)
        again, anew = _returned(tx, network, found.found, now)
        judged, passed = _judge_all(tx.sql, network, found.found, opened, anew)
        if not found.undecided:
            judged += [_left(wallet, one) for wallet, one in opened.rest(tx.sql, found.height)]
        _write(tx, network, judged, now)
        opened.write(tx)
        if row is None:
            tx.sql.execute(insert(table).values(network=network, cursor=found.cursor, height=found.height))
        elif row.cursor != found.cursor:
            here = table.c.network == network
            tx.sql.execute(update(table).where(here).values(cursor=found.cursor, height=found.height))
        return [*again, *(one.state for one in judged)], [*gone, *passed]


def _rewound(tx: Tx, network: str, found: Arrivals, lost: Sequence[str], now: int) -> list[str]:
    """Take back what a new chain has not, and say so; nothing where the chain is the one that was read."""
    if found.rewound is None:
        return []
    gone = take_back(tx, network, found.rewound, found.found, now)
    told: dict[str, Value] = {"network": network, "after": found.rewound, "gone": [*gone], "jobs": [*lost]}
    journal.append(tx, "reorganisation", told, now)
    return [f"deposits on {network}: another chain after block {found.rewound}, which was read anew", *gone]


def _returned(tx: Tx, network: str, found: Sequence[Arrival], now: int) -> tuple[list[State], dict[str, int]]:
    """Give again what was taken back and came anew; of what came as something else, name the row by the key."""
    table = tables.arrivals
    here = (table.c.network == network) & (table.c.state == State.GONE.value)
    gone = {row.key: row for row in tx.sql.execute(select(table).where(here)).all()} if found else {}
    came = [(gone[one.key], one) for one in found if one.key in gone]
    states = [give_again(tx, row, one, now) for row, one in came if is_same(row, one)]
    return states, {one.key: row.id for row, one in came if not is_same(row, one)}


def _judge_all(
    connection: Connection, network: str, found: Sequence[Arrival], held: Found, anew: Mapping[str, int]
) -> tuple[list[_Judged], list[str]]:
    """Judge what is new, one after another: each is known to those behind it. Say how many are not kept."""
    known, judged, passed = Known(connection, network, found), [], 0
    for one in found:
        if (known.is_new(one) and not _is_opening(known, one)) or one.key in anew:
            if known.is_one_too_many(one.amount.asset):
                passed += 1
                continue
            judged.append(_judged(connection, network, known, held, one, anew.get(one.key)))
            known.count(one)
    text = f"{passed} arrivals on {network} of assets that nobody noted were not kept: too many of them wait already"
    return judged, [text] if passed else []


def _is_opening(known: Known, one: Arrival) -> bool:
    """Say whether the opening of a wallet's books holds what nobody's place received, or will hold it.

    A wallet takes an asset in with all that it then has, which is the house's own but for what is a customer's.
    """
    wallet = known.wallet(one.destination.address)
    opened = known.opened(wallet, one.amount.asset.code)
    if opened is None:
        return not known.has_places(wallet)
    return one.height <= opened and known.owner(one.destination) is None


def _judged(
    connection: Connection, network: str, known: Known, found: Found, one: Arrival, anew: int | None
) -> _Judged:
    wallet, entry = known.wallet(one.destination.address), None
    opened = known.opened(wallet, one.amount.asset.code)
    state, customer, reason = _judge(connection, network, known, one, is_open=opened is not None)
    if state in _BOOKED and opened is not None:
        # What was taken back is in the wallet's opening no more.
        held = found if anew is None and one.height <= opened else None
        lines = _lines(wallet, one.destination.address, one.amount, _owed(state, network, customer), held)
        entry = Entry(f"deposit {one.tx_id} at {one.height}", "posted", lines)
    return _Judged(one, wallet, state, customer, reason, entry, anew)


def _write(tx: Tx, network: str, judged: Sequence[_Judged], now: int) -> None:
    """Write the postings of what was judged, the arrivals themselves, and what the journal says of each."""
    booked = [one for one in judged if one.entry is not None]
    entries = postings.post_many(tx, [one.entry for one in booked if one.entry is not None], now)
    numbers = {one.arrival.key: number for one, number in zip(booked, entries, strict=True)}
    sworn = postings.sworn_many(tx.sql, entries)
    rows, told = [], []
    for one in judged:
        number, body = numbers.get(one.arrival.key), _told(network, one)
        if number is not None:
            body["posted"] = sworn[number]
        row = _row(network, one, number, now)
        if one.anew is None:
            rows.append(row)
        else:
            tx.sql.execute(update(tables.arrivals).where(tables.arrivals.c.id == one.anew).values(row))
        told.append(("arrival", body))
    if rows:
        tx.sql.execute(insert(tables.arrivals), rows)
    journal.append_many(tx, told, now)


def _row(network: str, one: _Judged, entry: int | None, now: int) -> dict[str, object]:
    came, to, amount = one.arrival, one.arrival.destination, one.arrival.amount
    what = {"network": network, "key": came.key, "tx_id": came.tx_id, "height": came.height}
    whence = {"source": came.sender, "source_tag": came.source_tag}
    where = {"wallet": one.wallet, "address": to.address, "tag": to.tag, "memo": to.memo}
    how = {"state": one.state.value, "reason": one.reason, "customer": one.customer, "entry": entry, "created": now}
    return {**what, **whence, **where, **how, "asset_code": amount.asset.code, "units": str(amount.units)}


def _left(wallet: str, one: Arrival) -> _Judged:
    """Judge what an opening found and no reading told of; it stands in suspense since then, so that nothing moves."""
    reason = "it lay at a customer's place when the books were opened, and nothing tells how it came"
    entry = Entry(f"found at {one.destination.address} at {one.height}", "posted", ())
    return _Judged(one, wallet, State.SUSPENSE, None, reason, entry, None)


def _lines(wallet: str, address: str, amount: Amount, owed: str, held: Found | None) -> tuple[Posting, ...]:
    """Give the lines of an arrival; one that the wallet's opening holds comes out of where that put it."""
    asset, units = amount.asset, amount.units
    came = (Posting(accounts.wallet(wallet), asset, units),) if held is None else held.lines(address, asset, units)
    return *came, Posting(owed, asset, -units)


def _owed(state: State, network: str, customer: str | None) -> str:
    """Name the account on which an arrival is owed: the customer's, or the one where it waits."""
    if state is State.CREDITED and customer is not None:
        return accounts.customer(customer)
    return accounts.of_network(Kind.UNSWEPT if state is State.UNSWEPT else Kind.SUSPENSE, network)


def _judge(
    connection: Connection, network: str, known: Known, one: Arrival, *, is_open: bool
) -> tuple[State, str | None, str]:
    """Say what an arrival is, whose, and why it waits if it does."""
    if one.refund:
        return State.REFUND, None, "given back by the ledger itself"
    owner = known.owner(one.destination)
    if _is_booked_by_its_job(connection, known, one):
        return State.OWN, None, "moved by one of our own jobs"
    if not known.is_noted(one.amount.asset):
        return State.SUSPENSE, None, f"{one.amount.asset.code} is not noted here"
    if not is_open:
        return State.SUSPENSE, None, f"the wallet's books are not open for {one.amount.asset.code}"
    if owner is not None and known.memo_used(one.destination, beside=one.tx_id):
        return State.SUSPENSE, None, "its memo came with an earlier deposit"
    if owner is not None and known.is_dust(one.amount):
        return State.SUSPENSE, None, "dust: it is below the least deposit"
    if owner is not None and owner.alone and one.until_swept:
        return State.UNSWEPT, owner.customer, UNSWEPT
    if owner is not None:
        return State.CREDITED, owner.customer, ""
    if customs(network).tags and one.destination.tag is None:
        return State.SUSPENSE, None, "it came without a tag"
    named = "tag" if one.destination.tag is not None else "memo" if one.destination.memo is not None else "address"
    return State.SUSPENSE, None, f"no customer has this {named}"


def _post_waiting(tx: Tx, network: str, found: Found, now: int) -> None:
    """Post what waits of assets for which the wallet's books were not open when it came, and are by now."""
    table, opened, noted = tables.arrivals, tables.openings, registers(tx.sql).get(network, {})
    native = chain(network).network(network).native
    here = (table.c.network == network) & (table.c.state == State.SUSPENSE.value) & table.c.entry.is_(None)
    both = (opened.c.wallet == table.c.wallet) & (opened.c.asset_code == table.c.asset_code)
    query = select(table, opened.c.height.label("opened")).join(opened, both).where(here).order_by(table.c.id)
    for row in tx.sql.execute(query).all():
        asset = native if row.asset_code == native.code else Asset(network, row.asset_code, noted[row.asset_code])
        owed = _owed(State.SUSPENSE, network, None)
        held = found if row.height <= row.opened else None
        lines = _lines(row.wallet, row.address, Amount(asset, int(row.units)), owed, held)
        entry = postings.post(tx, f"deposit {row.tx_id} at {row.height}", "posted", lines, None, now)
        tx.sql.execute(update(table).where(table.c.id == row.id).values(entry=entry))
        told: dict[str, Value] = {"network": network, "key": row.key, "posted": postings.sworn(tx.sql, entry)}
        journal.append(tx, "arrival-posted", told, now)


def _is_booked_by_its_job(connection: Connection, known: Known, one: Arrival) -> bool:
    """Say whether one of our own jobs moved this to where its postings have it.

    A job that pays what is owed books it as paid, wherever it went: what it paid to an address of ours is a deposit
    like any other, and what else it brought there is change.
    """
    job = known.job(one.tx_id)
    if job is None or job[1] not in OWED_BY:
        return job is not None
    payments = effects_of(find_job(connection, job[0])).payments
    paid = {(payment.destination.address, payment.amount) for payment in payments}
    return (one.destination.address, one.amount) not in paid


def _told(network: str, one: _Judged) -> dict[str, Value]:
    came, amount = one.arrival, one.arrival.amount
    return {
        "network": network, "key": came.key, "to": str(came.destination), "asset": amount.asset.code,
        "units": units_to_bytes(amount.units), "state": one.state.value, "customer": one.customer,
        "reason": one.reason,
    }  # fmt: skip
