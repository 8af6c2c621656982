"""The books: every entry adds up, kept balances are proven by the lines, and a difference is shown and not absorbed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from online.audit import compare, verify
from online.ledger.books import balance_sheet, check, journal, open_wallet, prove_balances
from online.ledger.postings import Posting, post, void_pending
from online.ledger.reports import trial_balance
from online.store import tables
from online.store.database import Store, open_store
from shared.errors import UnknownWallet, WalletAlreadyOpen
from shared.money import MOST_UNITS
from tests.online_world import NETWORK, NOW, STATION, XRP, Desk, PaperSigner, make_desk, xrp
from tests.store_place import store_url


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def _store(folder: Path) -> Store:
    return open_store(store_url(folder, "books"), STATION)


def test_an_entry_that_does_not_add_up_is_a_bug_and_writes_nothing(tmp_path: Path) -> None:
    store = _store(tmp_path)
    with pytest.raises(ValueError, match="add up"), store.transaction() as tx:
        post(tx, "wrong", "posted", [Posting("a", XRP, 2), Posting("b", XRP, -1)], None, NOW)
    assert journal(store) == ()


def test_units_beyond_64_and_128_bits_add_up_exactly(tmp_path: Path) -> None:
    store = _store(tmp_path)
    for _ in range(3):
        with store.transaction() as tx:
            lines = [Posting("a", XRP, MOST_UNITS), Posting("b", XRP, -MOST_UNITS)]
            post(tx, "huge", "posted", lines, None, NOW)
    assert [one.posted for one in balance_sheet(store)] == [3 * MOST_UNITS, -3 * MOST_UNITS]
    assert prove_balances(store) == ()


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("abc"),
            st.integers(0, 2**128),
            st.sampled_from(["posted", "pending", "voided"]),
        ),
        max_size=12,
    )
)
def test_kept_balances_are_what_the_lines_add_up_to(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, str, int, str]]
) -> None:
    store = _store(tmp_path_factory.mktemp("books"))
    with store.transaction() as tx:
        for giver, taker, units, status in entries:
            lines = [Posting(giver, XRP, -units), Posting(taker, XRP, units)]
            post(tx, "drawn", status, lines, None, NOW)  # type: ignore[arg-type]
    assert prove_balances(store) == ()
    assert all(line.posted == line.pending == 0 for line in trial_balance(store))


def test_a_kept_balance_that_was_changed_is_found(desk: Desk) -> None:
    with desk.store.engine.begin() as connection:
        here = tables.balances.c.account == "wallet:hot"
        connection.execute(update(tables.balances).where(here).values(posted="7"))
    assert any("wallet:hot" in problem for problem in prove_balances(desk.store))
    assert not verify(desk.store).ok


def test_an_opening_is_posted_against_own_funds_and_once(desk: Desk) -> None:
    own = next(one for one in balance_sheet(desk.store) if one.account == f"own:{NETWORK}")
    assert own.posted == -xrp(151_000).units
    with pytest.raises(WalletAlreadyOpen):
        open_wallet(desk.store, "cold", desk.world, NOW)
    with pytest.raises(UnknownWallet):
        open_wallet(desk.store, "nowhere", desk.world, NOW)


def test_a_difference_with_the_ledger_is_shown_and_stays(desk: Desk) -> None:
    desk.world.accounts[desk.address("hot")].units += 5
    for _ in range(2):
        cold, hot = check(desk.store, desk.gateways)
        assert (cold.difference, hot.difference) == (0, 5)
    assert prove_balances(desk.store) == ()


def test_what_goes_to_a_strangers_address_leaves_for_outside(desk: Desk) -> None:
    stranger = PaperSigner(9)
    from online.orders.approval import approve
    from online.orders.spending import draft_pay
    from shared.chains.xrpl import XRPL
    from shared.effects import Destination
    from shared.hdkeys import derive
    from tests.online_world import BOB, asking

    key = derive(stranger.seed, "secp256k1", XRPL.key_path(NETWORK, "secp256k1", 0, 0)).public_key
    to = Destination(XRPL.address(key, "secp256k1", NETWORK))
    order = draft_pay(desk.store, asking("x"), wallet="cold", payments=[(to, xrp(3))])
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()
    outside = next(one for one in balance_sheet(desk.store) if one.account == f"outside:{NETWORK}")
    assert outside.posted == xrp(3).units
    desk.require_books()


def test_voiding_twice_changes_nothing_more(desk: Desk) -> None:
    desk.rebalance()
    desk.build()
    for _ in range(2):
        with desk.store.transaction() as tx:
            void_pending(tx, 1, NOW)
    assert all(one.pending == 0 for one in balance_sheet(desk.store))
    assert prove_balances(desk.store) == ()


def test_signer_store_and_ledger_tell_the_same_after_a_whole_flow(desk: Desk) -> None:
    desk.payments(3)
    desk.answered()
    desk.tick()
    desk.world.close(3)
    desk.tick()
    found = compare(desk.store, desk.signer.station, desk.signer.journal, desk.gateways)
    assert found.ok
    assert [row.state for row in found.matched] == ["final"] * 3


def test_a_signature_whose_answer_was_lost_is_shown_as_only_the_signers(desk: Desk) -> None:
    desk.rebalance()
    desk.signer.answer(desk.export().blob)
    (row,) = compare(desk.store, desk.signer.station, desk.signer.journal, {}).only_in_signer
    assert (row.job, row.state) == (1, "exported")


def test_a_signature_that_the_signers_journal_does_not_hold_is_shown(desk: Desk) -> None:
    desk.rebalance()
    before = desk.signer.journal
    desk.answered()
    (row,) = compare(desk.store, desk.signer.station, before, {}).only_in_store
    assert row.job == 1


def test_a_ledger_that_says_something_else_is_shown(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.tick()
    desk.world.close()
    found = compare(desk.store, desk.signer.station, desk.signer.journal, desk.gateways)
    (row,) = found.ledger_different
    assert (row.state, "tesSUCCESS" in row.note) == ("submitted", True)
