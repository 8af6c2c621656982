"""Addresses: r-addresses, X-addresses with their tags, the address of a key. Nothing is ever repaired."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import coincurve

from shared.chains.api import Curve
from shared.chains.xrpl.networks import BASE58, network
from shared.effects import Destination
from shared.errors import BadAddress, NoRipemd160, WrongNetwork, XrplKeyRefused

ED25519_PREFIX = b"\xed"
_ACCOUNT_PREFIX = b"\0"
_PACKED = {"main": b"\x05\x44", "test": b"\x04\x93"}
_MOST_TAG = 2**32 - 1


@lru_cache(maxsize=8192)
def encode_address(account: bytes) -> str:
    """Write an account's 20 bytes as an r-address."""
    return BASE58.encode_check(_ACCOUNT_PREFIX + account)


@lru_cache(maxsize=8192)
def decode_address(text: str) -> bytes:
    """Read an r-address.

    Raises:
        BadAddress: for every other text, X-addresses and the account of zeros included.
    """
    payload = BASE58.decode_check(text)
    if payload is None or len(payload) != 21 or payload[:1] != _ACCOUNT_PREFIX or not any(payload):
        raise BadAddress(f"no XRPL address: {text[:60]!r}")
    return payload[1:]


def parse_address(text: str, network_name: str) -> Destination:
    """Read an r-address, or an X-address together with the tag inside it.

    Raises:
        BadAddress: for every other text.
        WrongNetwork: for an X-address of the other class of networks.
        UnknownChain: for a name that is no network.
    """
    wanted = network(network_name).network_class
    if not text.startswith(("X", "T")):
        return Destination(encode_address(decode_address(text)))
    payload = BASE58.decode_check(text)
    if payload is None or len(payload) != 31 or payload[:2] not in _PACKED.values():
        raise BadAddress(f"no XRPL address: {text[:60]!r}")
    if payload[:2] != _PACKED[wanted]:
        raise WrongNetwork(f"{text} is not an address of {network_name}")
    return Destination(encode_address(_nonzero(payload[2:22], text)), _packed_tag(payload[22:], text))


def parse_tagged(text: str, tag: int | None, network_name: str) -> Destination:
    """Read an address that stands beside a tag of its own.

    Raises:
        BadAddress: for an X-address with a tag inside beside another tag, even an equal one; for a tag beyond
            32 bits; and as `parse_address` says.
    """
    found = parse_address(text, network_name)
    if tag is None:
        return found
    if found.tag is not None or not 0 <= tag <= _MOST_TAG:
        raise BadAddress(f"the tag {tag} is beyond 32 bits, or the address {text} has one inside")
    return Destination(found.address, tag)


def pack_address(destination: Destination, network_name: str) -> str:
    """Write an r-address and its tag as one X-address.

    Raises:
        BadAddress: for a text that is no r-address, or a tag beyond 32 bits.
    """
    tag = destination.tag
    if tag is not None and not 0 <= tag <= _MOST_TAG:
        raise BadAddress(f"no destination tag: {tag}")
    prefix = _PACKED[network(network_name).network_class]
    flag = b"\0" if tag is None else b"\1"
    return BASE58.encode_check(
        prefix + decode_address(destination.address) + flag + (tag or 0).to_bytes(8, "little")
    )


def address(public_key: bytes, curve: Curve, network_name: str) -> str:
    """Give the address that a public key controls: 33 bytes for secp256k1, 32 for ed25519.

    Raises:
        XrplKeyRefused: for bytes that are no public key of the curve.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    return encode_address(account_of(key_field(public_key, curve)))


@lru_cache(maxsize=1024)
def key_field(public_key: bytes, curve: Curve) -> bytes:
    """Give the 33 bytes that stand for a public key in a transaction.

    Raises:
        XrplKeyRefused: for bytes that are no public key of the curve.
    """
    if curve == "ed25519":
        if len(public_key) != 32:
            raise XrplKeyRefused("an ed25519 public key has 32 bytes")
        return ED25519_PREFIX + public_key
    try:
        point = coincurve.PublicKey(public_key).format()
    except ValueError:
        raise XrplKeyRefused("the bytes are no point of secp256k1") from None
    if point != public_key:
        raise XrplKeyRefused("a secp256k1 public key is compressed to 33 bytes")
    return public_key


@lru_cache(maxsize=1024)
def account_of(field: bytes) -> bytes:
    """Give the account of the 33 bytes of a public key: RIPEMD-160 of SHA-256.

    Raises:
        NoRipemd160: where the system's OpenSSL lacks the hash.
    """
    try:
        digest = hashlib.new("ripemd160")
    except ValueError:
        raise NoRipemd160("this Python cannot compute RIPEMD-160") from None
    digest.update(hashlib.sha256(field).digest())
    return digest.digest()


def _packed_tag(rest: bytes, text: str) -> int | None:
    # X-address: a flag, the tag as 32 bits little endian, four zero bytes; without a tag its bits are zero.
    flag, tag, reserved = rest[0], int.from_bytes(rest[1:5], "little"), rest[5:]
    if flag > 1 or any(reserved) or (flag == 0 and tag):
        raise BadAddress(f"no XRPL address: {text[:60]!r}")
    return tag if flag else None


def _nonzero(account: bytes, text: str) -> bytes:
    if not any(account):
        raise BadAddress(f"no XRPL address: {text[:60]!r}")
    return account
