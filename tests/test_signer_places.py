"""Where an answer goes: every place is looked at before anything is signed; what fails later says that it is signed.

The commands run as processes of their own; "nothing was signed" is read off the journal's length.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_signer.cli import signing
from offline_signer.cli.places import require_room
from shared.courier.outward import Carried, Ways
from shared.errors import DiskFull, Refusal
from tests.signer_command import PASSPHRASE, SECRET, Desk, make_desk
from tests.signing_world import World

Both = tuple[Desk, World]
numbers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return make_desk(tmp_path_factory.mktemp("places"))


def request(both: Both) -> Path:
    desk, world = both
    number = next(numbers)
    return desk.put(f"request-{number}", world.request(world.payment(7, f"order {number}", sequence=number)))


def entries(world: World) -> bytes:
    return (world.folder / "journal.log").read_bytes()


def taken(folder: Path) -> tuple[Path, Path, Path]:
    """Make a file, a folder with a frame of an earlier message, and a link that leads nowhere."""
    folder.mkdir()
    (folder / "file").write_bytes(b"mine")
    (folder / "frames").mkdir()
    (folder / "frames" / "frame-0007.png").write_bytes(b"mine")
    (folder / "link").symlink_to(folder / "nowhere")
    return folder / "file", folder / "frames", folder / "link"


@pytest.mark.parametrize(("ways", "code"), [
    (lambda file, frames, link: ["--out", file], "file-exists"),
    (lambda file, frames, link: ["--gif", file], "file-exists"),
    (lambda file, frames, link: ["--out", link], "file-exists"),
    (lambda file, frames, link: ["--png", frames], "file-exists"),
    (lambda file, frames, link: ["--out", frames / "new", "--gif", frames / "new"], "file-exists"),
    (lambda file, frames, link: ["--out", frames / "no" / "answer"], "file-trouble"),
    (lambda file, frames, link: ["--out", frames / "fine", "--gif", file / "answer"], "file-trouble"),
    (lambda file, frames, link: ["--png", file], "file-trouble"),
    (lambda file, frames, link: ["--png", file / "below" / "it"], "file-trouble"),
    (lambda file, frames, link: ["--terminal"], "not-a-terminal"),
])
def test_a_place_that_cannot_take_the_answer_is_told_before_anything_is_signed(
    both: Both, tmp_path: Path, ways: Callable[..., list[object]], code: str
) -> None:
    desk, world = both
    before = entries(world)
    arguments = ["--as", desk.person(world, "carol"), "--yes", *ways(*taken(tmp_path / "stick"))]
    assert desk.refused("sign", request(both), *arguments, lines=[PASSPHRASE, SECRET]) == code
    assert entries(world) == before
    assert (tmp_path / "stick" / "file").read_bytes() == b"mine"


def test_a_folder_that_nobody_may_write_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for ways in (Ways(tmp_path / "answer"), Ways(gif=tmp_path / "gif"), Ways(png=tmp_path / "new" / "frames")):
        with pytest.raises(Refusal) as caught:
            require_room(ways)
        assert (caught.value.code, caught.value.hint[:18]) == ("file-trouble", "Nothing was signed")


def test_good_places_are_taken(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    require_room(Ways(tmp_path / "answer", tmp_path / "gif", tmp_path / "old"))
    require_room(Ways(png=tmp_path / "deep" / "er"))


FAILING = """
import sys
from offline_signer.cli import main, signing
from shared.errors import DiskFull
def fail(*arguments):
    raise {what}
signing.{where} = fail
main()
"""


@pytest.mark.parametrize(("where", "what", "code"), [
    ("carry_out", "DiskFull('no room')", "disk-full"),
    ("carry_out", "KeyboardInterrupt", "answer-not-carried"),
])
def test_what_fails_after_the_signature_says_so_and_the_same_command_gives_the_answer(
    both: Both, where: str, what: str, code: str
) -> None:
    desk, world = both
    asked = ["sign", request(both), "--as", desk.person(world, "carol"), "--yes", "--json", "--out"]
    program = FAILING.format(what=what, where=where)
    done = desk.run(*asked, "lost", lines=[PASSPHRASE, SECRET], program=("-c", program))
    assert (done.returncode, f"[{code}]" in done.stderr) == (1, True), done.stderr
    assert "hint: Signed; run the same command again with another --out" in done.stderr
    size = entries(world)
    again = json.loads(desk.ok(*asked, f"found {code}", lines=[PASSPHRASE]))
    assert (again["repeated"], again["signed"], entries(world) == size) == (True, 1, True)


def test_ctrl_c_at_a_prompt_is_one_line_and_nothing_is_signed(both: Both) -> None:
    desk, world = both
    before = entries(world)
    program = "from shared.face import prompts\nimport sys\ndef stop(what):\n    raise KeyboardInterrupt\n"
    program += "from offline_signer.cli import face, main\nface.ask_secret = stop\nmain()"
    done = desk.run("sign", request(both), "--yes", "--out", "x", program=("-c", program))
    assert (done.returncode, done.stderr.split("\n")) == (1, ["", "stopped; nothing was signed", ""])
    assert entries(world) == before


def test_a_failure_in_this_process_keeps_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(answer: bytes, ways: Ways) -> Carried:
        raise DiskFull("no room")

    monkeypatch.setattr(signing, "carry_out", full)
    with pytest.raises(DiskFull) as caught:
        signing._carry(b"", Ways(tmp_path / "x"))
    assert "another --out" in caught.value.hint
    assert "another --out" not in DiskFull.hint
