"""Targets and the planner: what it proposes, why, and that what is on its way counts as if it had landed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from online.jobs.model import jobs
from online.ledger.books import open_wallet
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.orders.replacement import bump
from online.store import tables
from online.store.wallets import import_card, keys
from online.treasury.bands import Chest, Place, banded
from online.treasury.planner import advise
from online.treasury.proposals import Advice
from online.treasury.targets import TIERS, Target, set_target, targets
from shared.errors import BadTarget, Refusal, UnknownAsset, UnknownWallet
from shared.money import Asset
from tests.online_world import ALICE, BOB, NETWORK, NOW, XRP, Account, Desk, asking, make_desk, xrp


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def band(desk: Desk, wallet: str, low: int, aim: int, high: int, tier: str = "") -> None:
    wanted = Target(wallet, XRP, xrp(low).units, xrp(aim).units, xrp(high).units, tier)
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


def test_of_many_addresses_each_pays_what_it_holds_where_nothing_gathers_them(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 0, 1)
    band(desk, "hot", 0, held["hot"], 10**7)
    first, second = advise(desk.store, desk.gateways).proposals
    assert [one.what for one in (first, second)] == ["rebalance", "rebalance"]
    room = 10**4  # is left at each of them for fees
    assert [one.amount.units for one in (first, second) if one.amount] == [10**11 - room, 5 * 10**10 - room]
    assert "--address" not in first.command("alice")
    assert f"--address {desk.address('cold', 1)} " in second.command("alice")


def test_by_the_books_alone_all_of_a_wallet_is_thought_to_lie_at_its_first_address(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", 0, 0, 1)
    band(desk, "hot", 0, held["hot"], 10**7)
    (one,) = advise(desk.store).proposals
    assert (one.what, one.source, one.target, one.amount) == ("rebalance", "cold", "hot", xrp(held["cold"]))


def test_who_can_pay_at_once_is_asked_before_who_has_more_and_can_not() -> None:
    def place(name: str, held: int, left: int) -> Place:
        return Place(Target(name, XRP, 40, 40, 1_000), "cold", held, name, name, [Chest(name, left, name)])

    low = place("low", 0, 0)
    proposals, short = banded([low, place("locked", 500, 10), place("open", 100, 60)])
    assert [(one.source, one.amount and one.amount.units) for one in proposals] == [("open", 40)]
    assert short == []


@st.composite
def drawn_places(draw: st.DrawFn) -> list[Place]:
    """Draw a few places with bands, holdings that may be overdrawn, and addresses that can pay a part of them."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        low, aim, high = sorted(draw(st.tuples(*[st.integers(0, 100)] * 3)))
        held, name = draw(st.integers(-20, 200)), f"w{number}"
        chests = [Chest(name, left, f"{name} {at}", at == 0)
                  for at, left in enumerate(draw(st.lists(st.integers(0, 90), max_size=3)))]  # fmt: skip
        door = name if draw(st.booleans()) else ""
        found.append(Place(Target(name, XRP, low, aim, high), draw(st.sampled_from(TIERS)), held, door, name, chests))
    return found


@given(drawn_places())
def test_moves_never_take_a_place_below_its_target_nor_fill_one_above_its_band(group: list[Place]) -> None:
    before = {one.name: one.held for one in group}
    could = {(chest.wallet, chest.address): chest.left for one in group for chest in one.chests}
    proposals, short = banded(group)
    moved = Counter[str]()
    for one in proposals:
        assert one.amount is not None
        assert one.amount.units > 0
        assert one.source != one.target
        moved[one.source] -= one.amount.units
        moved[one.target] += one.amount.units
    for place in group:
        assert place.held == before[place.name] + moved[place.name]
        if moved[place.name] < 0:
            assert place.held >= place.target.target
        if moved[place.name] > 0:
            assert place.held <= place.target.high
            assert place.door
        assert all(0 <= chest.left <= could[chest.wallet, chest.address] for chest in place.chests)
    assert {one.wallet for one in short} == {one.name for one in group if one.held < one.target.low}


# --- tiers ----------------------------------------------------------------------------------------


@pytest.fixture
def three(desk: Desk) -> Desk:
    """Give the desk a second hot wallet with nothing in it."""
    import_card(desk.store, desk.signer.card("hot-2", 2, "hot"), NOW)
    desk.world.accounts[desk.address("hot-2")] = Account(10 * 10**6)
    open_wallet(desk.store, "hot-2", desk.world, NOW)
    return desk


