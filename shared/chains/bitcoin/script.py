"""Output scripts: their forms, and the pushes of those that carry data. It recognises; it never runs a script."""

from __future__ import annotations

from enum import Enum
from typing import Final

OP_0: Final = 0x00
OP_1: Final = 0x51
OP_RETURN: Final = 0x6A
OP_CHECKMULTISIG: Final = 0xAE
_OP_16: Final = 0x60


class Form(Enum):
    """What an output script is; OTHER is whatever is not paid to here."""

    P2PKH = "P2PKH"
    P2SH = "P2SH"
    P2WPKH = "P2WPKH"
    P2WSH = "P2WSH"
    P2TR = "P2TR"
    OP_RETURN = "OP_RETURN"
    BARE_MULTISIG = "bare multisig"
    OTHER = "unknown"


_FRAMES: Final = (
    (Form.P2PKH, b"\x76\xa9\x14", 20, b"\x88\xac"),
    (Form.P2SH, b"\xa9\x14", 20, b"\x87"),
    (Form.P2WPKH, b"\x00\x14", 20, b""),
    (Form.P2WSH, b"\x00\x20", 32, b""),
    (Form.P2TR, b"\x51\x20", 32, b""),
)
_DUST: Final = {Form.P2PKH: 546, Form.P2SH: 540, Form.P2WPKH: 294, Form.P2WSH: 330, Form.P2TR: 330}


def form_and_program(script: bytes) -> tuple[Form, bytes]:
    """Give the form of an output script, and the hash or key in it (nothing for forms without)."""
    for form, head, size, tail in _FRAMES:
        if len(script) == len(head) + size + len(tail) and script.startswith(head) and script.endswith(tail):
            return form, script[len(head) : len(head) + size]
    if script[:1] == bytes([OP_RETURN]):
        return Form.OP_RETURN, b""
    return (Form.OTHER, b"") if bare_multisig(script) is None else (Form.BARE_MULTISIG, b"")


def form_of_script(script: bytes) -> Form:
    """Give the form of an output script."""
    return form_and_program(script)[0]


def dust_limit(form: Form) -> int:
    """Give the least value that nodes relay (at their default of 3 sat/vB); nothing for forms that carry data."""
    return _DUST.get(form, 0)


def p2pkh(key_hash: bytes) -> bytes:
    """Give the script that pays to the hash of a public key."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2sh(script_hash: bytes) -> bytes:
    """Give the script that pays to the hash of a script."""
    return b"\xa9\x14" + script_hash + b"\x87"


def segwit(version: int, program: bytes) -> bytes:
    """Give the script of a witness version and program (BIP141)."""
    return bytes([OP_1 + version - 1 if version else OP_0, len(program)]) + program


def push(blob: bytes) -> bytes:
    """Write a push of some bytes in its shortest form (numbers in opcodes aside)."""
    size = len(blob)
    if size < 0x4C:
        return bytes([size]) + blob
    if size <= 0xFF:
        return bytes([0x4C, size]) + blob
    return b"\x4d" + size.to_bytes(2, "little") + blob


def data_pushes(script: bytes) -> tuple[bytes, ...] | None:
    """Give what an OP_RETURN script pushes; None for other scripts, opcodes, and pushes that are not shortest."""
    if script[:1] != bytes([OP_RETURN]):
        return None
    place, found = 1, []
    while place < len(script):
        read = read_push(script, place)
        if read is None:
            return None
        found.append(read[0])
        place = read[1]
    return tuple(found)


def read_push(script: bytes, place: int) -> tuple[bytes, int] | None:
    """Read one shortest push at a place: the bytes and where they end; None where there is none."""
    opcode = script[place]
    size, start = opcode, place + 1
    if opcode in (0x4C, 0x4D):
        width = opcode - 0x4B
        size, start = int.from_bytes(script[start : start + width], "little"), start + width
    elif opcode > 0x4B:
        return None
    blob = script[start : start + size]
    if len(blob) != size or script[place : start + size] != push(blob):
        return None
    return blob, start + size


def bare_multisig(script: bytes) -> tuple[int, tuple[bytes, ...]] | None:
    """Give the quorum and keys of a multisig script with keys of 33 bytes; None for every other script."""
    if len(script) < 37 or (len(script) - 3) % 34 or script[-1] != OP_CHECKMULTISIG:
        return None
    count, quorum = (len(script) - 3) // 34, script[0] - OP_1 + 1
    if not 1 <= quorum <= count <= 16 or script[-2] != OP_1 + count - 1:
        return None
    if any(script[1 + 34 * index] != 33 for index in range(count)):
        return None
    return quorum, tuple(script[2 + 34 * index : 35 + 34 * index] for index in range(count))
