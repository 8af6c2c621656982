"""PSBTs of another maker's wallet through the signer's commands: in as a file or as drawn symbols, out by every way.

The commands run as processes of their own. What they print for other wallets is read by embit; symbols are drawn and
read back from pictures.
"""

from __future__ import annotations

import base64
import json
import random
import time
from pathlib import Path

import pytest
from embit.descriptor import Descriptor
from embit.descriptor.checksum import checksum as their_checksum
from embit.psbt import PSBT

from shared.chains.bitcoin.descriptors import checksum
from shared.chains.bitcoin.transactions import Output
from shared.courier.foreign import Kind, foreign_film
from shared.courier.inward import carry_in
from shared.courier.outward import Ways, carry_out
from shared.envelope import card_addresses
from shared.errors import ForeignContents, ForeignLimits
from shared.transport.message import Viewer, film
from shared.transport.qr import Display
from tests.psbt_world import Coin, Pair, make_pair, payment, taken_by_core
from tests.signer_command import PASSPHRASE, SECRET, Desk


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Pair]:
    folder = tmp_path_factory.mktemp("psbt")
    pair = make_pair(folder / "signer", now=int(time.time()))
    (folder / "stick").mkdir()
    return Desk(folder / "stick", pair.world.folder), pair


def carried(source: Path) -> bytes:
    return carry_in(str(source), lambda _: None).sealed


def accepted(pair: Pair, answer: bytes) -> bool:
    return taken_by_core(answer, [Output(Coin().value, pair.vault.script(Coin()))])


# --- in and out -----------------------------------------------------------------------------------


def sign(desk: Desk, pair: Pair, source: object, *ways: object) -> str:
    people = ("--as", desk.person(pair.world, "carol"), "--yes")
    return desk.ok("sign", source, *people, *ways, lines=[PASSPHRASE, SECRET])


