"""NEAR behind the contract of `shared.chains.api`.

Accepted are payments of NEAR, transfers of registered NEP-141 tokens, key ceremonies, and NEP-366 delegate actions for
tokens and rotation; nothing else is signed. This module only gathers what its neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.chains.api import NO_ASSETS, Chain, Context, Curve, KeyPath, Network, Payload, Register, Signed
from shared.chains.near import addresses, decode, effects, explain, networks, signing, tokens
from shared.chains.near.model import Tx
from shared.effects import Destination, Effects
from shared.errors import UnknownForm


class _Near:
    """The chain as one object; see `shared.chains.api.Chain` for what each function promises."""

    name = "near"

    def network(self, name: str) -> Network:
        """Give the network of a full name ("near:mainnet"). Raises UnknownChain."""
        return networks.network(name)

    def parse_address(self, text: str, network: str) -> Destination:
        """Read an account id. Raises BadAddress, WrongNetwork, UnknownChain."""
        return addresses.parse_address(text, network)

    def memo(self, raw: bytes) -> str:
        """Write a token transfer's memo: the text itself, which is printable ASCII. Raises NearMemoRefused."""
        return tokens.check_memo(raw.decode("ascii", "replace"))

    def address(self, public_key: bytes, curve: Curve, network: str, form: str = "") -> str:
        """Give the implicit account of a public key. Raises NearKeyRefused, UnknownChain, UnknownForm."""
        _one_form(form)
        return addresses.address(public_key, curve, network)

    def key_path(self, network: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
        """Give the path of a wallet's key; the rule stands in `networks.key_path`. Raises UnknownForm."""
        _one_form(form)
        return networks.key_path(network, curve, account, index)

    def lean(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Leave nothing out: heights follow from no key."""
        return context

    def full(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Put nothing back."""
        return context

    def decode(self, unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> Tx:
        """Read an unsigned transaction or delegate action. Raises NearRefusal, BadAddress, WrongNetwork."""
        return decode.decode(unsigned, context, keys, network)

    def effects(self, tx: Tx, register: Register = NO_ASSETS) -> Effects:
        """Say what the transaction does; `register` gives the decimals of tokens. Raises NearTokenUnknown."""
        return effects.effects(tx, register)

    def payloads(self, tx: Tx) -> tuple[Payload, ...]:
        """Say what the one key is to sign."""
        return signing.payloads(tx)

    def assemble(self, tx: Tx, signatures: Sequence[bytes]) -> Signed:
        """Verify the raw signature and give the bytes to broadcast. Raises NearBadSignature."""
        return signing.assemble(tx, signatures)

    def explain(self, raw: bytes, network: str) -> Mapping[str, Any]:
        """Explain a signed or unsigned transaction in fields that print. Raises NearRefusal."""
        return explain.explain(raw, network)


def _one_form(form: str) -> None:
    if form:
        raise UnknownForm(f"accounts of NEAR keys have one form and not {form[:20]!r}")


NEAR: Chain = _Near()
