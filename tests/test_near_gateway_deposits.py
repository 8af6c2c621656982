"""Deposits from a cursor: what arrived by receipts and by events of registered tokens, once each, and nothing else.

The world makes transfers, contracts' payments, failures and returns; the scan reads its final blocks in pieces,
across skipped heights, missed chunks and restarts, and from nodes that lie or forget.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyonear.account_id import AccountId
from pyonear.crypto import ED25519SecretKey, InMemorySigner
from pyonear.crypto_hash import CryptoHash
from pyonear.transaction import Transaction

from online.chains.near import deposits as near_deposits
from online.chains.near.arrivals import arrivals, read_cursor, write_cursor
from online.chains.near.deposits import Credit, Cursor, Ours, Scan, begin, confirmed, scan
from online.chains.near.node import Node
from online.devnet.near import NearWorld, rpc, rpc_transactions, serve_near
from shared.errors import (
    BadField,
    HistoryMissing,
    NodeAnswerUnreadable,
    NodeRefused,
    NodeUnfit,
    NodeUnreachable,
)
from shared.money import Amount, Asset
from tests.near_gateway_bench import ASSET, HOT, NETWORK, NOBODY, OTHER, SHOP, TOKEN, UNIT, Bench, a_bench
from tests.test_near_gateway_submit import missing_named

OURS = Ours(frozenset({OTHER.account, NOBODY.account, SHOP}), ASSET, {TOKEN.code: TOKEN})
VAULT = "vault.contracts"


class Collector:
    """Scans a bench's world from where it stood when it was made."""

    def __init__(self, bench: Bench, ours: Ours = OURS) -> None:
        self.node, self.ours = Node(bench.server.url, 3), ours
        self.cursor = begin(self.node)
        self.credits: list[Credit] = []
        self.scans: list[Scan] = []

    def scan(self, most: int = 500) -> Scan:
        found = scan(self.node, self.ours, self.cursor, most=most)
        self.cursor = found.cursor
        self.credits += found.credits
        self.scans.append(found)
        return found

    @property
    def came(self) -> list[tuple[str, str, int]]:
        return [(one.account, one.amount.asset.code, one.amount.units) for one in self.credits]

    def all(self, kind: str) -> list[Any]:
        return [one for found in self.scans for one in getattr(found, kind)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench() as made:
        made.deploy_token()
        made.world.register(TOKEN.code, OTHER.account)
        made.world.deploy(VAULT, "vault", 50 * UNIT)
        yield made


@pytest.fixture
def collector(bench: Bench) -> Iterator[Collector]:
    made = Collector(bench)
    yield made
    made.node.close()


def test_a_transfer_is_credited_once_with_who_sent_it(bench: Bench, collector: Collector) -> None:
    outcome = bench.run(bench.plan(5 * UNIT))
    found = collector.scan()
    (credit,) = found.credits
    assert (credit.account, credit.sender, credit.amount.units) == (OTHER.account, HOT.account, 5 * UNIT)
    assert (credit.tx_hash, credit.memo) == (outcome.tx_id, None)
    assert collector.scan().credits == ()
    assert found.noticed == ()


def test_nothing_is_credited_before_all_of_it_is_final(bench: Bench, collector: Collector) -> None:
    bench.build(bench.plan(5 * UNIT)).submit()
    for _ in range(4):
        bench.world.advance()
        assert collector.scan().credits == () or bench.world.final_height >= collector.credits[0].height
    bench.world.advance(6)
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_a_scan_in_pieces_finds_the_same(bench: Bench, collector: Collector, most: int) -> None:
    for units in (1, 2, 3):
        bench.run(bench.plan(units * UNIT))
        bench.world.skip_heights(most - 1)
    bench.world.advance(4)
    while collector.cursor.height + most <= bench.world.final_height:
        collector.scan(most)
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", units * UNIT) for units in (1, 2, 3)]


def test_skipped_heights_and_missed_chunks_lose_nothing_and_repeat_nothing(bench: Bench, collector: Collector) -> None:
    for number, fault in enumerate([0, 1, 0, 1], 1):
        bench.build(bench.plan(number * UNIT)).submit()
        bench.world.miss_chunk(fault)
        bench.world.advance()
        bench.world.skip_heights(2)
        bench.world.miss_chunk(1 - fault)
        for _ in range(9):
            bench.world.advance()
            collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", number * UNIT) for number in range(1, 5)]


def test_a_chunk_that_a_later_block_shows_again_is_not_read_again(bench: Bench, collector: Collector) -> None:
    bench.build(bench.plan(5 * UNIT)).submit()
    for _ in range(8):
        bench.world.advance()
        collector.scan()
        bench.world.miss_chunk(0)
        bench.world.miss_chunk(1)
        bench.world.advance()
        collector.scan()
    bench.world.advance(5)
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]


