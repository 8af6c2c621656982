"""Targets and the planner: what it proposes, why, and that what is on its way counts as if it had landed."""

from __future__ import annotations

from pathlib import Path

import pytest

from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.store.wallets import keys
from online.treasury.planner import advise
from online.treasury.targets import Target, set_target, targets
from shared.errors import BadTarget, UnknownAsset, UnknownWallet
from shared.money import Asset
from tests.online_world import ALICE, BOB, NETWORK, NOW, XRP, Desk, asking, make_desk, xrp


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def band(desk: Desk, wallet: str, low: int, aim: int, high: int) -> None:
    wanted = Target(wallet, XRP, *(xrp(coins).units for coins in (low, aim, high)))
    set_target(desk.store, wanted, person=ALICE.person, sign=ALICE.sign, now=NOW)


def holdings(desk: Desk) -> dict[str, int]:
    """Give what all addresses of each wallet hold on the ledger, in whole coins."""
    known = desk.world.accounts
    return {
        wallet: sum(known[key.address].units for key in keys(desk.store, wallet) if key.address in known) // 1_000_000
        for wallet in ("cold", "hot")
    }


def test_within_the_bands_nothing_is_proposed(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, held["cold"], held["cold"])
    band(desk, "hot", 0, held["hot"], held["hot"])
    assert advise(desk.store).proposals == ()


def test_a_hot_wallet_below_its_band_is_filled_from_the_cold_one_and_told_why(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 1, 10**7)
    band(desk, "hot", held["hot"] + 500, held["hot"] + 800, held["hot"] + 900)
    (one,) = advise(desk.store).proposals
    assert (one.what, one.source, one.target, one.amount) == ("rebalance", "cold", "hot", xrp(800))
    assert one.why.startswith("hot will hold")
    assert "below" in one.why


def test_a_hot_wallet_above_its_band_is_emptied_to_its_target(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 1, 10**7)
    band(desk, "hot", 0, held["hot"] - 300, held["hot"] - 1)
    (one,) = advise(desk.store).proposals
    assert (one.source, one.target, one.amount) == ("hot", "cold", xrp(300))


def test_many_addresses_that_should_hold_nothing_are_swept(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 0, 1)
    band(desk, "hot", 0, held["hot"], 10**7)
    (one,) = advise(desk.store).proposals
    assert (one.what, one.source, one.target, one.amount) == ("sweep", "cold", "hot", xrp(held["cold"]))


def test_what_is_on_its_way_counts_from_the_draft_on(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 1, 10**7)
    band(desk, "hot", held["hot"] + 500, held["hot"] + 800, held["hot"] + 900)
    order = draft_rebalance(desk.store, asking("r"), from_wallet="cold", to_wallet="hot", amount=xrp(800))
    assert advise(desk.store).proposals == ()
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    for step in (desk.build, desk.answered, desk.tick, desk.world.close, desk.tick):
        step()
        assert advise(desk.store).proposals == ()
    assert holdings(desk)["hot"] == held["hot"] + 800


def test_what_nobody_can_spare_is_said(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", held["cold"] - 10, held["cold"] - 10, held["cold"])
    band(desk, "hot", held["hot"] + 500, held["hot"] + 800, held["hot"] + 900)
    found = advise(desk.store)
    assert [one.amount for one in found.proposals] == [xrp(10)]
    assert [(one.wallet, one.amount) for one in found.short] == [("hot", xrp(490))]


def test_a_target_is_changed_by_a_later_word(desk: Desk) -> None:
    band(desk, "hot", 1, 2, 3)
    band(desk, "hot", 4, 5, 6)
    assert [one.low for one in targets(desk.store)] == [xrp(4).units]


def test_a_band_that_does_not_ascend_is_refused(desk: Desk) -> None:
    for low, aim, high in ((2, 1, 3), (1, 3, 2), (3, 3, 2)):
        with pytest.raises(BadTarget):
            band(desk, "hot", low, aim, high)
    with pytest.raises(UnknownWallet):
        band(desk, "tepid", 1, 2, 3)
    with pytest.raises(UnknownAsset):
        set_target(desk.store, Target("hot", Asset(NETWORK, "GOLD", 2), 1, 2, 3),
                   person=ALICE.person, sign=ALICE.sign, now=NOW)  # fmt: skip
