"""Power cuts and full disks: the signer is killed at each step, or runs out of room, and goes on afterwards.

Each case runs the real command in a process of its own (`signer_killed.py`, `resource` limits, a tiny tmpfs), looks at
what is on the disk, and asks again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_signer import journal_file
from shared.envelope import open_answer
from shared.errors import FileTrouble
from tests.house import ROOT
from tests.signer_command import PASSPHRASE, SECRET, Desk, make_desk
from tests.signer_killed import POINTS
from tests.signing_world import World, make_world

KILLED = str(ROOT / "tests" / "signer_killed.py")
UNWRITTEN = POINTS[:2]
"""Where no entry is whole on the disk yet."""


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, World]:
    return make_desk(tmp_path_factory.mktemp("crash"), {"budget": "1000000", "day": "1000000"})


def entries(world: World) -> int:
    return journal_file.read(world.folder, world.station).tip.size


def spent(world: World) -> int:
    with world.box() as box:
        return sum(box.history.usage(world.now).epoch.values())


@pytest.mark.parametrize("point", POINTS)
def test_a_signer_killed_at_any_step_loses_nothing_and_counts_once(crashing: tuple[Desk, World], point: str) -> None:
    desk, world = crashing
    number = POINTS.index(point) * 2 + 1
    items = [world.payment(7, f"order {n}", sequence=n) for n in (number, number + 1)]
    request = desk.put(f"request {number}", world.request(*items))
    answer = desk.folder / f"answer {number}"
    before, spent_before = entries(world), spent(world)
    arguments = ["sign", request, "--as", desk.person(world, "carol"), "--yes", "--out", answer]
    secrets = [PASSPHRASE, SECRET]

    killed = desk.run(*arguments, lines=secrets, program=(KILLED, point))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert answer.exists() == (point == POINTS[-1])
    assert entries(world) == before + (point not in UNWRITTEN)

    again = desk.folder / f"again {number}"
    desk.ok(*arguments[:-1], again, lines=secrets if point in UNWRITTEN else secrets[:1])
    signatures = open_answer(again.read_bytes())[0].signatures
    if answer.exists():
        assert open_answer(answer.read_bytes())[0].signatures == signatures
    desk.ok(*arguments[:-1], desk.folder / f"third {number}", lines=secrets[:1])
    assert open_answer((desk.folder / f"third {number}").read_bytes())[0].signatures == signatures
    assert (len(signatures), entries(world)) == (2, before + 1)
    assert spent(world) - spent_before == 2 * (7_000_000 + 10)
    assert "verifies" in desk.ok("journal", "verify")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "lockgate-test", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not permitted here; the test with RLIMIT_FSIZE stands for it")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_signs_nothing_and_the_signer_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    desk, world = make_desk(tmp_path)
    os.rename(world.folder, tmp_path / "moved")
    desk.home = world.folder = small_disk / "signer"
    subprocess.run(["cp", "-a", str(tmp_path / "moved"), str(world.folder)], check=True)
    request = desk.put("request", world.request(world.payment(5, sequence=1)))
    before = (world.folder / journal_file.NAME).read_bytes()
    fill(small_disk / "ballast")
    answer = desk.folder / "answer"
    arguments = ["sign", request, "--as", desk.person(world, "carol"), "--yes", "--out", answer]
    assert desk.refused(*arguments, lines=[PASSPHRASE, SECRET]) == "disk-full"
    assert not answer.exists()
    assert (world.folder / journal_file.NAME).read_bytes() == before
    os.unlink(small_disk / "ballast")
    desk.ok(*arguments, lines=[PASSPHRASE, SECRET])
    assert answer.exists()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            return


LIMITED = """
import resource, signal, sys
from offline_signer.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


def test_a_file_that_may_not_grow_signs_nothing_and_stays_whole(tmp_path: Path) -> None:
    desk, world = make_desk(tmp_path)
    request = desk.put("request", world.request(world.payment(5, sequence=1)))
    before = (world.folder / journal_file.NAME).read_bytes()
    answer = desk.folder / "answer"
    arguments = ["sign", request, "--as", desk.person(world, "carol"), "--yes", "--out", answer]
    limited = desk.run(*arguments, lines=[PASSPHRASE, SECRET], program=("-c", LIMITED, str(len(before) + 100)))
    assert (limited.returncode, "[disk-full]" in limited.stderr) == (1, True), limited.stderr
    assert (world.folder / journal_file.NAME).read_bytes() == before
    desk.ok(*arguments, lines=[PASSPHRASE, SECRET])


def test_a_disk_that_fails_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(tmp_path / "signer")
    before = (world.folder / journal_file.NAME).read_bytes()

    def failing(_: int) -> None:
        raise OSError(5, "Input/output error")

    request = world.request(world.payment(5, sequence=1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(FileTrouble):
            world.sign(request)
    assert (world.folder / journal_file.NAME).read_bytes() == before
    assert world.sign(request)


def test_the_script_that_kills_is_a_script() -> None:
    done = subprocess.run([sys.executable, KILLED, "nowhere", "--help"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0
