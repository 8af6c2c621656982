"""Finds the message in a Bitcoin transaction: four encodings, one source, the outputs before it.

Signed transactions only come from blocks; unsigned ones may be looked at too (a missing signature is not judged).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from online.devnet.bitcoin.arc4 import arc4
from online.devnet.bitcoin.scripts import kind_of, multisig_keys, operations
from online.devnet.bitcoin.wire import Tx, TxOut
from online.devnet.counterparty.envelope import message_of, reveal_leaf, signs_for
from online.devnet.counterparty.packing import Unreadable, source_of

PREFIX: Final = b"CNTRPRTY"
_OP_RETURN: Final = 0x6A


@dataclass(frozen=True, slots=True)
class Found:
    """What a transaction says: who, the ordinary outputs before the message, the message."""

    source: str
    destinations: tuple[TxOut, ...]
    message: bytes


def key_of(tx: Tx) -> bytes:
    """Give the ARC4 key: the id of the first input's transaction as people write it."""
    return bytes.fromhex(tx.inputs[0].outpoint.txid)


def find(tx: Tx, spent: Sequence[TxOut], commit_spent: TxOut | None = None) -> Found | None:
    """Find the message of a transaction; `commit_spent` is what the first input of its commit spent, if known.

    Raises:
        Unreadable: the part that is read holds an OP_RETURN that is no Counterparty data.
    """
    destinations, data, plain = _outputs(tx)
    if plain:
        return _revealed(tx, spent, commit_spent)
    source = source_of(spent[0].script)
    if not data or source is None or not _commits_to_all(tx, spent[0]):
        return None
    return Found(source, tuple(destinations), data)


def _outputs(tx: Tx) -> tuple[list[TxOut], bytes, bool]:
    destinations, data, key = list[TxOut](), b"", key_of(tx)
    for out in tx.outputs:
        if out.script[:1] == bytes([_OP_RETURN]):
            push = _only_push(out.script)
            if push == PREFIX:
                return destinations, b"", True
            piece = arc4(key, push)
            if not piece.startswith(PREFIX):
                raise Unreadable("unrecognised OP_RETURN output")
            data += piece[len(PREFIX):]
            continue
        found = _hidden(out.script, key)
        if found is not None:
            data += found
        elif data:
            break
        else:
            destinations.append(out)
    return destinations, data, False


def _only_push(script: bytes) -> bytes:
    parts = operations(script[1:])
    if parts is None or len(parts) != 1 or not parts[0][1]:
        raise Unreadable("unrecognised OP_RETURN output")
    return parts[0][1]


def _hidden(script: bytes, key: bytes) -> bytes | None:
    multisig = multisig_keys(script)
    if multisig is not None:
        # All keys but the last carry data between their first and last bytes.
        chunk = b"".join(each[1:-1] for each in multisig[1][:-1])
    elif kind_of(script) == "pubkeyhash":
        chunk = script[3:23]
    else:
        return None
    plain = arc4(key, chunk)
    return plain[9:plain[0] + 1] if plain[1:9] == PREFIX else None


def _commits_to_all(tx: Tx, spent: TxOut) -> bool:
    """Say whether the first input's signature, where there is one, covers all outputs."""
    first = tx.inputs[0]
    if kind_of(spent.script) == "witness_v1_taproot" and first.witness:
        return len(first.witness[0]) == 64 or first.witness[0][-1] in (0x01, 0x81)
    if first.witness:
        signature = next((item for item in first.witness if item), b"\x01")
        return signature[-1] in (0x01, 0x81)
    pushes = [push for _, push in operations(first.script_sig) or [] if push]
    return not pushes or pushes[0] == spent.script or pushes[0][-1] in (0x01, 0x81)


def _revealed(tx: Tx, spent: Sequence[TxOut], commit_spent: TxOut | None) -> Found | None:
    leaf = reveal_leaf(tx.inputs[0].witness)
    if leaf is None or commit_spent is None:
        return None
    source = source_of(commit_spent.script)
    if source is None or not signs_for(leaf, commit_spent.script) or not _commits_to_all(tx, spent[0]):
        return None
    message = message_of(leaf)
    return None if message is None else Found(source, (), message)
