"""Reconciliation over a served devnet: real orders, real movements through the real gateway, and books that are wrong.

What goes wrong is done to the ledger (a payment that nobody ordered, a node with gaps) or to the books' rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coincurve
import pytest
from sqlalchemy import update

from online.audit import verify
from online.chains import connect
from online.chains.api import Historian, Plan
from online.chains.xrpl.answers import Found
from online.chains.xrpl.movements import changed, payer
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.ledger.accounts import Kind as Account
from online.ledger.books import balance_sheet, journal, open_wallet
from online.ledger.corrections import Wanted, correct
from online.ledger.differences import Kind
from online.ledger.postings import Posting, post
from online.ledger.reconcile import Report, keep, reconcile
from online.orders.approval import approve
from online.orders.drafting import draft_tickets
from online.store import tables
from online.store.wallets import keys
from shared.chains.xrpl import XRPL
from shared.effects import Destination, Payment
from shared.errors import NodeAnswerUnreadable
from shared.hdkeys import derive
from tests.online_world import (
    ALICE,
    BOB,
    NETWORK,
    NOW,
    XRP,
    Desk,
    PaperSigner,
    World,
    asking,
    make_desk,
    set_up,
    xrp,
)
from tests.shared_vectors import cases, name_of

COIN = 1_000_000


@dataclass
class Served:
    desk: Desk
    ledger: XrplWorld

    def look(self, **options: Any) -> Report:
        return reconcile(self.desk.store, self.desk.gateways, **options)

    def found(self, **options: Any) -> list[tuple[Kind, str, int]]:
        return [(one.kind, one.wallet, one.amount) for one in self.look(**options).findings]

    def settled(self) -> None:
        """Take what is approved to its end."""
        self.desk.answered()
        self.desk.tick()
        self.ledger.close()
        self.desk.tick()

    def stolen(self, coins: int) -> str:
        """Pay from the hot wallet with its own key and nobody's order; give the transaction's id."""
        desk = self.desk
        assert desk.gateway is not None
        (key,) = keys(desk.store, "hot")
        payment = Payment(key.address, Destination(desk.address("cold", 1)), xrp(coins))
        built = desk.gateway.build(Plan("payment", NETWORK, key.address, key.path, key.public_key, (payment,)), ())
        tx = XRPL.decode(built.unsigned, built.context, built.keys, NETWORK)
        secret = coincurve.PrivateKey(derive(desk.signer.seed, "secp256k1", key.path).private_key)
        pens = [secret.sign_recoverable(one.message, hasher=None)[:64] for one in XRPL.payloads(tx)]
        signed = XRPL.assemble(tx, pens)
        assert desk.gateway.submit(signed.blob).kind == "accepted"
        self.ledger.close()
        return signed.tx_id

    def edit(self, account: str, units: int, to: int) -> None:
        """Change a line of the last entry, as somebody with the database's password could."""
        table, last = tables.lines, journal(self.desk.store)[-1].id
        here = (table.c.entry == last) & (table.c.account == account) & (table.c.units == str(units))
        with self.desk.store.engine.begin() as connection:
            assert connection.execute(update(table).where(here).values(units=str(to))).rowcount == 1


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    ledger = XrplWorld()
    store = set_up(tmp_path)
    with serve(ledger) as server:
        gateway = connect(NETWORK, {"url": server.url, "timeout_seconds": 3, "expiry_ledgers": 8})
        desk = Desk(store, World(), PaperSigner(), gateway)
        funds = {desk.address("cold"): 100_000 * COIN, desk.address("cold", 1): 50 * COIN}
        ledger.fund_all({**funds, desk.address("hot"): 1_000 * COIN})
        for wallet in ("cold", "hot"):
            open_wallet(store, wallet, gateway, NOW)
        yield Served(desk, ledger)
        gateway.close()  # type: ignore[attr-defined]


# --- nothing is invented ------------------------------------------------------------------------------


def test_after_orders_of_every_kind_there_is_no_difference(served: Served) -> None:
    assert served.found() == []
    served.desk.rebalance()
    assert served.found() == []
    served.settled()
    assert served.found() == []
    tickets = draft_tickets(served.desk.store, asking("t"), wallet="hot", count=3)
    approve(served.desk.store, tickets.id, person=BOB.person, sign=BOB.sign, now=NOW)
    served.settled()
    assert served.desk.states() == ["final", "final"]
    assert served.found() == []
    assert served.look().limits == ()


