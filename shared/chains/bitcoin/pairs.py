"""Commit and reveal: a message in a taproot leaf, paid to by one transaction and shown by the next.

Everything is derived again from the leaf: its key must be the source's, the commit must pay to it, the reveal must
spend that and nothing else. A script that was only handed over is never signed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from shared.chains.api import KeyPath
from shared.chains.bitcoin.model import Change, Reveal, Spend, Way
from shared.chains.bitcoin.taproot import control_block, leaf_hash, output_key
from shared.chains.bitcoin.transactions import Output, Transaction
from shared.errors import BitcoinPairRefused

MARK: Final = Output(0, b"\x6a\x08CNTRPRTY")
"""The reveal's first output, by which a reader knows it."""


def check_commit(commit: Transaction, change: Sequence[Change]) -> None:
    """Check that a commit pays to the envelope first, and to ourselves otherwise.

    Raises:
        BitcoinPairRefused: for any other output.
    """
    if {one.index for one in change} != set(range(1, len(commit.outputs))):
        raise BitcoinPairRefused("a commit pays to its envelope first, and all else is change")


def reveal_of(
    commit: Transaction,
    reveal: Transaction,
    envelope: tuple[bytes, bytes],
    source: Spend,
    path: KeyPath,
    ours: Collection[bytes],
) -> Reveal:
    """Derive how a reveal is signed; the envelope is the key that closes it, and the whole leaf.

    Raises:
        BitcoinPairRefused: where commit, reveal, leaf and source do not belong together.
        BitcoinKeyRefused: for a key that is no point.
    """
    key, leaf = envelope
    tweaked = _signs_tweaked(key, source)
    root = leaf_hash(leaf)
    if output_key(key, root).script != commit.outputs[0].script:
        raise BitcoinPairRefused("the commit does not pay to the envelope")
    (spent,) = reveal.inputs if len(reveal.inputs) == 1 else (None,)
    if spent is None or spent.name != f"{commit.txid}:0":
        raise BitcoinPairRefused("the reveal does not spend the commit's first output alone")
    if reveal.outputs[0] != MARK or any(output.script not in ours for output in reveal.outputs[1:]):
        raise BitcoinPairRefused("the reveal has an output besides its mark that is not ours")
    if len(reveal.outputs) > 2 or path != source.path:
        raise BitcoinPairRefused("the reveal has too many outputs, or another key signs it than its source's")
    spend = Spend(commit.outputs[0], Way.LEAF, path, key, leaf, tweaked)
    return Reveal(reveal, spend, control_block(key, root))


def _signs_tweaked(key: bytes, source: Spend) -> bool:
    """Tell whether the leaf's key is the source's output key, and not the key of its path."""
    match source.way:
        case Way.KEY_HASH if key == source.public_key[1:]:
            return False
        case Way.TAPROOT_KEY if key == source.public_key:
            return True
        case Way.TAPROOT_KEY if output_key(key).x_only == source.public_key:
            return False
        case Way.MULTISIG:
            raise BitcoinPairRefused("a wallet of several keys cannot sign an envelope")
        case _:
            raise BitcoinPairRefused("the envelope is not closed by the key of the first input")
