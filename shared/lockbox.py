"""The encrypted file for secrets: the signer's vault and people's keys. Bytes in, bytes out.

A random data key encrypts the secret; each slot wraps that key under one passphrase, so that several
people open the same box and one of them can leave. Argon2id turns a passphrase into a key,
XChaCha20-Poly1305 encrypts. The header stands in the clear and is authenticated with the costs and the
slots; only `unlock` may be believed about it. Randomness is passed in, and no repr or message here shows
a secret. An old copy of the file opens as well as the newest: who must notice that is the journal, not
the box.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.exceptions import RuntimeError as NaclRuntimeError
from nacl.pwhash import argon2id

from shared.encoding import Fields, Value, decode, encode
from shared.errors import (
    BadEncoding,
    BadField,
    BadSlot,
    NotEnoughMemory,
    VaultDamaged,
    WeakCost,
    WeakPassphrase,
    WrongPassphrase,
)

Random: TypeAlias = Callable[[int], bytes]
"""Gives so many random bytes that nobody can guess, such as `secrets.token_bytes`."""

Header: TypeAlias = Mapping[str, Value]

MIB: Final = 2**20
FORMAT: Final = "lockbox/1"
LEAST_PASSPHRASE: Final = 8
MOST_SLOTS: Final = 16
_SALT, _NONCE, _KEY, _TAG = 16, 24, 32, 16


@dataclass(frozen=True, slots=True)
class KdfCost:
    """What one guess at a passphrase costs: passes over so many bytes of memory."""

    passes: int
    memory_bytes: int

    def __post_init__(self) -> None:
        if not 1 <= self.passes <= 10 or not 8 * MIB <= self.memory_bytes <= 1024 * MIB:
            raise WeakCost("a passphrase costs 1 to 10 passes over 8 MiB to 1 GiB of memory")

    def allowed_for(self, network_class: str) -> bool:
        """Say whether it may guard this class: real money wants RFC 9106's second choice at least."""
        return network_class == "test" or (self.passes >= 3 and self.memory_bytes >= 64 * MIB)


STANDARD: Final = KdfCost(3, 256 * MIB)
LIGHT: Final = KdfCost(1, 8 * MIB)