def test_what_never_happened_is_no_difference(served: Served) -> None:
    served.desk.rebalance()
    served.desk.export()
    for _ in range(12):
        served.ledger.close()
    served.desk.tick()
    assert served.desk.states() == ["dead"]
    assert served.found() == []


def test_a_payment_that_ended_in_a_tec_took_its_fee_alone(served: Served) -> None:
    served.desk.rebalance(20_000)
    served.desk.answered()
    served.desk.tick()
    served.ledger.put_account(served.desk.address("hot"), 1_000 * COIN, 900, flags=0x01000000)  # DepositAuth
    served.ledger.close()
    served.desk.tick()
    assert served.desk.states() == ["failed"]
    assert served.found() == []


# --- what is wrong is found ---------------------------------------------------------------------------


def test_a_deposit_that_the_books_do_not_have(served: Served) -> None:
    (tx_id,) = served.ledger.fund_all({served.desk.address("hot"): 70 * COIN})
    (one,) = served.look().findings
    assert (one.kind, one.wallet, one.amount, one.tx_id) == (Kind.MISSING_DEPOSIT, "hot", 70 * COIN, tx_id)
    assert served.found(grace=5) == []


def test_a_payment_that_nobody_ordered(served: Served) -> None:
    tx_id = served.stolen(30)
    found = {one.wallet: one for one in served.look().findings}
    assert (found["hot"].kind, found["hot"].tx_id) == (Kind.UNEXPECTED_MOVEMENT, tx_id)
    assert found["hot"].amount < -30 * COIN
    assert (found["cold"].kind, found["cold"].amount) == (Kind.MISSING_DEPOSIT, 30 * COIN)


