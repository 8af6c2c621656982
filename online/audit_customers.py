"""Holds everything about customers against the journal: who they are, where they pay, what moved, what was asked for.

How far ledgers were read (`cursors`) is no claim of anybody's and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from online.audit_told import Told
from online.customers import register
from online.deposits.returns import RETURN
from online.ledger.reserves import reserves_of
from online.ledger.stands import digest
from online.store import tables
from online.withdrawals.model import ACCEPTED, MOVED
from online.withdrawals.sworn import accepted_as, require_released
from shared.encoding import Value, decode, units_from_bytes
from shared.errors import Refusal
from shared.sealed import open_sealed

_Rows = Mapping[Any, Any]


def look(connection: Connection, told: Told) -> Iterator[str]:
    """Name each row that differs."""
    for table, said, there in (
        (tables.customers, _customers(told), _kept(connection, tables.customers, "id", "frozen")),
        (tables.places, _places(told), _place_rows(connection)),
        (tables.allowed, _allowed(told), _kept(connection, tables.allowed, "customer", "network", "place", None)),
        (tables.trades, _trades(told), _kept(connection, tables.trades, "id", "entry")),
        (tables.withdrawals, _withdrawals(told), _withdrawal_rows(connection)),
        (tables.arrivals, _arrivals(connection, told), _arrival_rows(connection)),
        (tables.sweeps, _sweeps(connection, told), _kept(connection, tables.sweeps, "arrival", "job", "units")),
        (tables.taken_back, _taken_back(told), _taken_back_rows(connection)),
        (tables.least_deposits, _leasts(told),
         _kept(connection, tables.least_deposits, "network", "asset_code", "sealed")),
        (tables.mandates, _mandates(connection, told), _mandate_rows(connection)),
        (tables.openings, _openings(told), _opening_rows(connection)),
        (tables.found_at_opening, _found(told),
         _kept(connection, tables.found_at_opening, "wallet", "asset_code", "address", "units")),
        (tables.reserves, _reserves(told), _reserve_rows(connection)),
        (tables.stands, _stands(told), _stand_rows(connection)),
        (tables.differences, _differences(told), _difference_rows(connection)),
        (tables.targets, _targets(told),
         _kept(connection, tables.targets, "network", "holder", "asset_code", "sealed")),
    ):
        for key in sorted(said.keys() | there.keys(), key=str):
            if said.get(key) != there.get(key):
                name = " ".join(map(str, key)) if isinstance(key, tuple) else key
                yield f"{table.name} {name}: not as the journal says"
    yield from _let_go(connection, told)


def _let_go(connection: Connection, told: Told) -> Iterator[str]:
    """Name what was held and let go again without the word of a person who is known here."""
    asked: dict[Value, Mapping[str, Value]] = {}
    frozen: dict[Value, Value] = {}
    for entry in told.entries:
        body, name = entry.body, entry.body.get("withdrawal")
        try:
            if entry.kind == ACCEPTED:
                asked[name] = accepted_as(entry)
            elif entry.kind == MOVED and (body.get("from"), body.get("to")) == ("held", "queued"):
                require_released(connection, body.get("word"), asked.get(name, {}))
            elif entry.kind == "customer":
                name, was = body.get("customer"), frozen.get(body.get("customer"))
                frozen[name] = body.get("frozen")
                if was and not frozen[name]:
                    register.require_released(connection, body.get("word"), str(name))
        except Refusal as refusal:
            table = tables.customers if entry.kind == "customer" else tables.withdrawals
            yield f"{table.name} {name}: let go by entry {entry.number}: {refusal}"


def _kept(connection: Connection, table: Table, *columns: str | None) -> _Rows:
    """Give the rows of a table: the last column by the others; None stands for a row that says nothing more."""
    *keys, value = columns
    rows = connection.execute(select(table)).mappings()
    return {
        tuple(row[str(key)] for key in keys) if len(keys) > 1 else row[str(keys[0])]: value is None or row[value]
        for row in rows
    }


def _bodies(told: Told, kind: str) -> Iterator[Mapping[str, Value]]:
    return (entry.body for entry in told.entries if entry.kind == kind)


def _entry(body: Mapping[str, Value]) -> Value:
    posted = body.get("posted")
    return posted[0] if isinstance(posted, list) and posted else None


def _customers(told: Told) -> _Rows:
    return {body.get("customer"): body.get("frozen") for body in _bodies(told, "customer")}


def _places(told: Told) -> _Rows:
    return {(body.get("network"), body.get("place")): body.get("customer") for body in _bodies(told, "place")}


def _place_rows(connection: Connection) -> _Rows:
    """Give whose each place is, if its row says nothing else of it than its name does: the row is what people are told.

    The wallet is the one whose address it is.
    """
    keys, places = tables.keys, tables.places
    owners = {(row.network, row.address): row.wallet for row in connection.execute(select(keys))}
    found: dict[Any, Any] = {}
    for row in connection.execute(select(places)):
        custom = "tag" if row.tag is not None else "memo" if row.memo is not None else "address"
        is_so = (_place(row), custom, owners.get((row.network, row.address))) == (row.place, row.custom, row.wallet)
        found[row.network, row.place] = row.customer if is_so else None
    return found


def _allowed(told: Told) -> _Rows:
    found: dict[Any, bool] = {}
    for entry in told.entries:
        key = (entry.body.get("customer"), entry.body.get("network"), entry.body.get("place"))
        if entry.kind == "allowed":
            found[key] = True
        elif entry.kind == "disallowed":
            found.pop(key, None)
    return found


def _trades(told: Told) -> _Rows:
    return {body.get("trade"): _entry(body) for body in _bodies(told, "trade")}


def _withdrawals(told: Told) -> _Rows:
    """Replay what was accepted and how it moved."""
    found: dict[Value, tuple[Any, ...]] = {}
    for entry in told.entries:
        body = entry.body
        if entry.kind == ACCEPTED:
            to = body.get("to")
            asked = (body.get("customer"), body.get("wallet"), body.get("network"), body.get("asset"))
            units = _units(body.get("units"))
            place = to if isinstance(to, list) else ()
            found[body.get("withdrawal")] = (*asked, units, *place, entry.number, body.get("state"), None)
        elif entry.kind == MOVED and body.get("withdrawal") in found:
            *asked_for, _, _ = found[body.get("withdrawal")]
            found[body.get("withdrawal")] = (*asked_for, body.get("to"), body.get("transfer"))
    return found


def _withdrawal_rows(connection: Connection) -> _Rows:
    return {
        row.id: (
            row.customer, row.wallet, row.network, row.asset_code, row.units, row.destination, row.tag, row.memo,
            row.line, row.state, None if row.transfer is None else bytes.fromhex(row.transfer),
        )
        for row in connection.execute(select(tables.withdrawals))
    }  # fmt: skip


def _arrivals(connection: Connection, told: Told) -> _Rows:
    """Replay what arrived and what became of it; out of suspense it went by the row's number, or back by an order."""
    numbers: dict[Value, Any] = {row.id: (row.network, row.key) for row in connection.execute(select(tables.arrivals))}
    returning: dict[Value, Any] = {order: numbers.get(number) for order, number in _returns(connection)}
    found: dict[Any, tuple[Any, ...]] = {}
    for line in told.entries:
        kind, body = line.kind, line.body
        key: Any = (body.get("network"), body.get("key"))
        if kind == "arrival":
            what = (body.get("to"), body.get("asset"), _units(body.get("units")))
            found[key] = (*what, body.get("state"), body.get("customer"), _entry(body))
            continue
        if kind in ("suspense-credited", "suspense-own"):
            key = numbers.get(body.get("arrival"))
        elif kind == "move":
            key = returning.get(body.get("order")) if body.get("to") == "final" else None
        if key in found:
            found[key] = (*found[key][:3], *_followed(kind, body, *found[key][3:]))
    return found


