"""Whether a mempool takes Counterparty's messages: some nodes are set to refuse them, and such orders would only wait.

Asked by `testmempoolaccept` with transactions that spend what never existed, so that nothing can come of them. A node
judges the form before it looks for the coins: "missing-inputs" means that it takes the form, other words are its
objection. What it thinks of an envelope's witness shows only with a real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from online.chains.bitcoin.node import Node
from shared.chains.bitcoin.counterparty.carriers import PREFIX, encode_outputs
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write

_NOWHERE: Final = sha256(b"no transaction has this id").digest()
_TAKEN: Final = "missing-inputs"
_MESSAGE: Final = b"\x02\x84\x01\x01\x55\x01" + bytes(20) + b"\x40"  # an enhanced send of 1 base unit of XCP
_KEY: Final = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")  # 1 * G
_REMEDY: Final = "Bitcoin Core takes it by default; Knots does not (rejecttokens, permitbaredatacarrier, OP_IF)"
_CHANGE: Final = Output(10_000, b"\x00\x14" + bytes(20))


def _probes() -> dict[str, bytes]:
    shown = _NOWHERE[::-1]
    data = {name: encode_outputs(_MESSAGE, shown, name, _KEY) for name in ("opreturn", "multisig")}
    return {
        "OP_RETURN": _probe(*(Output(*each) for each in data["opreturn"]), _CHANGE),
        "envelope": _probe(Output(0, b"\x6a" + bytes([len(PREFIX)]) + PREFIX)),
        "bare multisig": _probe(*(Output(*each) for each in data["multisig"]), _CHANGE),
    }


def _probe(*outputs: Output) -> bytes:
    return write(Transaction(2, (Input(_NOWHERE, 0, 0xFFFFFFFD),), outputs, 0))


def relay_of(nodes: Sequence[Node]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give a line for each node, and a warning for each way of sending that none of them takes.

    Bare multisig is no loss: it is chosen only where neither of the others can be.

    Raises:
        NodeUnreachable: when one does not answer.
    """
    found = [{way: _objection(node, raw) for way, raw in _probes().items()} for node in nodes]
    lines = tuple(f"{node.name}: {_line(words)}" for node, words in zip(nodes, found, strict=True))
    lost = {way: found[0][way] for way in ("OP_RETURN", "envelope") if all(words[way] for words in found)}
    warnings = (f"no mempool takes Counterparty by {way} ({why}): such orders would only wait; {_REMEDY}"
                for way, why in lost.items())  # fmt: skip
    return lines, tuple(warnings)


def _objection(node: Node, raw: bytes) -> str:
    return "; ".join(word for word in node.objections([raw]) if word != _TAKEN)


def _line(words: dict[str, str]) -> str:
    taken = [way for way, why in words.items() if not why]
    refused = [f"{way} ({why})" for way, why in words.items() if why]
    said = f"its mempool takes Counterparty by {', '.join(taken)}" if taken else "its mempool takes no Counterparty"
    return said + (f"; it refuses {', '.join(refused)}" if refused else "")
