"""A hot wallet's signer as it is run: `lockgate-signer serve`, a process of its own, fed through a real spool folder.

The vault's passphrase comes through a pipe, nobody sits at it, and every test looks at the folders alone. Kills are
SIGKILL at a chosen call (`signer_killed.py`) or at any moment; disks are full by `resource` limits.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Timer

import click
import pytest

from offline_signer import airgap, journal_file, spool
from offline_signer.cli import serve as command
from offline_signer.cli.main import cli
from online.courier.spool import Spool as Courier
from shared.checkpoint import open_checkpoint
from shared.envelope import SeenLog, open_answer, open_request
from shared.errors import (
    DiskFull,
    FileTrouble,
    HostHasNetwork,
    JournalDamaged,
    MissingInput,
    NotAHotSigner,
    SpoolUnfit,
)
from shared.transport.media import MOST_FILE_BYTES
from tests.hot_world import Hot, install, make_hot, until
from tests.house import ROOT
from tests.signer_killed import POINTS
from tests.signing_world import PASSPHRASE, STRANGER, Somebody

KILLED = str(ROOT / "tests" / "signer_killed.py")
ANY_HOST = "--host-has-network"
"""The machine on which the tests run may have a network."""

numbers = iter(range(1, 100_000))


@pytest.fixture(scope="module")
def shared_hot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hot]:
    """Give one signer that serves while the module's quick tests run; it must end well after all of them."""
    hot = make_hot(tmp_path_factory.mktemp("hot"), budget=1_000_000)
    with hot.serving(ANY_HOST):
        yield hot


def payment(hot: Hot, xrp: int = 7, **changes: object) -> bytes:
    """Seal a request of one payment that nobody asked for before."""
    number = next(numbers)
    return hot.world.request(hot.world.payment(xrp, f"order {number}", sequence=number), **changes)  # type: ignore[arg-type]


# --- the way that is meant ------------------------------------------------------------------------------


def test_a_request_within_the_policy_is_answered_with_nobody_there(shared_hot: Hot) -> None:
    digest = shared_hot.lay(payment(shared_hot))
    answer, sealed = open_answer(shared_hot.answered(digest))
    assert (answer.request.hex(), len(answer.signatures), answer.declined) == (digest, 1, ())
    assert sealed.signers == (shared_hot.world.station,)
    until(lambda: not (shared_hot.spool / "in" / f"{digest}.request").exists(), lambda: shared_hot.log)


def test_the_same_request_again_gives_the_same_answer_and_no_entry(shared_hot: Hot) -> None:
    request = payment(shared_hot)
    digest = shared_hot.lay(request)
    first, entries = shared_hot.answered(digest), shared_hot.entries()
    until(lambda: not (shared_hot.spool / "in" / f"{digest}.request").exists(), lambda: shared_hot.log)
    (shared_hot.spool / "out" / f"{digest}.answer").unlink()
    shared_hot.lay(request)
    assert open_answer(shared_hot.answered(digest))[0].signatures == open_answer(first)[0].signatures
    assert shared_hot.entries() == entries


