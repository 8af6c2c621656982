"""What every command starts from: the data folder, the passphrases, the store and the gateways.

Everything is opened late, since a person who asks for help shall not wait for a database.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import MissingInput
from shared.face.prompts import ask_secret

if TYPE_CHECKING:
    from online.chains.api import Gateway
    from online.config import Config
    from online.store.database import Store
    from shared.person_key import PersonKey


@dataclass(slots=True, repr=False, weakref_slot=True)
class _Keyring:
    """The station's passphrase comes once, by its descriptor or by a prompt."""

    descriptor: int | None
    passphrase: str | None = field(default=None, repr=False)

    def station(self) -> str:
        if self.passphrase is None:
            self.passphrase = self._read()
        return self.passphrase

    def _read(self) -> str:
        if self.descriptor is None:
            return ask_secret("station passphrase")
        with os.fdopen(self.descriptor, encoding="utf-8") as file:
            line = file.readline()
        if not line:
            raise MissingInput(f"descriptor {self.descriptor} holds no passphrase")
        return line.rstrip("\n")


class App:
    """One run of a command on one data folder."""

    def __init__(self, home: Path, station_descriptor: int | None = None) -> None:
        self.home = home
        self._keyring = _Keyring(station_descriptor)

    @cached_property
    def config(self) -> Config:
        """The settings of the data folder."""
        from online import config

        return config.load(self.home)

    @cached_property
    def gateways(self) -> dict[str, Gateway]:
        """The gateways by network."""
        from online import config

        return config.gateways(self.config)

    def close(self) -> None:
        """Close the connections that were opened."""
        for gateway in self.__dict__.get("gateways", {}).values():
            gateway.close()

    def now(self) -> int:
        """Give Unix seconds."""
        return int(time.time())

    def station_passphrase(self) -> str:
        """Give the station's passphrase, asked for once."""
        return self._keyring.station()

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """Open the store to look at it; no passphrase is needed."""
        from online.store.database import open_store

        store = open_store(self.config.store_url)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """Open the store with the station's key, whose passphrase is asked for."""
        from online.people import open_station
        from online.store.database import open_store

        station = open_station(self.config, self.station_passphrase())
        store = open_store(self.config.store_url, station)
        try:
            yield store
        finally:
            store.close()

    def open_person(self, name: str) -> PersonKey:
        """Open a person's key file, whose passphrase is asked for."""
        from online.people import open_person, peek_person

        peek_person(self.config, name)  # an unknown name is told before a passphrase is asked for
        return open_person(self.config, name, ask_secret(f"passphrase of {name}"))


pass_app = click.make_pass_decorator(App)
