"""Reconciliation on Bitcoin and Counterparty: real orders through the real signer on the devnet, held block by block.

A commit and its reveal are one movement in the books; what is not buried deep enough is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from online.chains.api import Historian
from online.chains.bitcoin import counterparty, movements
from online.chains.bitcoin.movements import Ours, of_block
from online.chains.bitcoin.node import Node
from online.ledger.books import open_wallet
from online.ledger.differences import Kind
from online.ledger.looks import Memory
from online.ledger.reconcile import Report, reconcile
from online.orders.gathering import draft_sweep
from online.orders.spending import draft_batch, draft_options, draft_pay, draft_send
from shared.effects import Destination
from shared.errors import NodeAnswerUnreadable
from tests.bitcoin_house import BTC, COIN, CONFIRMATIONS, NETWORK, XCP, House, a_house, amount, friend

Found = list[tuple[Kind, str, str, int]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as found:
        yield found


def look(house: House, **options: Any) -> Report:
    assert isinstance(house.gateway, Historian)
    return reconcile(house.store, {NETWORK: house.gateway}, **options)


def found(house: House) -> Found:
    report = look(house)
    assert (report.failed, report.limits) == ({}, ())
    return [(one.kind, one.wallet, one.asset.code, one.amount) for one in report.findings]


def settled(house: House) -> None:
    house.cross()
    house.settle()


def test_after_orders_of_every_kind_there_is_no_difference(house: House) -> None:
    """Payments, a send, a batch in an MPMA with commit and reveal, options, a sweep: each is in the books as it was."""
    assert found(house) == []
    store, holding = house.store, Destination(house.address("holding"))
    drafts = [
        draft_pay(store, house.asking(), wallet="cold", payments=[(holding, amount(COIN // 2)),
                                                                 (Destination(friend(1)), amount(10_000))]),
        draft_send(store, house.asking(), wallet="cold", payment=(holding, amount(5 * COIN, XCP))),
        draft_options(store, house.asking(), wallet="cold", demanded=True),
    ]  # fmt: skip
    for draft in drafts:
        house.approved(draft)
        settled(house)
        assert found(house) == []
    to_many = [(Destination(friend(number)), amount(number, XCP)) for number in range(2, 42)]
    house.approved(draft_batch(store, house.asking(), wallet="cold", payments=to_many))
    settled(house)
    assert set(house.states()) == {"final"}
    assert found(house) == []


def test_what_is_not_buried_deep_enough_is_not_judged(house: House) -> None:
    house.fund(7_777, wallet="deposits")
    assert CONFIRMATIONS == 2
    assert found(house) == []
    house.bitcoin.mine(1)
    assert found(house) == [(Kind.MISSING_DEPOSIT, "deposits", "BTC", 7_777)]


def test_a_sweep_of_many_addresses_is_one_movement_with_its_fee(house: House) -> None:
    house.bitcoin.fund_all([(house.address("deposits", at), COIN) for at in range(3)])
    house.bitcoin.mine(CONFIRMATIONS)
    assert found(house) == [(Kind.MISSING_DEPOSIT, "deposits", "BTC", 3 * COIN)]
    draft = draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=house.address("holding"))
    house.approved(draft)
    settled(house)
    assert house.states() == ["final"]
    assert found(house) == []  # the turns took in what came, and the sweep is as it is booked


def test_an_asset_that_came_from_outside_is_missing_in_the_books(house: House) -> None:
    house.bitcoin.mine(1)
    house.counterparty.credit(house.address("holding"), "XCP", 12)
    house.bitcoin.mine(CONFIRMATIONS)
    assert found(house) == [(Kind.MISSING_DEPOSIT, "holding", "XCP", 12)]


def test_more_rows_of_assets_than_a_node_tells_at_once_are_read_block_by_block(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counterparty, "_PAGE", "2")
    monkeypatch.setattr(counterparty, "_PAGES_MOST", 3)
    monkeypatch.setattr(movements, "BLOCKS_MOST", 4)
    for units in range(1, 11):
        house.bitcoin.mine(1)
        house.counterparty.credit(house.address("holding"), "XCP", units)
    house.bitcoin.mine(CONFIRMATIONS)
    assert found(house) == [(Kind.MISSING_DEPOSIT, "holding", "XCP", units) for units in range(1, 11)]
    for _ in range(4):
        house.tick()  # the intake reads on by the same rows
    assert found(house) == []


def test_a_deep_reorganisation_takes_away_what_was_posted(house: House) -> None:
    holding = Destination(house.address("holding"))
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=[(holding, amount(COIN // 2))]))
    settled(house)
    assert found(house) == []
    house.bitcoin.reorg(CONFIRMATIONS, transactions=[])
    gone = [(kind, wallet) for kind, wallet, *_ in found(house)]
    assert gone == [(Kind.REORGANISED_AWAY, "cold"), (Kind.REORGANISED_AWAY, "holding")]
    house.bitcoin.mine(CONFIRMATIONS)
    assert found(house) == []  # it waited again, and stands in another block now


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_transfer_of_ours_that_is_on_its_way_when_books_are_opened_is_counted_once(
    tmp_path: Path, blocks: int
) -> None:
    with a_house(tmp_path, opened=False) as house:
        open_wallet(house.store, "cold", house.gateway, house.now)
        to = Destination(house.address("holding"))
        house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=[(to, amount(COIN // 2))]))
        house.cross()
        house.tick()
        house.bitcoin.mine(blocks)
        opened = open_wallet(house.store, "holding", house.gateway, house.now)
        assert opened.posted == blocks * COIN // 2
        house.bitcoin.mine(CONFIRMATIONS)
        house.tick()
        assert house.states() == ["final"]
        open_wallet(house.store, "deposits", house.gateway, house.now)
        house.require_books()


def test_what_was_read_and_is_settled_is_not_asked_for_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    whole = Node.block_with_spent

    def counted(node: Node, height: int) -> Any:
        asked.append(height)
        return whole(node, height)

    monkeypatch.setattr(Node, "block_with_spent", counted)
    memory: Memory = {}
    house.fund(7_777, wallet="deposits")
    house.bitcoin.mine(5)
    first = look(house, memory=memory)
    assert len(asked) == 6
    asked.clear()
    house.bitcoin.mine(2)
    second = look(house, memory=memory)
    assert asked == [house.gateway.height() - back for back in (2, 1, 0)]  # two are new, one was not settled
    assert first.findings == second.findings == look(house).findings
    assert [one.kind for one in first.findings] == [Kind.MISSING_DEPOSIT]


def test_what_an_address_held_before_it_was_known_is_named_by_its_balance_and_then_by_its_transaction(
    house: House,
) -> None:
    memory: Memory = {}
    house.fund(7_777, wallet="deposits", index=1)
    house.bitcoin.mine(5)
    look(house, memory=memory)
    memory[NETWORK] = replace(memory[NETWORK], shown=(), moved={**memory[NETWORK].moved, ("deposits", BTC): (0, 0)})
    opened = look(house).stands[NETWORK].moved["deposits", BTC][0]
    memory[NETWORK] = replace(memory[NETWORK], moved={**memory[NETWORK].moved, ("deposits", BTC): (opened, 0)})
    assert [(one.kind, one.amount) for one in look(house, memory=memory).findings] == [(Kind.BALANCE_OFF, 7_777)]
    assert [one.kind for one in look(house, memory=memory, whole=True).findings] == [Kind.MISSING_DEPOSIT]


def test_a_stand_on_another_chain_is_not_gone_on_from(house: House) -> None:
    memory: Memory = {}
    holding = Destination(house.address("holding"))
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=[(holding, amount(COIN // 2))]))
    settled(house)
    house.bitcoin.mine(1)
    assert look(house, memory=memory).findings == ()
    assert memory[NETWORK].shown == ()
    house.bitcoin.reorg(CONFIRMATIONS + 1, transactions=[])
    gone = [(one.kind, one.wallet) for one in look(house, memory=memory).findings]
    assert gone == [(Kind.REORGANISED_AWAY, "cold"), (Kind.REORGANISED_AWAY, "holding")]


def test_a_block_that_the_node_has_no_more_is_said(house: House) -> None:
    house.bitcoin.mine(3)
    house.bitcoin.faults.forgotten.add(house.bitcoin.chain.active[-2])
    report = look(house)
    assert report.findings == ()
    assert "history-missing" in report.failed[NETWORK]


def test_the_solvency_line_counts_every_asset(house: House) -> None:
    lines = {one.asset.code: one for one in look(house).solvency}
    assert lines["BTC"].on_ledger == 4 * COIN
    assert lines["XCP"].on_ledger == 1_000 * COIN
    assert all(one.covered for one in lines.values())


# --- one block at a time --------------------------------------------------------------------------------

MINE, YOURS = b"\x00\x14" + b"\x01" * 20, b"\x00\x14" + b"\x02" * 20
OURS = Ours(BTC, {MINE: "mine", b"\x51": "second"})


def place(script: bytes, coins: str, kind: str = "witness_v0_keyhash") -> dict[str, Any]:
    return {"value": coins, "scriptPubKey": {"hex": script.hex(), "type": kind}}


def moved(spent: list[dict[str, Any]], made: list[dict[str, Any]]) -> list[tuple[str, int, int | None]]:
    tx = {"txid": "ab" * 32, "vin": [{"prevout": one} for one in spent], "vout": made}
    return [(one.address, one.units, one.fee_units) for one in of_block({"height": 5, "tx": [tx]}, OURS)]


@pytest.mark.parametrize(
    ("spent", "made", "expected"),
    [
        ([place(YOURS, "1")], [place(MINE, "0.5"), place(YOURS, "0.4")], [("mine", 50_000_000, 0)]),
        ([place(MINE, "1")], [place(YOURS, "0.4"), place(MINE, "0.5")], [("mine", -50_000_000, 10_000_000)]),
        ([place(MINE, "1"), place(b"\x51", "1")], [place(YOURS, "1.9")],
         [("mine", -100_000_000, 10_000_000), ("second", -100_000_000, 0)]),
        ([place(MINE, "1"), place(YOURS, "1")], [place(YOURS, "1.9")], [("mine", -100_000_000, None)]),
        ([place(MINE, "1")], [place(YOURS, "0.9"), place(b"\x52", "0.01", "multisig")],
         [("mine", -100_000_000, None)]),
        ([place(YOURS, "1")], [place(YOURS, "0.9")], []),
    ],
)  # fmt: skip
def test_a_transaction_changes_each_address_by_what_it_makes_less_what_it_spends(
    spent: list[dict[str, Any]], made: list[dict[str, Any]], expected: list[tuple[str, int, int | None]]
) -> None:
    assert moved(spent, made) == expected


def test_what_a_miner_makes_out_of_nothing_is_a_movement_too() -> None:
    tx = {"txid": "ab" * 32, "vin": [{"coinbase": "00"}], "vout": [place(MINE, "3.125")]}
    (one,) = of_block({"height": 5, "tx": [tx]}, OURS)
    assert (one.units, one.fee_units) == (312_500_000, 0)


@pytest.mark.parametrize(
    "block",
    [
        {}, {"height": 5}, {"height": 5, "tx": "x"}, {"height": 5, "tx": ["ab" * 32]},
        {"height": 5, "tx": [{"txid": "ab" * 32, "vin": [{"txid": "cd" * 32, "vout": 0}], "vout": []}]},
        {"height": 5, "tx": [{"txid": "ab" * 32, "vin": [], "vout": [{"value": "x", "scriptPubKey": {"hex": "51"}}]}]},
        {"height": 5, "tx": [{"txid": "ab" * 32, "vin": [], "vout": [{"value": "1", "scriptPubKey": {"hex": "zz"}}]}]},
    ],
)  # fmt: skip
def test_a_block_that_does_not_tell_everything_is_refused(block: dict[str, Any]) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        list(of_block(block, OURS))
