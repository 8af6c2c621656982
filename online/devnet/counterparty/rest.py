"""Counterparty's v2 routes: a path and its parameters in, HTTP's status and a body out.

Unknown parameters are refused, as the node does. It knows nothing of sockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from online.devnet.bitcoin.faults import ConnectionLost
from online.devnet.bitcoin.rpc import answer as ask_bitcoin
from online.devnet.bitcoin.rpc_forms import RpcError
from online.devnet.bitcoin.scripts import script_of
from online.devnet.bitcoin.texts import NotAnAddress
from online.devnet.counterparty import messages
from online.devnet.counterparty.books import Books, Row
from online.devnet.counterparty.compose import COMMON, KINDS, compose
from online.devnet.counterparty.packing import Unreadable
from online.devnet.counterparty.rules import sweep_cost
from online.devnet.counterparty.world import VERSION, CounterpartyWorld
from online.devnet.counterparty.writing import ComposeError, Given, one, shown, truth, whole

Reply = tuple[int, dict[str, Any]]
Route = Callable[[CounterpartyWorld, Sequence[str], Given], dict[str, Any]]

_MOST_ROWS: Final = 1000
_DEEPEST_OFFSET: Final = 10_000
_PAGED: Final = {"limit", "cursor", "offset", "verbose", "show_unconfirmed", "sort"}
_ANY: Final = "([^/]+)"


class NotFound(Exception):
    """There is no such thing; the text says what."""


# --- pages --------------------------------------------------------------------------------------------


def paged(rows: Sequence[Row], given: Given) -> dict[str, Any]:
    """Give a page of rows, the newest first; a cursor stays where it is when rows are added.

    Raises:
        ComposeError: a parameter is out of range.
    """
    limit, offset = whole(given, "limit", "100"), whole(given, "offset", "0")
    if not 1 <= limit <= _MOST_ROWS or not 0 <= offset <= _DEEPEST_OFFSET:
        raise ComposeError("limit or offset out of range")
    if given.get("sort"):
        raise ComposeError("sort is not supported")
    last = whole(given, "cursor", str(len(rows) - offset))
    page = [rows[at] for at in range(last - 1, max(last - 1 - limit, -1), -1)]
    left = last - limit
    return {"result": page, "next_cursor": left if left > 0 else None, "result_count": None}


def _books(world: CounterpartyWorld, given: Given) -> Books:
    return world.waiting() if truth(given, "show_unconfirmed") else world.books()


def _dressed(books: Books, rows: Sequence[Row], given: Given) -> list[Row]:
    if not truth(given, "verbose"):
        return list(rows)
    return [row | _dress(books, row) for row in rows]


def _dress(books: Books, row: Row) -> Row:
    asset = books.assets.get(str(row["asset"]))
    if asset is None or row["quantity"] is None:
        return {}
    quantity = row["quantity"]
    normal = f"{quantity // 10**8}.{quantity % 10**8:08d}" if asset.divisible else str(quantity)
    return {"asset_info": _about(books, asset.name), "quantity_normalized": normal}


def _about(books: Books, name: str) -> Row:
    asset = books.assets[name]
    return {"asset_longname": asset.longname, "description": asset.description, "issuer": asset.issuer,
            "divisible": asset.divisible, "locked": name in ("XCP", "BTC"), "owner": asset.issuer}


# --- the node -----------------------------------------------------------------------------------------


def root(world: CounterpartyWorld, _path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Describe the node."""
    behind = world.bitcoin.height - world.height
    return {"result": {
        "server_ready": not (world.faults.not_ready or behind), "network": world.faults.told_network or "regtest",
        "version": world.faults.told_version or VERSION, "backend_height": world.bitcoin.height,
        "counterparty_height": world.height, "ledger_state": "Catching Up" if behind else "Following",
        "documentation": "https://counterpartycore.docs.apiary.io/", "routes": "", "blueprint": ""}}