def test_a_scan_goes_on_after_a_restart_from_its_cursor_alone(bench: Bench, collector: Collector) -> None:
    bench.build(bench.plan(5 * UNIT)).submit()
    seen: list[Credit] = []
    for _ in range(10):
        bench.world.advance()
        fresh = Collector(bench)
        fresh.cursor = collector.cursor
        seen += fresh.scan().credits
        collector.cursor = Cursor(**{name: getattr(fresh.cursor, name) for name in ("height", "hash", "waiting")})
        fresh.node.close()
    assert [credit.amount.units for credit in seen] == [5 * UNIT]


def test_a_first_payment_creates_an_account_and_that_is_noticed(bench: Bench, collector: Collector) -> None:
    bench.run(bench.plan(5 * UNIT, NOBODY.account))
    found = collector.scan()
    assert [(one.account, one.what) for one in found.noticed] == [(NOBODY.account, "created")]
    assert len(found.credits) == 1


def test_the_refund_of_a_failed_payment_is_no_credit(bench: Bench, collector: Collector) -> None:
    collector.ours = replace(OURS, accounts={HOT.account, "nobody.merchants"})
    missing_named(bench).submit()
    bench.world.advance(10)
    found = collector.scan()
    assert found.credits == ()
    assert 3 * UNIT in [one.amount.units for one in found.refunds]
    assert {one.sender for one in found.refunds} == {"system"}


# --- contracts ------------------------------------------------------------------------------------


class Stranger:
    """An account of the world whose transactions the oracle's own crate builds and signs."""

    def __init__(self, bench: Bench, account: str, yocto: int = 30 * UNIT) -> None:
        self.bench, self.account = bench, account
        self.secret = ED25519SecretKey.from_seed(account)
        self.key = str(self.secret.public_key())
        if not bench.world.exists(account):
            bench.world.create(account, [self.key], yocto)

    def to(self, receiver: str) -> Transaction:
        nonce = self.bench.world.keys(self.account)[self.key].nonce + 1
        base = CryptoHash.from_str(self.bench.world.chain.head.hash)
        return Transaction(AccountId(self.account), self.secret.public_key(), nonce, AccountId(receiver), base, [])

    def send(self, tx: Transaction) -> str:
        signer = InMemorySigner.from_secret_key(AccountId(self.account), self.secret)
        sent = self.bench.world.submit(bytes(tx.sign(signer)))
        self.bench.world.advance(12)
        return sent.id

    def call(self, contract: str, method: str, args: Mapping[str, str], deposit: int = 0) -> str:
        return self.send(self.to(contract).function_call(method, json.dumps(args).encode(), 100 * 10**12, deposit))


@pytest.mark.parametrize("method", ["pay", "pay_quietly", "pay_and_panic"])
def test_what_a_contract_pays_is_credited_whatever_the_top_of_the_answer_says(
    bench: Bench, collector: Collector, method: str
) -> None:
    Stranger(bench, "somebody.else").call(VAULT, method, {"receiver_id": OTHER.account, "amount": str(4 * UNIT)})
    (credit,) = collector.scan().credits
    assert (credit.account, credit.sender, credit.amount.units) == (OTHER.account, VAULT, 4 * UNIT)


def test_a_contracts_payment_that_failed_under_a_success_is_no_credit(bench: Bench, collector: Collector) -> None:
    collector.ours = replace(OURS, accounts={"nobody.merchants"})
    args = {"receiver_id": "nobody.merchants", "amount": str(UNIT)}
    Stranger(bench, "somebody.else").call(VAULT, "pay_quietly", args)
    found = collector.scan()
    assert (found.credits, found.refunds, found.cursor.waiting) == ((), (), ())


