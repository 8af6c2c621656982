"""The demonstration, run as a person runs it: what it reports, what it leaves behind, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from online.demo.diary import Diary
from online.demo.signer_process import SignerProcess
from shared.courier.inward import carry_in
from shared.envelope import open_answer, open_request
from shared.errors import DemoFailed
from tests.cli_house import lockgate

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """Run it once in a process of its own; give its folder, its report and what it told."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    done = subprocess.run(
        [sys.executable, "-m", "online.cli", "demo", "--json", "--out", str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return folder, report, done.stderr


def test_the_report_is_one_object_with_all_that_was_asked(ran: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = ran
    assert report["ok"] is True
    assert [ledger["name"] for ledger in report["ledgers"]] == ["xrpl", "bitcoin", "near"]
    for ledger in report["ledgers"]:
        assert all(len(tx_id) in (43, 44, 64) for tx_id in ledger["tx_ids"].values())
        assert all(step["seconds"] >= 0 and step["name"] for step in ledger["steps"])
        frames = ledger["frames"]
        assert all(frames[way]["shown"] >= frames[way]["needed"] > 0 for way in ("request", "answer"))
        assert ledger["checkpoints"]["signer"].startswith("lockgate-signer/")
        assert ledger["checkpoints"]["coordinator"].startswith("lockgate-coordinator\n")
        assert ledger["seconds"] < 60


def test_each_step_is_told_in_words(ran: tuple[Path, dict[str, Any], str]) -> None:
    _, report, told = ran
    assert all(step["name"] in told for ledger in report["ledgers"] for step in ledger["steps"])
    assert "80 000 XRP" in told
    assert "the 41 recipients hold 107 XCP in all" in told
    assert "3 NEAR left the treasury and came back; only the gas is gone" in told


def test_journals_pictures_and_books_lie_where_it_says(ran: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = ran
    assert all(Path(place).exists() for ledger in report["ledgers"] for place in ledger["places"].values())


def test_the_films_hold_the_very_request_and_answer(ran: tuple[Path, dict[str, Any], str]) -> None:
    for crossing in (ran[0] / "crossing", ran[0] / "bitcoin" / "crossing", ran[0] / "near" / "crossing"):
        for name in ("request", "answer"):
            film = carry_in(str(crossing / f"{name}.gif"), lambda _scan: None).sealed
            assert film == (crossing / f"{name}.bin").read_bytes()
        _, request = open_request((crossing / "request.bin").read_bytes())
        assert open_answer((crossing / "answer.bin").read_bytes())[0].request == request.digest


def test_send_batch_and_sweep_crossed_the_gap_at_once(ran: tuple[Path, dict[str, Any], str]) -> None:
    request, _ = open_request((ran[0] / "bitcoin" / "crossing" / "request.bin").read_bytes())
    assert [len(item.transfers) for _, item in request.flat()] == [1, 40, 1]
    assert set(ran[1]["ledgers"][1]["tx_ids"]) == {"send", "batch", "sweep"}


def test_of_three_orders_on_near_one_failed_in_its_receipt_and_its_money_is_back(
    ran: tuple[Path, dict[str, Any], str],
) -> None:
    home = ran[0] / "near" / "coordinator"
    rows = lockgate("--home", home, "order", "list", "--json").json
    assert {row["key"]: row["states"] for row in rows} == {
        "payment": ["final"], "tokens": ["final"], "returned": ["failed"],
    }  # fmt: skip
    sheet = lockgate("--home", home, "books", "sheet", "--json").json
    outside = {row["asset"]: int(row["posted_units"]) for row in sheet if row["account"].startswith("outside:")}
    assert outside == {"NEAR": 5 * 10**24, "usd.token": 125_500_000}


def test_the_books_can_be_read_again_afterwards(ran: tuple[Path, dict[str, Any], str]) -> None:
    rows = lockgate("--home", ran[0] / "coordinator", "books", "sheet", "--json").json
    posted = {row["account"]: int(row["posted_units"]) for row in rows}
    assert posted["wallet:hot"] == 81_000_000_000
    assert sum(posted.values()) == 0
    rows = lockgate("--home", ran[0] / "bitcoin" / "coordinator", "books", "sheet", "--json").json
    assert {row["asset"] for row in rows} == {"BTC", "XCP"}
    assert all(sum(int(row["posted_units"]) for row in rows if row["asset"] == code) == 0 for code in ("BTC", "XCP"))


def test_nothing_that_was_started_goes_on(ran: tuple[Path, dict[str, Any], str]) -> None:
    folder = str(ran[0]).encode()
    lines = [path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit()]
    assert not [line for line in lines if line.exists() and folder in line.read_bytes()]


TABLES = {
    "xrp": (
        10,
        "XRP on the ledger: hot 55 000, warm 0, cold 100 000",
        "XRP owed:          alice 80 000, bob 50 000, charlie 25 000",
    ),
    "xcp": (
        14,
        "XCP on the ledger: hot 40 000, warm 0, cold 100 000, deposits 0",
        "XCP owed:          alice 70 000, bob 45 000, charlie 25 000",
    ),
    "near": (
        18,
        "NEAR on the ledger: hot 55 000, warm 0, cold 100 000, deposits 0",
        "NEAR owed:          alice 80 000, bob 50 000, charlie 25 000",
        "usd.token on the ledger: hot 150, warm 0, cold 600, deposits 0",
        "usd.token owed:          alice 0, bob 750, charlie 0",
    ),
}
"""How many lines of tables a story tells, and the last ones."""


@pytest.mark.parametrize("story", list(TABLES))
def test_an_exchanges_story_is_told_with_its_tables(tmp_path: Path, story: str) -> None:
    done = lockgate("demo", "--story", story, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    told = [line.strip() for line in done.out.splitlines()]
    tables = [line for line in told if " on the ledger: " in line or " owed: " in line]
    count, *last = TABLES[story]
    assert (len(tables), tables[-len(last) :]) == (count, last)
    assert "charlie holds 75 000 " in done.out
    assert "nothing differs, and all that is owed is there" in done.out


def test_lines_are_broken_between_words_where_a_terminal_is_narrow() -> None:
    said: list[str] = []
    diary = Diary(said.append, 40)
    with diary.step("a step that is told in more words than a line of this terminal has"):
        diary.tell("  transaction " + "ab" * 32)
    assert said[:3] == [" 1. a step that is told in more words", "    than a line of this terminal has", "    (0.0 s)"]
    assert said[3:] == ["        transaction", " " * 10 + "ab" * 32]


def test_a_folder_that_is_there_is_refused_with_one_line(tmp_path: Path) -> None:
    done = lockgate("demo", "--json", "--out", tmp_path)
    assert done.refused("file-exists")
    assert done.json["ok"] is False


def test_a_step_that_fails_is_one_line_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> str:
        raise DemoFailed("lockgate-signer person: broken on purpose")

    monkeypatch.setattr(SignerProcess, "run", broken)
    done = lockgate("demo", "--out", tmp_path / "out")
    assert done.refused("demo-failed")
    assert "get their keys at the signer" in done.err
