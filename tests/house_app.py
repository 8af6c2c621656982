"""Commands over a house of tests: the real command line, with the house's store, gateways and people; it is no test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from click.testing import CliRunner, Result

from online.cli import lockgate
from online.cli.app import App
from online.config import Config
from online.orders.model import Order, order
from online.store.database import Store
from shared.envelope import order_id
from shared.policy import Person
from tests.both_machines import BothMachines


@dataclass(frozen=True, slots=True)
class Pen:
    """A person's key as commands use it."""

    person: Person
    sign: Any


class HouseApp(App):
    """An app whose folder is a house of tests."""

    def __init__(self, house: BothMachines, section: dict[str, Any]) -> None:
        super().__init__(house.folder)
        self.house = house
        chain = house.network.partition(":")[0]
        networks = {chain: {"network": house.network, **section}}
        self.__dict__["config"] = Config(house.folder, "test", "test", "", networks)
        self.__dict__["gateways"] = house.gateways

    @contextmanager
    def reading(self) -> Iterator[Store]:
        yield self.house.store

    @contextmanager
    def writing(self) -> Iterator[Store]:
        yield self.house.store

    def open_person(self, name: str) -> Any:
        one = self.house.people[name]
        return Pen(Person(name, one.public), one.sign)

    def now(self) -> int:
        return self.house.now

    def close(self) -> None:
        """Leave the house's connections open."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands, as a person would who types them."""

    app: HouseApp

    def __call__(self, *words: str) -> str:
        """Run one command that must end well, and give all that the screen shows."""
        return self._run(words).output

    def printed(self, *words: str) -> str:
        """Run one command that must end well, and give what it prints for programs."""
        return self._run(words).stdout

    def drafted(self, line: str) -> Order:
        """Run a line as it stands on a screen, which drafts an order under a key, and give the order."""
        first, *words = shlex.split(line)
        assert first == "lockgate"
        self(*words)
        return order(self.app.house.store, order_id(words[words.index("--key") + 1]))

    def advice(self) -> list[dict[str, Any]]:
        """Give what is proposed, with commands for alice."""
        words = ("target", "advise", "--as", "alice", "--json")
        found: list[dict[str, Any]] = json.loads(self._run(words).stdout)
        return found

    def notes(self) -> list[str]:
        """Give what stands beside the proposals."""
        return self._run(("target", "advise", "--json")).stderr.splitlines()

    def _run(self, words: Sequence[str]) -> Result:
        command = lockgate.get_command(click.Context(lockgate), words[0])
        assert command is not None, words
        done = CliRunner().invoke(command, words[1:], obj=self.app, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    def only(self) -> dict[str, Any]:
        """Give the one proposal that there is."""
        (one,) = self.advice()
        return one


def shell_of(house: BothMachines, **section: Any) -> Shell:
    """Give a shell; `section` is what the settings of the house's network say."""
    return Shell(HouseApp(house, section))
