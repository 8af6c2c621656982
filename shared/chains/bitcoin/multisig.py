"""P2WSH wallets of several keys: the witness script with ascending keys (BIP67), its address, its witness.

Exactly as many signatures as the script asks go into a witness. Combining the answers of several signers is
`signing.assemble_multi`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared.chains.bitcoin.script import OP_1, OP_CHECKMULTISIG, bare_multisig, segwit
from shared.chains.bitcoin.taproot import point_of
from shared.errors import BitcoinMultisigRefused

MOST_KEYS = 15


@dataclass(frozen=True, slots=True)
class Multisig:
    """A quorum and the keys of which so many sign, in ascending order."""

    quorum: int
    keys: tuple[bytes, ...]

    @property
    def witness_script(self) -> bytes:
        """Give the script whose hash the output holds."""
        pushes = b"".join(b"\x21" + key for key in self.keys)
        return bytes([OP_1 + self.quorum - 1]) + pushes + bytes([OP_1 + len(self.keys) - 1, OP_CHECKMULTISIG])

    @property
    def output_script(self) -> bytes:
        """Give the P2WSH script that the wallet's address stands for."""
        return segwit(0, sha256(self.witness_script).digest())


def multisig(quorum: int, keys: Sequence[bytes]) -> Multisig:
    """Make a multisig of public keys in any order; they are sorted here.

    Raises:
        BitcoinMultisigRefused: for a quorum that cannot be, equal keys, or more than 15.
        BitcoinKeyRefused: for bytes that are no compressed point.
    """
    ordered = tuple(sorted(keys))
    if not 1 <= quorum <= len(ordered) <= MOST_KEYS or len(set(ordered)) != len(ordered):
        raise BitcoinMultisigRefused(f"no multisig: {quorum} of {len(ordered)} keys, or equal keys")
    for key in ordered:
        point_of(key)
    return Multisig(quorum, ordered)


def read_multisig(witness_script: bytes) -> Multisig:
    """Read a witness script.

    Raises:
        BitcoinMultisigRefused: for every other script, and for keys that do not ascend.
        BitcoinKeyRefused: for bytes that are no compressed point.
    """
    read = bare_multisig(witness_script)
    if read is None:
        raise BitcoinMultisigRefused("the witness script is no multisig of compressed keys")
    found = multisig(*read)
    if found.keys != read[1]:
        raise BitcoinMultisigRefused("the keys of the witness script do not ascend")
    return found


def witness(of: Multisig, signatures: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    """Give the witness from DER signatures with their type, by public key.

    Raises:
        BitcoinMultisigRefused: for a stranger's signature, and for another number than the quorum.
    """
    if not set(signatures) <= set(of.keys) or len(signatures) != of.quorum:
        raise BitcoinMultisigRefused(f"{len(signatures)} signatures, or a stranger's; {of.quorum} are needed")
    # OP_CHECKMULTISIG takes one item too many, which must be empty (BIP147), and signatures in the keys' order.
    return (b"", *(signatures[key] for key in of.keys if key in signatures), of.witness_script)