def test_an_answer_can_be_read_by_the_folders_group_and_by_nobody_else(shared_hot: Hot) -> None:
    digest = shared_hot.lay(payment(shared_hot))
    shared_hot.answered(digest)
    mode = (shared_hot.spool / "out" / f"{digest}.answer").stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_a_hundred_requests_are_answered_each_with_its_own(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    requests = [payment(hot, 1) for _ in range(100)]
    with hot.serving(ANY_HOST):
        before = hot.entries()
        digests = [hot.lay(request) for request in requests]
        answers = [open_answer(hot.answered(digest))[0] for digest in digests]
    assert [answer.request.hex() for answer in answers] == digests
    assert len({answer.signatures for answer in answers}) == 100
    assert hot.entries() == before + 100
    assert hot.spent() == 100 * (1_000_000 + 10)


def test_it_serves_without_any_network(tmp_path: Path) -> None:
    ways = (["unshare", "-n"], ["unshare", "-rn"])
    alone = [way for way in ways if not subprocess.run([*way, "true"], capture_output=True, check=False).returncode]
    if not alone:
        pytest.skip("this kernel forbids `unshare -n`")
    hot = make_hot(tmp_path)
    options = (ANY_HOST, "--from", str(os.geteuid()), "--from", "0")
    with hot.serving(*options, before=alone[0]):
        hot.answered(hot.lay(payment(hot)))
    assert "not shut off" not in hot.log


def test_it_opens_no_socket(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    with hot.serving(ANY_HOST) as process:
        hot.answered(hot.lay(payment(hot)))
        links = [os.readlink(one) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert links
    assert not [link for link in links if link.startswith("socket:")]


# --- what is refused stands beside its reason -------------------------------------------------------------


def another_station(hot: Hot) -> bytes:
    return payment(hot, station=Somebody("mallory"))


def another_signer(hot: Hot) -> bytes:
    return payment(hot, signer=Somebody("other").public)


def a_forged_past(hot: Hot) -> bytes:
    return payment(hot, seen=SeenLog(1, bytes(range(32))))


def to_a_stranger(hot: Hot) -> bytes:
    number = next(numbers)
    return hot.world.request(hot.world.payment(1, f"order {number}", to=STRANGER, sequence=number))


def with_tickets(hot: Hot) -> bytes:
    return hot.world.request(hot.world.tickets(2, sequence=next(numbers)))


def many_at_once(hot: Hot) -> bytes:
    items = [hot.world.payment(100, f"order {number}", sequence=number) for number in islice(numbers, 11)]
    return hot.world.request(*items)


DECLINED: list[tuple[Callable[[Hot], bytes], str]] = [
    (lambda hot: payment(hot, 101), "over-transfer-limit"),
    (to_a_stranger, "unknown-destination"),
    (with_tickets, "kind-not-allowed"),
    (lambda hot: hot.world.request(hot.world.payment(1, fee=1_001, sequence=next(numbers))), "fee-too-high"),
    (lambda hot: hot.world.request(hot.world.payment(1, last=40_000, sequence=next(numbers))), "expiry-too-far"),
]


@pytest.mark.parametrize(("request_of", "code"), DECLINED, ids=[code for _, code in DECLINED])
def test_what_the_policy_forbids_is_declined_in_a_signed_answer_for_good(
    shared_hot: Hot, request_of: Callable[[Hot], bytes], code: str
) -> None:
    entries, request = shared_hot.entries(), request_of(shared_hot)
    digest = shared_hot.lay(request)
    answer, sealed = open_answer(shared_hot.answered(digest))
    assert sealed.signers == (shared_hot.world.station,)
    assert (answer.signatures, [one.position for one in answer.declined]) == ((), [0])
    assert answer.declined[0].reason.partition(": ")[0] == code
    assert shared_hot.entries() == entries + 1
    again = shared_hot.world.request(*(item for _, item in open_request(request)[0].flat()), height=1_001)
    answer, _ = open_answer(shared_hot.answered(shared_hot.lay(again)))
    assert (answer.signatures, answer.declined[0].reason.partition(": ")[0]) == ((), "declined-before")


def test_what_stands_beside_it_is_signed(shared_hot: Hot) -> None:
    items = [shared_hot.world.payment(xrp, f"order {number}", sequence=number)
             for number, xrp in zip(numbers, (5, 101, 6), strict=False)]
    answer, _ = open_answer(shared_hot.answered(shared_hot.lay(shared_hot.world.request(*items))))
    assert (len(answer.signatures), [one.position for one in answer.declined]) == (2, [1])


def test_what_no_longer_fits_is_declined_and_counts_against_nothing_after_it(tmp_path: Path) -> None:
    hot = make_hot(tmp_path, budget=200)
    items = [hot.world.payment(xrp, f"order {number}", sequence=number)
             for number, xrp in zip(numbers, (90, 90, 90, 19, 2), strict=False)]
    with hot.serving(ANY_HOST):
        answer, _ = open_answer(hot.answered(hot.lay(hot.world.request(*items))))
    assert [(one.position, one.reason.partition(": ")[0]) for one in answer.declined] == [
        (2, "over-epoch-budget"), (4, "over-epoch-budget"),
    ]  # fmt: skip
    assert len(answer.signatures) == 3
    assert hot.spent() == 199_000_030


def test_of_more_than_a_request_may_hold_as_much_as_fits_is_signed(shared_hot: Hot) -> None:
    answer, _ = open_answer(shared_hot.answered(shared_hot.lay(many_at_once(shared_hot))))
    assert [(one.position, one.reason.partition(": ")[0]) for one in answer.declined] == [(10, "over-request-limit")]


def test_it_tells_which_request_of_its_coordinator_was_answered_last_also_where_the_spool_was_lost(
    tmp_path: Path
) -> None:
    hot = make_hot(tmp_path)
    place = Courier(hot.spool)
    station = hot.world.station_key.public
    last = place.last(station)
    assert last is None
    for _ in range(2):
        digest = hot.lay(payment(hot))
        steps(hot)
        last = place.last(station)
        assert last is not None
        assert last[0].hex() == digest
        assert open_checkpoint(last[1], last[1].partition("\n")[0], hot.world.station).size == hot.entries()
    hot.lay(payment(hot, height=6_000))
    steps(hot)
    assert place.last(station) == last
    (path,) = hot.spool.glob("*.last")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.unlink()
    steps(hot)
    assert place.last(station) == last


def test_a_day_has_so_many_requests_of_which_something_is_declined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_DECLINED_A_DAY", 2)
    hot = make_hot(tmp_path)
    for _ in range(2):
        digest = hot.lay(payment(hot, 101))
        steps(hot)
        assert open_answer(hot.answered(digest))[0].declined
    entries, late = hot.entries(), hot.lay(payment(hot, 101))
    steps(hot)
    assert hot.refused(late) == "over-transfer-limit"
    assert hot.entries() == entries
    fair = hot.lay(payment(hot))
    steps(hot)
    assert open_answer(hot.answered(fair))[0].signatures


def test_where_a_law_objects_too_nothing_is_declined(shared_hot: Hot) -> None:
    world, (one, two, three) = shared_hot.world, islice(numbers, 3)
    shared_hot.answered(shared_hot.lay(world.request(world.payment(3, f"bound {one}", sequence=one))))
    entries = shared_hot.entries()
    twice, greedy = world.payment(3, f"bound {one}", sequence=two), world.payment(101, f"g {three}", sequence=three)
    assert shared_hot.refused(shared_hot.lay(world.request(twice, greedy))) == "could-pay-twice"
    assert shared_hot.entries() == entries


REFUSED: list[tuple[Callable[[Hot], bytes], str]] = [
    (another_station, "unknown-station"),
    (another_signer, "not-for-this-signer"),
    (a_forged_past, "journal-behind"),
    (lambda hot: payment(hot, height=6_000), "xrpl-expired"),
]


@pytest.mark.parametrize(("request_of", "code"), REFUSED, ids=[code for _, code in REFUSED])
def test_what_the_laws_refuse_is_refused_with_its_code(
    shared_hot: Hot, request_of: Callable[[Hot], bytes], code: str
) -> None:
    entries = shared_hot.entries()
    digest = shared_hot.lay(request_of(shared_hot))
    assert shared_hot.refused(digest) == code
    assert not (shared_hot.spool / "out" / f"{digest}.answer").exists()
    assert shared_hot.entries() == entries


def test_the_reason_is_one_line_with_the_hint(shared_hot: Hot) -> None:
    digest = shared_hot.lay(payment(shared_hot, height=6_000))
    line = shared_hot.reason(digest)
    assert line.startswith("xrpl-expired: ")
    assert line.isprintable()
    assert " - " in line


def test_a_second_transaction_for_the_same_transfer_is_refused(shared_hot: Hot) -> None:
    one, two = next(numbers), next(numbers)
    shared_hot.answered(shared_hot.lay(shared_hot.world.request(shared_hot.world.payment(3, "twice", sequence=one))))
    digest = shared_hot.lay(shared_hot.world.request(shared_hot.world.payment(3, "twice", sequence=two)))
    assert shared_hot.refused(digest) == "could-pay-twice"


def test_what_needs_an_approval_is_refused_by_the_ceremony(tmp_path: Path) -> None:
    hot = make_hot(tmp_path, word="approvals = 1")
    with hot.serving(ANY_HOST):
        assert hot.refused(hot.lay(payment(hot))) == "not-enough-approvals"
    assert hot.spent() == 0


def test_the_epochs_budget_ends_it_until_the_administrators_seal_another(tmp_path: Path) -> None:
    hot = make_hot(tmp_path, budget=100)
    with hot.serving(ANY_HOST):
        hot.answered(hot.lay(payment(hot, 60)))
        assert open_answer(hot.answered(hot.lay(payment(hot, 60))))[0].declined
    install(hot, epoch=2, budget=1_000)
    with hot.serving(ANY_HOST):
        assert open_answer(hot.answered(hot.lay(payment(hot, 60))))[0].signatures


def test_a_clock_that_jumped_grants_nothing(tmp_path: Path) -> None:
    hot = make_hot(tmp_path, jump=0)
    until(lambda: int(time.time()) > hot.world.now + 1, lambda: "time stands still")
    with hot.serving(ANY_HOST):
        assert hot.refused(hot.lay(payment(hot))) == "clock-jumped"


# --- files of every kind -----------------------------------------------------------------------------------


NAME = "ab" * 32
OTHERS = ["request", "x.request", f"{NAME}.request.part", f"{NAME.upper()}.request", f"{NAME}0.request", "\x1b[2J", "ü"]


def test_only_whole_files_under_a_digests_name_are_touched(shared_hot: Hot) -> None:
    request = payment(shared_hot)
    inbox = shared_hot.spool / "in"
    for name in (*OTHERS, f".{NAME}.request"):
        (inbox / name).write_bytes(request)
    shared_hot.answered(shared_hot.lay(payment(shared_hot)))
    assert {*OTHERS, f".{NAME}.request"} <= {one.name for one in inbox.iterdir()}
    for name in (*OTHERS, f".{NAME}.request"):
        (inbox / name).unlink()


def test_a_file_that_grows_under_a_hidden_name_counts_once_it_is_renamed(shared_hot: Hot) -> None:
    request = payment(shared_hot)
    part = shared_hot.spool / "in" / ".growing"
    for end in range(0, len(request), 50):
        part.write_bytes(request[:end])
        time.sleep(0.005)
    part.unlink()
    shared_hot.answered(shared_hot.lay(request))
    assert not any(one.name.startswith(".growing") for one in (shared_hot.spool / "refused").iterdir())


def a_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{folder}/{path.name}")  # the name of a socket is short
    os.close(folder)


def a_second_name(path: Path) -> None:
    other = path.with_name(".other")
    other.write_bytes(b"x")
    os.link(other, path)


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_FILE_BYTES + 1)


def empty(path: Path) -> None:
    path.touch()


def random_bytes(path: Path) -> None:
    path.write_bytes(os.urandom(5_000))


def deep(path: Path) -> None:
    path.write_bytes(b"\x81" * 100_000)


def another_makers(path: Path) -> None:
    path.write_bytes(b"psbt\xff\x01\x00" + bytes(100))


KINDS: list[tuple[Callable[[Path], None], str]] = [
    (a_link, "not-a-plain-file"), (a_dangling_link, "not-a-plain-file"), (a_pipe, "not-a-plain-file"),
    (a_folder, "not-a-plain-file"), (a_socket, "not-a-plain-file"), (a_second_name, "not-a-plain-file"),
    (too_large, "file-too-large"), (empty, ""), (random_bytes, ""), (deep, ""),
    (another_makers, "bad-"),
]


@pytest.mark.parametrize(("make", "code"), KINDS, ids=[make.__name__ for make, _ in KINDS])
def test_what_is_no_request_is_put_aside_and_never_followed(
    shared_hot: Hot, make: Callable[[Path], None], code: str
) -> None:
    digest = os.urandom(32).hex()
    hidden = shared_hot.spool / "in" / f".{digest[:20]}"
    make(hidden)
    os.rename(hidden, shared_hot.spool / "in" / f"{digest}.request")
    aside = shared_hot.spool / "refused" / f"{digest}.request"
    until(lambda: os.path.lexists(aside), lambda: shared_hot.log)
    line = (shared_hot.spool / "refused" / f"{digest}.reason").read_text()
    assert line.startswith(code)
    assert line.count("\n") == 1
    shared_hot.answered(shared_hot.lay(payment(shared_hot)))


def test_a_request_under_another_digests_name_is_refused(shared_hot: Hot) -> None:
    digest = shared_hot.put(f"{os.urandom(32).hex()}.request", payment(shared_hot))
    assert shared_hot.refused(digest) == "bad-field"


def test_a_folder_full_of_garbage_stops_nothing(shared_hot: Hot) -> None:
    inbox = shared_hot.spool / "in"
    wrong = [f"{os.urandom(32).hex()}.request" for _ in range(600)]
    for number, name in enumerate(wrong):
        (inbox / name).write_bytes(os.urandom(100))
        (inbox / f"junk {number}").touch()
    shared_hot.answered(shared_hot.lay(payment(shared_hot)))
    aside = shared_hot.spool / "refused"
    until(lambda: all((aside / name).exists() for name in wrong), lambda: shared_hot.log)
    assert len(list(inbox.glob("junk *"))) == 600
    assert "files in" in shared_hot.log
    for one in inbox.glob("junk *"):
        one.unlink()


def test_an_answer_never_goes_through_a_link_that_lies_in_its_place(shared_hot: Hot, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    request = payment(shared_hot)
    digest = open_request(request)[1].digest.hex()
    (shared_hot.spool / "out" / f"{digest}.answer").symlink_to(precious)
    shared_hot.lay(request)
    until(lambda: not (shared_hot.spool / "out" / f"{digest}.answer").is_symlink(), lambda: shared_hot.log)
    assert open_answer(shared_hot.answered(digest))[0].signatures
    assert precious.read_text() == "precious"


def test_an_answers_place_that_is_taken_delays_it_and_stops_no_other(shared_hot: Hot) -> None:
    request = payment(shared_hot)
    digest = open_request(request)[1].digest.hex()
    place = shared_hot.spool / "out" / f"{digest}.answer"
    place.mkdir()
    shared_hot.lay(request)
    shared_hot.answered(shared_hot.lay(payment(shared_hot)))
    until(lambda: "stays for now" in shared_hot.log, lambda: shared_hot.log)
    assert (shared_hot.spool / "in" / f"{digest}.request").exists()
    place.rmdir()
    until(place.is_file, lambda: shared_hot.log)


def test_a_request_of_another_user_is_not_read(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can lay a file of another user")
    hot = make_hot(tmp_path)
    request = payment(hot)
    with hot.serving(ANY_HOST):
        hidden = hot.spool / "in" / ".theirs"
        hidden.write_bytes(request)
        os.chown(hidden, 12_345, -1)
        digest = open_request(request)[1].digest.hex()
        os.rename(hidden, hot.spool / "in" / f"{digest}.request")
        assert hot.refused(digest) == "strange-owner"
    with hot.serving(ANY_HOST, "--from", "12345"):
        os.rename(hot.spool / "refused" / f"{digest}.request", hot.spool / "in" / f"{digest}.request")
        hot.answered(digest)


# --- how it starts, and when it does not ---------------------------------------------------------------------


def start_refused(hot: Hot, *options: str, passphrase: str = PASSPHRASE) -> str:
    """Start it and give the code with which it refuses; it has answered nothing."""
    with hot.started(*options, passphrase=passphrase) as process:
        assert process.wait(30) == 1, hot.log
    assert hot.log.count("error: ") == hot.log.count("hint: ") == 1
    assert "Traceback" not in hot.log
    return hot.log.partition("error: ")[2].splitlines()[0].rpartition("[")[2].rstrip("]")


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Hot:
    return make_hot(tmp_path_factory.mktemp("idle"))


def open_to_everybody(hot: Hot) -> Callable[[], None]:
    (hot.spool / "in").chmod(0o777)
    return lambda: (hot.spool / "in").chmod(0o750)


def open_to_the_group(hot: Hot) -> Callable[[], None]:
    hot.spool.chmod(0o770)
    return lambda: hot.spool.chmod(0o750)


def missing(hot: Hot) -> Callable[[], None]:
    (hot.spool / "refused").rmdir()
    return (hot.spool / "refused").mkdir


def a_link_as_folder(hot: Hot) -> Callable[[], None]:
    (hot.spool / "out").rename(hot.spool / "out2")
    (hot.spool / "out").symlink_to("out2")

    def back() -> None:
        (hot.spool / "out").unlink()
        (hot.spool / "out2").rename(hot.spool / "out")

    return back


def somebody_elses(hot: Hot) -> Callable[[], None]:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    os.chown(hot.spool / "in", 12_345, -1)
    return lambda: os.chown(hot.spool / "in", 0, -1)


@pytest.mark.parametrize(
    "spoil", [open_to_everybody, open_to_the_group, missing, a_link_as_folder, somebody_elses],
    ids=lambda spoil: spoil.__name__,
)
def test_a_spool_that_others_could_change_is_refused(idle: Hot, spoil: Callable[[Hot], Callable[[], None]]) -> None:
    mend = spoil(idle)
    try:
        assert start_refused(idle, ANY_HOST) == "spool-unfit"
    finally:
        mend()


@pytest.mark.parametrize(
    ("passphrase", "code"),
    [("another passphrase", "wrong-passphrase"), ("", "missing-input"), ("\x00", "missing-input")],
)
def test_a_wrong_or_missing_passphrase_opens_nothing(idle: Hot, passphrase: str, code: str) -> None:
    assert start_refused(idle, ANY_HOST, passphrase=passphrase) == code


def test_a_descriptor_that_is_not_open_is_refused(idle: Hot) -> None:
    assert start_refused(idle, ANY_HOST, "--passphrase-fd", "999") == "missing-input"


def test_an_unknown_user_is_misuse(idle: Hot) -> None:
    with idle.started(ANY_HOST, "--from", "nobody-of-this-name") as process:
        assert process.wait(30) == 2, idle.log


def test_one_signer_works_in_a_folder_at_a_time(idle: Hot) -> None:
    with idle.serving(ANY_HOST):
        kept = idle.log
        start = [sys.executable, "-m", "offline_signer", "--home", str(idle.world.folder)]
        words = [*start, "serve", str(idle.spool), ANY_HOST]
        done = subprocess.run(words, input=f"{PASSPHRASE}\n", capture_output=True, text=True, cwd=ROOT, check=False)
        assert (done.returncode, "[signer-busy]" in done.stderr) == (1, True)
        assert idle.log == kept


@pytest.mark.parametrize(("card_tier", "tier"), [("cold", "hot"), ("warm", "hot"), ("hot", "cold"), ("hot", "warm")])
def test_a_vault_with_the_keys_of_another_wallet_does_not_work_by_itself(
    tmp_path: Path, card_tier: str, tier: str
) -> None:
    hot = make_hot(tmp_path, card_tier=card_tier, tier=tier)
    assert start_refused(hot, ANY_HOST) == "not-a-hot-signer"


def test_a_network_nobody_spoke_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airgap, "findings", lambda: ["network interface eth0"])
    monkeypatch.setattr(airgap, "reach", list)
    with pytest.raises(HostHasNetwork, match="eth0"):
        command._look_around(excused=False)
    command._look_around(excused=True)


def test_a_way_out_of_this_process_is_always_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(airgap, "findings", list)
    monkeypatch.setattr(airgap, "reach", lambda: ["route through eth0"])
    for excused in (True, False):
        command._look_around(excused=excused)
        assert "not shut off: route through eth0" in capsys.readouterr().err


# --- power cuts and full disks ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Hot:
    return make_hot(tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("point", [*POINTS[:6], "in the answer"])
def test_a_signer_killed_at_any_step_signs_once_and_loses_no_answer(crashing: Hot, point: str) -> None:
    hot, one, two = crashing, next(numbers), next(numbers)
    items = [hot.world.payment(7, f"order {number}", sequence=number) for number in (one, two)]
    entries, spent = hot.entries(), hot.spent()
    digest = hot.lay(hot.world.request(*items))
    with hot.started(ANY_HOST, program=(KILLED,), first=point) as process:
        assert process.wait(30) == -signal.SIGKILL, hot.log
    assert (hot.spool / "in" / f"{digest}.request").exists()
    assert not (hot.spool / "out" / f"{digest}.answer").exists()
    assert hot.entries() == entries + (point not in POINTS[:2])
    with hot.serving(ANY_HOST):
        answer = open_answer(hot.answered(digest))[0]
    assert len(answer.signatures) == 2
    assert hot.entries() == entries + 1
    assert hot.spent() - spent == 2 * (7_000_000 + 10)


KILLED_AT = """
import os, signal, sys
from offline_signer.cli import main
call = sys.argv.pop(1)
before = getattr(os, call)
def dying(path, *more, **how):
    if str(path).endswith(".request"):
        os.kill(os.getpid(), signal.SIGKILL)
    return before(path, *more, **how)
setattr(os, call, dying)
main()
"""


def test_a_kill_between_the_answer_and_the_requests_removal_changes_nothing(crashing: Hot) -> None:
    request = payment(crashing)
    digest = crashing.lay(request)
    with crashing.started(ANY_HOST, program=("-c", KILLED_AT), first="unlink") as process:
        assert process.wait(30) == -signal.SIGKILL, crashing.log
    first, entries = crashing.answered(digest), crashing.entries()
    assert (crashing.spool / "in" / f"{digest}.request").exists()
    with crashing.serving(ANY_HOST):
        until(lambda: not any((crashing.spool / "in").glob("*.request")), lambda: crashing.log)
    assert open_answer(crashing.answered(digest))[0].signatures == open_answer(first)[0].signatures
    assert crashing.entries() == entries


def test_a_kill_between_the_reason_and_the_request_refuses_it_again(crashing: Hot) -> None:
    digest = crashing.lay(payment(crashing, height=6_000))
    with crashing.started(ANY_HOST, program=("-c", KILLED_AT), first="rename") as process:
        assert process.wait(30) == -signal.SIGKILL, crashing.log
    assert (crashing.spool / "in" / f"{digest}.request").exists()
    with crashing.serving(ANY_HOST):
        assert crashing.refused(digest) == "xrpl-expired"


def test_a_kill_between_a_declined_answer_and_the_requests_removal_declines_it_the_same_way(crashing: Hot) -> None:
    digest = crashing.lay(payment(crashing, 101))
    with crashing.started(ANY_HOST, program=("-c", KILLED_AT), first="unlink") as process:
        assert process.wait(30) == -signal.SIGKILL, crashing.log
    first, entries = open_answer(crashing.answered(digest))[0], crashing.entries()
    with crashing.serving(ANY_HOST):
        until(lambda: not any((crashing.spool / "in").glob("*.request")), lambda: crashing.log)
    assert open_answer(crashing.answered(digest))[0].declined == first.declined
    assert first.declined
    assert crashing.entries() == entries


def enough(answers: Path, count: int) -> bool:
    return len(list(answers.glob("*.answer"))) >= count


def test_kills_at_any_moment_sign_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    entries = hot.entries()
    digests = [hot.lay(payment(hot, 1)) for _ in range(60)]
    answers = hot.spool / "out"
    seen: dict[str, tuple[bytes, ...]] = {}
    for wanted in (1, 7, 20, 33):
        with hot.serving(ANY_HOST) as process:
            until(partial(enough, answers, wanted), lambda: hot.log)
            process.kill()
            process.wait()
        for path in answers.glob("*.answer"):
            signatures = open_answer(path.read_bytes())[0].signatures
            assert seen.setdefault(path.stem, signatures) == signatures
    with hot.serving(ANY_HOST):
        for digest in digests:
            signatures = open_answer(hot.answered(digest))[0].signatures
            assert seen.setdefault(digest, signatures) == signatures
    assert hot.entries() == entries + 60
    assert hot.spent() == 60 * (1_000_000 + 10)


LIMITED = """
import resource, signal, sys
from offline_signer.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


def test_a_full_disk_refuses_and_goes_on(tmp_path: Path) -> None:
    """The journal may not grow; the small files of the spool still can."""
    hot = make_hot(tmp_path)
    journal = hot.world.folder / journal_file.NAME
    before, request = journal.read_bytes(), payment(hot)
    with hot.serving(ANY_HOST, program=("-c", LIMITED), first=str(len(before) + 100)) as process:
        digest = hot.lay(request)
        assert hot.refused(digest) == "disk-full"
        assert hot.refused(hot.lay(payment(hot))) == "disk-full"
        assert process.poll() is None
    assert journal.read_bytes() == before
    with hot.serving(ANY_HOST):
        hot.lay(request)
        hot.answered(digest)


def test_half_an_entry_that_the_disk_keeps_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that grew by a piece is no place for another entry: only a new start drops the piece."""
    hot = make_hot(tmp_path)
    place, said = spool.Spool(hot.spool, frozenset({os.geteuid()})), list[str]()

    def failing(_: int, _length: int = 0) -> None:
        raise OSError(5, "Input/output error")

    hot.lay(payment(hot))
    with hot.world.box() as box, monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        patch.setattr(os, "ftruncate", failing)
        with pytest.raises(JournalDamaged, match="piece of an entry"):
            spool.serve(box, place, lambda _: True, said.append, 20)
    assert list((hot.spool / "out").iterdir()) == []
    with hot.serving(ANY_HOST):
        until(lambda: any((hot.spool / "out").iterdir()), lambda: hot.log)


# --- the same within this process, step by step ----------------------------------------------------------------


def steps(hot: Hot, count: int = 1) -> list[str]:
    """Serve for some looks into the folder; give what was said."""
    place, said, left = spool.Spool(hot.spool, frozenset({os.geteuid()})), list[str](), iter(range(count))
    place.require_fit()
    with hot.world.box() as box:
        spool.require_hot(box)
        spool.serve(box, place, lambda pause_ms: bool(pause_ms) and next(left, None) is None, said.append, 20)
    return said


def test_each_step_is_said_in_one_line(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    good, bad, ours = hot.lay(payment(hot)), hot.lay(payment(hot, height=6_000)), hot.spool / "in" / "notes"
    much = hot.lay(payment(hot, 101))
    ours.touch()
    said = steps(hot, 2)
    assert sorted(re.split("[ (]", line.partition(": ")[2], maxsplit=3)[:3] for line in said[1:]) == [
        ["answered,", "#1", "declined"], ["answered;", "the", "journal"], ["refused:", "last", "ledger"],
    ]  # fmt: skip
    assert said[0] == f"1 files in {hot.spool / 'in'} are not named for a request's digest and stay there"
    assert all(line.isprintable() for line in said)
    assert open_answer(hot.answered(good))[0].signatures
    assert open_answer(hot.answered(much))[0].declined
    assert hot.refused(bad) == "xrpl-expired"


def test_an_end_that_is_asked_for_comes_between_two_requests(tmp_path: Path) -> None:
    hot, said = make_hot(tmp_path), list[str]()
    for _ in range(3):
        hot.lay(payment(hot))
    place = spool.Spool(hot.spool, frozenset({os.geteuid()}))
    with hot.world.box() as box:
        spool.serve(box, place, lambda _: True, said.append, 20)
    assert len(said) == len(list((hot.spool / "out").iterdir())) == 1
    assert len(list((hot.spool / "in").glob("*.request"))) == 2


def test_a_request_that_is_taken_away_meanwhile_is_nobodys_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = make_hot(tmp_path)
    digest = hot.lay(payment(hot))
    read = spool.Spool.read

    def late(place: spool.Spool, name: str) -> bytes:
        (hot.spool / "in" / name).unlink(missing_ok=True)
        return read(place, name)

    monkeypatch.setattr(spool.Spool, "read", late)
    assert steps(hot) == []
    assert not (hot.spool / "out" / f"{digest}.answer").exists()


@pytest.mark.parametrize("trouble", [FileTrouble("the disk failed"), OSError(5, "Input/output error")])
def test_what_the_disk_does_not_let_through_stays_for_its_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    hot = make_hot(tmp_path)
    digest = hot.lay(payment(hot))

    def failing(*_: object) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(spool.Spool, "answer", failing)
        (line,) = steps(hot, 3)
    assert line.endswith("[file-trouble]")
    entries = hot.entries()
    steps(hot)
    assert open_answer(hot.answered(digest))[0].signatures
    assert hot.entries() == entries


def test_a_disk_that_fails_and_leaves_nothing_refuses_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = make_hot(tmp_path)
    digest = hot.lay(payment(hot))

    def full(*_: object) -> None:
        raise DiskFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(journal_file, "_append", full)
        steps(hot)
    assert hot.refused(digest) == "disk-full"


def test_a_folder_that_goes_away_ends_the_work(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    place = spool.Spool(hot.spool, frozenset({os.geteuid()}))
    shutil.rmtree(hot.spool)
    with pytest.raises(SpoolUnfit):
        place.require_fit()
    with hot.world.box() as box, pytest.raises(SpoolUnfit):
        spool.serve(box, place, lambda _: True, print, 20)


@pytest.mark.parametrize(("card_tier", "tier"), [("cold", "hot"), ("hot", "warm")])
def test_only_hot_wallets_are_served(tmp_path: Path, card_tier: str, tier: str) -> None:
    with pytest.raises(NotAHotSigner):
        steps(make_hot(tmp_path, card_tier=card_tier, tier=tier))


@pytest.mark.parametrize("spoil", [open_to_everybody, open_to_the_group, missing, a_link_as_folder, somebody_elses],
                         ids=lambda spoil: spoil.__name__)
def test_an_unfit_spool_is_found_before_the_vault_is_opened(
    tmp_path: Path, spoil: Callable[[Hot], Callable[[], None]]
) -> None:
    hot = make_hot(tmp_path)
    spoil(hot)
    with pytest.raises(SpoolUnfit):
        spool.Spool(hot.spool, frozenset({0})).require_fit()


@pytest.mark.parametrize(("make", "code"), KINDS, ids=[make.__name__ for make, _ in KINDS])
def test_every_kind_of_file_is_put_aside(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    hot, digest = make_hot(tmp_path), os.urandom(32).hex()
    make(hot.spool / "in" / f"{digest}.request")
    steps(hot)
    assert os.path.lexists(hot.spool / "refused" / f"{digest}.request")
    assert (hot.spool / "refused" / f"{digest}.reason").read_text().startswith(code)


def test_a_name_that_is_not_the_requests_own_is_refused(tmp_path: Path) -> None:
    hot = make_hot(tmp_path)
    digest = hot.put(f"{os.urandom(32).hex()}.request", payment(hot))
    steps(hot)
    assert hot.refused(digest) == "bad-field"


def test_a_file_of_another_user_is_refused_unread(tmp_path: Path) -> None:
    hot, said = make_hot(tmp_path), list[str]()
    digest = hot.lay(payment(hot))
    with hot.world.box() as box:
        spool.serve(box, spool.Spool(hot.spool, frozenset({12_345})), lambda _: True, said.append, 20)
    assert hot.refused(digest) == "strange-owner"


def test_the_command_serves_until_it_is_told_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hot, before = make_hot(tmp_path), signal.getsignal(signal.SIGTERM)
    digest = hot.lay(payment(hot))
    reading, writing = os.pipe()
    os.write(writing, f"{PASSPHRASE}\n".encode())
    os.close(writing)

    def end() -> None:
        until((hot.spool / "out" / f"{digest}.answer").exists, lambda: "no answer")
        os.kill(os.getpid(), signal.SIGTERM)

    ending = Timer(0, end)
    ending.start()
    words = ["--home", str(hot.world.folder), "serve", str(hot.spool), ANY_HOST, "--from", str(os.geteuid())]
    cli.main([*words, "--from", "root", "--passphrase-fd", str(reading), "--interval", "20"], standalone_mode=False)
    ending.join()
    assert "ended between two requests" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("said", [b"", b"\n", b"\x07\n"])
def test_a_descriptor_without_a_passphrase_is_refused(said: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, said)
    os.close(writing)
    with pytest.raises(MissingInput):
        command._passphrase(reading)
    with pytest.raises(MissingInput, match="can not be read"):
        command._passphrase(reading)


def test_without_a_descriptor_the_passphrase_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ask_secret", lambda what: f"answer to {what}")
    assert command._passphrase(None) == "answer to vault passphrase"
    with pytest.raises(click.UsageError, match="no user"):
        command._user("nobody-of-this-name")
