"""The forms of bitcoind's answers: amounts, scripts, transactions, errors with their numbers.

Amounts are whole satoshis until the last step, where they become the eight decimals that bitcoind writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from online.devnet.bitcoin.scripts import address_of, asm, kind_of
from online.devnet.bitcoin.wire import Tx, TxOut, Unreadable
from online.devnet.bitcoin.world import BitcoinWorld

Answer = Any
Params = Mapping[str, Any]

MISC = -1
TYPE = -3
NOT_FOUND = -5
NO_FUNDS = -6
BAD_PARAMETER = -8
BAD_BYTES = -22
TRANSACTION_ERROR = -25
TRANSACTION_REJECTED = -26
ALREADY_CONFIRMED = -27
IN_WARMUP = -28
BAD_REQUEST = -32600
NO_METHOD = -32601
BAD_PARAMS = -32602
PARSE = -32700

_AMOUNT = re.compile(r'"\\u0001(-?)([0-9]+)\\u0001"')


class RpcError(Exception):
    """An error as bitcoind numbers it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def btc(sats: int) -> str:
    """Mark satoshis for `encode`, which writes them as a JSON number with eight decimals."""
    return f"\x01{sats}\x01"


def encode(answer: Any) -> bytes:
    """Write an answer as JSON."""
    return _AMOUNT.sub(_as_number, json.dumps(answer)).encode()


def _as_number(found: re.Match[str]) -> str:
    sats = int(found[2])
    return f"{found[1]}{sats // 100_000_000}.{sats % 100_000_000:08d}"


def sats_of(value: Any) -> int:
    """Read an amount that a request gives in bitcoins.

    Raises:
        RpcError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise RpcError(TYPE, "Amount is not a number or string")
    try:
        sats = Decimal(value) * 100_000_000
    except ArithmeticError:
        raise RpcError(TYPE, "Invalid amount") from None
    if sats != sats.to_integral_value() or not 0 <= sats <= 21_000_000 * 100_000_000:
        raise RpcError(TYPE, "Amount out of range" if sats < 0 else "Invalid amount")
    return int(sats)


def txid_of(value: Any, name: str = "txid") -> str:
    """Read a hash.

    Raises:
        RpcError: it is none.
    """
    if not isinstance(value, str):
        raise RpcError(TYPE, f"JSON value of type {_json_type(value)} is not of expected type string")
    if len(value) != 64:
        raise RpcError(BAD_PARAMETER, f"{name} must be of length 64 (not {len(value)}, for '{value}')")
    if re.fullmatch(r"[0-9a-fA-F]{64}", value) is None:
        raise RpcError(BAD_PARAMETER, f"{name} must be hexadecimal string (not '{value}')")
    return value.lower()


def _json_type(value: Any) -> str:
    kinds = {bool: "bool", int: "number", Decimal: "number", list: "array", dict: "object"}
    return "null" if value is None else kinds.get(type(value), "string")


def tx_of(value: Any) -> Tx:
    """Read a raw transaction.

    Raises:
        RpcError: it is none.
    """
    try:
        return Tx.read(bytes.fromhex(value))
    except (Unreadable, ValueError, TypeError):
        message = "TX decode failed. Make sure the tx has at least one input."
        raise RpcError(BAD_BYTES, message) from None


def script_form(script: bytes) -> Answer:
    """Show an output's script."""
    kind, address = kind_of(script), address_of(script)
    form = {"asm": asm(script), "desc": f"addr({address})" if address else f"raw({script.hex()})",
            "hex": script.hex()}
    return {**form, **({"address": address} if address else {}), "type": kind}


def out_form(out: TxOut, number: int) -> Answer:
    """Show an output."""
    return {"value": btc(out.sats), "n": number, "scriptPubKey": script_form(out.script)}


def tx_form(tx: Tx, spent: list[TxOut] | None = None, *, with_prevouts: bool = False) -> Answer:
    """Show a transaction; with what it spends, its fee too."""
    form = {
        "txid": tx.txid, "hash": tx.wtxid, "version": tx.version, "size": len(tx.raw), "vsize": tx.vsize,
        "weight": tx.weight, "locktime": tx.lock_time,
        "vin": [_in_form(tx, at, spent if with_prevouts else None) for at in range(len(tx.inputs))],
        "vout": [out_form(out, number) for number, out in enumerate(tx.outputs)],
    }
    if spent is not None and not tx.is_coinbase:
        fee = sum(out.sats for out in spent) - sum(out.sats for out in tx.outputs)
        form["fee"] = btc(fee)
    return {**form, "hex": tx.raw.hex()}


def _in_form(tx: Tx, at: int, spent: list[TxOut] | None) -> Answer:
    each = tx.inputs[at]
    witness = {"txinwitness": [item.hex() for item in each.witness]} if each.witness else {}
    if tx.is_coinbase:
        return {"coinbase": each.script_sig.hex(), **witness, "sequence": each.sequence}
    script = {"asm": asm(each.script_sig), "hex": each.script_sig.hex()}
    form = {"txid": each.outpoint.txid, "vout": each.outpoint.vout, "scriptSig": script, **witness}
    if spent is not None:
        out = spent[at]
        form["prevout"] = {"generated": False, "value": btc(out.sats), "scriptPubKey": script_form(out.script)}
    return {**form, "sequence": each.sequence}


def spent_outs(world: BitcoinWorld, tx: Tx) -> list[TxOut] | None:
    """Give the outputs that a known transaction spends, where all of them are known."""
    outs: list[TxOut] = []
    for each in tx.inputs:
        entry = world.mempool.entries.get(each.outpoint.txid)
        found = entry.tx if entry is not None else (world.chain.find(each.outpoint.txid) or (None,))[0]
        if found is None:
            return None
        outs.append(found.outputs[each.outpoint.vout])
    return outs