def _followed(kind: str, body: Mapping[str, Value], state: Value, customer: Value, entry: Value) -> tuple[Value, ...]:
    """Give an arrival's state, customer and entry after a line of the journal."""
    match kind:
        case "arrival-posted":
            return state, customer, _entry(body)
        case "sweep-credited":
            return "credited", customer, entry
        case "suspense-credited":
            return "credited", body.get("customer"), entry
        case "suspense-own":
            return "own", customer, entry
        case "arrival-gone":
            return "gone", customer, entry
        case "arrival-again":
            return body.get("state"), customer, _entry(body) or entry
        case "move" if state == "suspense":
            return "returned", customer, entry
    return state, customer, entry


def _taken_back(told: Told) -> _Rows:
    """Give what the journal says of arrivals that a reorganisation took, each time by itself."""
    found: dict[Any, list[Any]] = {}
    for body in _bodies(told, "arrival-gone"):
        times = found.setdefault((body.get("network"), body.get("key")), [])
        times.append((body.get("state"), _entry(body), body.get("reversed")))
    return found


def _taken_back_rows(connection: Connection) -> _Rows:
    table, arrivals = tables.taken_back, tables.arrivals
    query = select(table, arrivals.c.network, arrivals.c.key).join(arrivals, arrivals.c.id == table.c.arrival)
    found: dict[Any, list[Any]] = {}
    for row in connection.execute(query.order_by(table.c.id)):
        found.setdefault((row.network, row.key), []).append((row.state, row.entry, row.reverses))
    return found


def _sweeps(connection: Connection, told: Told) -> _Rows:
    """Give what the journal says of jobs that took a deposit from its address before it was credited."""
    arrivals = tables.arrivals
    numbers: dict[Any, int] = {(row.network, row.key): row.id for row in connection.execute(select(arrivals))}
    found: dict[Any, Any] = {}
    for body in _bodies(told, "sweep-credited"):
        arrival, rows = numbers.get((body.get("network"), body.get("key"))), body.get("sweeps")
        for row in rows if isinstance(rows, list) else ():
            match row:
                case [int(job), str(units)]:
                    found[arrival, job] = units
    return found


