"""`lockgate-signer` as its people run it: the first set-up, the daily work, the journal, and each refusal in two lines.

Every command is a process of its own. The last test reads again all that any of them printed, and finds no secret.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from offline_signer import release as releases
from offline_signer.cli import face, journal
from shared.courier.inward import carry_in
from shared.courier.outward import Ways, carry_out
from shared.envelope import Declined, open_answer, open_card
from shared.journal import Entry
from shared.words import words_from_entropy
from tests.house import ROOT
from tests.signer_command import ENVIRONMENT, PASSPHRASE, SECRET, Desk, make_desk
from tests.signing_world import STRANGER, World


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, World]:
    limits: dict[str, object] = {"approvals": 2, "budget": "10000000", "day": "10000000"}
    return make_desk(tmp_path_factory.mktemp("commands"), limits)


@pytest.fixture
def desk(both: tuple[Desk, World]) -> Desk:
    return both[0]


@pytest.fixture
def world(both: tuple[Desk, World]) -> World:
    return both[1]


numbers = iter(range(1, 10_000))


def two_payments(desk: Desk, world: World) -> tuple[Path, str]:
    """Put a request of two new payments onto the stick; give it and a name for what answers it."""
    first, second = next(numbers), next(numbers)
    items = [world.payment(7, f"order {n}", sequence=n) for n in (first, second)]
    return desk.put(f"request-{first}", world.request(*items)), f"answer-{first}"


def signed(desk: Desk, world: World) -> tuple[Path, Path]:
    """Sign two new payments with both approvers; give request and answer."""
    request, name = two_payments(desk, world)
    keys = [part for person in ("carol", "dave") for part in ("--as", desk.person(world, person))]
    desk.ok("sign", request, *keys, "--yes", "--out", desk.folder / name, lines=[PASSPHRASE, SECRET, SECRET])
    return request, desk.folder / name


# --- the first set-up -------------------------------------------------------------------------------------


def converse(desk: Desk, *arguments: object, wrong: bool = False) -> tuple[int, str]:
    """Run `init`, read the words off its output and type back those it asks for."""
    command = [sys.executable, "-u", "-m", "offline_signer", "--home", str(desk.home), "init", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=desk.folder, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSPHRASE}\n{PASSPHRASE}\n")
        process.stdin.flush()
        shown, words = "", {}
        for line in process.stdout:
            shown += line
            words.update({int(place): word for place, word in re.findall(r"(\d+) ([a-z]{3,8})\b", line)})
            if asked := re.match(r"word (\d+):", line):
                word = "zebra" if wrong else words[int(asked[1])]
                process.stdin.write(f"{word}\n")
                process.stdin.flush()
        process.stdin.close()
    return process.returncode, shown


POLICY = """epoch = 1
network_class = "test"
clock_jump_seconds = 259200
approvers = ["{ann}"]
stations = []
signing_keys = []
rule = []
# a comment with a foreign line break \u2028epoch = 9
[administrators]
quorum = 2
people = ["{ann}", "{ben}"]
[[wallet]]
name = "cold"
network = "xrpl:local"
tier = "cold"
places = ["{cold}"]
"""


def test_the_whole_first_set_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tmp_path / "box")
    people = {}
    for name in ("ann", "ben"):
        printed = desk.ok("person", "new", name, "--out", tmp_path / f"{name}.key", "--kdf", "light",
                          "--network-class", "test", lines=[SECRET, SECRET])
        people[name] = printed.strip()
    assert re.fullmatch(r"ann ed25519:[0-9a-f]{64}", people["ann"])
    admins = ["--admin", people["ann"], "--admin", people["ben"], "--quorum", "2", "--network-class", "test"]
    admins += ["--kdf", "light"]

    code, shown = converse(desk, *admins, wrong=True)
    assert (code, "[bad-words]" in shown, desk.home.exists()) == (1, True, False)
    code, shown = converse(desk, *admins, "--dice", "123456123456")
    assert code == 0, shown
    assert re.search(r"^signer ed25519:[0-9a-f]{64}$", shown, re.MULTILINE)
    assert desk.refused("init", *admins) == "bad-setup"  # before any word is shown or asked
    assert desk.refused("policy", "show") == "no-policy"

    cards = [desk.ok("card", "cold", "--network", "xrpl:local", "--tier", "cold", "--count", count, "--out",
                     tmp_path / "cold.card", lines=[PASSPHRASE]) for count in (1, 2)]
    cold = cards[0].split()[-1]
    assert cards[1].splitlines()[0] == cards[0].strip()
    assert open_card((tmp_path / "cold.card").read_bytes())[0].wallet == "cold"

    text = tmp_path / "policy.toml"
    text.write_text(POLICY.format(cold=cold, **people), "utf-8")
    assert "policy of epoch 1" in desk.ok("policy", "check", text)
    sealed = tmp_path / "policy.sealed"
    desk.ok("policy", "draft", text, "--as", tmp_path / "ann.key", "--out", sealed, lines=[SECRET])
    assert desk.refused("policy", "install", sealed, lines=[PASSPHRASE]) == "quorum-missing"
    shown = desk.ok("policy", "sign", sealed, "--as", tmp_path / "ben.key", lines=[SECRET])
    assert "break \\u{2028}epoch = 9" in shown
    assert [line for line in shown.splitlines() if line.startswith("epoch")] == ["epoch = 1"]
    assert "policy of epoch 1" in desk.ok("policy", "install", sealed, lines=[PASSPHRASE])
    assert cold in desk.ok("policy", "show")
    assert desk.refused("policy", "install", sealed, lines=[PASSPHRASE]) == "old-policy"
    text.write_text(text.read_text("utf-8").replace('"test"', '"main"').replace(":local", ":mainnet"), "utf-8")
    drafted = ["policy", "draft", text, "--as", tmp_path / "ann.key", "--out", tmp_path / "main.sealed"]
    assert desk.refused(*drafted, lines=[SECRET]) == "wrong-network"  # a key for tests guards no real money
    text.write_bytes(b"\xff")
    assert desk.refused("policy", "check", text) == "bad-policy"


# --- the daily work -----------------------------------------------------------------------------------------


def test_inspect_shows_what_a_request_does_without_any_passphrase(desk: Desk, world: World) -> None:
    request, _ = two_payments(desk, world)
    shown = desk.ok("inspect", request)
    assert "pays 14 XRP on xrpl:local" in shown
    assert "needs 2 approvals" in shown
    assert max(map(len, shown.splitlines())) <= 80
    told = json.loads(desk.ok("inspect", request, "--json"))
    assert (told["objections"], told["approvals"]) == ([], 2)
    assert told["fingerprint"] in shown


def test_inspect_says_what_stands_against_a_request(desk: Desk, world: World) -> None:
    request = desk.put("theft", world.request(world.payment(5, sequence=next(numbers), to=STRANGER)))
    assert "[unknown-destination]" in " ".join(desk.ok("inspect", request).replace("\n      > ", "").split())
    told = json.loads(desk.ok("inspect", request, "--json"))
    assert {one["code"] for one in told["objections"]} >= {"unknown-destination"}
    carol = desk.person(world, "carol")
    assert desk.refused("approve", request, "--as", carol, "--out", "word") == "unknown-destination"
    assert desk.refused("sign", request, "--yes", "--out", "answer", lines=[PASSPHRASE]) == "unknown-destination"
    assert desk.refused("sign", request, "--out", "answer", lines=[PASSPHRASE, "yes"]) == "unknown-destination"


def test_approvals_made_apart_count_with_those_made_at_the_signer(desk: Desk, world: World) -> None:
    request, name = two_payments(desk, world)
    carol, dave = (desk.person(world, person) for person in ("carol", "dave"))
    word, answer = desk.folder / f"{name}.word", desk.folder / name
    desk.ok("approve", request, "--as", carol, "--decline", "2=too late", "--out", word, lines=[SECRET])
    arguments = ["sign", request, "--approval", word, "--yes", "--out", answer]
    assert desk.refused(*arguments, lines=[PASSPHRASE]) == "not-enough-approvals"
    done = desk.run("sign", request, "--yes", "--out", answer, lines=[PASSPHRASE])
    assert "0 of 2 approvers (carol, dave) have approved this request" in done.stderr
    assert "--as KEY-FILE" in done.stderr
    assert desk.refused(*arguments, "--decline", "2=too late", lines=[PASSPHRASE]) == "not-enough-approvals"
    said = desk.ok(*arguments, "--decline", "2=too late", "--as", dave, lines=[PASSPHRASE, SECRET])
    assert "signed 1, declined 1" in said
    assert re.search(r"^root [0-9a-f]{64}$", said, re.MULTILINE)
    assert said.split()[-1] == json.loads(desk.ok("journal", "verify", "--json"))["root"]
    assert open_answer(answer.read_bytes())[0].declined == (Declined(1, "too late"),)
    again = desk.ok("sign", request, "--json", "--yes", "--out", f"{name} again", lines=[PASSPHRASE])
    assert (json.loads(again)["repeated"], json.loads(again)["signed"]) == (True, 1)
    assert "signed 1, declined 1" in desk.ok("sign", request, "--out", f"{name} third", lines=[PASSPHRASE])


def test_an_answer_goes_out_as_file_gif_and_pictures_and_comes_back_the_same(desk: Desk, world: World) -> None:
    request, answer = signed(desk, world)
    gif, png = answer.with_suffix(".gif"), answer.with_suffix(".png")
    shown = desk.ok("sign", request, "--gif", gif, "--png", png, lines=[PASSPHRASE])
    assert re.search(r"the answer takes \d+ frames", shown)
    first = open_answer(answer.read_bytes())[0].signatures
    for source in (gif, png):
        assert open_answer(carry_in(str(source), lambda _: None).sealed)[0].signatures == first


def test_a_request_comes_in_as_pictures(desk: Desk, world: World) -> None:
    request, name = two_payments(desk, world)
    carry_out(request.read_bytes(), Ways(gif=desk.folder / f"{name}.request.gif"))
    done = desk.run("inspect", desk.folder / f"{name}.request.gif")
    assert "pays 14 XRP" in done.stdout
    assert re.fullmatch(r"\d+ of \d+ frames, 100 % of \d+ pictures readable\n", done.stderr)


@pytest.mark.parametrize("arguments", [
    ["sign", "REQUEST", "--yes"],
    ["sign", "REQUEST", "--yes", "--out", "x", "--decline", "0=no"],
    ["sign", "REQUEST", "--yes", "--out", "x", "--decline", "one"],
    ["sign", "REQUEST", "--yes", "--out", "x", "--decline", "1="],
    ["sign", "REQUEST", "--yes", "--out", "x", "--decline", "1=this", "--decline", "1=that"],
    ["init", "--network-class", "test", "--admin", "x", "--quorum", "0"],
    ["init", "--network-class", "test", "--admin", "x", "--quorum", "1", "--lost", "1"],
    ["init", "--network-class", "test", "--admin", "x", "--quorum", "1", "--restore", "--dice", "123"],
    ["nonsense"],
    ["journal", "takeover", "absent", "--checkpoint", "absent"],
])
def test_misuse_ends_with_2(desk: Desk, world: World, arguments: list[str]) -> None:
    request, _ = two_payments(desk, world)
    done = desk.run(*[str(request) if one == "REQUEST" else one for one in arguments], lines=[PASSPHRASE])
    assert done.returncode == 2, done.stderr


def test_a_bug_is_a_traceback_and_ends_with_3(desk: Desk) -> None:
    program = "from offline_signer import cli, journal_file; journal_file.read = None; cli.main()"
    done = desk.run("journal", "verify", program=("-c", program))
    assert done.returncode == 3, done.stderr
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("fault: ")


def test_nothing_new_is_signed_without_a_yes(desk: Desk, world: World) -> None:
    request, name = two_payments(desk, world)
    assert desk.refused("sign", request, "--out", name, lines=[PASSPHRASE, "no"]) == "not-approved"
    assert desk.refused("sign", request, "--out", name, lines=[PASSPHRASE]) == "missing-input"


# --- refusals -------------------------------------------------------------------------------------------------


def test_wrong_passphrases_cut_files_and_other_documents_are_refused_in_two_lines(desk: Desk, world: World) -> None:
    request, name = two_payments(desk, world)
    carol = desk.person(world, "carol")
    cut = desk.put("cut", request.read_bytes()[:-9])
    empty = desk.put("empty", b"")
    asked = ["--as", carol, "--yes", "--out", name]
    assert desk.refused("sign", request, *asked, lines=["not the passphrase"]) == "wrong-passphrase"
    assert desk.refused("sign", request, *asked, lines=[PASSPHRASE, "not hers at all"]) == "wrong-passphrase"
    assert desk.refused("sign", cut, *asked, lines=[PASSPHRASE]) == "bad-encoding"
    assert desk.refused("inspect", empty) == "bad-source"
    assert desk.refused("inspect", "no such file") in {"bad-source", "file-trouble"}
    wrong = ["--approval", request, "--yes", "--out", name]
    assert desk.refused("sign", request, *wrong, lines=[PASSPHRASE]) == "wrong-document"
    assert desk.refused("policy", "install", request, lines=[PASSPHRASE]) == "wrong-document"
    assert desk.refused("release", "sign", request, "--as", carol) == "wrong-document"
    assert desk.refused("card", "x", "--network", "gold:bars", "--tier", "cold", "--out", "x") == "unknown-chain"
    assert desk.refused("person", "new", "Bad Name", "--out", "x") == "bad-field"
    assert desk.refused("person", "new", "good", "--out", "x", lines=["short"]) == "weak-passphrase"
    twice = ["one passphrase", "another one"]
    assert desk.refused("person", "new", "good", "--out", "x", lines=twice) == "passphrases-differ"
    assert not (desk.folder / name).exists()


def test_an_answers_file_is_never_overwritten_and_the_answer_is_not_lost(desk: Desk, world: World) -> None:
    request, answer = signed(desk, world)
    before = answer.read_bytes()
    assert desk.refused("sign", request, "--out", answer, lines=[PASSPHRASE]) == "file-exists"
    assert answer.read_bytes() == before


# --- the journal ----------------------------------------------------------------------------------------------


def test_the_journal_is_shown_verified_carried_out_and_checked_against_a_checkpoint(desk: Desk, world: World) -> None:
    note, copy = desk.folder / "note", desk.folder / "journal.copy"
    desk.ok("journal", "checkpoint", "--out", note, lines=[PASSPHRASE])
    signed(desk, world)
    assert desk.ok("journal", "checkpoint", lines=[PASSPHRASE]).startswith("lockgate-signer/")
    assert "verifies" in desk.ok("journal", "verify", "--checkpoint", note)
    told = json.loads(desk.ok("journal", "verify", "--json"))
    shown = desk.ok("journal", "show").splitlines()
    rows = json.loads(desk.ok("journal", "show", "--json"))
    assert told["ok"]
    assert len(shown) == len(rows) == told["entries"]
    assert {row["kind"] for row in rows} >= {"init", "wallet", "policy", "sign"}
    assert shown[-1].endswith("2 signed, 0 declined")
    desk.ok("journal", "export", copy)
    assert copy.read_bytes() == (world.folder / "journal.log").read_bytes()


def test_the_journal_names_the_key_that_signed_it_and_can_be_held_to_one(desk: Desk, world: World) -> None:
    line = f"signer ed25519:{world.station.hex()}"
    assert desk.ok("journal", "verify").splitlines()[-1] == f"signed throughout by {line}"
    told = json.loads(desk.ok("journal", "verify", "--json", "--key", line))
    assert told["signer"] == line
    assert desk.refused("journal", "verify", "--key", world.ann.line) == "journal-damaged"
    assert desk.refused("journal", "verify", "--key", "nonsense") == "bad-field"


def test_a_tampered_journal_is_refused_by_the_entrys_number(desk: Desk, world: World, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "tampered")
    log = tmp_path / "tampered" / "journal.log"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], *lines[2:]]))
    tampered = Desk(tmp_path, tmp_path / "tampered")
    assert tampered.refused("journal", "verify") == "journal-damaged"
    assert "entry 1" in tampered.run("journal", "show").stderr
    assert Desk(tmp_path, tmp_path / "nowhere").refused("journal", "verify") == "bad-setup"


def test_a_restored_box_takes_over_the_newest_journal_by_command(both: tuple[Desk, World], tmp_path: Path) -> None:
    desk, world = both
    with world.box() as box:
        words = words_from_entropy(box.vault._opened.secret)
    request, answer = signed(desk, world)
    desk.ok("journal", "checkpoint", "--out", tmp_path / "note", lines=[PASSPHRASE])
    spare = Desk(tmp_path, tmp_path / "spare")
    admins = ["--admin", world.ann.line, "--admin", world.ben.line, "--quorum", "2", "--network-class", "test"]
    shown = spare.ok("init", "--restore", *admins, "--kdf", "light", lines=[PASSPHRASE, PASSPHRASE, words])
    assert shown.strip() == f"signer ed25519:{world.station.hex()}"
    assert spare.refused("sign", request, "--yes", "--out", "x", lines=[PASSPHRASE]) == "journal-missing"
    missing = spare.run("journal", "verify")
    assert "[journal-missing]" in missing.stderr
    assert "journal takeover FILE --checkpoint NOTE" in missing.stderr
    log = world.folder / "journal.log"
    assert "goes on from" in spare.ok("journal", "takeover", log, "--checkpoint", tmp_path / "note", lines=[PASSPHRASE])
    spare.ok("sign", request, "--out", tmp_path / "answer", lines=[PASSPHRASE])
    first, second = (open_answer(path.read_bytes())[0].signatures for path in (answer, tmp_path / "answer"))
    assert first == second
    assert words not in "".join(spare.heard)


# --- releases -------------------------------------------------------------------------------------------------


def test_a_transfer_is_released_by_command(desk: Desk, world: World) -> None:
    number = next(numbers)
    item = world.payment(5, f"stuck {number}", sequence=number)
    keys = [part for person in ("carol", "dave") for part in ("--as", desk.person(world, person))]
    desk.ok("sign", desk.put("stuck", world.request(item)), *keys, "--yes", "--out", "stuck.answer",
            lines=[PASSPHRASE, SECRET, SECRET])
    ann, ben = (desk.person(world, person) for person in ("ann", "ben"))
    told, out = ["--evidence", "ledger 99 used it up", "--as", ann, "--out"], desk.folder / "release"
    transfer = item.transfers[0].transfer_id.hex()
    assert desk.refused("release", "transfer", transfer[:8], *told, out) == "bad-release"
    assert desk.refused("release", "transfer", "0" * 32, *told, out) == "bad-release"
    shown = desk.ok("release", "transfer", transfer[:12].upper(), *told, out, lines=[SECRET])
    assert "may be signed anew" in shown
    assert desk.refused("release", "apply", out, lines=[PASSPHRASE]) == "quorum-missing"
    assert "ledger 99 used it up" in desk.ok("release", "sign", out, "--as", ben, lines=[SECRET])
    assert "1 released" in desk.ok("release", "apply", out, lines=[PASSPHRASE])
    assert desk.refused("release", "apply", out, lines=[PASSPHRASE]) == "bad-release"


def test_clock_and_loss_are_drafted_by_command(desk: Desk, world: World, tmp_path: Path) -> None:
    ann = desk.person(world, "ann")
    told = ["--evidence", "seen by two", "--as", ann, "--out"]
    assert "is right" in desk.ok("release", "clock", "--until", 2**33, *told, "clock", lines=[SECRET])
    shown = desk.ok("release", "journal-lost", "--epoch", 3, *told, "loss", lines=[PASSPHRASE, SECRET])
    assert "up to epoch 3" in shown
    assert releases.describe((desk.folder / "loss").read_bytes())[0] == "release: journal-lost"


def test_a_lost_journal_ends_with_the_boxs_new_public_line(both: tuple[Desk, World], tmp_path: Path) -> None:
    desk, world = both
    with world.box() as box:
        words = words_from_entropy(box.vault._opened.secret)
    spare = Desk(tmp_path, tmp_path / "spare")
    admins = ["--admin", world.ann.line, "--admin", world.ben.line, "--quorum", "2", "--network-class", "test"]
    spare.ok("init", "--restore", *admins, "--kdf", "light", lines=[PASSPHRASE, PASSPHRASE, words])
    ann, ben, carol = (desk.person(world, name) for name in ("ann", "ben", "carol"))
    draft = ["release", "journal-lost", "--epoch", 1, "--evidence", "fire", "--out", "loss"]
    assert spare.refused(*draft, "--as", carol, lines=[PASSPHRASE, SECRET]) == "not-administrator"
    spare.ok(*draft, "--as", ann, lines=[PASSPHRASE, SECRET])
    spare.ok("release", "sign", "loss", "--as", ben, lines=[SECRET])
    line = spare.ok("release", "apply", "loss", lines=[PASSPHRASE]).splitlines()[-1]
    assert re.fullmatch(r"signer ed25519:[0-9a-f]{64}", line)
    assert line != f"signer ed25519:{world.station.hex()}"
    assert spare.ok("journal", "verify", "--key", line).splitlines()[-1] == f"signed throughout by {line}"
    again = Desk(tmp_path, tmp_path / "again")
    lost = ["init", "--restore", "--lost", 1, *admins, "--kdf", "light"]
    assert again.ok(*lost, lines=[PASSPHRASE, PASSPHRASE, words]).strip() == line


# --- alone ------------------------------------------------------------------------------------------------------


def test_a_whole_ceremony_runs_without_any_network(both: tuple[Desk, World]) -> None:
    desk, world = both
    ways = (["unshare", "-n"], ["unshare", "-rn"])
    alone = [way for way in ways if not subprocess.run([*way, "true"], capture_output=True, check=False).returncode]
    if not alone:
        pytest.skip("this kernel forbids `unshare -n`")
    lonely = Desk(desk.folder, desk.home, before=alone[0], heard=desk.heard)
    request, answer = signed(lonely, world)
    assert answer.exists()
    assert "verifies" in lonely.ok("journal", "verify")
    assert "pays 14 XRP" in lonely.ok("inspect", request)


# --- small things ---------------------------------------------------------------------------------------------


def test_an_entry_without_numbers_shows_nothing_more() -> None:
    assert journal._what(Entry(1, 1, "init", {"quorum": 2}, bytes(32))) == ""
    assert face.read_declines(("2=b", "1=a", "1=a")) == (Declined(0, "a"), Declined(1, "b"))


def test_the_command_names_its_version_and_what_it_is_for() -> None:
    said = [
        subprocess.run([sys.executable, "-m", "offline_signer", word], capture_output=True, text=True, cwd=ROOT,
                       check=True).stdout
        for word in ("--version", "--help")
    ]  # fmt: skip
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+\n", said[0])
    assert "sealed policy" in said[1]


def test_no_command_ever_printed_a_secret(both: tuple[Desk, World]) -> None:
    desk, world = both
    with world.box() as box:
        node = box.vault.node("secp256k1", world.path(0))
        secrets = [PASSPHRASE, SECRET, words_from_entropy(box.vault._opened.secret), node.private_key.hex(),
                   box.vault._opened.secret.hex(), box.vault._seed.hex()]
    secrets += [bytes(one.key).hex() for one in world.people.values()]
    signed(desk, world)
    desk.ok("journal", "show")
    heard = "".join(desk.heard)  # of these two at least, and of every test before this one in the same process
    assert "signed 2, declined 0" in heard
    assert not [place for place, secret in enumerate(secrets) if secret in heard]
