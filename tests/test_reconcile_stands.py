"""Reconciliation goes on from where it was kept, in spans, however much strangers send.

A stand is a row that the journal swears to. What it carries on is named again, and what the books do not bear out any
more is read anew from the openings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from online.audit import verify
from online.chains.api import AccountState
from online.chains.xrpl import history, node
from online.deposits.model import deposits
from online.ledger import walk
from online.ledger.books import open_wallet
from online.ledger.differences import Kind
from online.ledger.looks import Memory
from online.ledger.postings import Posting
from online.ledger.reconcile import reconcile
from online.ledger.stands import find_stand
from online.store import tables
from online.store.wallets import import_card
from shared.chains.xrpl import XRPL
from shared.envelope import WalletCard, seal_card
from shared.errors import NodeUnreachable
from shared.hdkeys import derive
from shared.money import Amount
from tests.online_world import NETWORK, NOW, XRP, PaperSigner
from tests.served_house import House, a_house, again, found, kept, look, paid, posted


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as found:
        yield found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a node give two transactions a page and six pages, and a span be shorter than what is paid."""
    monkeypatch.setattr(node, "_PAGE", 2)
    monkeypatch.setattr(node, "_PAGES_MOST", 6)
    monkeypatch.setattr(history, "SPAN_MOST", 3)
    monkeypatch.setattr(walk, "ENTRIES_MOST", 4)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ledgers from which on accounts were asked for what touched them."""
    heights, whole = [], node.Node.history

    def noted(one: node.Node, address: str, first: int, last: int) -> Any:
        heights.append(first)
        return whole(one, address, first, last)

    monkeypatch.setattr(node.Node, "history", noted)
    return heights


@pytest.mark.usefixtures("small")
def test_more_payments_than_a_node_tells_at_once_are_read_span_by_span(house: House) -> None:
    paid(house, *range(1, 21))
    assert found(house) == [(Kind.MISSING_DEPOSIT, "cold", units) for units in range(1, 21)]


@pytest.mark.usefixtures("small")
def test_after_a_long_outage_deposits_are_taken_in_span_by_span(house: House) -> None:
    paid(house, *range(1, 21))
    taken: list[int] = []
    while not taken or taken[-1] < 20:
        house.tick()
        taken.append(len(deposits(house.store)))
        assert taken == sorted(set(taken)), "a turn that took in nothing, and would for ever"
    assert 3 <= max(after - before for before, after in zip([0, *taken], taken, strict=False)) <= 4
    assert [one.amount.units for one in deposits(house.store)] == list(range(1, 21))
    assert found(house) == []


def test_what_was_kept_is_not_read_again_and_all_is_where_that_is_asked(house: House, asked: list[int]) -> None:
    paid(house, 7, 8)
    house.tick()
    kept(house)
    height = house.world.validated_index
    paid(house, 9)
    asked.clear()
    assert found(house) == [(Kind.MISSING_DEPOSIT, "cold", 9)]
    assert set(asked) == {height + 1}
    asked.clear()
    assert found(house, whole=True) == [(Kind.MISSING_DEPOSIT, "cold", 9)]
    assert min(asked) < height


def test_one_process_goes_on_from_its_own_last_look(house: House, asked: list[int]) -> None:
    memory: Memory = {}
    look(house, memory=memory)
    height = house.world.validated_index
    paid(house, 9)
    asked.clear()
    assert found(house, memory=memory) == [(Kind.MISSING_DEPOSIT, "cold", 9)]
    assert set(asked) == {height + 1}


def test_a_difference_is_named_at_every_look_until_it_is_gone(house: House) -> None:
    paid(house, 7)
    for _ in range(2):
        kept(house)
        paid(house)
        assert found(house) == [(Kind.MISSING_DEPOSIT, "cold", 7)]
    house.tick()
    assert found(house) == found(house, whole=True) == []


def test_what_is_booked_once_more_after_a_stand_is_named_as_before_it(house: House) -> None:
    paid(house, 7)
    house.tick()
    kept(house)
    again(house)
    for options in ({}, {"whole": True}):
        assert found(house, **options) == [(Kind.DOUBLE_CREDIT, "cold", -7)]
    kept(house)
    assert found(house) == [(Kind.DOUBLE_CREDIT, "cold", -7)]


def test_what_is_booked_of_nothing_after_a_stand_is_told_apart(house: House) -> None:
    paid(house, 7)
    house.tick()
    kept(house)
    again(house, tx_id="AB" * 32)
    assert found(house) == found(house, whole=True) == [(Kind.REORGANISED_AWAY, "cold", -7)]


def test_a_stray_entry_is_named_at_every_look(house: House) -> None:
    posted(house, Posting("wallet:hot", XRP, 7), Posting(f"own:{NETWORK}", XRP, -7))
    for _ in range(2):
        assert found(house) == [(Kind.ENTRY_WITHOUT_TRANSACTION, "hot", -7)]
        kept(house)


def test_a_stand_that_the_kept_balances_do_not_bear_out_is_not_gone_on_from(
    house: House, asked: list[int]
) -> None:
    paid(house, 7)
    house.tick()
    kept(house)
    height = house.world.validated_index
    table = tables.balances
    with house.store.transaction() as tx:
        tx.sql.execute(update(table).where(table.c.account == "wallet:cold").values(posted="1"))
    asked.clear()
    assert found(house) == []
    assert min(asked) < height


def test_the_journal_swears_to_a_stand_and_an_altered_one_is_found(house: House) -> None:
    paid(house, 7)
    kept(house)
    with house.store.reading() as connection:
        stand = find_stand(connection, NETWORK)
    assert stand is not None
    assert stand == look(house).stands[NETWORK]
    assert verify(house.store).ok
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.stands).values(height=stand.height + 1))
    assert [one for one in verify(house.store).problems if "stands" in one] == [
        f"stands {NETWORK}: not as the journal says"
    ]


def test_a_node_that_is_silent_is_its_own_networks_failure_alone(house: House) -> None:
    house.world.go_down()
    report = look(house)
    assert (report.findings, set(report.failed)) == ((), {NETWORK})
    assert [one.covered for one in report.solvency] == [False]


class Far:
    """A node of another network, which answers until it is silent."""

    network = "xrpl:testnet"

    def __init__(self) -> None:
        self.silent, self.xrp = False, XRPL.network(self.network).native

    def height(self) -> int:
        if self.silent:
            raise NodeUnreachable("it does not answer")
        return 10

    def account(self, address: str) -> AccountState:
        return AccountState(address, True, self.height(), Amount(self.xrp, 9), Amount(self.xrp, 0))


def test_a_silent_node_of_one_network_leaves_the_others_judged(house: House) -> None:
    signer, far = PaperSigner(), Far()
    node_of = derive(signer.seed, "secp256k1", XRPL.key_path(far.network, "secp256k1", 5, 0)[:-2]).public()
    xpub = node_of.public_key + node_of.chain_code
    card = WalletCard(signer.station, "far", far.network, "cold", "secp256k1", 5, xpub, ())
    import_card(house.store, seal_card(card, signer.sign), NOW)
    gateways: Any = {NETWORK: house.gateway, far.network: far}
    open_wallet(house.store, "far", gateways[far.network], NOW)
    paid(house, 7)
    for silent in (False, True):
        far.silent = silent
        report = reconcile(house.store, gateways)
        assert [(one.kind, one.wallet, one.amount) for one in report.findings] == [(Kind.MISSING_DEPOSIT, "cold", 7)]
        assert set(report.failed) == ({far.network} if silent else set())
        covered = {one.asset.network: one.covered for one in report.solvency}
        assert covered == {NETWORK: True, far.network: not silent}