def test_a_tier_is_held_in_its_band_as_a_whole_and_its_emptiest_wallet_takes_what_comes(three: Desk) -> None:
    band(three, "cold", 0, 1, 10**7)
    band(three, "", 1_000, 1_010, 2_000, tier="hot")  # 1,000 and 10 are there
    assert advise(three.store, three.gateways).proposals == ()
    band(three, "", 1_011, 5_000, 6_000, tier="hot")
    (one,) = advise(three.store, three.gateways).proposals
    assert (one.source, one.target, one.amount) == ("cold", "hot-2", xrp(3_990))
    assert one.why == "all hot wallets will hold 1 010 XRP, below 1 011 XRP"


def test_a_tier_above_its_band_gives_from_its_fullest_wallet(three: Desk) -> None:
    band(three, "cold", 0, 1, 10**7)
    band(three, "", 0, 500, 1_000, tier="hot")
    (one,) = advise(three.store, three.gateways).proposals
    assert (one.source, one.target, one.amount) == ("hot", "cold", xrp(510))


def test_what_comes_to_any_wallet_of_a_tier_counts(three: Desk) -> None:
    band(three, "cold", 0, 1, 10**7)
    band(three, "", 1_500, 2_000, 6_000, tier="hot")
    draft_rebalance(three.store, asking("r"), from_wallet="cold", to_wallet="hot", amount=xrp(600))
    assert advise(three.store, three.gateways).proposals == ()


def test_a_tier_and_a_wallet_of_it_have_no_bands_at_once(three: Desk) -> None:
    band(three, "hot", 1, 2, 3)
    with pytest.raises(BadTarget, match="not both"):
        band(three, "", 1, 2, 3, tier="hot")
    band(three, "", 1, 2, 3, tier="cold")
    with pytest.raises(BadTarget, match="not both"):
        band(three, "cold", 1, 2, 3)
    with pytest.raises(BadTarget, match="tiers are"):
        band(three, "", 1, 2, 3, tier="tepid")
    with pytest.raises(BadTarget, match="a wallet's or a tier's"):
        band(three, "hot-2", 1, 2, 3, tier="warm")


# --- what counts ----------------------------------------------------------------------------------


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


def test_a_replacement_on_its_way_counts_once_and_what_the_books_reserve_is_not_taken_twice(desk: Desk) -> None:
    held = holdings(desk)
    band(desk, "cold", held["cold"] - 802, held["cold"] - 802, 10**7)
    band(desk, "hot", held["hot"] + 801, held["hot"] + 801, held["hot"] + 801)
    order = draft_rebalance(desk.store, asking("r"), from_wallet="cold", to_wallet="hot", amount=xrp(801))
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    desk.tick()
    (job,) = jobs(desk.store)
    bump(desk.store, job.id, person=ALICE.person, sign=ALICE.sign, now=NOW)
    assert advise(desk.store) == Advice((), ())


def test_withdrawals_that_wait_for_money_are_counted_as_gone(desk: Desk) -> None:
    band(desk, "cold", 0, 1, 10**7)
    band(desk, "hot", 900, 1_000, 10**7)
    assert advise(desk.store).proposals == ()
    row = {"customer": "dave", "wallet": "hot", "network": NETWORK, "asset_code": "XRP", "units": str(xrp(101).units)}
    with desk.store.transaction() as tx:
        tx.sql.execute(insert(tables.customers).values(id="dave", created=NOW, frozen=False))
        for number, state in enumerate(("queued", "held")):
            tx.sql.execute(insert(tables.withdrawals).values(
                id=f"w-{number}", destination="r", state=state, reason="", created=NOW, updated=NOW, **row
            ))  # fmt: skip
    (one,) = advise(desk.store).proposals
    assert (one.target, one.amount) == ("hot", xrp(101))
    assert one.why == "hot will hold 899 XRP, below 900 XRP"


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


def test_a_band_that_was_altered_in_the_store_is_refused(desk: Desk) -> None:
    band(desk, "hot", 1, 2, 3)
    band(desk, "cold", 4, 5, 6)
    with desk.store.transaction() as tx:
        table = tables.targets
        word = tx.sql.execute(select(table.c.sealed).where(table.c.holder == "cold")).scalar_one()
        tx.sql.execute(update(table).where(table.c.holder == "hot").values(sealed=word[:-1] + bytes([word[-1] ^ 1])))
    with pytest.raises(Refusal):
        targets(desk.store)


def test_a_band_that_does_not_ascend_is_refused(desk: Desk) -> None:
    for low, aim, high in ((2, 1, 3), (1, 3, 2), (3, 3, 2)):
        with pytest.raises(BadTarget):
            band(desk, "hot", low, aim, high)
    with pytest.raises(UnknownWallet):
        band(desk, "tepid", 1, 2, 3)
    with pytest.raises(UnknownAsset):
        set_target(desk.store, Target("hot", Asset(NETWORK, "GOLD", 2), 1, 2, 3),
                   person=ALICE.person, sign=ALICE.sign, now=NOW)  # fmt: skip
