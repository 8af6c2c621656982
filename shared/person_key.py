"""The key file of a person or a station: one Ed25519 key in a lockbox, the same on both machines.

Its header names the owner, what the key is for, its public key and the network class, and none of them is
believed before the passphrase has opened the box. What comes out is a function that signs; the seed is in no
repr and in no message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from nacl.signing import SigningKey

from shared.chains.api import NetworkClass
from shared.encoding import Value
from shared.errors import BadField
from shared.lockbox import STANDARD, Header, KdfCost, Random, lock, peek_header, unlock
from shared.people import check_name, person_line
from shared.policy import Person
from shared.sealed import Sign

Kind = Literal["person", "station"]
SEED: Final = 32


@dataclass(frozen=True, slots=True)
class PersonKey:
    """An opened key: whose it is, and the function that signs with it."""

    name: str
    public_key: bytes
    network_class: NetworkClass
    sign: Sign = field(repr=False)

    @property
    def person(self) -> Person:
        """Give its public half."""
        return Person(self.name, self.public_key)

    @property
    def line(self) -> str:
        """Give its public line, as it stands in policies and on paper."""
        return person_line(self.person)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a key file says of itself before it is opened: to be shown, and not to be believed."""

    kind: Kind
    person: Person
    network_class: NetworkClass


def lock_key(
    name: str,
    seed: bytes,
    passphrase: str,
    network_class: NetworkClass,
    *,
    random: Random,
    kdf: KdfCost = STANDARD,
    kind: Kind = "person",
) -> bytes:
    """Put an Ed25519 seed (32 random bytes) into a key file of its own.

    Raises:
        BadField: for a name that is none.
        WeakPassphrase, WeakCost: as `shared.lockbox.lock`.
    """
    header: dict[str, Value] = {
        "kind": kind,
        "name": check_name(name),
        "network_class": network_class,
        "public_key": bytes(SigningKey(seed).verify_key),
    }
    return lock(seed, header, passphrase, random=random, kdf=kdf)


def unlock_key(blob: bytes, passphrase: str, *, kind: Kind = "person") -> PersonKey:
    """Open a key file.

    Raises:
        WrongPassphrase, VaultDamaged: as `shared.lockbox.unlock`.
        BadField: if it is another kind of file.
    """
    _claimed(peek_header(blob), kind)  # a file of another kind is told before a passphrase is blamed
    opened = unlock(blob, passphrase)
    claimed = _claimed(opened.header, kind)
    if len(opened.secret) != SEED:
        raise BadField(f"this {kind}'s key file holds no Ed25519 seed")
    key = SigningKey(opened.secret)
    if bytes(key.verify_key) != claimed.person.key:
        raise BadField(f"this {kind}'s key file names another public key than it holds")

    def sign(message: bytes) -> bytes:
        return key.sign(message).signature

    return PersonKey(claimed.person.name, claimed.person.key, claimed.network_class, sign)


def peek_key(blob: bytes, *, kind: Kind = "person") -> Claimed:
    """Read what a key file says of itself, without its passphrase: anybody may have written it.

    Raises:
        VaultDamaged: if the file is cut or altered by accident.
        BadField: if it is another kind of file.
    """
    return _claimed(peek_header(blob), kind)


def _claimed(header: Header, kind: Kind) -> Claimed:
    match header:
        case {"kind": str(found), "name": str(name), "public_key": bytes(key), "network_class": str(class_)}:
            pass
        case _:
            raise BadField("this is no person's or station's key file")
    if found != kind or len(key) != 32 or len(header) != 4:
        raise BadField(f"this is no {kind}'s key file")
    return Claimed(kind, Person(check_name(name), key), "main" if class_ == "main" else "test")
