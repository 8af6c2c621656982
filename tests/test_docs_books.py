"""Every command of docs/books.md, run in its order on a coordinator with open books and one customer."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from online import config
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.ledger.differences import Kind
from online.ledger.postings import Posting, post
from online.people import open_station
from online.store.database import open_store
from shared.chains.xrpl import XRPL
from tests.cli_house import PASSPHRASE, House, build, copy

XRP = XRPL.network("xrpl:local").native

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "books.md").read_text("utf-8")
COMMANDS = re.findall(r"^coordinator\$ lockgate (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    template = tmp_path / "template"
    template.mkdir()
    build(template)
    world = XrplWorld()
    with serve(world) as server:
        yield copy(template, tmp_path / "house", server.url, world)


def test_every_command_of_the_page_ends_well(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house.folder)
    house.ok("customer", "add", "dave")
    assert len(COMMANDS) >= 15
    for command in COMMANDS:
        entry = _wrong(house) if "ENTRY…" in command else ""
        done = house.lockgate(*shlex.split(command.replace("ENTRY…", entry)))
        assert done.code == 0, f"{command}: {done.err}"
    assert {name for name in os.listdir() if name.startswith("books.")} == {"books.csv", "books.beancount"}


def test_every_kind_of_difference_is_explained_on_the_page() -> None:
    table = PAGE[PAGE.index("| kind |") :]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in cell.replace("`", "").split(", ")}
    assert named == {kind.value for kind in Kind}


def _wrong(house: House) -> str:
    """Post an entry that names no transaction, and give its number."""
    settings = config.load(house.home)
    store = open_store(settings.store_url, open_station(settings, PASSPHRASE))
    with store.transaction() as tx:
        lines = [Posting("wallet:hot", XRP, 7), Posting("own:xrpl:local", XRP, -7)]
        entry = post(tx, "by hand", "posted", lines, None, 1_800_000_000)
    store.close()
    return str(entry)
