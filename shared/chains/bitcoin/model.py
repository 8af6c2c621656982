"""What a Bitcoin transaction to be signed is, as frozen values. `rules` checks them; nothing here does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.chains.api import KeyPath
from shared.chains.bitcoin.layer import Layer
from shared.chains.bitcoin.transactions import Output, Transaction


class Way(Enum):
    """How an input is opened."""

    KEY_HASH = "P2WPKH"
    TAPROOT_KEY = "P2TR key path"
    MULTISIG = "P2WSH multisig"
    LEAF = "P2TR script path"


@dataclass(frozen=True, slots=True)
class Spend:
    """One signature to make: the output it opens, by which key, in which way.

    `public_key` has 33 bytes, or 32 where the signature is Schnorr's. `opener` is the witness script of a multisig,
    the leaf, or the internal key of a taproot output where it is known. `tweaked` says that the signing secret is
    the path's one, tweaked without scripts (BIP86).
    """

    output: Output
    way: Way
    path: KeyPath
    public_key: bytes
    opener: bytes = b""
    tweaked: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """An output proven ours: by a key of the signer's, or (without one) since an input has the same script."""

    index: int
    public_key: bytes = b""
    path: KeyPath = ()


@dataclass(frozen=True, slots=True)
class Reveal:
    """The second transaction of a pair, which spends the first's output 0 by the script of its one leaf."""

    transaction: Transaction
    spend: Spend
    control_block: bytes


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction, or a pair of them, with what the coordinator stated beside it and what its data says."""

    network: str
    transaction: Transaction
    spends: tuple[Spend, ...]
    height: int
    change: tuple[Change, ...] = ()
    layer: Layer | None = None
    reveal: Reveal | None = None

    @property
    def fee(self) -> int:
        """Give what goes to miners, in satoshi; of both transactions of a pair."""
        fee = sum(spend.output.value for spend in self.spends) - paid(self.transaction)
        if self.reveal is None:
            return fee
        return fee + self.reveal.spend.output.value - paid(self.reveal.transaction)


def paid(transaction: Transaction) -> int:
    """Give the sum of a transaction's outputs."""
    return sum(output.value for output in transaction.outputs)
