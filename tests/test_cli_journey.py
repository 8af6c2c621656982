"""The coordinator's commands from set-up to final books, and each refusal a person meets on the way.

Every test drives commands on two machines of its own, copied from one that was set up once; the ledger is a devnet.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from tests.cli_house import PASSPHRASE, House, build, copy, lockgate


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


def state(house: House, key: str = "june") -> list[str]:
    found: list[str] = house.ok("order", "show", key)["states"]
    return found


# --- the way that is meant --------------------------------------------------------------------------


def test_an_order_goes_from_draft_to_final_and_the_books_follow(house: House) -> None:
    answer = house.answered()
    house.ok("answer", "import", answer)
    assert state(house) == ["answered"]
    house.settle()
    assert state(house) == ["final"]
    posted = {row["account"]: int(row["posted_units"]) for row in house.ok("books", "sheet")}
    assert posted["wallet:hot"] == 81_000_000_000
    assert posted["wallet:cold"] == 20_000_000_000 - posted["fees:xrpl:local"]
    assert {row["difference"] for row in house.ok("books", "check")} == {"0 XRP"}
    assert {row["posted"] for row in house.ok("books", "trial")} == {"0 XRP"}


def test_the_three_way_comparison_agrees_after_a_day(house: House, tmp_path: Path) -> None:
    house.ok("answer", "import", house.answered())
    house.settle()
    assert house.signer("journal", "export", tmp_path / "signer.journal").code == 0
    assert house.ok("audit", "verify")["ok"]
    found = house.ok("audit", "compare", "cold-box", tmp_path / "signer.journal")
    assert found["ok"]
    assert [row["state"] for row in found["matched"]] == ["final"]
    assert house.ok("audit", "import", "cold-box", tmp_path / "signer.journal")["unknown"] == []


def test_a_request_crosses_as_pictures_and_its_answer_as_a_film(house: House, tmp_path: Path) -> None:
    house.approved()
    shown = house.ok("request", "export", "june", "--png", tmp_path / "frames", "--qr-version", "15")
    assert shown["frames"]["needed"] >= 1
    film = tmp_path / "answer.gif"
    signed = house.signer("sign", tmp_path / "frames", "--as", tmp_path / "carol.key", "--yes", "--gif", film)
    assert signed.code == 0, signed.err
    taken = house.ok("answer", "import", film)
    assert taken["answered"] == [1]
    assert taken["frames"]["readable"] >= taken["frames"]["needed"]


def test_both_machines_show_the_same_review_and_fingerprint(house: House) -> None:
    request = house.exported()
    listed = house.ok("request", "list")[0]
    mine = house.ok("request", "show", listed["request"])
    theirs = house.signer("inspect", request, "--json").json
    assert (mine["review"], mine["fingerprint"]) == (theirs["review"], theirs["fingerprint"])


def test_a_lost_request_is_shown_again_as_the_same_bytes(house: House, tmp_path: Path) -> None:
    request = house.exported()
    fingerprint = house.ok("request", "list")[0]["fingerprint"]
    house.ok("request", "show", fingerprint, "--out", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == request.read_bytes()


def test_the_same_key_is_the_same_order(house: House) -> None:
    words = ("rebalance", "--from", "cold", "--to", "hot", "--amount", "5", "--key", "once", "--as", "alice")
    assert house.ok(*words)["order"] == house.ok(*words)["order"]
    assert len(house.ok("order", "list")) == 1


def test_a_withdrawn_job_can_be_built_again_and_never_pays_twice(house: House) -> None:
    house.approved()
    assert house.ok("order", "withdraw", "1")["state"] == "withdrawn"
    assert house.ok("order", "rebuild", "1", "--as", "bob")["job"] == 2
    assert state(house) == ["withdrawn", "approved"]
    assert house.lockgate("order", "rebuild", "1", "--as", "bob").code == 1


# --- what is refused on the way -----------------------------------------------------------------------


def test_who_drafted_an_order_can_not_approve_it(house: House) -> None:
    house.ok("rebalance", "--from", "cold", "--to", "hot", "--amount", "1", "--key", "june", "--as", "alice")
    assert house.lockgate("approve", "june", "--as", "alice").refused("same-person")
    assert state(house) == ["drafted"]


def test_a_wrong_passphrase_of_station_or_person_changes_nothing(house: House) -> None:
    words = ("rebalance", "--from", "cold", "--to", "hot", "--amount", "1", "--as", "alice")
    assert house.lockgate(*words, lines=["wrong passphrase"]).refused("wrong-passphrase")
    assert house.lockgate(*words, lines=[PASSPHRASE, "wrong passphrase"]).refused("wrong-passphrase")
    assert house.ok("order", "list") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--from", "cold", "--to", "attic", "--amount", "1"), "unknown-wallet"),
        (("--from", "cold", "--to", "hot", "--amount", "1.2345678"), "bad-amount"),
        (("--from", "cold", "--to", "hot", "--amount", "-1"), "bad-amount"),
    ],
)
def test_an_order_that_can_not_be_is_refused(house: House, words: tuple[str, ...], code: str) -> None:
    assert house.lockgate("rebalance", *words, "--as", "alice").refused(code)


def test_a_person_without_a_key_file_is_told_before_any_passphrase(house: House) -> None:
    words = ("rebalance", "--from", "cold", "--to", "hot", "--amount", "1", "--as", "mallory")
    assert house.lockgate(*words, lines=[PASSPHRASE]).refused("unknown-person")


def test_an_order_that_nobody_approved_is_not_exported(house: House, tmp_path: Path) -> None:
    house.ok("rebalance", "--from", "cold", "--to", "hot", "--amount", "1", "--key", "june", "--as", "alice")
    out = tmp_path / "request"
    assert house.lockgate("request", "export", "june", "--out", out).refused("nothing-to-export")
    assert not out.exists()


def test_a_cut_answer_is_refused_and_the_whole_one_still_counts(house: House, tmp_path: Path) -> None:
    answer = house.answered()
    cut = tmp_path / "cut"
    cut.write_bytes(answer.read_bytes()[:-20])
    assert house.lockgate("answer", "import", cut).refused("bad-encoding")
    assert state(house) == ["exported"]
    house.ok("answer", "import", answer)


def test_an_answer_to_a_request_that_was_made_elsewhere_is_refused(
    house: House, template: Path, tmp_path: Path
) -> None:
    house.exported()
    world = XrplWorld()
    with serve(world) as server:
        foreign = copy(template, tmp_path / "elsewhere", server.url, world).answered("july", "3")
    assert house.lockgate("answer", "import", foreign).refused("unknown-request")
    assert state(house) == ["exported"]


def test_an_answer_to_an_earlier_request_does_not_settle_a_later_one(house: House) -> None:
    first = house.answered("june", "5")
    house.ok("answer", "import", first)
    house.settle()
    house.exported("july", "6")
    assert house.ok("answer", "import", first)["repeated"]
    assert state(house, "july") == ["exported"]


def test_an_answer_that_comes_twice_counts_once(house: House) -> None:
    answer = house.answered()
    assert not house.ok("answer", "import", answer)["repeated"]
    assert house.ok("answer", "import", answer)["repeated"]
    house.settle()
    assert house.ok("answer", "import", answer)["repeated"]
    assert state(house) == ["final"]


def test_a_request_is_no_answer(house: House) -> None:
    assert house.lockgate("answer", "import", house.exported()).refused("wrong-document")


def test_a_card_of_a_signer_that_was_never_paired_is_refused(house: House, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    assert lockgate("--home", fresh, "init", "--kdf", "light").code == 0
    assert lockgate("--home", fresh, "wallet", "import", tmp_path / "cold.card").refused("unknown-signer")


def test_a_node_of_another_network_is_never_built_against(house: House, tmp_path: Path) -> None:
    house.approved()
    house.world.lie_about(1)
    out = tmp_path / "request"
    assert house.lockgate("request", "export", "june", "--out", out).refused("node-unfit")
    assert not out.exists()


def test_a_node_that_does_not_answer_decides_nothing(house: House) -> None:
    house.ok("answer", "import", house.answered())
    house.world.go_down()
    assert house.lockgate("run", "--once").refused("loop-trouble")
    assert state(house) == ["answered"]
    house.world.come_up()
    house.settle()
    assert state(house) == ["final"]


def test_books_that_differ_from_the_ledger_are_shown_and_end_with_one(house: House) -> None:
    address = house.ok("wallet", "show", "hot")["addresses"][0]
    house.world.fund(address, 7_000_000)
    done = house.lockgate("books", "check")
    assert done.refused("books-differ")
    assert "7 XRP" in done.out


def test_a_file_that_is_there_is_not_overwritten(house: House, tmp_path: Path) -> None:
    house.approved()
    out = tmp_path / "taken"
    out.write_text("mine")
    assert house.lockgate("request", "export", "june", "--out", out).refused("file-exists")
    assert out.read_text() == "mine"


def test_foreign_text_can_not_repaint_the_screen(house: House) -> None:
    done = house.lockgate("order", "show", "\x1b[2Jjune")
    assert done.code == 1
    assert "\x1b" not in done.err + done.out
