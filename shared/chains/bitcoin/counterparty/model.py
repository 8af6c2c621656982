"""What Counterparty messages say, as values. They hold names and addresses as people read them, of one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from shared.errors import CounterpartyNotUnderstood

_EXPONENT: Final = 0x7FF0


@dataclass(frozen=True, slots=True)
class Float64:
    """A finite binary number as its eight bytes (IEEE 754). Nothing here computes with it.

    Raises:
        CounterpartyNotUnderstood: for infinities and what is no number.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 8 or int.from_bytes(self.raw[:2], "big") & _EXPONENT == _EXPONENT:
            raise CounterpartyNotUnderstood("a value that is infinite or no number")


@dataclass(frozen=True, slots=True)
class EnhancedSend:
    """A quantity of an asset to an address; no memo is empty bytes, and the wire does not say text or hex."""

    asset: str
    quantity: int
    address: str
    memo: bytes = b""


@dataclass(frozen=True, slots=True)
class ClassicSend:
    """A quantity of an asset to the output that stands before the data; the address is that output's."""

    asset: str
    quantity: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class MpmaMemo:
    """A memo of an MPMA message, which says whether it was given as hex."""

    raw: bytes
    is_hex: bool = False


@dataclass(frozen=True, slots=True)
class MpmaSend:
    """One line of an MPMA message, with a memo of its own or none."""

    asset: str
    address: str
    quantity: int
    memo: MpmaMemo | None = None


@dataclass(frozen=True, slots=True)
class Mpma:
    """Many sends at once, all or nothing; the memo is that of the lines without one of their own."""

    sends: tuple[MpmaSend, ...]
    memo: MpmaMemo | None = None

    def memo_of(self, send: MpmaSend) -> bytes | None:
        """Give the memo that reaches a recipient."""
        memo = self.memo if send.memo is None else send.memo
        return None if memo is None else memo.raw


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A public statement; OPTIONS are such a statement too. Its value is never an amount of money."""

    timestamp: int
    value: int | Float64
    fee_fraction: int
    mime: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything of the source to an address: flag 1 balances, 2 ownerships, 4 says that the memo was hex."""

    address: str
    flags: int
    memo: bytes = b""


@dataclass(frozen=True, slots=True)
class Other:
    """A message of a kind that is recognised in history and never signed."""

    type_id: int
    name: str
    body: bytes


Message: TypeAlias = EnhancedSend | ClassicSend | Mpma | Broadcast | Sweep
