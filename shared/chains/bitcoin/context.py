"""What the coordinator states beside a transaction's bytes: heights, amounts, scripts, change. Never a meaning.

"height" is the block height it is meant for. "prevouts" is CBOR: for every input [value, script], then for P2WPKH
the public key, for P2WSH the witness script and our public key in it, for P2TR the internal key or nothing. "change"
is CBOR: [output index, public key, path numbers...], or [output index] for the script of an input. "previous" is
CBOR: whole previous transactions. "envelope" is the leaf of a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.chains.api import Context
from shared.chains.bitcoin.model import Change
from shared.chains.bitcoin.transactions import MOST_SATS, Output
from shared.encoding import Value, decode, encode, units_from_bytes, units_to_bytes
from shared.errors import BadEncoding, BitcoinContextRefused

_NEEDED: Final = {"height", "prevouts"}
_OPTIONAL: Final = {"change", "previous"}
_MOST_HEIGHT: Final = 499_999_999


@dataclass(frozen=True, slots=True)
class Prevout:
    """An output that an input spends, and what opens it besides a signature."""

    output: Output
    opener: bytes = b""
    public_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Stated:
    """A context that was read."""

    height: int
    prevouts: tuple[Prevout, ...]
    change: tuple[Change, ...] = ()
    previous: tuple[bytes, ...] = ()
    envelope: bytes = b""


def read_context(context: Context, *, pair: bool) -> Stated:
    """Read a context; an envelope is there for a pair and for nothing else.

    Raises:
        BitcoinContextRefused: for other names, types or encodings.
    """
    needed = _NEEDED | ({"envelope"} if pair else set())
    if not needed <= set(context) <= needed | _OPTIONAL:
        raise BitcoinContextRefused(
            f"the context must hold {', '.join(sorted(needed))} and at most change, previous"
        )
    height, envelope = context["height"], context.get("envelope", b"")
    if type(height) is not int or not 1 <= height <= _MOST_HEIGHT:
        raise BitcoinContextRefused("the context's height is none")
    if type(envelope) is not bytes or bool(envelope) != pair:
        raise BitcoinContextRefused("the context's envelope is no script")
    return Stated(
        height,
        tuple(_prevout(row) for row in _rows(context, "prevouts")),
        tuple(_change(row) for row in _rows(context, "change")),
        tuple(_blob(row) for row in _rows(context, "previous")),
        envelope,
    )


def write_context(stated: Stated) -> dict[str, int | str | bytes | bool | None]:
    """Write what `read_context` reads."""
    prevouts: list[Value] = []
    for one in stated.prevouts:
        row = [units_to_bytes(one.output.value), one.output.script, one.opener, one.public_key]
        prevouts.append(row[: 2 + bool(one.opener) + bool(one.public_key)])
    context: dict[str, int | str | bytes | bool | None] = {
        "height": stated.height,
        "prevouts": encode(prevouts),
    }
    if stated.change:
        change: list[Value] = [
            [one.index, one.public_key, *one.path] if one.public_key else [one.index] for one in stated.change
        ]
        context["change"] = encode(change)
    if stated.previous:
        context["previous"] = encode(list(stated.previous))
    return context | ({"envelope": stated.envelope} if stated.envelope else {})


def _rows(context: Context, name: str) -> list[Value]:
    if name not in context:
        return []
    blob = context[name]
    if type(blob) is not bytes:
        raise BitcoinContextRefused(f"the context's {name} are no bytes")
    try:
        rows = decode(blob, depth=2)
    except BadEncoding as refusal:
        raise BitcoinContextRefused(f"the context's {name}: {refusal}") from None
    if not isinstance(rows, list) or not rows:  # nothing at all is said by leaving it out
        raise BitcoinContextRefused(f"the context's {name} are no list, or an empty one")
    return rows


def _prevout(row: Value) -> Prevout:
    if not isinstance(row, list) or not 2 <= len(row) <= 4:
        raise BitcoinContextRefused(
            "a previous output has a value, a script, and at most two things that open it"
        )
    value, *rest = (_blob(item) for item in row)
    if not all(rest):
        raise BitcoinContextRefused("a previous output with an empty part")
    try:
        sats = units_from_bytes(value)
    except BadEncoding as refusal:
        raise BitcoinContextRefused(f"a previous output's value: {refusal}") from None
    if sats > MOST_SATS:
        raise BitcoinContextRefused(f"a previous output of {sats} satoshi")
    return Prevout(Output(sats, rest[0]), *rest[1:])


def _change(row: Value) -> Change:
    if not isinstance(row, list) or not row:
        raise BitcoinContextRefused("change is an output's index, a public key and its path")
    if len(row) == 1:
        return Change(_number(row[0]))
    return Change(_number(row[0]), _blob(row[1]), tuple(_number(item) for item in row[2:]))


def _blob(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise BitcoinContextRefused("the context has something else where bytes belong")
    return value


def _number(value: Value) -> int:
    if type(value) is not int or value >= 2**32:
        raise BitcoinContextRefused("the context has something else where a number of 32 bits belongs")
    return value