def test_an_account_that_deletes_itself_is_noticed_and_its_payout_is_no_credit(
    bench: Bench, collector: Collector
) -> None:
    leaver = Stranger(bench, "leaver.exchange", 8 * UNIT)
    collector.ours = replace(OURS, accounts={OTHER.account, leaver.account})
    leaver.send(leaver.to(leaver.account).delete_account(AccountId(OTHER.account)))
    found = collector.scan()
    assert found.credits == ()
    assert [(one.account, one.what) for one in found.noticed] == [(leaver.account, "deleted")]
    (payout,) = [one for one in found.refunds if one.account == OTHER.account]
    assert (payout.sender, payout.amount.units > 7 * UNIT) == ("system", True)


def test_an_account_that_is_made_by_another_is_noticed(bench: Bench, collector: Collector) -> None:
    collector.ours = replace(OURS, accounts={"till.shops"})
    maker = Stranger(bench, "shops")
    maker.send(maker.to("till.shops").create_account().transfer(2 * UNIT))
    found = collector.scan()
    assert [(one.account, one.what) for one in found.noticed] == [("till.shops", "created")]
    assert [one.amount.units for one in found.credits] == [2 * UNIT]


# --- tokens ---------------------------------------------------------------------------------------


def test_tokens_are_credited_by_their_contracts_events_with_their_memos(bench: Bench, collector: Collector) -> None:
    plan = bench.tokens((OTHER.account, 70), (NOBODY.account, 7))
    first, second = plan.payments
    first = replace(first, destination=replace(first.destination, memo="customer 12"))
    bench.run(replace(plan, payments=(first, second)))
    found = collector.scan()
    assert [(one.account, one.amount.units, one.memo) for one in found.credits] == [
        (OTHER.account, 70, "customer 12"),
        (NOBODY.account, 7, None),
    ]
    assert len({one.key for one in found.credits}) == 2
    assert {one.amount.asset for one in found.credits} == {TOKEN}


def test_what_a_tokens_contract_pays_by_a_call_of_itself_is_found_though_no_chunk_carries_it(
    bench: Bench, collector: Collector
) -> None:
    issuer = Stranger(bench, "gold.issuer")
    gold = Asset(NETWORK, issuer.account, 6)
    bench.world.deploy_token(gold.code, 6, gold.code, 1000)
    bench.world.register(gold.code, OTHER.account)
    collector.ours, collector.cursor = replace(OURS, tokens={gold.code: gold}), begin(collector.node)
    issuer.call(gold.code, "ft_transfer", {"receiver_id": OTHER.account, "amount": "9"}, 1)
    (credit,) = collector.scan().credits
    assert (credit.account, credit.amount.units, credit.amount.asset) == (OTHER.account, 9, gold)


# --- tokens of strangers --------------------------------------------------------------------------

FAKE = Asset(NETWORK, "usdt.fakes", 0)


def fakes(bench: Bench, units: int = 5, to: str = OTHER.account, kind: str = "nep141-transfer") -> str:
    """Let the hot account send somebody's token, which nobody noted here."""
    fake = Asset(NETWORK, FAKE.code, 6)
    if not bench.world.exists(fake.code):
        bench.world.deploy_token(fake.code, 6, HOT.account, 10**12)
        bench.world.register(fake.code, to)
    more = {"msg": ""} if kind == "nep141-call" else {}
    plan = bench.tokens((to, units), kind=kind, **more)
    payment = replace(plan.payments[0], amount=replace(plan.payments[0].amount, asset=fake))
    outcome = bench.run(replace(plan, payments=(payment,)))
    assert outcome.success
    return outcome.tx_id


@pytest.mark.parametrize(("to", "kind"), [(OTHER.account, "nep141-transfer"), ("pool.swaps", "nep141-call")])
def test_a_token_that_is_not_registered_is_told_of_in_base_units(
    bench: Bench, collector: Collector, to: str, kind: str
) -> None:
    bench.world.deploy("pool.swaps", "takes-tokens")
    collector.ours = replace(OURS, accounts={OTHER.account, "pool.swaps"})
    tx = fakes(bench, to=to, kind=kind)
    collector.cursor = read_cursor(write_cursor(collector.cursor))
    (credit,) = collector.scan().credits
    assert (credit.account, credit.sender, credit.amount) == (to, HOT.account, Amount(FAKE, 5))
    assert (credit.tx_hash, collector.scan().credits) == (tx, ())


def test_what_a_strangers_contract_pays_by_a_call_of_itself_is_told_of(bench: Bench, collector: Collector) -> None:
    issuer = Stranger(bench, "gold.issuer")
    bench.world.deploy_token(issuer.account, 6, issuer.account, 1000)
    bench.world.register(issuer.account, OTHER.account)
    issuer.call(issuer.account, "ft_transfer", {"receiver_id": OTHER.account, "amount": "9"}, 1)
    collector.scan()
    assert collector.came == [(OTHER.account, issuer.account, 9)]


