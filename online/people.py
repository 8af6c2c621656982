"""Key files on the coordinator: made here, kept in the data folder, opened by their owner's passphrase.

A key file never leaves by a command; who wants a copy copies the file. Nothing here keeps a passphrase.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import AlreadySetUp, NotSetUp, UnknownPerson
from shared.lockbox import LIGHT, STANDARD
from shared.people import check_name
from shared.person_key import SEED, Claimed, Kind, PersonKey, lock_key, peek_key, unlock_key
from shared.transport.media import read_file, write_file

if TYPE_CHECKING:
    from online.config import Config
    from online.store.database import Station

COSTS = {"standard": STANDARD, "light": LIGHT}
_MOST_KEY_BYTES = 100_000


def new_station(config: Config, passphrase: str, kdf: str = "standard") -> PersonKey:
    """Make the coordinator's station key.

    Raises:
        AlreadySetUp: if there is one.
        WeakPassphrase, WeakCost: as `shared.lockbox.lock`.
    """
    if config.station_file.exists():
        raise AlreadySetUp(f"{config.station_file} is there already")
    return _new(config, config.station_file, config.name, passphrase, kdf, "station")


def open_station(config: Config, passphrase: str) -> Station:
    """Open the station key.

    Raises:
        NotSetUp: if it was never made.
        WrongPassphrase, VaultDamaged: as `shared.lockbox.unlock`.
    """
    from online.store.database import Station

    if not config.station_file.is_file():
        raise NotSetUp(f"{config.station_file} is missing")
    key = unlock_key(read_file(config.station_file, _MOST_KEY_BYTES), passphrase, kind="station")
    return Station(key.public_key, key.sign)


def new_person(config: Config, name: str, passphrase: str, kdf: str = "standard") -> PersonKey:
    """Make a person's key file.

    Raises:
        BadField: for a bad name.
        FileExists: if that person has one.
        WeakPassphrase, WeakCost: as `shared.lockbox.lock`.
    """
    return _new(config, config.person_file(check_name(name)), name, passphrase, kdf, "person")


def open_person(config: Config, name: str, passphrase: str) -> PersonKey:
    """Open a person's key file.

    Raises:
        UnknownPerson: if there is none.
        WrongPassphrase, VaultDamaged: as `shared.lockbox.unlock`.
    """
    return unlock_key(_person_bytes(config, name), passphrase)


def peek_person(config: Config, name: str) -> Claimed:
    """Read what a person's key file says of itself, without the passphrase."""
    return peek_key(_person_bytes(config, name))


def station_line(config: Config) -> str:
    """Give the station's public line as its key file states it, for people to carry to the signer."""
    from shared.people import person_line

    if not config.station_file.is_file():
        raise NotSetUp(f"{config.station_file} is missing")
    return person_line(peek_key(read_file(config.station_file, _MOST_KEY_BYTES), kind="station").person)


def _person_bytes(config: Config, name: str) -> bytes:
    file = config.person_file(check_name(name))
    if not file.is_file():
        raise UnknownPerson(
            f"{name} has no key file here", hint="Make one with `lockgate person new`, or copy it to people/."
        )
    return read_file(file, _MOST_KEY_BYTES)


def _new(config: Config, file: Path, name: str, passphrase: str, kdf: str, kind: Kind) -> PersonKey:
    blob = lock_key(
        name,
        secrets.token_bytes(SEED),
        passphrase,
        config.network_class,
        random=secrets.token_bytes,
        kdf=COSTS[kdf],
        kind=kind,
    )
    write_file(file, blob)
    return unlock_key(blob, passphrase, kind=kind)  # what was written opens, or nobody is told that it exists
