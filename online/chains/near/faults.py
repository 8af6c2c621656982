"""What a node's no says about a transaction: never with these bytes, later, or ask by its hash.

A verdict ends a try and decides nothing else: `send_tx` may have passed the bytes on before it refused them. What
is not known here is "ask", never "never". (nearcore core/primitives/src/errors.rs, InvalidTxError and
ActionErrorKind; facts page, section 5.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from online.chains.near.client import RpcFault

Fate = Literal["never", "later", "ask"]

_NEVER = frozenset({
    "AccessKeyNotFound", "ActionsValidation", "CostOverflow", "InvalidAccessKeyError", "InvalidChain",
    "InvalidReceiverId", "InvalidSignature", "InvalidSignerId", "InvalidTransactionVersion",
    "LackBalanceForState", "NonceTooLarge", "NotEnoughBalance", "PARSE_ERROR", "SignerDoesNotExist",
    "TransactionSizeExceeded",
})  # fmt: skip
_LATER = frozenset({
    "DOES_NOT_TRACK_SHARD", "INTERNAL_ERROR", "NOT_SYNCED", "NOT_SYNCED_YET", "NO_SYNCED_BLOCKS", "REQUEST_ROUTED",
    "ShardCongested", "ShardStuck", "UNAVAILABLE_SHARD",
})  # fmt: skip
_INSIDE = ("InvalidAccessKeyError",)
_KINDS_DEEP = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed outcome: the name of its kind ("AccountDoesNotExist"), and what the node says of it in one line."""

    name: str
    words: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words}" if self.words else self.name


def fate_of(fault: RpcFault) -> Fate:
    """Say what a fault of `send_tx` means for the transaction."""
    return fate(invalid_tx(fault) if fault.cause == "INVALID_TRANSACTION" else fault.cause)


def fate(name: str) -> Fate:
    """Say what an error's name means for the transaction; InvalidNonce and Expired may be this very one's doing."""
    if name in _NEVER:
        return "never"
    return "later" if name in _LATER else "ask"


def invalid_tx(fault: RpcFault) -> str:
    """Name the InvalidTxError behind INVALID_TRANSACTION, which stands in the legacy `data` or in the cause's info."""
    for place in (fault.data, fault.info):
        value: Any = place
        for name in ("TxExecutionError", "InvalidTxError"):
            if isinstance(value, Mapping) and name in value:
                value = value[name]
        if value and value is not place:
            return invalid_tx_name(value)
    return "INVALID_TRANSACTION"


def invalid_tx_name(error: Any) -> str:
    """Name an InvalidTxError: a text, or an object with one field, which for access keys has another inside."""
    name, inside = _kind(error)
    if name in _INSIDE and inside:
        return _kind(inside)[0]
    return name


def failure_of(error: Any) -> Failure:
    """Read the Failure of an outcome: an ActionError with its kind, an InvalidTxError, or one not known here."""
    name, inside = _kind(error)
    if name == "ActionError" and isinstance(inside, Mapping):
        name, inside = _kind(inside.get("kind"))
    elif name == "InvalidTxError":
        name, inside = invalid_tx_name(inside), ""
    return Failure(name, _words(inside))


def _kind(value: Any) -> tuple[str, Any]:
    """Give the one name of an enum as JSON has it, and what stands inside."""
    if isinstance(value, str):
        return _line(value), None
    if isinstance(value, Mapping) and len(value) == 1:
        name, inside = next(iter(value.items()))
        return _line(name), inside
    return "Unknown", value


def _words(value: Any) -> str:
    for _ in range(_KINDS_DEEP):
        if not isinstance(value, Mapping) or len(value) != 1:
            break
        value = next(iter(value.values()))
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} {inside}" for name, inside in value.items())
    return _line("" if value is None else value)


def _line(words: object) -> str:
    return "".join(letter for letter in str(words) if letter.isprintable())[:200]
