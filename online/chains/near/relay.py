"""A relayer of our own: an online account that carries out signed delegate actions (NEP-366) and pays for it.

Its key moves nothing of a wallet: it signs the outer transaction alone, whose one action is what the cold key
signed. Whoever steals it can spend the relayer's own NEAR and delay a delegate action until its last height.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from nacl.signing import SigningKey

from online.chains.near.node import Node
from shared.chains.api import Signed
from shared.chains.near.accounts import parse_account
from shared.chains.near.codec import signature_bytes
from shared.chains.near.delegates import relayed
from shared.chains.near.keys import base58_text, key_text, parse_base58
from shared.errors import BadAddress, BadGatewaySettings, NearKeyRefused, NodeRefused

_PREFIX = "ed25519:"


@dataclass(frozen=True, slots=True)
class Relayer:
    """An account and its key, which nothing prints."""

    account: str
    key: SigningKey = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The key's public half, 32 bytes."""
        return bytes(self.key.verify_key)


def read_relayer(file: str) -> Relayer:
    """Read credentials as near-cli keeps them: JSON with account_id and private_key.

    Raises:
        BadGatewaySettings: for a file that is none; what stands in it is never shown.
    """
    try:
        values = json.loads(Path(file).read_text("utf-8"))
        account, secret = parse_account(values["account_id"]), str(values["private_key"])
        if not secret.startswith(_PREFIX):
            raise NearKeyRefused("no ed25519 key")
        return Relayer(account, SigningKey(_seed(secret.removeprefix(_PREFIX))))
    except (OSError, ValueError, KeyError, TypeError, BadAddress, NearKeyRefused):
        raise BadGatewaySettings("relayer_file holds no credentials: account_id and an ed25519 private_key") from None


def _seed(text: str) -> bytes:
    """Read a secret: the seed of 32 bytes, or seed and public key of 64."""
    try:
        return parse_base58(text, 64)[:32]
    except NearKeyRefused:
        return parse_base58(text, 32)


def wrap(node: Node, signed: bytes, relayer: Relayer) -> Signed:
    """Give the relayer's transaction around a signed delegate action, on the final block and its key's next nonce.

    Raises:
        NodeRefused: when the key is none of the relayer's account. NodeUnreachable: when the node does not answer.
    """
    block = node.final_block()
    nonce = node.newest_nonce(relayer.account, key_text(relayer.public_key))
    if not nonce:
        raise NodeRefused(f"{node.name}: the relayer's key is none of {relayer.account}")
    unsigned = relayed(signed, relayer.account, relayer.public_key, nonce + 1, parse_base58(block.hash, 32))
    digest = sha256(unsigned).digest()
    return Signed(unsigned + signature_bytes(relayer.key.sign(digest).signature), base58_text(digest))
