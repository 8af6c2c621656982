"""The vault: one encrypted file with the entropy of every key, replaced atomically.

Its authenticated header names the network class, the first administrators, the newest policy epoch seen and whether
the box still waits for its journal. Secrets have no face: nothing here prints one, and keys leave as functions that
sign.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from nacl.signing import SigningKey

from shared.chains.api import Curve, KeyPath, NetworkClass
from shared.encoding import Fields, Value
from shared.errors import BadSetup, FileTrouble
from shared.hdkeys import HARDENED, Node, master
from shared.lockbox import KdfCost, Opened, lock, peek_header, reseal, unlock
from shared.people import parse_person, person_line
from shared.policy import Person
from shared.transport.media import read_file, write_file
from shared.words import seed_from_words, words_from_entropy

NAME: Final = "vault"
STATION_PURPOSE: Final = 7867
"""The first step of the station key's path; no wallet of any chain begins with it."""

MOST_GENERATION: Final = 1_000

State = Literal["ready", "restored"]


@dataclass(frozen=True, slots=True)
class Header:
    """What the vault says of itself. `generation` counts journals: a lost one ends the station key that wrote it.

    `epoch` is the newest policy's that this vault has seen, `floor` what it was when the present journal began.
    """

    network_class: NetworkClass
    administrators: tuple[Person, ...]
    quorum: int
    epoch: int
    floor: int
    generation: int
    state: State

    def value(self) -> dict[str, Value]:
        """Give the header as it is authenticated."""
        return {
            "kind": "vault",
            "network_class": self.network_class,
            "administrators": [person_line(person) for person in self.administrators],
            "quorum": self.quorum,
            "epoch": self.epoch,
            "floor": self.floor,
            "generation": self.generation,
            "state": self.state,
        }


@dataclass(slots=True)
class Vault:
    """An unlocked vault. Keys are derived on demand and kept only while the process lives."""

    path: Path
    header: Header
    _opened: Opened = field(repr=False)
    _seed: bytes = field(repr=False)
    _nodes: dict[tuple[Curve, KeyPath], Node] = field(default_factory=dict, repr=False)

    def node(self, curve: Curve, path: KeyPath) -> Node:
        """Derive the key of a path."""
        known = self._nodes.get((curve, path))
        if known is None:
            known = self.node(curve, path[:-1]).child(path[-1]) if path else master(self._seed, curve)
            self._nodes[curve, path] = known
        return known

    @property
    def station(self) -> bytes:
        """Give the station's public key: Ed25519, 32 bytes."""
        return self.node("ed25519", self._station_path()).public_key

    def sign(self, message: bytes) -> bytes:
        """Sign with the station key."""
        return SigningKey(self.node("ed25519", self._station_path()).private_key).sign(message).signature

    def change(self, header: Header) -> None:
        """Replace the header, and the file with it, atomically."""
        blob = reseal(self._opened, random=os.urandom, header=header.value())
        write_file(self.path, blob, overwrite=True)
        self.header = header

    def _station_path(self) -> KeyPath:
        class_ = 0 if self.header.network_class == "main" else 1
        return (STATION_PURPOSE | HARDENED, class_ | HARDENED, self.header.generation | HARDENED)


def create(folder: Path, entropy: bytes, passphrase: str, header: Header, kdf: KdfCost) -> Vault:
    """Make the vault of a new or restored signer from 32 bytes of entropy.

    Raises:
        BadSetup: if the folder holds a vault already or the quorum cannot be met.
        WeakPassphrase, WeakCost: see `shared.lockbox`.
    """
    require_makable(folder, header.administrators, header.quorum)
    blob = lock(entropy, header.value(), passphrase, random=os.urandom, kdf=kdf)
    vault = _vault(folder / NAME, unlock(blob, passphrase))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FileTrouble(f"{folder} can not be made: {error.strerror}") from None
    write_file(vault.path, blob)
    return vault


def require_makable(folder: Path, administrators: Sequence[Person], quorum: int) -> None:
    """Demand that a vault can be made here.

    Raises:
        BadSetup: if the folder holds a vault already or the quorum cannot be met.
    """
    keys = {person.key for person in administrators}
    if len(keys) != len(administrators) or not 1 <= quorum <= len(keys):
        raise BadSetup("the quorum is at least one and at most the number of different administrators")
    if (folder / NAME).exists():
        raise BadSetup(f"{folder / NAME} exists already", hint="A vault is never overwritten; use another folder.")


def open_vault(folder: Path, passphrase: str) -> Vault:
    """Unlock the vault of a folder.

    Raises:
        BadSetup: if there is none.
        WrongPassphrase, VaultDamaged: see `shared.lockbox`.
    """
    require_vault(folder)
    return _vault(folder / NAME, unlock(read_file(folder / NAME), passphrase))


def peek(folder: Path) -> Header:
    """Read the header without opening the vault: anybody may have written it, so nothing rests on it alone.

    Raises:
        BadSetup: if there is no vault.
        VaultDamaged: if it was cut or altered by accident.
    """
    require_vault(folder)
    return _header(peek_header(read_file(folder / NAME)))


def require_vault(folder: Path) -> None:
    """Demand that there is a vault. Raises BadSetup."""
    if not (folder / NAME).exists():
        raise BadSetup(f"there is no vault in {folder}", hint="Make one with `lockgate-signer init`.")


def marked(header: Header, **changes: int | str) -> Header:
    """Give a header with changes."""
    return replace(header, **changes)  # type: ignore[arg-type]


def _vault(path: Path, opened: Opened) -> Vault:
    seed = seed_from_words(words_from_entropy(opened.secret))
    return Vault(path, _header(opened.header), opened, seed)


def _header(value: Value) -> Header:
    fields = Fields(value, "vault")
    fields.choice("kind", ("vault",))
    header = Header(
        network_class="main" if fields.choice("network_class", ("main", "test")) == "main" else "test",
        administrators=tuple(parse_person(str(line)) for line in fields.list("administrators", least=1, most=64)),
        quorum=fields.number("quorum", 1, 64),
        epoch=fields.number("epoch"),
        floor=fields.number("floor"),
        generation=fields.number("generation", 0, MOST_GENERATION),
        state="ready" if fields.choice("state", ("ready", "restored")) == "ready" else "restored",
    )
    fields.close()
    return header
