"""Addresses and the output scripts they stand for: P2PKH, P2SH, P2WPKH, P2WSH, P2TR. Nothing is ever repaired.

Whoever reads an address says of which network it must be; one of another network is refused as such.
"""

from __future__ import annotations

from functools import lru_cache

from shared.chains.api import Curve
from shared.chains.bitcoin.bech32 import decode_segwit, encode_segwit
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.networks import BASE58, all_prefixes, form_of, network, prefixes
from shared.chains.bitcoin.script import Form, form_and_program, p2pkh, p2sh, segwit
from shared.chains.bitcoin.taproot import bip86_script, point_of
from shared.effects import Destination
from shared.errors import BadAddress, BitcoinKeyRefused, BitcoinScriptRefused, WrongNetwork


@lru_cache(maxsize=8192)
def script_of(address: str, network_name: str) -> bytes:
    """Give the output script that an address stands for.

    Raises:
        BadAddress: for a text that is no address, and for witness versions and programs without a known meaning.
        WrongNetwork: for an address of another network.
        UnknownChain: for a name that is no network.
    """
    prefixes(network_name)
    read = decode_segwit(address)
    if read is None:
        return _base58_script(address, network_name)
    words, version, program = read
    if words not in {known.words for known in all_prefixes()}:
        raise BadAddress(f"no Bitcoin address: {address[:90]!r}")
    if words != prefixes(network_name).words:
        raise WrongNetwork(f"{address} is not an address of {network_name}")
    script = segwit(version, program)
    if form_and_program(script)[0] is Form.OTHER:
        raise BadAddress(f"an address of an unknown witness version or length: {address[:90]!r}")
    return script


@lru_cache(maxsize=8192)
def address_of(script: bytes, network_name: str) -> str:
    """Give the address of an output script.

    Raises:
        BitcoinScriptRefused: for a script of another form.
        UnknownChain: for a name that is no network.
    """
    known = prefixes(network_name)
    form, program = form_and_program(script)
    match form:
        case Form.P2PKH:
            return BASE58.encode_check(bytes([known.key_hash]) + program)
        case Form.P2SH:
            return BASE58.encode_check(bytes([known.script_hash]) + program)
        case Form.P2WPKH | Form.P2WSH:
            return encode_segwit(known.words, 0, program)
        case Form.P2TR:
            return encode_segwit(known.words, 1, program)
        case _:
            raise BitcoinScriptRefused(f"an output script without an address: {script[:40].hex()}")


def parse_address(text: str, network_name: str) -> Destination:
    """Read an address as people give it; capital letters of a segwit address become small.

    Raises:
        BadAddress, WrongNetwork, UnknownChain: as `script_of` says.
    """
    return Destination(address_of(script_of(text, network_name), network_name))


def address(public_key: bytes, curve: Curve, network_name: str, form: str = "") -> str:
    """Give the address of a public key of 33 bytes: P2WPKH by default, or P2TR without scripts (BIP86).

    Raises:
        BitcoinKeyRefused: for bytes that are no compressed point, another curve or another form.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    return address_of(key_script(public_key, curve, form_of(form)), network_name)


@lru_cache(maxsize=8192)
def key_script(public_key: bytes, curve: Curve, form: str) -> bytes:
    """Give the output script of a public key in one of the forms of `networks.FORMS`.

    Raises:
        BitcoinKeyRefused: for bytes that are no compressed point, and for another curve.
    """
    if curve != "secp256k1":
        raise BitcoinKeyRefused(f"Bitcoin has no keys on {curve}")
    point_of(public_key)
    return bip86_script(public_key[1:]) if form == "p2tr" else segwit(0, hash160(public_key))


def _base58_script(address: str, network_name: str) -> bytes:
    payload = BASE58.decode_check(address)
    if payload is None or len(payload) != 21:
        raise BadAddress(f"no Bitcoin address: {address[:90]!r}")
    known = prefixes(network_name)
    if payload[0] == known.key_hash:
        return p2pkh(payload[1:])
    if payload[0] == known.script_hash:
        return p2sh(payload[1:])
    if any(payload[0] in (other.key_hash, other.script_hash) for other in all_prefixes()):
        raise WrongNetwork(f"{address} is not an address of {network_name}")
    raise BadAddress(f"no Bitcoin address: {address[:90]!r}")