def block(world: CounterpartyWorld, path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Describe a block that was read."""
    height, chain = int(path[0]), world.bitcoin.chain
    if height > world.height:
        raise NotFound("Block not found")
    found = chain.blocks[chain.active[height]]
    return {"result": {"block_index": height, "block_hash": found.hash, "block_time": found.time,
                       "previous_block_hash": chain.active[height - 1] if height else None, "confirmed": True}}


def broadcast(world: CounterpartyWorld, _path: Sequence[str], given: Given) -> dict[str, Any]:
    """Send a signed transaction on."""
    try:
        return {"result": ask_bitcoin(world.bitcoin, "sendrawtransaction", [one(given, "signedhex")])}
    except RpcError as error:
        raise ComposeError(f"Error broadcasting transaction: {error.message}") from None


def give(world: CounterpartyWorld, _path: Sequence[str], given: Given) -> dict[str, Any]:
    """Give an address some of an asset, by decree; one that there is none of is made, and has eight decimals."""
    holder, name, text = one(given, "address"), one(given, "asset"), one(given, "amount")
    known = world.books().assets.get(name)
    scale = 0 if known is not None and not known.divisible else 8
    try:
        script_of(holder)
        units = Decimal(text).scaleb(scale)
        if name == "BTC" or not (0 < units < 2**63 and units == units.to_integral_value()):
            raise ComposeError(f"no amount of {name} that can be given: {text}")
        world.credit(holder, name, int(units))
    except (NotAnAddress, Unreadable, InvalidOperation) as fault:
        raise ComposeError(f"this can not be given: {fault}") from None
    return {"result": {"address": holder, "asset": name, "quantity": int(units)}}


# --- addresses ----------------------------------------------------------------------------------------


def address(world: CounterpartyWorld, path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Give an address' options."""
    options, block = world.books().options.get(path[0], (0, None))
    return {"result": {"address": path[0], "options": options, "block_index": block}}


def balances(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
    """List what an address holds, and the outputs of it that hold something."""
    books = _books(world, given)
    rows = []
    for (holder, asset), quantity in sorted(books.balances.items(), reverse=True):
        owner = books.owners.get(holder)
        if not quantity or path[0] not in (holder, owner) or (len(path) > 1 and asset != path[1]):
            continue
        rows.append({"address": None if owner else holder, "asset": asset, "quantity": quantity,
                     "utxo": holder if owner else None, "utxo_address": owner,
                     "asset_longname": books.assets[asset].longname})
    return paged(_dressed(books, rows, given), given) | {"result_count": len(rows)}


def utxo_balances(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
    """List what an output holds."""
    books = world.books()
    rows: list[Row] = [
        {"address": None, "asset": asset, "quantity": quantity, "utxo": path[0],
         "utxo_address": books.owners.get(path[0]), "asset_longname": books.assets[asset].longname}
        for asset, quantity in books.holdings(path[0]).items()]
    return paged(_dressed(books, rows, given), given) | {"result_count": len(rows)}


def _sends(side: str) -> Route:
    def listed(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
        books = _books(world, given)
        rows = [row for row in books.sends if path[0] in (row[side], row[f"{side}_address"])
                and (len(path) < 2 or row["asset"] == path[1])]
        return paged(_dressed(books, rows, given), given)

    return listed


def _moves(table: str) -> Route:
    def listed(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
        books = _books(world, given)
        rows = [row for row in getattr(books, table) if path[0] in (row["address"], row["utxo_address"])]
        return paged(_dressed(books, rows, given), given)

    return listed


def _of_block(table: str) -> Route:
    def listed(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
        books = _books(world, given)
        rows = [row for row in getattr(books, table) if row["block_index"] == int(path[0])]
        return paged(_dressed(books, rows, given), given)

    return listed


def composed(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
    """Compose a transaction."""
    return {"result": compose(world, path[0], path[1], given)}


def sweep_estimate(world: CounterpartyWorld, path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Tell what a sweep costs in XCP."""
    return {"result": sweep_cost(world.books(), path[0], 3)}


# --- transactions and the rest ------------------------------------------------------------------------


def transaction(world: CounterpartyWorld, path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Show a transaction that Counterparty knows."""
    for row in reversed(world.books().transactions):
        if row["tx_hash"] == path[0]:
            return {"result": {**row, "confirmed": True, "valid": row["status"] in ("valid", None)}}
    raise NotFound("Transaction not found")


def events(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
    """List a confirmed transaction's events."""
    rows = [row for row in world.books().events if row["tx_hash"] == path[0]]
    return paged(rows, given) | {"result_count": len(rows)}


def mempool_events(world: CounterpartyWorld, path: Sequence[str], given: Given) -> dict[str, Any]:
    """List a waiting transaction's events."""
    rows = [row for row in _waiting_events(world) if row["tx_hash"] == path[0]]
    return paged(rows, given) | {"result_count": len(rows)}


def addresses_mempool(world: CounterpartyWorld, _path: Sequence[str], given: Given) -> dict[str, Any]:
    """List the waiting events of some addresses."""
    wanted = set(one(given, "addresses").split(","))
    names = ("source", "destination", "address", "utxo_address", "source_address", "destination_address")
    rows = [row for row in _waiting_events(world) if wanted & {row["params"].get(name) for name in names}]
    return paged(rows, given) | {"result_count": len(rows)}


def _waiting_events(world: CounterpartyWorld) -> list[Row]:
    rows = world.waiting().events[len(world.books().events):]
    return [{"tx_hash": row["tx_hash"], "event": row["event"], "params": row["params"],
             "timestamp": row["block_time"]} for row in rows]


def with_balances(world: CounterpartyWorld, _path: Sequence[str], given: Given) -> dict[str, Any]:
    """Tell which outputs hold assets."""
    books = world.books()
    return {"result": {utxo: bool(books.holdings(utxo)) for utxo in one(given, "utxos").split(",")}}


def asset(world: CounterpartyWorld, path: Sequence[str], _given: Given) -> dict[str, Any]:
    """Describe an asset."""
    books = world.books()
    name = next((each.name for each in books.assets.values() if path[0] in (each.name, each.longname)), None)
    if name is None:
        raise NotFound("Asset not found")
    supply = sum(quantity for (_, held), quantity in books.balances.items() if held == name)
    return {"result": {"asset": name, "asset_id": None, "supply": supply, "confirmed": True,
                       **_about(books, name)}}


def unpack(world: CounterpartyWorld, _path: Sequence[str], given: Given) -> dict[str, Any]:
    """Read a message."""
    height = whole(given, "block_index", str(world.height + 1))
    try:
        data = bytes.fromhex(one(given, "datahex")).removeprefix(b"CNTRPRTY")
        kind, _ = messages.split(data)
        message = messages.read(data, new_table=height >= world.new_table_height)
    except (ValueError, Unreadable) as fault:
        raise ComposeError(f"Data must be in hexadecimal format or readable: {fault}") from None
    said = {"error": "Unknown message type"} if message is None else shown(message)
    return {"result": {"message_type": messages.NAMES.get(kind, "unknown"), "message_type_id": kind,
                       "message_data": said}}


# --- finding the way ----------------------------------------------------------------------------------

# Path, what it takes, who answers. The first that fits wins.
_ROUTES: Final[Sequence[tuple[str, set[str], Route]]] = (
    ("/v2/?", set(), root),
    ("/v2/addresses/mempool", {"addresses", *_PAGED}, addresses_mempool),
    ("/v2/blocks/([0-9]{1,9})", {"verbose"}, block),
    *((f"/v2/blocks/([0-9]{{1,9}})/{name}", _PAGED, _of_block(name)) for name in ("credits", "debits", "sends")),
    (f"/v2/addresses/{_ANY}/balances", _PAGED, balances),
    (f"/v2/addresses/{_ANY}/balances/{_ANY}", _PAGED, balances),
    (f"/v2/addresses/{_ANY}/receives(?:/{_ANY})?", _PAGED, _sends("destination")),
    (f"/v2/addresses/{_ANY}/sends(?:/{_ANY})?", _PAGED, _sends("source")),
    (f"/v2/addresses/{_ANY}/credits", _PAGED, _moves("credits")),
    (f"/v2/addresses/{_ANY}/debits", _PAGED, _moves("debits")),
    (f"/v2/addresses/{_ANY}/compose/sweep/estimatexcpfees", set(), sweep_estimate),
    *((f"/v2/addresses/{_ANY}/compose/({kind})", KINDS[kind] | COMMON, composed) for kind in KINDS),
    (f"/v2/addresses/{_ANY}", {"verbose"}, address),
    (f"/v2/mempool/transactions/{_ANY}/events", _PAGED, mempool_events),
    ("/v2/transactions/unpack", {"datahex", "block_index", "verbose"}, unpack),
    (f"/v2/transactions/{_ANY}/events", _PAGED, events),
    (f"/v2/transactions/{_ANY}", {"verbose"}, transaction),
    ("/v2/utxos/withbalances", {"utxos", "verbose"}, with_balances),
    (f"/v2/utxos/{_ANY}/balances", _PAGED, utxo_balances),
    (f"/v2/assets/{_ANY}", {"verbose"}, asset),
)
_SEND_ON: Final = "/v2/bitcoin/transactions"
_GIVE: Final = "/devnet/give"  # no node's: the owner of play money gives some


def rest_answer(world: CounterpartyWorld, method: str, path: str, given: Mapping[str, Sequence[str]]) -> Reply:
    """Answer a request.

    Raises:
        ConnectionLost: the node gives no answer.
    """
    if world.faults.down or world.bitcoin.faults.down:
        raise ConnectionLost
    if path.startswith("/healthz/"):
        return _health(world, path)
    if path == _GIVE:
        return _done(world, give, (), given, {"address", "asset", "amount"}) if method == "POST" else (
            405, {"error": "Method Not Allowed"})
    if path == _SEND_ON:
        return _done(world, broadcast, (), given, {"signedhex"}) if method == "POST" else (
            405, {"error": "Method Not Allowed"})
    for pattern, known, route in _ROUTES:
        found = re.fullmatch(pattern, path)
        if found is not None:
            if method != "GET":
                return 405, {"error": "Method Not Allowed"}
            if route is not root and _unready(world):
                return 503, {"error": "Counterparty not ready"}
            return _done(world, route, [part for part in found.groups() if part], given, known)
    return 404, {"error": "Not found"}


def _unready(world: CounterpartyWorld) -> bool:
    return world.faults.not_ready


def _health(world: CounterpartyWorld, path: str) -> Reply:
    if path == "/healthz/live":
        return 200, {"result": "Healthy"}
    if path != "/healthz/ready":
        return 404, {"error": "Not found"}
    if world.faults.not_ready or world.faults.blocks_behind:
        return 503, {"error": "Not ready: catching up"}
    return 200, {"result": "Healthy"}


def _done(world: CounterpartyWorld, route: Route, path: Sequence[str], given: Given, known: set[str]) -> Reply:
    strange = sorted(set(given) - known)
    if strange:
        return 400, {"error": f"Unrecognized argument: {strange[0]}"}
    try:
        with world.lock:
            return 200, route(world, path, given)
    except ComposeError as error:
        return 400, {"error": str(error)}
    except NotFound as error:
        return 404, {"error": str(error)}