def _returns(connection: Connection) -> Iterator[tuple[bytes, int]]:
    """Give the orders that send arrivals back, each with the arrival's number."""
    orders = connection.execute(select(tables.orders.c.id, tables.orders.c.body).where(tables.orders.c.kind == RETURN))
    for row in orders:
        body = decode(row.body)
        params = body.get("params") if isinstance(body, dict) else None
        number = params.get("arrival") if isinstance(params, dict) else None
        if isinstance(number, int):
            yield bytes.fromhex(row.id), number


def _arrival_rows(connection: Connection) -> _Rows:
    return {
        (row.network, row.key): (
            _place(row), row.asset_code, row.units, row.state, row.customer, row.entry,
        )
        for row in connection.execute(select(tables.arrivals))
    }  # fmt: skip


def _place(row: Row[Any]) -> str:
    from shared.effects import Destination

    return str(Destination(row.address, row.tag, row.memo))


def _mandates(connection: Connection, told: Told) -> _Rows:
    """Replay who drafted, who approved, and what a later one or a word put out of force."""
    wallets = {row.id: row.wallet for row in connection.execute(select(tables.mandates))}
    found: dict[str, list[Any]] = {}
    for entry in told.entries:
        number = entry.body.get("mandate")
        if not isinstance(number, bytes) or entry.kind not in ("mandate", "revoke-mandate"):
            continue
        key = number.hex()
        if entry.kind == "revoke-mandate" and key in found:
            found[key][3] = True
        elif key not in found:
            found[key] = [entry.body.get("sealed"), entry.body.get("by"), None, False]
        else:
            found[key][0], found[key][2] = entry.body.get("sealed"), entry.body.get("by")
            for other, row in found.items():
                row[3] = row[3] or (other != key and wallets.get(other) == wallets.get(key))
    return {key: tuple(row) for key, row in found.items()}


def _mandate_rows(connection: Connection) -> _Rows:
    rows = connection.execute(select(tables.mandates))
    return {row.id: (row.sealed, row.drafted_by, row.approved_by, row.revoked) for row in rows}


def _openings(told: Told) -> _Rows:
    found: dict[Any, Any] = {}
    for body in _bodies(told, "opening"):
        units, entry = body.get("units"), _entry(body)
        for code, held in units.items() if isinstance(units, dict) else ():
            found[body.get("wallet"), code] = (body.get("height"), held, entry)
    return found


def _opening_rows(connection: Connection) -> _Rows:
    rows = connection.execute(select(tables.openings))
    return {(row.wallet, row.asset_code): (row.height, row.units, row.entry) for row in rows}


def _found(told: Told) -> _Rows:
    found: dict[Any, Any] = {}
    for body in _bodies(told, "opening"):
        places = body.get("places")
        for code, there in places.items() if isinstance(places, dict) else ():
            rows = there.items() if isinstance(there, dict) else ()
            found |= {(body.get("wallet"), code, address): units for address, units in rows}
    return found


def _reserves(told: Told) -> _Rows:
    """Give each look at what ledgers lock, by wallet, the earliest first."""
    found: dict[Any, list[Any]] = {}
    for entry in told.entries:
        for name, units, height in reserves_of(entry.body):
            at = told.newest[entry.number]
            found.setdefault(name, []).append((str(units), height, entry.time, at, entry.kind == "reconciled"))
    return found


def _reserve_rows(connection: Connection) -> _Rows:
    found: dict[Any, list[Any]] = {}
    for row in connection.execute(select(tables.reserves).order_by(tables.reserves.c.id)):
        found.setdefault(row.wallet, []).append((row.units, row.height, row.time, row.entry, row.reconciled))
    return found


def _stands(told: Told) -> _Rows:
    found: dict[Any, Any] = {}
    for body in _bodies(told, "reconciled"):
        stands = body.get("stands")
        found |= stands if isinstance(stands, dict) else {}
    return found


def _stand_rows(connection: Connection) -> _Rows:
    return {row.network: digest(row.height, row.body) for row in connection.execute(select(tables.stands))}


def _differences(told: Told) -> _Rows:
    """Give what the newest look that was kept found, by its place there."""
    found: _Rows = {}
    for body in _bodies(told, "reconciled"):
        rows = body.get("differences")
        said = rows if isinstance(rows, list) else []
        found = {at: tuple(row) for at, row in enumerate(said) if isinstance(row, list)}
    return found


def _difference_rows(connection: Connection) -> _Rows:
    rows = connection.execute(select(tables.differences))
    return {row.position: (row.kind, row.wallet, row.asset_code, row.units, row.tx_id) for row in rows}


def _targets(told: Told) -> _Rows:
    found = {}
    for body in _bodies(told, "target"):
        sealed = body.get("sealed")
        try:
            said = decode(open_sealed(sealed if isinstance(sealed, bytes) else b"", "target/1").body)
        except Refusal:
            continue
        if isinstance(said, dict):
            found[said.get("network"), said.get("holder"), said.get("asset")] = sealed
    return found


def _leasts(told: Told) -> _Rows:
    bodies = _bodies(told, "least-deposit")
    return {(body.get("network"), body.get("asset")): body.get("sealed") for body in bodies}


def _units(value: Value) -> str:
    try:
        return str(units_from_bytes(value if isinstance(value, bytes) else b""))
    except Refusal:
        return ""
