"""The XRP Ledger behind the contract of `shared.chains.api`.

Accepted are payments of XRP, tickets, named account flags, the regular key and the signer list; nothing
else is signed. This module only gathers what its neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.chains.api import NO_ASSETS, Chain, Context, Curve, KeyPath, Network, Payload, Register, Signed
from shared.chains.xrpl import addresses, decode, effects, explain, networks, signing
from shared.chains.xrpl.model import Tx
from shared.effects import Destination, Effects
from shared.errors import MemoNotCarried, UnknownForm


class _Xrpl:
    """The chain as one object; see `shared.chains.api.Chain` for what each function promises."""

    name = "xrpl"

    def network(self, name: str) -> Network:
        """Give the network of a full name ("xrpl:mainnet"). Raises UnknownChain."""
        return networks.network(name)

    def parse_address(self, text: str, network: str) -> Destination:
        """Read an r-address or X-address. Raises BadAddress, WrongNetwork, UnknownChain."""
        return addresses.parse_address(text, network)

    def memo(self, raw: bytes) -> str:
        """Refuse every memo: payments here go to a tag. Raises MemoNotCarried."""
        raise MemoNotCarried("a payment on the XRP Ledger has a destination tag and no memo")

    def address(self, public_key: bytes, curve: Curve, network: str, form: str = "") -> str:
        """Give the r-address that a public key controls. Raises XrplKeyRefused, UnknownChain, UnknownForm."""
        _one_form(form)
        return addresses.address(public_key, curve, network)

    def key_path(self, network: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
        """Give the path of a wallet's key; the rule stands in `networks.key_path`. Raises UnknownForm."""
        _one_form(form)
        return networks.key_path(network, curve, account, index)

    def lean(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Leave nothing out: a height follows from no key."""
        return context

    def full(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Put nothing back."""
        return context

    def decode(self, unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> Tx:
        """Read an unsigned transaction that one key is to sign. Raises XrplRefusal."""
        return decode.decode(unsigned, context, keys, network)

    def effects(self, tx: Tx, register: Register = NO_ASSETS) -> Effects:
        """Say what the transaction does; the XRP Ledger's payments here are of XRP alone."""
        return effects.effects(tx)

    def payloads(self, tx: Tx) -> tuple[Payload, ...]:
        """Say what the one key is to sign."""
        return signing.payloads(tx)

    def assemble(self, tx: Tx, signatures: Sequence[bytes]) -> Signed:
        """Verify the raw signature and give the bytes to broadcast. Raises XrplBadSignature."""
        return signing.assemble(tx, signatures)

    def explain(self, raw: bytes, network: str) -> Mapping[str, Any]:
        """Explain a signed or unsigned transaction in fields that print. Raises XrplRefusal."""
        return explain.explain(raw, network)


def _one_form(form: str) -> None:
    if form:
        raise UnknownForm(f"addresses of the XRP Ledger have one form and not {form[:20]!r}")


XRPL: Chain = _Xrpl()
