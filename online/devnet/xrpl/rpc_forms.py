"""The parts that rippled's answers share: errors and their numbers, the ledger meant, times, transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from xrpl.core.binarycodec import encode

from online.devnet.xrpl.hashes import is_address
from online.devnet.xrpl.history import RIPPLE_EPOCH_SECONDS, Closed, Record
from online.devnet.xrpl.state import State
from online.devnet.xrpl.world import XrplWorld

Params = Mapping[str, Any]
Answer = dict[str, Any]

ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "amendmentBlocked": (14, "Amendment blocked, need upgrade."),
    "noNetwork": (17, "Not synced to the network."),
    "notSynced": (18, "Not synced to the network."),
    "actNotFound": (19, "Account not found."),
    "lgrNotFound": (21, "Ledger not found."),
    "txnNotFound": (29, "Transaction not found."),
    "invalidParams": (31, "Invalid parameters."),
    "unknownCmd": (32, "Unknown method."),
    "actMalformed": (35, "Account malformed."),
    "dstActMalformed": (48, "Destination account is malformed."),
    "dstActNotFound": (50, "Destination account not found."),
    "lgrIdxsInvalid": (57, "Ledger indexes invalid."),
    "lgrIdxMalformed": (58, "Ledger index malformed."),
    "srcActMalformed": (65, "Source account is malformed."),
    "srcActNotFound": (67, "Source account not found."),
    "notImpl": (74, "Not implemented."),
    "notSupported": (75, "Operation not supported."),
    "excessiveLgrRange": (78, "Ledger range exceeds 1000."),
    "invalidLgrRange": (79, "Ledger range is invalid."),
    "transactionSigned": (96, "Transaction should not be signed."),
}


class RpcError(Exception):
    """An error in rippled's form; further fields stand beside it."""

    def __init__(self, token: str, message: str | None = None, **beside: Any) -> None:
        super().__init__(token)
        self.body: Answer = {"error": token, **beside}
        if token in ERRORS:
            number, words = ERRORS[token]
            self.body.update(error_code=number, error_message=message or words)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The ledger that a request means: its accounts, and the fields that name it in the answer."""

    state: State
    index: int
    closed: Closed | None

    def named(self) -> Answer:
        """Give the fields by which an answer says which ledger it is of."""
        if self.closed is None:
            return {"ledger_current_index": self.index, "validated": False}
        return {"ledger_hash": self.closed.hash, "ledger_index": self.index, "validated": True}


def choose_ledger(world: XrplWorld, params: Params) -> Chosen:
    """Find the ledger that a request means; the open one where it names none."""
    wanted = params.get("ledger_index", "current")
    if "ledger_hash" in params:
        closed = world.history.by_hash(str(params["ledger_hash"]))
    elif wanted == "current":
        return Chosen(world.pool.state, world.open_index, None)
    elif wanted in ("validated", "closed"):
        closed = world.history.last
    else:
        closed = world.history.ledger(whole_number(wanted, "ledger_index"))
    state = world.history.state(closed.index) if closed is not None else None
    if closed is None or state is None:
        raise RpcError("lgrNotFound")
    return Chosen(state, closed.index, closed)


def whole_number(value: object, name: str) -> int:
    """Read an integer given as a number or as digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    raise RpcError("invalidParams", f"Invalid field '{name}', not integer.")


def address_of(params: Params, name: str = "account", malformed: str = "actMalformed") -> str:
    """Read a classic address; X-addresses are unknown to servers."""
    if name not in params:
        raise RpcError("invalidParams", f"Missing field '{name}'.")
    value = params[name]
    if not isinstance(value, str):
        raise RpcError("invalidParams", f"Invalid field '{name}'.")
    if not is_address(value):
        raise RpcError(malformed)
    return value


def page_size(params: Params) -> int:
    """Read how many rows a page shall have."""
    limit = whole_number(params.get("limit", 200), "limit")
    if limit <= 0:
        raise RpcError("invalidParams", "Invalid field 'limit', not positive.")
    return min(limit, 400)


def iso_time(seconds: int) -> str:
    """Write a time of the ledger as API version 2 does."""
    moment = dt.datetime.fromtimestamp(seconds + RIPPLE_EPOCH_SECONDS, tz=dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def human_time(seconds: int) -> str:
    """Write a time of the ledger as rippled does for people."""
    moment = dt.datetime.fromtimestamp(seconds + RIPPLE_EPOCH_SECONDS, tz=dt.UTC)
    return moment.strftime("%Y-%b-%d %H:%M:%S.000000000 UTC")


def fields_for(fields: Mapping[str, Any], version: int) -> Answer:
    """Show a transaction's fields: version 1 has Amount and DeliverMax of a payment, version 2 DeliverMax."""
    shown = dict(fields)
    if shown.get("TransactionType") == "Payment":
        shown["DeliverMax"] = shown["Amount"]
        if version > 1:
            del shown["Amount"]
    return shown


def compact_id(world: XrplWorld, record: Record) -> Answer:
    """Give the ctid, where the network's number has room in one."""
    if world.rules.network_id > 0xFFFF:
        return {}
    return {"ctid": f"C{record.index:07X}{record.position:04X}{world.rules.network_id:04X}"}


def placed_fields(world: XrplWorld, record: Record, version: int) -> Answer:
    """Show a validated transaction's fields with where it stands."""
    ledger = world.history.ledger(record.index)
    date = {} if ledger is None else {"date": ledger.close_time}
    placed = {**fields_for(record.tx.fields, version), **compact_id(world, record), **date,
              "ledger_index": record.index}
    if version == 1:
        placed.update(hash=record.tx.id, inLedger=record.index)
    return placed


def ledger_of(world: XrplWorld, record: Record) -> Answer:
    """Give what API version 2 says of a transaction's ledger."""
    ledger = world.history.ledger(record.index)
    if ledger is None:
        return {}
    return {"close_time_iso": iso_time(ledger.close_time), "ledger_hash": ledger.hash,
            "ledger_index": record.index}


def meta_blob(meta: Mapping[str, Any]) -> str:
    """Encode metadata as the ledger keeps it, without the field that servers add."""
    return str(encode({name: value for name, value in meta.items() if name != "delivered_amount"}))
