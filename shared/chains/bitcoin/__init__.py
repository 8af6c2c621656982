"""Bitcoin behind the contract of `shared.chains.api`.

Accepted are transactions from P2WPKH, P2TR and P2WSH multisig wallets to addresses, and Counterparty messages on them;
nothing else is signed. This module only gathers what its neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.chains.api import NO_ASSETS, Chain, Context, Curve, KeyPath, Network, Payload, Register, Signed
from shared.chains.bitcoin import addresses, decode, effects, explain, lean, networks, signing
from shared.chains.bitcoin.counterparty import memos
from shared.chains.bitcoin.model import Tx
from shared.effects import Destination, Effects


class _Bitcoin:
    """The chain as one object; see `shared.chains.api.Chain` for what each function promises."""

    name = "bitcoin"

    def network(self, name: str) -> Network:
        """Give the network of a full name ("bitcoin:mainnet"). Raises UnknownChain."""
        return networks.network(name)

    def parse_address(self, text: str, network: str) -> Destination:
        """Read an address of the network. Raises BadAddress, WrongNetwork, UnknownChain."""
        return addresses.parse_address(text, network)

    def memo(self, raw: bytes) -> str:
        """Write a memo of a Counterparty message: text in quotes, or hex."""
        return memos.memo_text(raw)

    def address(self, public_key: bytes, curve: Curve, network: str, form: str = "") -> str:
        """Give the address that a public key controls. Raises BitcoinKeyRefused, UnknownChain."""
        return addresses.address(public_key, curve, network, form)

    def key_path(self, network: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
        """Give the path of a wallet's key; the rule stands in `networks.key_path`."""
        return networks.key_path(network, curve, account, index, form)

    def lean(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Leave out the scripts and keys of inputs that the wallet's own public keys open."""
        return lean.lean(context, keys, public_keys)

    def full(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Put back what `lean` left out."""
        return lean.full(context, keys, public_keys)

    def decode(self, unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> Tx:
        """Read an unsigned transaction, or a commit and its reveal. Raises BitcoinRefusal."""
        return decode.decode(unsigned, context, keys, network)

    def effects(self, tx: Tx, register: Register = NO_ASSETS) -> Effects:
        """Say what the transaction does; `register` gives the decimals of assets."""
        return effects.effects(tx, register)

    def payloads(self, tx: Tx) -> tuple[Payload, ...]:
        """Say what is to be signed: every input, then the reveal."""
        return signing.payloads(tx)

    def assemble(self, tx: Tx, signatures: Sequence[bytes]) -> Signed:
        """Verify the raw signatures and give the bytes to broadcast. Raises BitcoinBadSignature."""
        return signing.assemble(tx, signatures)

    def explain(self, raw: bytes, network: str) -> Mapping[str, Any]:
        """Explain a signed or unsigned transaction in fields that print. Raises BitcoinRefusal."""
        return explain.explain(raw, network)


BITCOIN: Chain = _Bitcoin()