def test_a_strangers_token_of_which_nothing_stayed_is_not_told_of(bench: Bench, collector: Collector) -> None:
    bench.world.deploy("pool.swaps", "returns-tokens")
    bench.world.register(TOKEN.code, "pool.swaps")
    collector.ours = Ours({"pool.swaps"}, ASSET, {})
    bench.run(bench.tokens(("pool.swaps", 10), kind="nep141-call", msg="swap"))
    found = collector.scan()
    assert (found.credits, found.returned) == ((), ())


def test_a_token_that_is_noted_before_its_transaction_is_final_is_credited_as_what_it_is(
    bench: Bench, collector: Collector
) -> None:
    collector.ours = replace(OURS, tokens={})
    bench.run(bench.tokens((OTHER.account, 70)))
    bench.world.faults.timeouts = True
    assert [one.stranger for one in collector.scan().cursor.waiting] == [TOKEN.code]
    bench.world.faults.timeouts = False
    collector.ours = OURS
    (credit,) = collector.scan().credits
    assert credit.amount == Amount(TOKEN, 70)


def test_a_stranger_can_not_say_who_sent_it_nor_of_which_token(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events name whom they like: an account of ours as their sender, and as many receivers as fit."""
    fakes(bench)
    row = {"old_owner_id": NOBODY.account, "new_owner_id": OTHER.account, "amount": "7", "memo": "m" * 9_000}
    bad = [{**row, "amount": amount} for amount in ("0", "-1", "1e9", "9" * 60, 7)] + ["", {**row, "new_owner_id": 1}]
    event = {"standard": "nep141", "version": "1.0.0", "event": "ft_transfer", "data": [*bad, *[row] * 40]}
    lines = ["EVENT_JSON:" + json.dumps(event), "EVENT_JSON:[" * 10_000]

    def forged(answer: Answer) -> None:
        for each in answer["receipts_outcome"]:
            if each["outcome"]["executor_id"] == FAKE.code:
                each["outcome"]["logs"] = lines

    bent(monkeypatch, forged)
    found = collector.scan()
    assert {(one.sender, one.amount) for one in found.credits} == {(HOT.account, Amount(FAKE, 7))}
    assert (len(found.credits), len({one.key for one in found.credits})) == (10, 10)


@pytest.mark.parametrize("args", [b"", b"[]", b"{", b'{"receiver_id": 7}', b"[" * 200, b"\xff", b" " * 200_000])
def test_a_call_that_names_no_receiver_is_nobodys(bench: Bench, collector: Collector, args: bytes) -> None:
    bench.world.deploy_token(FAKE.code, 6, HOT.account, 10)
    stranger = Stranger(bench, "somebody.else")
    stranger.send(stranger.to(FAKE.code).function_call("ft_transfer", args, 100 * 10**12, 1))
    assert (collector.scan().credits, collector.cursor.waiting) == ((), ())


def test_only_so_many_strangers_wait_and_ours_are_told_of_beside_them(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_deposits, "STRANGERS_MOST", 2)
    start = write_cursor(collector.cursor)
    for units in (1, 2, 3, 4):
        fakes(bench, units)
    bench.run(bench.tokens((OTHER.account, 70)))
    found = collector.scan()
    assert [came[1:] for came in collector.came] == [(FAKE.code, 1), (FAKE.code, 2), (TOKEN.code, 70)]
    assert found.passed == 2
    told = arrivals(collector.node, ASSET, [OTHER.account], [TOKEN], start)
    assert told.notices == ("2 transfers to us of tokens that nobody noted were passed over: too many came",)


def test_tokens_that_fail_are_not_credited(bench: Bench, collector: Collector) -> None:
    first = bench.build(bench.tokens((OTHER.account, 10**12)))
    second = bench.build(bench.tokens((OTHER.account, 1)), {first.claim})
    for job in (first, second):
        job.submit()
        bench.world.advance()
    bench.world.advance(8)
    collector.scan()
    assert collector.came == [(OTHER.account, TOKEN.code, 10**12)]


@pytest.mark.parametrize(
    ("code", "kept"), [("takes-tokens", 10), ("returns-half", 5), ("returns-tokens", 0), ("panics", 0)]
)
def test_what_a_receiver_sent_straight_back_is_taken_off(
    bench: Bench, collector: Collector, code: str, kept: int
) -> None:
    bench.world.deploy("pool.swaps", code)
    bench.world.register(TOKEN.code, "pool.swaps")
    collector.ours = replace(OURS, accounts={"pool.swaps"})
    collector.cursor = begin(collector.node)
    bench.run(bench.tokens(("pool.swaps", 10), kind="nep141-call", msg="swap"))
    found = collector.scan()
    assert [one.amount.units for one in found.credits] == ([kept] if kept else [])
    assert [one.amount.units for one in found.returned] == ([] if kept else [10])


def test_what_comes_back_to_us_from_a_call_is_a_credit_of_its_own_and_seen(bench: Bench, collector: Collector) -> None:
    bench.world.deploy("pool.swaps", "returns-half")
    bench.world.register(TOKEN.code, "pool.swaps")
    collector.ours = replace(OURS, accounts={HOT.account})
    bench.run(bench.tokens(("pool.swaps", 10), kind="nep141-call", msg="swap"))
    collector.scan()
    assert (HOT.account, TOKEN.code, 5) in collector.came


# --- nodes that forget and lie --------------------------------------------------------------------


def test_a_block_that_is_missing_stops_the_scan_by_name(bench: Bench, collector: Collector) -> None:
    bench.run(bench.plan(5 * UNIT))
    bench.world.faults.history_from = bench.world.final_height - 1
    with pytest.raises(HistoryMissing, match="does not follow"):
        collector.scan()
    bench.world.faults.history_from = 0
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]


def test_a_node_that_shows_none_of_many_heights_stops_the_scan(bench: Bench, collector: Collector) -> None:
    bench.world.advance(20)
    bench.world.faults.history_from = bench.world.final_height
    with pytest.raises(HistoryMissing, match="none of the 5 heights"):
        collector.scan(5)


def test_a_node_that_fell_behind_stops_the_scan(bench: Bench, collector: Collector) -> None:
    bench.world.advance(5)
    collector.scan()
    bench.world.faults.stuck_at = bench.world.height - 4
    with pytest.raises(HistoryMissing, match="is below"):
        collector.scan()


def test_a_node_of_another_chain_does_not_continue_the_scan(bench: Bench, collector: Collector) -> None:
    foreign = NearWorld(salt="another", clock=bench.world.clock)
    foreign.advance(bench.world.height - foreign.height + 10)
    with serve_near(foreign) as server:
        other = Node(server.url, 3)
        with pytest.raises(HistoryMissing, match="does not follow"):
            scan(other, OURS, collector.cursor)
        other.close()


def test_a_node_that_times_out_over_transactions_keeps_them_waiting(bench: Bench, collector: Collector) -> None:
    bench.run(bench.plan(5 * UNIT))
    bench.world.faults.timeouts = True
    found = collector.scan()
    assert (found.credits, len(found.cursor.waiting)) == ((), 1)
    bench.world.faults.timeouts = False
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]
    assert collector.cursor.waiting == ()


def test_a_forgotten_transaction_stops_the_scan_and_is_not_skipped(bench: Bench, collector: Collector) -> None:
    outcome = bench.run(bench.plan(5 * UNIT))
    bench.world.faults.forgotten.add(outcome.tx_id)
    with pytest.raises(HistoryMissing, match="does not know the transaction behind"):
        collector.scan()


def test_an_old_nodes_answers_are_never_final_enough(bench: Bench, collector: Collector) -> None:
    bench.run(bench.plan(5 * UNIT))
    bench.world.faults.legacy = True
    assert collector.scan().credits == ()


def test_kinds_that_nobody_knew_break_nothing(bench: Bench, collector: Collector) -> None:
    bench.run(bench.plan(5 * UNIT))
    bench.world.faults.strange = True
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]


Answer = dict[str, Any]


def failed(answer: Answer) -> None:
    answer["receipts_outcome"][0]["outcome"]["status"] = {"Failure": {"ActionError": {"kind": "Later"}}}


def by_system(answer: Answer) -> None:
    answer["receipts"][0]["predecessor_id"] = "system"


def other_executor(answer: Answer) -> None:
    answer["receipts_outcome"][0]["outcome"]["executor_id"] = "mallory.near"


def no_block(answer: Answer) -> None:
    answer["receipts_outcome"][0]["block_hash"] = "1" * 43


@pytest.mark.parametrize("bend", [failed, by_system, other_executor, no_block])
def test_no_credit_comes_of_a_receipt_that_breaks_the_rule(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch, bend: Callable[[Answer], None]
) -> None:
    bench.run(bench.plan(5 * UNIT))
    bent(monkeypatch, bend)
    assert collector.scan().credits == ()


def test_a_line_that_anybody_wrote_is_no_event_of_a_token(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(bench.tokens((OTHER.account, 70)))

    def forged(answer: Answer) -> None:
        outcome = answer["receipts_outcome"][0]["outcome"]
        answer["receipts_outcome"][-1]["outcome"]["logs"] = [line.replace("70", "7000") for line in outcome["logs"]]

    bent(monkeypatch, forged)
    assert [credit.amount.units for credit in collector.scan().credits] == [70]


def test_a_line_by_the_receiving_account_itself_is_no_event_of_a_token(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"old_owner_id": HOT.account, "new_owner_id": OTHER.account, "amount": "7000"}
    event = {"standard": "nep141", "version": "1.0.0", "event": "ft_transfer", "data": [row]}
    bench.run(bench.plan(5 * UNIT))

    def forged(answer: Answer) -> None:
        answer["receipts_outcome"][0]["outcome"]["logs"] = ["EVENT_JSON:" + json.dumps(event)]

    bent(monkeypatch, forged)
    collector.scan()
    assert collector.came == [(OTHER.account, "NEAR", 5 * UNIT)]


def lost_receipt(answer: Answer) -> None:
    answer["receipts_outcome"] = []
    answer["transaction_outcome"]["outcome"]["receipt_ids"] = []
    answer["receipts"] = []


def test_a_transaction_that_is_told_without_its_receipt_is_refused(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(bench.plan(5 * UNIT))
    bent(monkeypatch, lost_receipt)
    with pytest.raises(NodeAnswerUnreadable):
        collector.scan()


def bent(monkeypatch: pytest.MonkeyPatch, bend: Callable[[Answer], None]) -> None:
    def lying(world: NearWorld, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = dict(rpc_transactions.tx_status(world, params))
        bend(answer)
        return answer

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "tx_status": (lying, ("tx_hash", "sender_account_id"))})


def test_a_node_without_the_way_from_receipts_to_transactions_is_named(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(bench.plan(5 * UNIT))
    methods = {name: method for name, method in rpc.METHODS.items() if name != "EXPERIMENTAL_receipt_to_tx"}
    monkeypatch.setattr(rpc, "METHODS", methods)
    with pytest.raises(NodeRefused, match="METHOD_NOT_FOUND"):
        collector.scan()


# --- two nodes ------------------------------------------------------------------------------------


def test_a_second_node_confirms_a_credit_or_does_not(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(bench.plan(5 * UNIT))
    bench.run(bench.tokens((OTHER.account, 70)))
    found = collector.scan()
    with serve_near(bench.world.second_node()) as server:
        other = Node(server.url, 3)
        assert all(confirmed(other, OURS, credit, HOT.account) for credit in found.credits)
        more = replace(found.credits[0], amount=replace(found.credits[0].amount, units=6 * UNIT))
        assert not confirmed(other, OURS, more, HOT.account)
        bent(monkeypatch, failed)
        assert not confirmed(other, OURS, found.credits[0], HOT.account)
        other.close()


def test_the_gateway_scans_only_by_a_node_that_may_be_believed(bench: Bench) -> None:
    gateway, ours = bench.gateway, [OTHER.account]
    start = gateway.arrivals(ours, [TOKEN], "").cursor
    bench.run(bench.plan(5 * UNIT))
    found = gateway.arrivals(ours, [TOKEN], start)
    assert [(one.sender, one.amount.units, one.refund) for one in found.found] == [(HOT.account, 5 * UNIT, False)]
    assert gateway.arrivals(ours, [TOKEN], found.cursor).found == ()
    bench.world.faults.syncing = True
    with pytest.raises(NodeUnfit):
        gateway.arrivals(ours, [TOKEN], start)
    bench.world.faults.down = True
    with pytest.raises(NodeUnreachable):
        gateway.arrivals(ours, [TOKEN], start)


@pytest.mark.parametrize("bad", ["[1]", '["1", "a", []]', "{}"])
def test_a_text_that_is_no_cursor_is_refused(bad: str) -> None:
    with pytest.raises(BadField):
        read_cursor(bad)
