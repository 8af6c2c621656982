"""Takes back what a chain no longer has, and gives it again where it came anew: by postings, and never by an edit.

What a customer has still is taken from them, never below nothing; the rest is the house's loss, and the posting shows
it. What comes again is posted the other way round, in the state in which it was, so that nobody is credited twice. A
deposit that only stands in another block keeps its postings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from online.chains.api import Arrival
from online.customers.cover import Cover
from online.deposits.found import NO_TRANSACTION
from online.deposits.states import MOVES, State
from online.jobs.model import may_happen
from online.jobs.states import State as Stand
from online.ledger import accounts, postings
from online.ledger.accounts import Kind
from online.ledger.postings import Posting
from online.store import journal, tables
from online.store.assets import finder
from online.store.database import Tx
from shared.effects import Destination
from shared.encoding import Value
from shared.money import Amount, Asset

_WAITS: Final[Mapping[State, Kind]] = {State.UNSWEPT: Kind.UNSWEPT, State.SUSPENSE: Kind.SUSPENSE}


def take_back(tx: Tx, network: str, above: int, found: Sequence[Arrival], now: int) -> list[str]:
    """Take back what was taken in above a height and is not among what the new chain has; say so for each."""
    there = {one.key: one for one in found}
    table = tables.arrivals
    here = (table.c.network == network) & (table.c.height > above) & (table.c.state != State.GONE.value)
    here &= table.c.tx_id != NO_TRANSACTION  # what an opening found is told of by no ledger
    troubles = []
    for row in tx.sql.execute(select(table).where(here).order_by(table.c.id)).all():
        one = there.get(row.key)
        if one is None or not is_same(row, one):
            troubles.append(_gone(tx, row, above, now))
        elif one.height != row.height:
            _moved(tx, row, one.height, now)
    return troubles


def is_same(row: Row[Any], one: Arrival) -> bool:
    """Say whether the ledger tells the same of an arrival as before, wherever it stands."""
    place, amount = Destination(row.address, row.tag, row.memo), one.amount
    return (place, row.asset_code, row.units) == (one.destination, amount.asset.code, str(amount.units))


def give_again(tx: Tx, row: Row[Any], one: Arrival, now: int) -> State:
    """Let an arrival that was gone be what it was before, by what took it back the other way round."""
    table = tables.taken_back
    query = select(table).where(table.c.arrival == row.id).order_by(table.c.id.desc())
    last = tx.sql.execute(query.limit(1)).one()
    state = State(last.state)
    if state is State.SUSPENSE and row.order_id is not None and _was_paid(tx, row.order_id):
        state = State.RETURNED  # what sent it back happened meanwhile
    assert state in MOVES[State.GONE]
    told: dict[str, Value] = {"network": row.network, "key": row.key, "state": state.value}
    new: dict[str, Any] = {"state": state.value, "reason": last.reason, "height": one.height}
    if last.entry is not None:
        lines = [replaced(line) for line in _lines_of(tx, last.entry)]
        new["entry"] = postings.post(tx, f"deposit {row.tx_id} again at {one.height}", "posted", lines, None, now)
        told["posted"] = postings.sworn(tx.sql, new["entry"])
    tx.sql.execute(update(tables.arrivals).where(tables.arrivals.c.id == row.id).values(new))
    journal.append(tx, "arrival-again", told, now)
    return state


def replaced(line: Posting) -> Posting:
    """Give a line the other way round."""
    return Posting(line.account, line.asset, -line.units)


def _gone(tx: Tx, row: Row[Any], above: int, now: int) -> str:
    state = State(row.state)
    assert State.GONE in MOVES[state]
    said, entry = f"a reorganisation after block {above} took it", None
    told: dict[str, Value] = {"network": row.network, "key": row.key, "state": state.value, "reversed": row.entry}
    what = f"{row.units} base units of {row.asset_code[:40]}"
    if row.entry is not None:
        asset = finder(tx.sql)(row.network, row.asset_code)
        lines, lost = _reversal(tx, row, state, asset)
        entry = postings.post(tx, f"deposit {row.tx_id} reorganised away", "posted", lines, None, now)
        told["posted"] = postings.sworn(tx.sql, entry)
        what = str(Amount(asset, int(row.units)))
        if lost:
            said += f"; {Amount(asset, lost)} of it were gone already, and are the house's loss"
    rows = {"arrival": row.id, "state": state.value, "reason": row.reason, "entry": entry, "reverses": row.entry}
    tx.sql.execute(insert(tables.taken_back).values(rows))
    new = {"state": State.GONE.value, "reason": said}
    tx.sql.execute(update(tables.arrivals).where(tables.arrivals.c.id == row.id).values(new))
    journal.append(tx, "arrival-gone", told, now)
    return f"arrival {row.id} of {what} by {row.tx_id} on {row.network}, which was {state}: {said}"


def _reversal(tx: Tx, row: Row[Any], state: State, asset: Asset) -> tuple[list[Posting], int]:
    """Give the lines that take an arrival out of its wallet, and how much of it nobody can give back any more."""
    units, covered = int(row.units), 0
    if state is State.CREDITED:
        owed = accounts.customer(row.customer)
        covered = min(units, max(0, Cover(tx.sql, [owed]).held(owed, asset)))
    elif state in _WAITS and (row.order_id is None or not may_happen(tx.sql, row.order_id)):
        owed, covered = accounts.of_network(_WAITS[state], row.network), units
    else:  # it was sent back, or is on its way there
        owed = accounts.of_network(Kind.SUSPENSE, row.network)
    own = accounts.of_network(Kind.OWN, row.network)
    lines = [Posting(accounts.wallet(row.wallet), asset, -units), Posting(owed, asset, covered)]
    return [*lines, Posting(own, asset, units - covered)], units - covered


def _moved(tx: Tx, row: Row[Any], height: int, now: int) -> None:
    tx.sql.execute(update(tables.arrivals).where(tables.arrivals.c.id == row.id).values(height=height))
    journal.append(tx, "arrival-moved", {"network": row.network, "key": row.key, "height": height}, now)


def _lines_of(tx: Tx, entry: int) -> list[Posting]:
    table, asset = tables.lines, finder(tx.sql)
    rows = tx.sql.execute(select(table).where(table.c.entry == entry).order_by(table.c.position)).all()
    return [Posting(row.account, asset(row.asset_network, row.asset_code), int(row.units)) for row in rows]


def _was_paid(tx: Tx, order: str) -> bool:
    table = tables.jobs
    query = select(table.c.id).where(table.c.order_id == order, table.c.state == Stand.FINAL.value)
    return tx.sql.execute(query.limit(1)).scalar() is not None