def test_a_file_is_shown_approved_and_signed_into_a_file(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    asked = desk.put("pay.psbt", payment(pair.vault))
    assert "foreign-payment on bitcoin:regtest" in desk.ok("inspect", asked)
    key = desk.person(pair.world, "carol")
    desk.ok("approve", asked, "--as", key, "--out", desk.folder / "carol.approval", lines=[SECRET])
    told = desk.ok("sign", asked, "--approval", desk.folder / "carol.approval", "--out", desk.folder / "signed.psbt",
                   lines=[PASSPHRASE, "yes"])
    assert "signed 1, declined 0" in told
    assert accepted(pair, (desk.folder / "signed.psbt").read_bytes())
    PSBT.parse((desk.folder / "signed.psbt").read_bytes())


def test_base64_in_a_file_is_the_same_psbt(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    raw = payment(pair.vault, fee=1_100)
    told = [json.loads(desk.ok("inspect", desk.put(name, contents), "--json"))
            for name, contents in (("a.psbt", raw), ("a.txt", base64.b64encode(raw) + b"\r\n"))]
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", ["ur", "bbqr"])
@pytest.mark.parametrize("way", ["--gif", "--png"])
def test_drawn_symbols_are_read_and_the_answer_is_drawn_in_the_same_format(
    both: tuple[Desk, Pair], kind: Kind, way: str
) -> None:
    desk, pair = both
    raw = payment(pair.vault, fee=1_000 + len(kind), version=2)
    asked, answer = desk.folder / f"asked-{kind}{way}", desk.folder / f"answer-{kind}{way}"
    gif = way == "--gif"
    carry_out(raw, Ways(gif=asked if gif else None, png=None if gif else asked, version=15, symbols=kind))
    sign(desk, pair, asked, way, answer, "--symbols", kind, "--qr-version", 15)
    assert accepted(pair, carried(answer))


def test_without_a_word_the_answers_symbols_are_ur(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    asked = desk.put("ur.psbt", payment(pair.vault, fee=1_200))
    sign(desk, pair, asked, "--png", desk.folder / "frames")
    assert accepted(pair, carried(desk.folder / "frames"))


def test_the_same_psbt_again_gives_the_same_answer_without_a_person(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    asked = desk.put("again.psbt", payment(pair.vault, fee=1_300))
    sign(desk, pair, asked, "--out", desk.folder / "again-1")
    told = desk.ok("sign", asked, "--yes", "--json", "--out", desk.folder / "again-2", lines=[PASSPHRASE])
    assert json.loads(told[told.index("{"):])["repeated"] is True
    assert (desk.folder / "again-1").read_bytes() == (desk.folder / "again-2").read_bytes()


# --- refusals -------------------------------------------------------------------------------------


def test_symbols_of_other_wallets_are_not_for_a_coordinators_request(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    request = desk.put("request", pair.world.request(pair.world.payment(5, sequence=1)))
    done = desk.run("sign", request, "--out", desk.folder / "no", "--symbols", "ur", lines=[PASSPHRASE])
    assert (done.returncode, "coordinator" in done.stderr) == (2, True)


def test_nothing_but_yes_signs_a_psbt_and_a_number_does_not_decline_it(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    asked = desk.put("no.psbt", payment(pair.vault, fee=1_400))
    for said in (["no"], ["1", "too much"]):
        code = desk.refused("sign", asked, "--out", desk.folder / "no", lines=[PASSPHRASE, *said])
        assert code == "not-approved"


@pytest.mark.parametrize(("contents", "code"), [
    (b"cHNidP8B!!", "foreign-contents"),
    (b"cHNidP8BAA\nmore", "foreign-contents"),
    (b"psbt\xff\0", "bitcoin-psbt-refused"),
    (b"psbt\xfe", "bad-source"),
    (base64.b64encode(b"psbt\xffother"), "bitcoin-psbt-refused"),
])
def test_a_file_that_is_no_whole_psbt_is_refused(both: tuple[Desk, Pair], contents: bytes, code: str) -> None:
    desk, _ = both
    assert desk.refused("inspect", desk.put("bad", contents)) == code


# --- what a camera sees ---------------------------------------------------------------------------


def noise(count: int) -> bytes:
    """Give bytes that no format packs."""
    return random.Random(count).randbytes(count)


def test_a_camera_takes_frames_of_ours_and_of_others_and_the_first_whole_message_counts() -> None:
    psbt, display = b"psbt\xff" + noise(2_000), Display(15, 10)
    ours, theirs = film(noise(9_000), display), foreign_film("ur", psbt, display)
    viewer = Viewer()
    progress = viewer.progress()
    for index in range(theirs.needed - 1):
        viewer.take(theirs.text(index))
        progress = viewer.take(ours.text(0))
    assert viewer.message() is None
    assert (progress.had, progress.count, progress.foreign) == (theirs.needed - 1, theirs.needed, theirs.needed - 1)
    assert viewer.take(theirs.text(theirs.needed - 1)).done
    assert viewer.message() == psbt


def test_frames_of_ours_are_whole_although_symbols_of_others_came_between() -> None:
    display, viewer = Display(15, 10), Viewer()
    ours, theirs = film(noise(1_000), display), foreign_film("bbqr", b"psbt\xff" + noise(9_000), display)
    viewer.take(theirs.text(0))
    for index in range(ours.needed):
        viewer.take(ours.text(index))
    assert viewer.message() == noise(1_000)


def test_only_a_psbt_goes_out_in_the_symbols_of_others(tmp_path: Path) -> None:
    with pytest.raises(ForeignContents):
        carry_out(b"other", Ways(png=tmp_path / "a", symbols="ur"))
    with pytest.raises(ForeignLimits):
        carry_out(b"psbt\xff" + bytes(range(256)) * 5_000, Ways(png=tmp_path / "b", symbols="bbqr"))


# --- the descriptor -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vault", "tap", "second"])
def test_what_is_printed_lets_another_wallet_derive_the_same_addresses(both: tuple[Desk, Pair], name: str) -> None:
    desk, pair = both
    told = json.loads(desk.ok("descriptor", name, "--change", 4, "--json", lines=[PASSPHRASE]))
    wallet = pair.wallet(name)
    found = Descriptor.from_string(told["descriptor"])
    network = {"bech32": "bcrt", "p2sh": b"\xc4", "p2pkh": b"\x6f"}
    for branch, addresses in enumerate((wallet.addresses, told["change_addresses"])):
        theirs = [found.derive(index, branch_index=branch).script_pubkey().address(network) for index in range(4)]
        assert theirs == list(addresses) == list(card_addresses(wallet.card, 4, branch))
    for text in (told["descriptor"], told["receive"], told["change"]):
        body, _, check = text.partition("#")
        assert check == their_checksum(body)


def test_the_descriptor_goes_into_a_file_with_its_checksum(both: tuple[Desk, Pair]) -> None:
    desk, pair = both
    shown = desk.ok("descriptor", "vault", "--out", desk.folder / "vault.txt", "--change", 1, lines=[PASSPHRASE])
    assert (desk.folder / "vault.txt").read_text() == shown.splitlines()[0] + "\n" == pair.vault.text + "\n"
    assert f"vault change 0: {pair.vault.address(Coin(0, 0, 1))}" in shown


@pytest.mark.parametrize(("arguments", "code"), [
    (("nobody",), "bad-field"),
    (("vault", "--change", 5), "bad-field"),
    (("cold",), "foreign-unwanted"),
])
def test_no_descriptor_is_made_up(both: tuple[Desk, Pair], arguments: tuple[object, ...], code: str) -> None:
    assert both[0].refused("descriptor", *arguments, lines=[PASSPHRASE]) == code


@pytest.mark.parametrize(("text", "check"), [("raw(deadbeef)", "89f8spxm")])
def test_the_checksum_is_that_of_bip380(text: str, check: str) -> None:
    assert checksum(text) == check


def test_a_letter_that_no_descriptor_has_gets_no_checksum() -> None:
    with pytest.raises(ValueError, match="substring"):
        checksum("raw(Ü)")
