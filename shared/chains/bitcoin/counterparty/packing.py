"""Addresses inside messages: the tagged form, and the 21 bytes of before block 902,000 (971,700 in MPMA tables)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from shared.chains.bitcoin.addresses import address_of, script_of
from shared.chains.bitcoin.networks import prefixes
from shared.chains.bitcoin.script import Form, form_and_program, p2pkh, p2sh, segwit
from shared.errors import CounterpartyAddressRefused

LEGACY_SIZE: Final = 21
_LEGACY_WITNESS: Final = 0x80  # + version; of the versions only 0 ever had programs of 20 bytes


@lru_cache(maxsize=8192)
def pack(address: str, network: str) -> bytes:
    """Write an address in its tagged form.

    Raises:
        BadAddress, WrongNetwork: for a text that is no address of the network.
    """
    form, program = form_and_program(script_of(address, network))
    match form:
        case Form.P2PKH:
            return b"\x01" + program
        case Form.P2SH:
            return b"\x02" + program
        case _:
            return b"\x03" + (b"\x01" if form is Form.P2TR else b"\x00") + program


@lru_cache(maxsize=8192)
def unpack(packed: bytes, network: str) -> str:
    """Read an address in its tagged form.

    Raises:
        CounterpartyAddressRefused: for bytes that are none, and for witness programs without a known meaning.
    """
    match packed[:1], len(packed):
        case b"\x01", 21:
            return address_of(p2pkh(packed[1:]), network)
        case b"\x02", 21:
            return address_of(p2sh(packed[1:]), network)
        case b"\x03", (22 | 34):
            if packed[1] in (0, 1):
                script = segwit(packed[1], packed[2:])
                if form_and_program(script)[0] is not Form.OTHER:
                    return address_of(script, network)
    raise CounterpartyAddressRefused(f"a message with bytes that are no address: {packed[:44].hex()}")


@lru_cache(maxsize=8192)
def pack_legacy(address: str, network: str) -> bytes:
    """Write an address in 21 bytes.

    Raises:
        BadAddress, WrongNetwork: for a text that is no address of the network.
        CounterpartyAddressRefused: for P2TR and P2WSH, which the form cannot say.
    """
    known, (form, program) = prefixes(network), form_and_program(script_of(address, network))
    heads = {Form.P2PKH: known.key_hash, Form.P2SH: known.script_hash, Form.P2WPKH: _LEGACY_WITNESS}
    if form not in heads:
        raise CounterpartyAddressRefused(f"the address table of before block 971,700 cannot name {address}")
    return bytes([heads[form]]) + program


@lru_cache(maxsize=8192)
def unpack_legacy(packed: bytes, network: str) -> str:
    """Read an address of 21 bytes.

    Raises:
        CounterpartyAddressRefused: for other lengths, other networks and unknown witness versions.
    """
    known = prefixes(network)
    if len(packed) == LEGACY_SIZE:
        if packed[0] == known.key_hash:
            return address_of(p2pkh(packed[1:]), network)
        if packed[0] == known.script_hash:
            return address_of(p2sh(packed[1:]), network)
        if packed[0] == _LEGACY_WITNESS:
            return address_of(segwit(0, packed[1:]), network)
    raise CounterpartyAddressRefused(f"a message with bytes that are no address: {packed[:44].hex()}")


def begins_legacy(head: int) -> bool:
    """Tell whether a byte begins an address of 21 bytes, on any network; no length of a tagged one does."""
    return head in (0x00, 0x05, 0x6F, 0xC4) or 0x80 <= head <= 0x8F
