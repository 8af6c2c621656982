"""What happens to a box in its life: vault and journal damaged, policies replaced, restored, journal lost."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from offline_signer import journal_file, setup, vault
from offline_signer import release as releases
from offline_signer.box import opened
from shared.chains.api import NetworkClass
from shared.envelope import NOTHING_SEEN, SeenLog, open_answer, open_card
from shared.errors import Refusal
from shared.lockbox import LIGHT, STANDARD
from shared.policy import Person
from shared.policy_document import seal_policy, sign_policy
from shared.words import words_from_entropy
from tests.signing_world import NETWORK, PASSPHRASE, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "signer")


def code_of(act: Callable[[], object]) -> str:
    """Give the code with which something is refused."""
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code


def open_box(world: World) -> None:
    with world.box():
        pass


def log(world: World) -> Path:
    return world.folder / journal_file.NAME


def words_of(world: World) -> str:
    with world.box() as box:
        return words_from_entropy(box.vault._opened.secret)


# --- the vault ------------------------------------------------------------------------------------------


def test_a_wrong_passphrase_opens_nothing(world: World) -> None:
    assert code_of(lambda: opened(world.folder, "not the one", world.clock).__enter__()) == "wrong-passphrase"


def test_an_absent_vault_is_named(tmp_path: Path) -> None:
    assert code_of(lambda: opened(tmp_path, PASSPHRASE, lambda: 0).__enter__()) == "bad-setup"
    assert code_of(lambda: vault.open_vault(tmp_path, PASSPHRASE)) == "bad-setup"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_or_altered_vault_is_refused(world: World, share: float) -> None:
    path = world.folder / vault.NAME
    whole = path.read_bytes()
    at = int(len(whole) * share)
    path.write_bytes(whole[:at])
    assert code_of(lambda: open_box(world)) == "vault-damaged"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert code_of(lambda: open_box(world)) in {"vault-damaged", "wrong-passphrase"}


def test_a_folder_with_a_vault_or_a_journal_takes_no_new_one(world: World) -> None:
    def make() -> bytes:
        people = [Person("ann", world.ann.public)]
        return setup.make(world.folder, words_from_entropy(bytes(32)), PASSPHRASE, network_class="test",
                          administrators=people, quorum=1, kdf=LIGHT, clock=world.clock)

    before = (world.folder / vault.NAME).read_bytes()
    assert code_of(make) == "bad-setup"
    assert (world.folder / vault.NAME).read_bytes() == before
    os.unlink(world.folder / vault.NAME)
    assert code_of(make) == "bad-setup"
    assert not (world.folder / vault.NAME).exists()


@pytest.mark.parametrize(("names", "quorum"), [(["ann"], 2), (["ann"], 0), (["ann", "ann"], 1), ([], 1)])
def test_a_quorum_that_nobody_can_meet_makes_no_vault(
    world: World, tmp_path: Path, names: list[str], quorum: int
) -> None:
    people = [Person(name, world.people[name].public) for name in names]
    assert code_of(lambda: setup.restore(tmp_path / "new", words_of(world), PASSPHRASE, network_class="test",
                                         administrators=people, quorum=quorum, kdf=LIGHT)) == "bad-setup"


def test_twelve_words_make_no_vault(world: World, tmp_path: Path) -> None:
    words = words_from_entropy(bytes(16))
    assert code_of(lambda: setup.restore(tmp_path / "new", words, PASSPHRASE, network_class="test", quorum=1, kdf=LIGHT,
                                         administrators=[Person("ann", world.ann.public)])) == "bad-words"


def test_a_folder_that_cannot_be_made_is_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert code_of(lambda: setup.restore(tmp_path / "file" / "new", words_of(world), PASSPHRASE, network_class="test",
                                         quorum=1, kdf=LIGHT,
                                         administrators=[Person("ann", world.ann.public)])) == "file-trouble"


def test_dice_change_the_words_and_wrong_dice_are_refused() -> None:
    assert len({setup.new_words(""), setup.new_words("1234561"), setup.new_words("1234561")}) == 3
    assert code_of(lambda: setup.new_words("1237")) == "bad-dice"


def test_test_and_main_networks_share_no_station_key(world: World, tmp_path: Path) -> None:
    stations = set()
    for class_ in ("test", "main"):
        kinds: NetworkClass = "main" if class_ == "main" else "test"
        cost = STANDARD if class_ == "main" else LIGHT
        stations.add(setup.restore(tmp_path / class_, words_of(world), PASSPHRASE, network_class=kinds, quorum=1,
                                   kdf=cost, administrators=[Person("ann", world.ann.public)]))
    assert len(stations) == 2
    assert world.station in stations


def test_a_light_passphrase_guards_no_main_network(world: World, tmp_path: Path) -> None:
    assert code_of(lambda: setup.restore(tmp_path / "x", words_of(world), PASSPHRASE, network_class="main", quorum=1,
                                         kdf=LIGHT, administrators=[Person("ann", world.ann.public)])) == "weak-cost"


# --- the journal ----------------------------------------------------------------------------------------


def lines_of(world: World) -> list[bytes]:
    world.sign(world.request(world.payment(5, sequence=1)))
    return log(world).read_bytes().splitlines(keepends=True)


def test_every_altered_line_is_named(world: World) -> None:
    lines = lines_of(world)
    for number, line in enumerate(lines):
        middle = len(line) // 2
        other = b"A" if line[middle : middle + 1] != b"A" else b"B"
        altered = [*lines[:number], line[:middle] + other + line[middle + 1 :], *lines[number + 1 :]]
        log(world).write_bytes(b"".join(altered))
        with pytest.raises(Refusal, match=f"entry {number}") as caught:
            open_box(world)
        assert caught.value.code == "journal-damaged"


def test_every_removed_cut_or_swapped_line_is_named(world: World) -> None:
    lines = lines_of(world)
    for number in range(len(lines) - 1):
        swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        removed = lines[:number] + lines[number + 1 :]
        cut = [*lines[:number], lines[number][:-20] + b"\n", *lines[number + 1 :]]
        for tampered in (swapped, removed, cut):
            log(world).write_bytes(b"".join(tampered))
            with pytest.raises(Refusal, match=f"entry {number}") as caught:
                open_box(world)
            assert caught.value.code == "journal-damaged"


def test_a_journal_of_another_signer_is_refused(world: World, tmp_path: Path) -> None:
    other = make_world(tmp_path / "other")
    shutil.copy(log(other), log(world))
    assert code_of(lambda: open_box(world)) == "journal-damaged"


def test_a_torn_last_line_is_dropped_and_the_journal_goes_on(world: World) -> None:
    whole = log(world).read_bytes()
    for torn in (b"x", whole.splitlines()[0][:50]):
        log(world).write_bytes(whole + torn)
        open_box(world)
        assert log(world).read_bytes() == whole
    assert world.sign(world.request(world.payment(5, sequence=1)))


def test_a_folder_that_cannot_be_locked_is_named(world: World) -> None:
    os.unlink(world.folder / "lock")
    (world.folder / "lock").symlink_to("elsewhere")
    assert code_of(lambda: open_box(world)) == "file-trouble"


def test_what_goes_wrong_inside_is_not_blamed_on_another_signer(world: World) -> None:
    def fail() -> None:
        raise BlockingIOError("a slow pipe")

    with pytest.raises(BlockingIOError), world.box():
        fail()


# --- policies -------------------------------------------------------------------------------------------


def install(world: World, text: str, people: Sequence[str] = ("ann", "ben")) -> None:
    first, *others = [world.people[name] for name in people]
    sealed = seal_policy(text, first.public, first.sign)
    for one in others:
        sealed = sign_policy(sealed, one.public, one.sign)
    with world.box() as box:
        setup.install_policy(box, sealed)


@pytest.mark.parametrize(("people", "code"), [
    (["ann"], "quorum-missing"), (["ann", "eve"], "strange-signer"), (["carol", "dave"], "strange-signer"),
])
def test_a_policy_needs_the_administrators_quorum(world: World, people: list[str], code: str) -> None:
    assert code_of(lambda: install(world, world.policy_text(epoch=2), people)) == code


@pytest.mark.parametrize("epoch", [1, 2])
def test_an_old_policy_is_refused(world: World, epoch: int) -> None:
    install(world, world.policy_text(epoch=2))
    assert code_of(lambda: install(world, world.policy_text(epoch=epoch))) == "old-policy"


def test_a_policy_of_the_other_class_is_refused(world: World) -> None:
    text = world.policy_text(epoch=2).replace('"test"', '"main"').replace("xrpl:local", "xrpl:mainnet")
    assert code_of(lambda: install(world, text)) == "wrong-network"


def test_a_new_epochs_administrators_rule_from_then_on(world: World) -> None:
    text = world.policy_text(epoch=2, ann=world.eve.line).replace("epoch = 2", "epoch = 2", 1)
    install(world, text)
    assert code_of(lambda: install(world, world.policy_text(epoch=3))) == "strange-signer"
    install(world, world.policy_text(epoch=3), ["eve", "ben"])


def test_a_new_epoch_gives_a_new_budget_and_no_new_day(world: World) -> None:
    world.sign(world.request(world.payment(100_000, sequence=1)))
    install(world, world.policy_text(epoch=2))
    with world.box() as box:
        usage = box.history.usage(world.now)
    assert (list(usage.epoch.values()), list(usage.day.values())) == ([], [100_000_000_010])


def test_without_a_policy_nothing_is_signed(tmp_path: Path) -> None:
    world = make_world(tmp_path / "s")
    station = setup.make(tmp_path / "fresh", words_from_entropy(bytes(32)), PASSPHRASE, network_class="test", quorum=1,
                         administrators=[Person("ann", world.ann.public)], kdf=LIGHT, clock=world.clock)
    with opened(tmp_path / "fresh", PASSPHRASE, world.clock) as box:
        assert (box.vault.station, code_of(box.policy)) == (station, "no-policy")
        assert box.seen().size == 1


def test_a_crash_between_the_journal_and_the_vault_is_mended_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(vault.Vault, "change", crash)
        with pytest.raises(KeyboardInterrupt):
            install(world, world.policy_text(epoch=2))
    with world.box() as box:
        assert (box.policy().epoch, box.vault.header.epoch) == (2, 2)
    assert code_of(lambda: install(world, world.policy_text(epoch=2))) == "old-policy"


# --- cards ----------------------------------------------------------------------------------------------


def card(world: World, name: str, **changes: object) -> bytes:
    asked: dict[str, object] = {"network": NETWORK, "tier": "cold", "curve": "secp256k1", "account": 0, "count": 2}
    with world.box() as box:
        return setup.issue_card(box, name, **{**asked, **changes})  # type: ignore[arg-type]


def test_a_later_card_of_a_wallet_only_has_more_keys(world: World) -> None:
    assert open_card(card(world, "cold", count=5))[0].wallet == "cold"
    with world.box() as box:
        assert box.history.wallets["cold"].addresses[:2] == world.addresses


@pytest.mark.parametrize(("name", "changes", "code"), [
    ("cold", {"count": 1}, "bad-field"),
    ("cold", {"tier": "hot"}, "bad-field"),
    ("cold", {"account": 1}, "bad-field"),
    ("other", {}, "bad-field"),
    ("other", {"account": 1, "tier": "tepid"}, "bad-field"),
    ("other", {"account": 1, "count": 0}, "bad-field"),
    ("other", {"account": 1, "count": 10_001}, "bad-field"),
    ("Other!", {"account": 1}, "bad-field"),
    ("other", {"network": "xrpl:mainnet"}, "wrong-network"),
    ("other", {"network": "gold:bars"}, "unknown-chain"),
    ("other", {"account": 2**31}, "xrpl-key-refused"),
])
def test_a_card_that_contradicts_what_was_issued_is_refused(
    world: World, name: str, changes: dict[str, object], code: str
) -> None:
    assert code_of(lambda: card(world, name, **changes)) == code


# --- restored, taken over, lost -------------------------------------------------------------------------


@pytest.fixture
def spare(world: World, tmp_path: Path) -> World:
    """Give a second box with the same words, which has no journal."""
    people = [Person(name, world.people[name].public) for name in ("ann", "ben")]
    station = setup.restore(tmp_path / "spare", words_of(world), PASSPHRASE, network_class="test",
                            administrators=people, quorum=2, kdf=LIGHT)
    assert station == world.station
    return dataclasses.replace(world, folder=tmp_path / "spare")


def checkpoint(world: World) -> str:
    with world.box() as box:
        return box.checkpoint()


def take_over(spare: World, lines: bytes, note: str) -> int:
    return setup.take_over(spare.folder, PASSPHRASE, lines, note, spare.clock)


def test_a_restored_box_signs_nothing_without_its_journal(spare: World) -> None:
    request = spare.request(spare.payment(5, sequence=1))
    assert code_of(lambda: spare.sign(request)) == "journal-missing"
    assert code_of(lambda: card(spare, "cold")) == "journal-missing"


def test_a_restored_box_signs_after_it_has_taken_over_the_newest_journal(world: World, spare: World) -> None:
    request = world.request(world.payment(5, sequence=1))
    first = open_answer(world.sign(request))[0].signatures
    size = take_over(spare, log(world).read_bytes(), checkpoint(world))
    assert open_answer(spare.sign(request, people=()))[0].signatures == first
    with spare.box() as box:
        assert (box.journal.tip.size, box.vault.header.epoch, box.history.last_time) == (size + 1, 1, world.now)
    assert spare.sign(spare.request(spare.payment(6, "two", sequence=2)))


def test_a_journal_older_than_the_checkpoint_is_not_taken_over(world: World, spare: World) -> None:
    old = log(world).read_bytes()
    world.sign(world.request(world.payment(5, sequence=1)))
    assert code_of(lambda: take_over(spare, old, checkpoint(world))) == "journal-forked"


def test_a_forked_cut_or_foreign_journal_is_not_taken_over(world: World, spare: World, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "fork")
    world.sign(world.request(world.payment(5, sequence=1)))
    fork = dataclasses.replace(world, folder=tmp_path / "fork")
    fork.sign(fork.request(fork.payment(6, "two", sequence=2)))
    other = make_world(tmp_path / "other")
    note = checkpoint(world)
    assert code_of(lambda: take_over(spare, log(fork).read_bytes(), note)) == "journal-forked"
    assert code_of(lambda: take_over(spare, log(world).read_bytes() + b"torn", note)) == "journal-damaged"
    assert code_of(lambda: take_over(spare, log(other).read_bytes(), note)) == "journal-damaged"
    assert code_of(lambda: take_over(spare, log(world).read_bytes(), checkpoint(other))) == "bad-checkpoint"
    assert take_over(spare, log(world).read_bytes(), note) == 4


def test_a_box_that_has_its_journal_takes_no_other(world: World) -> None:
    assert code_of(lambda: take_over(world, log(world).read_bytes(), checkpoint(world))) == "bad-setup"


def release(box_of: World, body: dict[str, Any], people: Sequence[str] = ("ann", "ben")) -> str:
    first, *others = [box_of.people[name] for name in people]
    sealed = releases.seal_release(body, first.public, first.sign)
    for one in others:
        sealed = releases.sign_release(sealed, one.public, one.sign)
    with opened(box_of.folder, PASSPHRASE, box_of.clock, restored=True) as box:
        return releases.apply(box, sealed)


def loss(world: World, epoch: int = 1) -> dict[str, Any]:
    return releases.draft_loss(world.station, epoch, "the safe burnt")


def test_a_lost_journal_begins_a_new_one_under_a_new_station_key(spare: World) -> None:
    assert code_of(lambda: release(spare, loss(spare), ["ann"])) == "quorum-missing"
    assert "new station key" in release(spare, loss(spare))
    request = spare.request(spare.payment(5, sequence=1))
    with spare.box() as box:
        new = box.vault.station
        assert new != spare.station
        assert (box.journal.tip.size, box.administrators()[1]) == (1, 2)
    assert code_of(lambda: install(spare, spare.policy_text(epoch=1))) == "old-policy"
    install(spare, spare.policy_text(epoch=2))
    spare.station = new
    assert code_of(lambda: spare.sign(request)) == "not-for-this-signer"
    assert code_of(lambda: release(spare, loss(spare))) == "bad-release"


def test_after_a_loss_an_older_journal_is_still_noticed(spare: World) -> None:
    release(spare, loss(spare))
    old = log(spare).read_bytes()
    install(spare, spare.policy_text(epoch=2))
    log(spare).write_bytes(old)
    assert code_of(lambda: open_box(spare)) == "journal-behind"


def test_a_box_restored_after_a_loss_takes_over_the_newer_stations_journal(spare: World, tmp_path: Path) -> None:
    release(spare, loss(spare))
    install(spare, spare.policy_text(epoch=2))
    people = [Person(name, spare.people[name].public) for name in ("ann", "ben")]
    third = []
    for lost in (0, 1):
        folder = tmp_path / f"third {lost}"
        setup.restore(folder, words_of(spare), PASSPHRASE, network_class="test", administrators=people, quorum=2,
                      kdf=LIGHT, lost=lost)
        third.append(dataclasses.replace(spare, folder=folder))
    lines, note = log(spare).read_bytes(), checkpoint(spare)
    assert code_of(lambda: take_over(third[0], lines, note)) == "journal-damaged"
    assert take_over(third[1], lines, note) == 2


def test_policies_from_before_a_loss_stay_void_after_a_further_restore(spare: World, tmp_path: Path) -> None:
    release(spare, loss(spare, epoch=7))
    people = [Person(name, spare.people[name].public) for name in ("ann", "ben")]
    setup.restore(tmp_path / "third", words_of(spare), PASSPHRASE, network_class="test", administrators=people,
                  quorum=2, kdf=LIGHT, lost=1)
    third = dataclasses.replace(spare, folder=tmp_path / "third")
    take_over(third, log(spare).read_bytes(), checkpoint(spare))
    assert code_of(lambda: install(third, third.policy_text(epoch=7))) == "old-policy"
    install(third, third.policy_text(epoch=8))
    open_box(third)


def test_a_working_box_cannot_be_told_that_its_journal_is_lost(world: World) -> None:
    assert code_of(lambda: release(world, loss(world))) == "bad-release"


def test_a_restored_box_takes_no_other_release(spare: World) -> None:
    body = dict(releases.draft_clock(spare.station, 0, 2**33, "why not"))
    assert code_of(lambda: release(spare, body)) == "journal-missing"
    assert not log(spare).exists()


def test_a_release_says_in_words_what_it_would_do(world: World) -> None:
    bodies: list[dict[str, Any]] = [loss(world), dict(releases.draft_clock(world.station, 1, 2, "a\x1b[2J")),
              dict(releases.draft_transfer(world.station, bytes(16), [bytes(32)], "dead"))]
    for body in bodies:
        sealed = releases.seal_release(body, world.ann.public, world.ann.sign)
        lines = releases.describe(sealed)
        assert lines[0] == f"release: {body['what']}"
        assert all(line.isprintable() for line in lines)


def test_nobody_has_seen_an_empty_journal(spare: World) -> None:
    with opened(spare.folder, PASSPHRASE, spare.clock, restored=True) as box:
        assert box.seen() == NOTHING_SEEN == SeenLog(0, bytes(32))


def test_a_takeover_cut_by_a_crash_is_done_again(
    world: World, spare: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    lines, note = log(world).read_bytes(), checkpoint(world)
    with monkeypatch.context() as patch:
        patch.setattr(vault.Vault, "change", crash)
        with pytest.raises(KeyboardInterrupt):
            take_over(spare, lines, note)
    assert code_of(lambda: open_box(spare)) == "journal-missing"
    assert take_over(spare, lines, note) == 3


def test_a_release_with_more_in_it_than_is_shown_is_not_described(world: World) -> None:
    sealed = releases.seal_release({**loss(world), "more": 1}, world.ann.public, world.ann.sign)
    assert code_of(lambda: releases.describe(sealed)) == "bad-field"


def test_a_box_is_held_by_one_at_a_time(world: World) -> None:
    with world.box():
        assert code_of(lambda: open_box(world)) == "signer-busy"
    open_box(world)


def test_a_link_in_the_journals_place_is_not_followed(spare: World, tmp_path: Path) -> None:
    log(spare).symlink_to(tmp_path / "elsewhere")
    assert code_of(lambda: release(spare, loss(spare))) == "file-trouble"
    assert not (tmp_path / "elsewhere").exists()
    log(spare).unlink()
    assert "new station key" in release(spare, loss(spare))  # what failed had begun nothing
