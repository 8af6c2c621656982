"""What an auditor's commands say of forged copies: a journal's file checked alone, a store written by another station.

A journal is altered, cut, torn or made by another key; each is refused by its code. What is not found without a
checkpoint is said beside the result.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from tests.cli_house import House, build, copy, lockgate


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    build(folder)
    return folder


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    world = XrplWorld()
    with serve(world) as server:
        yield copy(template, tmp_path, server.url, world)


def key(house: House, name: str) -> str:
    if name == "coordinator":
        return str(json.loads((house.folder / "lines.json").read_text())["coordinator"])
    return f"cold-box {house.ok('wallet', 'signers')[0]['key']}"


def exported(house: House) -> tuple[Path, Path]:
    """Give the signer's journal and its checkpoint as files."""
    journal, note = house.folder / "signer.journal", house.folder / "signer.note"
    assert house.signer("journal", "export", journal).code == 0
    assert house.signer("journal", "checkpoint", "--out", note).code == 0
    return journal, note


def test_both_journals_verify_from_their_files_alone(house: House) -> None:
    journal, note = exported(house)
    found = lockgate("audit", "check", journal, "--key", key(house, "signer"), "--checkpoint", note, "--json")
    assert found.code == 0, found.err
    assert (found.json["ok"], found.json["checkpoints"], found.err) == (True, 1, "")
    mine, sworn = house.folder / "coordinator.journal", house.folder / "coordinator.note"
    assert house.lockgate("audit", "export", mine).code == 0
    assert house.lockgate("audit", "verify", "--signed", "--out", sworn).code == 0
    found = lockgate(
        "audit", "check", mine, "--key", key(house, "coordinator"), "--checkpoint", sworn, "--json"
    )
    assert found.code == 0, found.err


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (lambda lines: lines[:-1], "journal-forked"),
        (lambda lines: [lines[0], *lines[2:]], "journal-damaged"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b"A", b"B", 1)], "journal-damaged"),
        (lambda lines: [*lines, b"torn"], "journal-damaged"),
        (lambda lines: [], "journal-damaged"),
    ],
    ids=["cut at the end", "an entry left out", "an entry altered", "a torn end", "nothing"],
)
def test_a_forged_journal_is_refused(
    house: House, forge: Callable[[list[bytes]], list[bytes]], code: str
) -> None:
    journal, note = exported(house)
    journal.write_bytes(b"".join(forge(journal.read_bytes().splitlines(keepends=True))))
    assert lockgate("audit", "check", journal, "--key", key(house, "signer"), "--checkpoint", note).refused(
        code
    )


def test_a_journal_or_checkpoint_of_another_key_is_refused(house: House) -> None:
    journal, _ = exported(house)
    stranger = key(house, "coordinator")
    assert lockgate("audit", "check", journal, "--key", stranger).refused("journal-damaged")
    sworn = house.folder / "coordinator.note"
    assert house.lockgate("audit", "verify", "--signed", "--out", sworn).code == 0
    done = lockgate("audit", "check", journal, "--key", key(house, "signer"), "--checkpoint", sworn)
    assert done.refused("bad-checkpoint")


def test_without_a_checkpoint_the_check_says_that_the_end_is_not_proven(house: House) -> None:
    journal, _ = exported(house)
    done = lockgate("audit", "check", journal, "--key", key(house, "signer"))
    assert done.code == 0
    assert "the last entries were cut off" in done.err


def test_a_store_whose_journal_another_station_wrote_is_refused(house: House) -> None:
    assert house.lockgate("audit", "verify", "--station", key(house, "coordinator")).code == 0
    assert house.lockgate("audit", "verify", "--station", key(house, "signer")).refused("audit-failed")


def test_a_checkpoint_file_without_signing_it_is_misuse(house: House) -> None:
    assert house.lockgate("audit", "verify", "--out", house.folder / "note").code == 2


def test_a_listed_order_shows_the_key_that_its_people_gave_it(house: House) -> None:
    house.approved("june")
    assert "june" in house.lockgate("order", "list").out
    assert "no orders are called or begin with 'july'" in house.lockgate("order", "show", "july").err


def test_a_card_taken_in_twice_says_nothing_of_books_still_to_be_opened(house: House) -> None:
    done = house.lockgate("wallet", "import", house.folder / "cold.card")
    assert done.code == 0
    assert "books open" not in done.err


def restored(house: House) -> Path:
    """Let the signer sign what a backup of the coordinator does not know, go back to it, and give the journal."""
    backup = house.folder / "backup.db"
    shutil.copyfile(house.home / "lockgate.db", backup)
    house.answered()
    journal, _ = exported(house)
    for tail in ("-wal", "-shm"):
        (house.home / f"lockgate.db{tail}").unlink(missing_ok=True)
    shutil.copyfile(backup, house.home / "lockgate.db")
    return journal


def test_a_restored_coordinator_takes_back_what_was_signed_for_an_order_that_it_knows(house: House) -> None:
    journal = restored(house)
    done = house.lockgate("audit", "import", "cold-box", journal, "--json")
    assert done.code == 1
    (unknown,) = done.json["unknown"]
    assert "80 000 XRP from" in unknown["pays"][0].replace("\xa0", " ")
    assert "no order" in unknown["not_taken_back"]
    house.approved()
    assert house.lockgate("request", "export", "june").refused("unreconciled")
    assert house.ok("audit", "import", "cold-box", journal)["jobs_taken_back"] == [1]
    assert house.lockgate("request", "export", "june").refused("request-outstanding")
    done = house.lockgate("answer", "import", house.folder / "june.answer")
    assert "job 1 answered" in done.out.splitlines()
    assert "job 1 " in house.lockgate("request", "list").out
    house.settle()
    assert house.ok("order", "show", "june")["states"] == ["final"]
    assert house.ok("audit", "verify")["problems"] == []


def test_what_nobody_here_ordered_stops_the_exports_until_a_person_acknowledges_it(house: House) -> None:
    journal = restored(house)
    done = house.lockgate("audit", "import", "cold-box", journal)
    assert done.refused("audit-failed")
    name = next(line.split()[1] for line in done.out.splitlines() if line.startswith("unsigned_sha256: "))
    assert house.lockgate("audit", "acknowledge", "cold-box", "0000", "--as", "bob").refused("no-such-id")
    done = house.lockgate("audit", "acknowledge", "cold-box", name[:8], "--as", "bob")
    assert done.code == 0, done.err
    assert "you acknowledge: 80" in done.err
    assert house.lockgate("audit", "import", "cold-box", journal).code == 0
    house.approved()
    assert house.lockgate("request", "export", "june").refused("signed-elsewhere")
    house.exported("july", "10")


def test_a_journal_with_garbage_behind_it_is_not_compared(house: House) -> None:
    house.answered()
    journal, _ = exported(house)
    with journal.open("ab") as file:
        file.write(b"garbage")
    assert house.lockgate("audit", "compare", "cold-box", journal).refused("journal-damaged")


def test_an_export_that_has_to_wait_builds_nothing(house: House) -> None:
    house.exported()
    house.approved("july", "10")
    assert house.lockgate("request", "export", "july").refused("request-outstanding")
    assert house.ok("order", "show", "july")["states"] == ["approved"]