def test_an_amount_that_was_changed_in_the_books(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.settled()
    served.edit("wallet:hot", 80_000 * COIN, 80_001 * COIN)
    assert served.found() == [(Kind.WRONG_AMOUNT, "hot", -COIN)]


def test_a_fee_that_was_changed_in_the_books(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.settled()
    (fee,) = [units for one in journal(served.desk.store) if one.status == "posted"
              for account, _, units in one.lines if account == f"fees:{NETWORK}"]  # fmt: skip
    served.edit(f"fees:{NETWORK}", fee, fee + 5)
    assert served.found() == [(Kind.FEE_OFF, "cold", -fee)]  # it no longer belongs to what the wallet paid


def test_what_happened_while_the_books_have_it_on_its_way(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.desk.answered()
    served.desk.tick()
    served.ledger.close()
    assert [(kind, wallet) for kind, wallet, _ in served.found()] == [
        (Kind.STUCK_IN_FLIGHT, "cold"), (Kind.STUCK_IN_FLIGHT, "hot"),
    ]  # fmt: skip
    assert served.found(grace=3) == []
    served.desk.tick()
    assert served.found() == []


def test_what_is_on_its_way_and_can_not_happen_any_more(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.desk.export()
    for _ in range(12):
        served.ledger.close()
    ((kind, wallet, amount),) = served.found()
    assert (kind, wallet) == (Kind.STUCK_IN_FLIGHT, "cold")
    assert amount < -80_000 * COIN


def test_what_was_posted_twice(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.settled()
    last = journal(served.desk.store)[-1]
    with served.desk.store.transaction() as tx:
        post(tx, last.memo, "posted", [Posting(*line) for line in last.lines], last.job, NOW)
    found = served.found()
    assert [(kind, wallet) for kind, wallet, _ in found] == [(Kind.DOUBLE_DEBIT, "cold"), (Kind.DOUBLE_CREDIT, "hot")]
    assert found[1][2] == -80_000 * COIN


def test_what_is_posted_and_on_no_ledger(served: Served) -> None:
    served.desk.rebalance(5)
    served.desk.build()
    served.ledger.close()
    memo = f"job 1: payment tesSUCCESS at {served.ledger.validated_index}, {'AB' * 32}"
    with served.desk.store.transaction() as tx:
        lines = [Posting("wallet:hot", XRP, 7), Posting(f"own:{NETWORK}", XRP, -7)]
        post(tx, memo, "posted", lines, 1, NOW)
    (one,) = served.look().findings
    assert (one.kind, one.amount, one.tx_id, one.source) == (Kind.REORGANISED_AWAY, -7, "AB" * 32, "job 1")


def test_an_entry_that_moves_a_wallet_and_names_no_transaction(served: Served) -> None:
    with served.desk.store.transaction() as tx:
        lines = [Posting("wallet:hot", XRP, 7), Posting(f"own:{NETWORK}", XRP, -7)]
        post(tx, "adjusted", "posted", lines, None, NOW)
    assert served.found() == [(Kind.ENTRY_WITHOUT_TRANSACTION, "hot", -7)]


def test_money_that_no_transaction_explains(served: Served) -> None:
    served.ledger.put_account(served.desk.address("hot"), 1_009 * COIN, 900)
    served.ledger.close()
    assert served.found() == [(Kind.BALANCE_OFF, "hot", 9 * COIN)]


def test_a_reserve_that_changed_since_the_look_that_was_kept(served: Served) -> None:
    first = served.look()
    keep(served.desk.store, first, NOW)
    assert served.found() == []
    tickets = draft_tickets(served.desk.store, asking("t"), wallet="hot", count=3)
    approve(served.desk.store, tickets.id, person=BOB.person, sign=BOB.sign, now=NOW)
    served.settled()
    ((kind, wallet, amount),) = served.found()
    assert (kind, wallet, amount % 3, amount > 0) == (Kind.RESERVE_CHANGED, "hot", 0, True)
    keep(served.desk.store, served.look(), NOW)
    assert served.found() == []
    assert served.found(before=first.reserves) == [(kind, wallet, amount)]
    assert verify(served.desk.store).ok


# --- what two people correct --------------------------------------------------------------------------


def corrected(served: Served, kind: Kind, **how: Any) -> None:
    (tx_id,) = {one.tx_id for one in served.look().findings if one.kind is kind}
    asked = Wanted(NETWORK, kind, tx_id, Account.OWN, **how)
    gateway = served.desk.gateways[NETWORK]
    correct(served.desk.store, gateway, asked, (ALICE.person, ALICE.sign), (BOB.person, BOB.sign), NOW)


def test_a_payment_that_nobody_ordered_is_the_houses_loss_and_its_fee_is_a_fee(served: Served) -> None:
    served.stolen(30)
    corrected(served, Kind.UNEXPECTED_MOVEMENT)
    assert [kind for kind, *_ in served.found()] == [Kind.MISSING_DEPOSIT]
    books = {one.account: one.posted for one in balance_sheet(served.desk.store)}
    assert books["wallet:hot"] == 970 * COIN - books[f"fees:{NETWORK}"]
    assert books[f"fees:{NETWORK}"] >= 10


def test_a_fee_that_was_booked_as_no_fee_becomes_one(served: Served) -> None:
    served.desk.rebalance(80_000)
    served.settled()
    (fee,) = [units for one in journal(served.desk.store) if one.status == "posted"
              for account, _, units in one.lines if account == f"fees:{NETWORK}"]  # fmt: skip
    served.edit(f"fees:{NETWORK}", fee, fee + 5)
    corrected(served, Kind.FEE_OFF)
    assert served.found() == []


# --- what can not be judged is said -------------------------------------------------------------------


def test_a_node_that_lacks_ledgers_is_no_judge_and_says_so(served: Served) -> None:
    for _ in range(6):
        served.ledger.close()
    last = served.ledger.validated_index
    served.ledger.forget(range(last - 3, last - 1))
    report = served.look()
    assert report.findings == ()
    assert "history-missing" in report.failed[NETWORK]


def test_a_gateway_without_history_is_judged_by_balances(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    assert not isinstance(desk.world, Historian)
    report = reconcile(desk.store, desk.gateways)
    assert report.findings == ()
    assert "balances alone" in report.limits[0]
    desk.world.accounts[desk.address("hot")].units -= 5
    (one,) = reconcile(desk.store, desk.gateways).findings
    assert (one.kind, one.wallet, one.amount) == (Kind.BALANCE_OFF, "hot", -5)


def test_wallets_that_the_books_do_not_know_are_not_judged(tmp_path: Path) -> None:
    report = reconcile(set_up(tmp_path), {NETWORK: World()})
    assert (report.findings, report.solvency) == ((), ())


# --- what is owed is covered --------------------------------------------------------------------------


def test_the_solvency_line_says_what_is_held_and_what_is_owed_at_which_height(served: Served) -> None:
    register(served.desk.store, "dave", NOW)
    trade(served.desk.store, "t", [Leg(HOUSE, "dave", xrp(500))], NOW)
    (line,) = served.look().solvency
    assert (line.on_ledger, line.owed, line.covered) == (101_050 * COIN, 500 * COIN, True)
    assert line.height == served.ledger.validated_index
    assert line.reserved >= 3 * COIN


def test_what_was_stolen_makes_the_line_fall_short(served: Served) -> None:
    register(served.desk.store, "dave", NOW)
    trade(served.desk.store, "t", [Leg(HOUSE, "dave", xrp(101_050))], NOW)
    assert [one.covered for one in served.look().solvency] == [True]
    served.stolen(1)
    assert [one.covered for one in served.look().solvency] == [False]


def test_what_could_not_be_read_is_not_called_covered(served: Served) -> None:
    (line,) = reconcile(served.desk.store, {}).solvency
    assert (line.on_ledger, line.whole, line.covered) == (0, False, False)


# --- metadata -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("xrpl.json", "mainnet_meta"), ids=name_of)
def test_mainnet_metadata_changes_balances_by_nothing_but_the_fee_in_sum(case: dict[str, Any]) -> None:
    if "meta" not in case:
        return  # a vector of which only the delivered amount was kept
    found = Found("A", True, 1, "tesSUCCESS", case["tx_json"], case["meta"])
    roots = [node.get("FinalFields") or node.get("NewFields") or {} for each in case["meta"]["AffectedNodes"]
             for node in each.values() if node["LedgerEntryType"] == "AccountRoot"]  # fmt: skip
    total = sum(changed(found, root["Account"]) for root in roots if "Account" in root)
    assert total == -int(case["tx_json"]["Fee"])


ROOT = {"LedgerEntryType": "AccountRoot"}


@pytest.mark.parametrize(
    ("node", "units"),
    [
        ({"CreatedNode": {**ROOT, "NewFields": {"Account": "r", "Balance": "5"}}}, 5),
        ({"CreatedNode": {**ROOT, "NewFields": {"Account": "r"}}}, 0),
        ({"ModifiedNode": {**ROOT, "FinalFields": {"Account": "r", "Balance": "5"}}}, 0),
        ({"ModifiedNode": {**ROOT, "FinalFields": {"Account": "r", "Balance": "5"},
                           "PreviousFields": {"Balance": "9"}}}, -4),
        ({"DeletedNode": {**ROOT, "FinalFields": {"Account": "r", "Balance": "0"},
                          "PreviousFields": {"Balance": "9"}}}, -9),
        ({"ModifiedNode": {**ROOT, "FinalFields": {"Account": "another", "Balance": "5"},
                           "PreviousFields": {"Balance": "9"}}}, 0),
        ({"ModifiedNode": {"LedgerEntryType": "Offer", "FinalFields": {"Account": "r", "Balance": "5"},
                           "PreviousFields": {"Balance": "9"}}}, 0),
        ({"ModifiedNode": ROOT}, 0),
    ],
)  # fmt: skip
def test_a_balance_changes_by_what_stood_before_and_after(node: dict[str, Any], units: int) -> None:
    assert changed(Found("A", True, 1, "tesSUCCESS", {}, {"AffectedNodes": [node]}), "r") == units


@pytest.mark.parametrize(
    "meta",
    [
        {}, {"AffectedNodes": {}}, {"AffectedNodes": ["x"]}, {"AffectedNodes": [{"SomeNode": {}}]},
        {"AffectedNodes": [{"ModifiedNode": {**ROOT, "FinalFields": {"Account": "r"}}}]},
        {"AffectedNodes": [{"ModifiedNode": {**ROOT, "FinalFields": {"Account": "r", "Balance": "-5"}}}]},
        {"AffectedNodes": [{"ModifiedNode": {**ROOT, "FinalFields": {"Account": "r", "Balance": "5"},
                                             "PreviousFields": {"Balance": 9.5}}}]},
    ],
)  # fmt: skip
def test_metadata_that_does_not_tell_a_balance_is_refused(meta: dict[str, Any]) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        changed(Found("A", True, 1, "tesSUCCESS", {}, meta), "r")


def test_a_delegate_pays_the_fee_of_what_it_sends_for_another() -> None:
    assert payer({"Account": "r"}) == "r"
    assert payer({"Account": "r", "Delegate": "d"}) == "d"
