"""Builds real blocks for regtest: coinbase with its height (BIP34), witness commitment (BIP141), proof of work.

It takes what it is given; whether the block is good is told by the kernel that gets it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Final

from online.devnet.bitcoin.scripts import pushed
from online.devnet.bitcoin.wire import NOTHING, Block, Tx, TxIn, TxOut, hash256, merkle_root

BITS: Final = 0x207FFFFF
HALVING: Final = 150
MOST_WEIGHT: Final = 3_990_000
_VERSION: Final = 0x20000000
_TARGET: Final = 0x7FFFFF << 232
_RESERVED: Final = bytes(32)


def subsidy_sats(height: int) -> int:
    """Give the new money of a block."""
    return (50 * 100_000_000) >> (height // HALVING)


def build_block(previous: str, height: int, seconds: int, txs: Sequence[Tx], reward: TxOut,
                extra: int) -> Block:
    """Build a block with valid work; `extra` makes two blocks of one height differ."""
    wtxids = ["00" * 32, *(tx.wtxid for tx in txs)]
    commitment = b"\x6a\x24\xaa\x21\xa9\xed" + hash256(merkle_root(wtxids) + _RESERVED)
    start = _height_push(height) + pushed(extra.to_bytes(8, "little"))
    coinbase = Tx(2, (TxIn(NOTHING, start, 0xFFFFFFFF, (_RESERVED,)),), (reward, TxOut(0, commitment)))
    full = (coinbase, *txs)
    root = merkle_root([tx.txid for tx in full])[::-1].hex()
    block = Block(_VERSION, previous, root, seconds, BITS, 0, full)
    for nonce in itertools.count():
        worked = dataclasses.replace(block, nonce=nonce)
        if int(worked.hash, 16) <= _TARGET:
            return worked
    raise AssertionError("no nonce")


def _height_push(height: int) -> bytes:
    # BIP34 is checked against the script's own way to write a number: 1 to 16 have opcodes.
    if height <= 16:
        return bytes([0x50 + height])
    # One more bit than the number needs: the top bit is the sign.
    return pushed(height.to_bytes(height.bit_length() // 8 + 1, "little"))
