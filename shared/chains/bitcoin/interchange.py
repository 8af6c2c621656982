"""PSBT behind the contract of `shared.chains.api.Interchange`: what wallets of other makers exchange on Bitcoin.

A PSBT names no network and no height. The network is that of our keys in it; the height is what a person states, and
without one a message whose meaning depends on the height is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.chains.api import Descriptor, Foreign, KeyPath, OwnKeys, Watchable
from shared.chains.bitcoin import descriptors
from shared.chains.bitcoin.model import Tx
from shared.chains.bitcoin.networks import form_of
from shared.chains.bitcoin.psbt import MAGIC, Psbt, read_psbt, write_psbt
from shared.chains.bitcoin.psbt_answers import signatures_in
from shared.chains.bitcoin.psbt_ours import (
    explicit,
    keys_named,
    ours_from_psbt,
    unsigned_psbt,
    with_signatures,
)
from shared.chains.bitcoin.script import Form, form_of_script
from shared.chains.bitcoin.transactions import write
from shared.errors import BitcoinPsbtRefused, ForeignHeightMissing, WrongNetwork
from shared.hdkeys import PublicNode

_LAST_HEIGHT: Final = 499_999_999
"""The greatest lock time that is a height (BIP65's rule for nLockTime)."""


class _Psbts:
    """The format as one object; see `shared.chains.api.Interchange` for what each function promises."""

    ledger = "bitcoin"
    magic = MAGIC

    def read(self, raw: bytes, mine: OwnKeys, height: int | None) -> Foreign:
        """Turn a PSBT into our form.

        Raises:
            BitcoinPsbtRefused: if it is none, is signed, does not say what it spends, or names no key of ours.
            BitcoinSighash: for another signature type than ALL and DEFAULT.
            WrongNetwork: if it names keys of two networks.
            ForeignHeightMissing: if it carries data and nobody states a height.
        """
        psbt = read_psbt(raw)
        network = _network_of(psbt, mine)
        keys = {key: path for key, (place, path) in mine.items() if place == network}
        ours = ours_from_psbt(psbt, keys, _height(psbt) if height is None else height)
        return Foreign(network, ours.unsigned, ours.context, ours.keys)

    def answer(self, raw: bytes, tx: Tx, signatures: Sequence[bytes]) -> bytes:
        """Put our signatures into the PSBT, in its own version. Raises BitcoinPsbtRefused, BitcoinBadSignature."""
        return write_psbt(with_signatures(read_psbt(raw), tx, signatures))

    def descriptor(
        self, network: str, form: str, fingerprint: bytes, path: KeyPath, account: PublicNode
    ) -> Descriptor:
        """Describe a wallet as BIP380 says. Raises UnknownChain, BitcoinKeyRefused."""
        return descriptors.describe(network, form_of(form), fingerprint, path, account)

    def watchable(self, descriptor: str, network: str) -> Watchable:
        """Read a descriptor. Raises ForeignDescriptor, UnknownChain."""
        return descriptors.parse(descriptor, network)

    def ask(self, tx: Tx, fingerprint: bytes, public_keys: Sequence[bytes]) -> bytes:
        """Write a PSBT of version 0 with the values, keys and paths of all that is ours. Raises BitcoinPsbtRefused."""
        return write_psbt(unsigned_psbt(explicit(tx, public_keys), fingerprint))

    def asked(self, raw: bytes) -> bytes:
        """Give the unsigned transaction of a PSBT. Raises BitcoinPsbtRefused."""
        return write(read_psbt(raw).transaction, witness=False)

    def signatures(self, raw: bytes, tx: Tx) -> tuple[bytes, ...]:
        """Take the signatures out of a PSBT. Raises BitcoinPsbtRefused, BitcoinSighash, BitcoinBadSignature."""
        return signatures_in(read_psbt(raw), tx)


def _network_of(psbt: Psbt, mine: OwnKeys) -> str:
    networks = sorted({mine[key][0] for key in keys_named(psbt) if key in mine})
    if not networks:
        raise BitcoinPsbtRefused("no input names a key that this signer has issued")
    if len(networks) > 1:
        raise WrongNetwork(f"the PSBT names keys of {' and '.join(networks)}")
    return networks[0]


def _height(psbt: Psbt) -> int:
    """Give the lock time as the height where nobody states one: data needs a real one, and all else none."""
    for output in psbt.transaction.outputs:
        if form_of_script(output.script) in (Form.OP_RETURN, Form.BARE_MULTISIG):
            raise ForeignHeightMissing("what the PSBT's data means depends on the height, and nobody states one")
    return min(max(1, psbt.transaction.lock_time), _LAST_HEIGHT)


PSBTS: Final = _Psbts()
