"""`lockgate books` and `lockgate reconcile` as people and programs meet them, on a house with open books."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from tests.cli_house import House, build, copy


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    build(folder)
    return folder


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    world = XrplWorld()
    with serve(world) as server:
        yield copy(template, tmp_path, server.url, world)


def test_the_command_ends_with_1_where_there_is_a_difference_and_says_what_to_do(house: House) -> None:
    found = house.ok("reconcile")
    assert (found["differences"], [line["covered"] for line in found["solvency"]]) == ([], [True])
    (row,) = [row for row in house.ok("wallet", "list") if row["name"] == "hot"]
    house.world.fund_all({row["addresses"][0]: 5_000_000})
    done = house.lockgate("reconcile", "--json")
    assert done.refused("reconcile-differs")
    (one,) = done.json["differences"]
    assert (one["kind"], one["wallet"], one["units"]) == ("missing-deposit", "hot", "5000000")
    screen = house.lockgate("reconcile")
    assert one["next_step"] in screen.out
    assert house.lockgate("reconcile", "--grace", "9").code == 0
    assert house.lockgate("reconcile", "--grace", "9", "--keep").code == 0


def test_a_look_again_and_again_tells_what_is_new_and_what_is_gone(house: House) -> None:
    (row,) = [row for row in house.ok("wallet", "list") if row["name"] == "hot"]

    steps = iter([lambda: house.world.fund_all({row["addresses"][0]: 5_000_000}), house.world.go_down,
                  house.world.come_up])  # fmt: skip

    def between(_: int) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    with patch("online.cli.reconcile.time.sleep", between):
        done = house.lockgate("reconcile", "--every", "9", "--json")
    first, second, silent, last = (json.loads(line) for line in done.out.splitlines())
    assert [one["changes"] for one in (first, silent, last)] == [[], [], []]
    assert [(one["change"], one["kind"]) for one in second["changes"]] == [("new", "missing-deposit")]
    assert ["node-unreachable" in " ".join(one["failed"]) for one in (second, silent, last)] == [False, True, False]


def test_what_was_kept_is_gone_on_from_and_all_can_be_read_again(house: House) -> None:
    (row,) = [row for row in house.ok("wallet", "list") if row["name"] == "hot"]
    house.world.fund_all({row["addresses"][0]: 5_000_000})
    assert house.lockgate("reconcile", "--keep").refused("reconcile-differs")
    for further in ((), ("--all",)):
        (one,) = house.lockgate("reconcile", "--json", *further).json["differences"]
        assert (one["kind"], one["units"]) == ("missing-deposit", "5000000")
    assert house.ok("audit", "verify")["ok"]
    house.world.go_down()
    assert house.lockgate("reconcile").refused("ledger-unread")


def test_the_sheet_stands_side_by_side_and_statements_and_exports_follow(house: House, tmp_path: Path) -> None:
    screen = house.lockgate("books", "sheet").out
    assert "both sides are equal" in screen
    assert screen.count("101 000 XRP") == 3  # own funds, and the total of either side
    assert "hot wallet hot     999 XRP" in screen
    assert "locked as reserve  2 XRP" in screen
    assert "locked in hot: 1 XRP, seen at " in screen
    hot = next(one for one in house.ok("books", "sheet") if one["account"] == "wallet:hot")
    assert (hot["posted_units"], hot["locked_units"]) == ("1000000000", "1000000")
    assert house.lockgate("books", "statement", "--wallet", "hot").out.count("1 000 XRP") >= 2
    (one,) = house.ok("books", "statement", "--wallet", "hot")
    assert (one["opening_units"], one["closing_units"], len(one["lines"])) == ("0", "1000000000", 1)
    assert house.lockgate("books", "statement").code == 2
    assert house.lockgate("books", "statement", "--customer", "nobody").refused("unknown-customer")
    assert house.lockgate("books", "sheet", "--at", "yesterday").refused("bad-moment")
    assert len(house.ok("books", "sheet", "--at", "1")) == 2
    assert len(house.ok("books", "journal", "--account", "wallet:hot")) == 2
    assert house.lockgate("books", "export", "--format", "csv").out.count("\n") == 5
    file = tmp_path / "books.beancount"
    assert house.lockgate("books", "export", "--format", "beancount", "--out", file).code == 0
    assert "Assets:Wallet-hot  1000 XRPL.LOCAL.XRP" in file.read_text()
    assert house.lockgate("books", "export", "--format", "beancount", "--out", file).refused("file-exists")
    assert "opening" in house.lockgate("books", "statement", "--wallet", "hot", "--csv").out
