"""Stated heights: the journal remembers the highest of each network, and a person reads when a new one is odd.

Nothing is refused for it. The rule's `expiry_most` is 30,000 heights in this world.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_signer.history import fold
from offline_signer.journal_file import read
from shared.envelope import Declined
from tests.signing_world import NETWORK, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "signer")


def request(world: World, sequence: int, height: int) -> bytes:
    item = world.payment(5, f"order {sequence}", sequence=sequence, last=height + 100)
    return world.request(item, height=height)


def told(world: World, sealed: bytes, declined: tuple[Declined, ...] = ()) -> list[str]:
    with world.box() as box:
        examination = world.examine(box, sealed, declined)
    assert examination.objections == ()
    return [line for line in examination.lines() if "height" in line]


def test_the_first_height_is_compared_with_nothing(world: World) -> None:
    assert told(world, request(world, 1, 1_000)) == []


def test_the_highest_height_stated_before_is_shown_and_a_near_higher_one_gives_no_warning(world: World) -> None:
    world.sign(request(world, 1, 1_000))
    shown = ["the highest height stated before was 1000 (xrpl:local)"]
    assert told(world, request(world, 2, 1_000)) == shown
    assert told(world, request(world, 2, 31_000)) == shown


@pytest.mark.parametrize(("height", "warning"), [
    (999, "the coordinator states the height 999 of xrpl:local, lower than before: look at the ledger"),
    (31_001, ("the coordinator states the height 31001 of xrpl:local, 30001 above the highest before, more than 30000: "
              "look at the ledger")),
])
def test_a_lower_height_and_a_far_jump_are_warned_of_and_still_signed(
    world: World, height: int, warning: str
) -> None:
    world.sign(request(world, 1, 1_000))
    odd = request(world, 2, height)
    assert told(world, odd)[1:] == [f"warning: {warning}"]
    assert world.sign(odd)


def test_a_lower_height_does_not_lower_what_is_remembered(world: World) -> None:
    for sequence, height in ((1, 1_000), (2, 500), (3, 700)):
        world.sign(request(world, sequence, height))
    assert fold(read(world.folder, world.station).entries).heights == {NETWORK: 1_000}


def test_what_was_declined_or_is_only_given_again_counts_for_nothing(world: World) -> None:
    first, later = request(world, 1, 1_000), request(world, 2, 9_000)
    world.sign(first)
    assert told(world, first) == []  # given again
    no = (Declined(0, "no"),)
    assert told(world, later, no) == []
    world.sign(later, declined=no)
    assert fold(read(world.folder, world.station).entries).heights == {NETWORK: 1_000}
