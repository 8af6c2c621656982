"""Extended keys as text (BIP32 serialisation in base58check): xpub and xprv, tpub and tprv.

Strict both ways: whatever is read is written again as the same text.
"""

from __future__ import annotations

from typing import Final

from coincurve import PublicKey

from shared.base58 import BITCOIN_ALPHABET, Base58
from shared.chains.api import NetworkClass
from shared.errors import BadKey
from shared.hdkeys import Node, PublicNode, node_from_parts

_BASE58: Final = Base58(BITCOIN_ALPHABET, 111)  # 82 bytes that begin with one of the four versions fill 111 letters
_PRIVATE: Final[dict[NetworkClass, bytes]] = {"main": b"\x04\x88\xad\xe4", "test": b"\x04\x35\x83\x94"}
_PUBLIC: Final[dict[NetworkClass, bytes]] = {"main": b"\x04\x88\xb2\x1e", "test": b"\x04\x35\x87\xcf"}


def print_xpub(node: PublicNode, network_class: NetworkClass) -> str:
    """Write an extended public key."""
    return _armour(_PUBLIC[network_class] + _place(node) + node.public_key)


def print_xprv(node: Node, network_class: NetworkClass) -> str:
    """Write an extended private key: a secret.

    Raises:
        BadKey: on ed25519, which has no such text.
    """
    if node.curve != "secp256k1":
        raise BadKey("an extended key is of secp256k1")
    return _armour(_PRIVATE[network_class] + _place(node) + b"\0" + node.private_key)


def parse_xpub(text: str, network_class: NetworkClass) -> PublicNode:
    """Read an extended public key of a network class.

    Raises:
        BadKey: for anything else.
    """
    depth, parent, number, chain_code, key = _parts(_unarmour(text), _PUBLIC[network_class])
    try:
        if key[0] not in (2, 3):
            raise ValueError("not a compressed point")
        PublicKey(key)
    except ValueError:
        raise BadKey("the extended key holds no public key") from None
    return PublicNode(key, chain_code, depth, parent, number)


def parse_xprv(text: str, network_class: NetworkClass) -> Node:
    """Read an extended private key of a network class.

    Raises:
        BadKey: for anything else.
    """
    depth, parent, number, chain_code, key = _parts(_unarmour(text), _PRIVATE[network_class])
    if key[0] != 0:
        raise BadKey("the extended key holds no private key")
    return node_from_parts(key[1:], chain_code, depth, parent, number)


def _place(node: Node | PublicNode) -> bytes:
    return bytes([node.depth]) + node.parent + node.number.to_bytes(4, "big") + node.chain_code


def _parts(raw: bytes, version: bytes) -> tuple[int, bytes, int, bytes, bytes]:
    if raw[:4] != version:
        raise BadKey("the extended key is of another kind or network")
    depth, parent, number = raw[4], raw[5:9], int.from_bytes(raw[9:13], "big")
    if depth == 0 and (any(parent) or number):
        raise BadKey("the extended key says that it is a root and has a parent")
    return depth, parent, number, raw[13:45], raw[45:78]


def _armour(raw: bytes) -> str:
    return _BASE58.encode_check(raw)


def _unarmour(text: str) -> bytes:
    raw = _BASE58.decode_check(text)
    if raw is None or len(raw) != 78:
        raise BadKey("this is no extended key, or its checksum is wrong")
    return raw
