"""Addresses and output scripts: their kinds, one from the other, opcodes, dust.

The world is regtest; the letters of other networks are for reading old bytes.
Written apart from the wallet's own reader, which it checks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from online.devnet.bitcoin.texts import (
    NotAnAddress,
    base58check,
    base58check_payload,
    segwit_address,
    segwit_program,
)

_OP_RETURN: Final = 0x6A
_OP_CHECKMULTISIG: Final = 0xAE


@dataclass(frozen=True, slots=True)
class Letters:
    """What addresses of a network begin with."""

    hrp: str
    p2pkh: int
    p2sh: int


REGTEST: Final = Letters("bcrt", 0x6F, 0xC4)
TESTNET: Final = Letters("tb", 0x6F, 0xC4)
MAINNET: Final = Letters("bc", 0x00, 0x05)


def hash160(content: bytes) -> bytes:
    """Hash as addresses do: SHA-256, then RIPEMD-160."""
    return hashlib.new("ripemd160", hashlib.sha256(content).digest()).digest()


def script_of(address: str, letters: Letters = REGTEST) -> bytes:
    """Give the output script that pays an address.

    Raises:
        NotAnAddress: it is none of this network.
    """
    if address.lower().startswith(f"{letters.hrp}1"):
        version, program = segwit_program(address, letters.hrp)
        return bytes([0x50 + version if version else 0, len(program)]) + program
    payload = base58check_payload(address)
    if len(payload) == 21 and payload[0] == letters.p2pkh:
        return b"\x76\xa9\x14" + payload[1:] + b"\x88\xac"
    if len(payload) == 21 and payload[0] == letters.p2sh:
        return b"\xa9\x14" + payload[1:] + b"\x87"
    raise NotAnAddress(address)


def address_of(script: bytes, letters: Letters = REGTEST) -> str | None:
    """Give the address that a script pays, where it has one."""
    kind = kind_of(script)
    if kind == "pubkeyhash":
        return base58check(bytes([letters.p2pkh]) + script[3:23])
    if kind == "scripthash":
        return base58check(bytes([letters.p2sh]) + script[2:22])
    if kind.startswith("witness"):
        return segwit_address(_witness_version(script) or 0, script[2:], letters.hrp)
    return None


def _witness_version(script: bytes) -> int | None:
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0
    return script[0] - 0x50 if 0x51 <= script[0] <= 0x60 else None


def kind_of(script: bytes) -> str:
    """Name a script's kind as bitcoind does."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return "pubkeyhash"
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return "scripthash"
    version = _witness_version(script)
    if version is not None:
        names = {(0, 22): "witness_v0_keyhash", (0, 34): "witness_v0_scripthash", (1, 34): "witness_v1_taproot"}
        return names.get((version, len(script)), "witness_unknown" if version else "nonstandard")
    if script[:1] == bytes([_OP_RETURN]) and _pushes_only(script[1:]):
        return "nulldata"
    if multisig_keys(script) is not None:
        return "multisig"
    return "pubkey" if len(script) in (35, 67) and script[-1] == 0xAC else "nonstandard"


def multisig_keys(script: bytes) -> tuple[int, list[bytes]] | None:
    """Give the needed number and the keys of a bare multisig script; None where it is none."""
    parts = operations(script)
    if parts is None or len(parts) < 4 or parts[-1][0] != _OP_CHECKMULTISIG:
        return None
    need, count, keys = parts[0][0] - 0x50, parts[-2][0] - 0x50, [push for _, push in parts[1:-2]]
    if not 1 <= need <= count <= 16 or count != len(keys):
        return None
    if any(key is None or len(key) not in (33, 65) for key in keys):
        return None
    return need, [key for key in keys if key is not None]


def operations(script: bytes) -> list[tuple[int, bytes | None]] | None:
    """Split a script into opcodes, each with what it pushes; None where it is cut short."""
    found: list[tuple[int, bytes | None]] = []
    at = 0
    while at < len(script):
        code, at = script[at], at + 1
        width = {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(code, 0)
        count = int.from_bytes(script[at:at + width], "little") if width else code if 1 <= code <= 75 else None
        at += width
        if count is not None and at + count > len(script):
            return None
        found.append((code, None if count is None and code else script[at:at + (count or 0)]))
        at += count or 0
    return found


def _pushes_only(script: bytes) -> bool:
    parts = operations(script)
    return parts is not None and all(code <= 0x60 for code, _ in parts)


def pushed(content: bytes) -> bytes:
    """Write the shortest push of some bytes."""
    count = len(content)
    if count <= 75:
        return bytes([count]) + content
    if count <= 0xFF:
        return b"\x4c" + bytes([count]) + content
    return b"\x4d" + count.to_bytes(2, "little") + content


def asm(script: bytes) -> str:
    """Write a script roughly as bitcoind's `asm` does."""
    names = {0: "0", 0x6A: "OP_RETURN", 0x76: "OP_DUP", 0x87: "OP_EQUAL", 0x88: "OP_EQUALVERIFY",
             0xA9: "OP_HASH160", 0xAC: "OP_CHECKSIG", 0xAE: "OP_CHECKMULTISIG"}
    words = []
    for code, push in operations(script) or []:
        number = str(code - 0x50) if 0x51 <= code <= 0x60 else names.get(code, f"OP_UNKNOWN_{code:02x}")
        words.append(push.hex() if push else number)
    return " ".join(words)


def dust_sats(script: bytes, sats_per_kvb: int = 3000) -> int:
    """Give the least amount that an output of this script may hold and still be relayed."""
    if script[:1] == bytes([_OP_RETURN]):
        return 0
    spending = 67 if _witness_version(script) is not None else 148
    size = 8 + (1 if len(script) < 0xFD else 3) + len(script) + spending
    return size * sats_per_kvb // 1000