@dataclass(frozen=True, slots=True)
class Slot:
    """The data key, wrapped under the passphrase of one person."""

    name: str
    salt: bytes
    nonce: bytes
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A box that was opened: its authenticated header, the secret, and by whose slot."""

    header: Header
    secret: bytes = field(repr=False)
    slot: str
    kdf: KdfCost
    slots: tuple[Slot, ...]
    data_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Closed:
    header: Header
    kdf: KdfCost
    slots: tuple[Slot, ...]
    nonce: bytes
    box: bytes


def lock(
    secret: bytes,
    header: Header,
    passphrase: str,
    *,
    random: Random,
    kdf: KdfCost = STANDARD,
    slot: str = "owner",
) -> bytes:
    """Put a secret into a new box with one slot. The header must say `network_class`: "main" or "test".

    Raises:
        WeakPassphrase: for fewer than 8 characters.
        WeakCost: for a cheap cost on a main network.
    """
    key = random(_KEY)
    first = _wrap(key, slot, passphrase, kdf, random)
    return reseal(Opened(header, secret, slot, kdf, (first,), key), random=random)


def unlock(blob: bytes, passphrase: str, *, slot: str | None = None) -> Opened:
    """Open a box with the passphrase of the named slot, or of any.

    Raises:
        WrongPassphrase: if it opens no slot.
        VaultDamaged: if the file is cut or altered.
        BadSlot: if there is no slot of this name.
    """
    closed = _parse(blob)
    candidates = [one for one in closed.slots if slot in (None, one.name)]
    if not candidates:
        raise BadSlot("there is no slot of this name")
    for candidate in candidates:
        key = _unwrap(candidate, passphrase, closed.kdf)
        if key is not None:
            secret = _open_box(closed, key)
            return Opened(closed.header, secret, candidate.name, closed.kdf, closed.slots, key)
    raise WrongPassphrase("the passphrase opens no slot of this file")


def peek_header(blob: bytes) -> Header:
    """Read the header without opening the box: anybody may have written it.

    Raises:
        VaultDamaged: if the file is cut or altered by accident.
    """
    return _parse(blob).header


def slot_names(blob: bytes) -> tuple[str, ...]:
    """Name the slots without opening the box: anybody may have written them."""
    return tuple(slot.name for slot in _parse(blob).slots)


def reseal(
    opened: Opened, *, random: Random, header: Header | None = None, secret: bytes | None = None
) -> bytes:
    """Write an opened box again, with another header or secret where given; all passphrases stay.

    Raises:
        WeakCost: for a cheap cost on a main network.
    """
    header = opened.header if header is None else header
    _check_cost(header, opened.kdf)
    nonce = random(_NONCE)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        opened.secret if secret is None else secret,
        _bound(header, opened.kdf, opened.slots),
        nonce,
        opened.data_key,
    )
    return _print(_Closed(header, opened.kdf, opened.slots, nonce, sealed))


def add_slot(opened: Opened, name: str, passphrase: str, *, random: Random) -> bytes:
    """Let one more passphrase open the box.

    Raises:
        BadSlot: if the name is taken or no name, or there are too many.
        WeakPassphrase: for fewer than 8 characters.
    """
    if any(slot.name == name for slot in opened.slots):
        raise BadSlot("a slot of this name is there already")
    if len(opened.slots) >= MOST_SLOTS:
        raise BadSlot(f"a box has at most {MOST_SLOTS} slots")
    added = _wrap(opened.data_key, name, passphrase, opened.kdf, random)
    slots = tuple(sorted((*opened.slots, added), key=lambda slot: slot.name))
    return reseal(replace(opened, slots=slots), random=random)


def remove_slot(opened: Opened, name: str, *, random: Random) -> bytes:
    """Take a slot away. Who copied the file before, and knows that passphrase, still opens the copy.

    Raises:
        BadSlot: if it is not there, or is the last.
    """
    slots = tuple(slot for slot in opened.slots if slot.name != name)
    if not slots or len(slots) == len(opened.slots):
        raise BadSlot("there is no slot of this name, or it is the last one")
    return reseal(replace(opened, slots=slots), random=random)


def _wrap(key: bytes, name: str, passphrase: str, kdf: KdfCost, random: Random) -> Slot:
    if not name.isprintable() or not 1 <= len(name) <= 64:
        raise BadSlot("a slot's name has 1 to 64 printable characters")
    normal = unicodedata.normalize("NFKC", passphrase)
    if len(normal) < LEAST_PASSPHRASE or not normal.strip():
        raise WeakPassphrase(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
    salt, nonce = random(_SALT), random(_NONCE)
    wrapping = _stretch(passphrase, salt, kdf)
    if wrapping is None:
        raise WeakPassphrase("the passphrase holds half a character")
    wrapped = crypto_aead_xchacha20poly1305_ietf_encrypt(key, _slot_bound(name, kdf), nonce, wrapping)
    return Slot(name, salt, nonce, wrapped)


def _unwrap(slot: Slot, passphrase: str, kdf: KdfCost) -> bytes | None:
    wrapping = _stretch(passphrase, slot.salt, kdf)
    if wrapping is None:
        return None
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            slot.wrapped, _slot_bound(slot.name, kdf), slot.nonce, wrapping
        )
    except CryptoError:
        return None


def _stretch(passphrase: str, salt: bytes, kdf: KdfCost) -> bytes | None:
    """Turn a passphrase into a key. NFKC: keyboards write one letter in several ways."""
    try:
        typed = unicodedata.normalize("NFKC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        return None
    try:
        return argon2id.kdf(_KEY, typed, salt, opslimit=kdf.passes, memlimit=kdf.memory_bytes)
    except NaclRuntimeError:
        # libsodium fails here for want of memory alone.
        raise NotEnoughMemory(f"the passphrase needs {kdf.memory_bytes // MIB} MiB of memory") from None


def _open_box(closed: _Closed, key: bytes) -> bytes:
    bound = _bound(closed.header, closed.kdf, closed.slots)
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(closed.box, bound, closed.nonce, key)
    except CryptoError:
        raise VaultDamaged("the file's header, slots or contents were altered") from None


def _check_cost(header: Header, kdf: KdfCost) -> None:
    network_class = header.get("network_class")
    if network_class not in ("main", "test"):
        raise ValueError("the header says no network_class")
    if not kdf.allowed_for(str(network_class)):
        raise WeakCost("so cheap a cost is for test networks only")


def _slot_bound(name: str, kdf: KdfCost) -> bytes:
    return encode(["lockgate", FORMAT, "slot", name, kdf.passes, kdf.memory_bytes])


def _bound(header: Header, kdf: KdfCost, slots: tuple[Slot, ...]) -> bytes:
    return encode(["lockgate", FORMAT, "box", header, kdf.passes, kdf.memory_bytes, _slot_values(slots)])


def _slot_values(slots: tuple[Slot, ...]) -> list[Value]:
    return [
        {"name": slot.name, "salt": slot.salt, "nonce": slot.nonce, "wrapped": slot.wrapped} for slot in slots
    ]


def _print(closed: _Closed) -> bytes:
    inner = encode(
        {
            "header": closed.header,
            "passes": closed.kdf.passes,
            "memory": closed.kdf.memory_bytes,
            "slots": _slot_values(closed.slots),
            "nonce": closed.nonce,
            "box": closed.box,
        }
    )
    # The plain hash tells an accident from a wrong passphrase before any is asked for. It stops no thief.
    return encode(["lockgate", FORMAT, inner, hashlib.sha256(inner).digest()])


def _parse(blob: bytes) -> _Closed:
    try:
        return _read(_inner(blob))
    except (BadEncoding, BadField, WeakCost) as refusal:
        raise VaultDamaged(f"this is no whole lockbox: {refusal}") from None


def _inner(blob: bytes) -> Fields:
    match decode(blob):
        case ["lockgate", "lockbox/1", bytes(inner), bytes(check)]:
            if hashlib.sha256(inner).digest() == check:
                return Fields(decode(inner), "lockbox")
    raise BadField("it was cut, altered, or is another kind of file")


def _read(fields: Fields) -> _Closed:
    header = fields.value("header")
    if not isinstance(header, dict) or header.get("network_class") not in ("main", "test"):
        raise BadField("its header says no network class")
    kdf = KdfCost(fields.number("passes"), fields.number("memory"))
    if not kdf.allowed_for(header["network_class"]):
        raise WeakCost("so cheap a cost is for test networks only")
    slots = fields.items("slots", _read_slot, least=1, most=MOST_SLOTS)
    names = [slot.name for slot in slots]
    if names != sorted(set(names)):
        raise BadField("its slots are repeated or out of order")
    nonce, box = fields.bytes("nonce", exactly=_NONCE), fields.bytes("box", least=_TAG, most=2**24)
    fields.close()
    return _Closed(header, kdf, slots, nonce, box)


def _read_slot(fields: Fields) -> Slot:
    return Slot(
        fields.text("name", least=1, most=64),
        fields.bytes("salt", exactly=_SALT),
        fields.bytes("nonce", exactly=_NONCE),
        fields.bytes("wrapped", exactly=_KEY + _TAG),
    )
