"""Unsigned bytes and their context to a `Tx`, and back to bytes. The only door to signing.

Unsigned bytes are the borsh of a transaction or of a delegate action; which of the two, the bytes alone say. The
context states heights, and never what a transaction means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.chains.api import Context, KeyPath
from shared.chains.near import codec, delegates
from shared.chains.near.borsh import Reader
from shared.chains.near.model import Delegate, Transaction, Tx
from shared.chains.near.networks import network
from shared.chains.near.rules import check_nonce, understand
from shared.errors import (
    NearAlreadySigned,
    NearContextRefused,
    NearExpired,
    NearKeyRefused,
    NearMalformed,
)

MOST_HEIGHT: Final = 2**48
MOST_VALIDITY: Final = 2**32

_SIGNATURE_SIZE: Final = 65  # a kind and an ed25519 signature


def decode(unsigned: bytes, context: Context, keys: Sequence[KeyPath], network_name: str) -> Tx:
    """Read an unsigned transaction or delegate action that one key is to sign.

    The context of a transaction holds "height" (of the block whose hash stands in the bytes) and "validity" (the
    protocol's transaction_validity_period, in heights); that of a delegate action "height" alone, of a final block.

    Raises:
        NearRefusal, BadAddress, WrongNetwork: for what is not fully understood (see `codec`, `delegates`, `rules`).
        NearContextRefused: for a context with other names or values. NearKeyRefused: for other than one key path.
        NearExpired: for a delegate action whose last block is not above the height.
    """
    network(network_name)
    if len(keys) != 1:
        raise NearKeyRefused(f"one key signs, not {len(keys)}")
    inner = read_unsigned(unsigned)
    height, last_height = _heights(inner, context)
    check_nonce(inner.nonce, last_height)
    return Tx(network_name, inner, understand(inner, network_name), unsigned, height, last_height, keys[0])


def read_unsigned(unsigned: bytes) -> Transaction | Delegate:
    """Read unsigned bytes as the one thing that they can be.

    Raises:
        NearAlreadySigned: for a transaction with a signature behind it. NearRefusal, BadAddress: as `codec` says.
    """
    inner = take_unsigned(reader := Reader(unsigned), unsigned)
    if len(reader.left) == _SIGNATURE_SIZE and reader.left[0] == 0:
        raise NearAlreadySigned("a signature stands behind the transaction")
    reader.close()
    if encode(inner) != unsigned:
        raise NearMalformed("encoding the transaction again gives other bytes")
    return inner


def take_unsigned(reader: Reader, blob: bytes) -> Transaction | Delegate:
    """Read a transaction or delegate action from the front of a reader of these bytes. Raises as `codec` says."""
    take = delegates.take_delegate if delegates.is_delegate(blob) else codec.take_transaction
    return take(reader, blob)


def encode(inner: Transaction | Delegate) -> bytes:
    """Write unsigned bytes."""
    return delegates.encode_delegate(inner) if isinstance(inner, Delegate) else codec.encode_transaction(inner)


def _heights(inner: Transaction | Delegate, context: Context) -> tuple[int, int]:
    names = {"height"} if isinstance(inner, Delegate) else {"height", "validity"}
    if set(context) != names:
        raise NearContextRefused(f"the context must hold {' and '.join(sorted(names))} and nothing else")
    height = _whole(context["height"], MOST_HEIGHT, "height")
    if not isinstance(inner, Delegate):
        return height, height + _whole(context["validity"], MOST_VALIDITY, "validity")
    if inner.max_block_height <= height:
        raise NearExpired(f"last block {inner.max_block_height}, stated height {height}")
    return height, inner.max_block_height


def _whole(value: object, most: int, name: str) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise NearContextRefused(f"the context's {name} is no whole number from 1 to {most}")
    return value
