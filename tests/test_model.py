"""A model of the coordinator's days: whatever people, ledger, signer and crashes do in whatever order, the books hold.

Hypothesis draws steps: trades, withdrawals, orders, answers that are lost, doubled, late or refused, ledgers that
close, lose, fail and fall silent, crashes before a commit, restarts. After every step the invariants are looked at; at
the end everything is let come to rest, and books and ledger must be equal. The ledger and the signer are those of
`online_world`; the store and all that the coordinator does are real.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, event, select

from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.answers import import_answer
from online.jobs.export import export_request, request_blob, requests
from online.jobs.model import jobs
from online.jobs.renew import renew_stale
from online.jobs.states import ENDS, UNDONE, State
from online.jobs.withdraw import withdraw
from online.ledger.accounts import OWED, kind_of
from online.ledger.books import balance_sheet, check, prove_balances
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.store import tables
from online.store.database import open_store
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.paying import hold, release
from online.withdrawals.states import State as Stand
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.errors import Refusal
from tests.online_world import ALICE, BOB, EXPIRY, NOW, STATION, Desk, asking, make_desk, xrp
from tests.store_place import url_of

CUSTOMERS = ("dave", "edward", "charlie")
OUTSIDE = encode_address(b"somebody else's ledg")
MANDATE = Mandate(
    "cold", {"XRP": Ceiling(xrp(80).units, xrp(5_000).units, xrp(900).units, xrp(60).units)}, count=3, age_seconds=20
)
customer = st.sampled_from(CUSTOMERS)
coins = st.integers(1, 90)


class Crash(Exception):
    """The process ends before a commit."""


class Days(RuleBasedStateMachine):
    """One coordinator's life."""

    ids: Bundle[str] = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.desk: Desk = make_desk(Path(self._folder.name))
        self.now, self.count, self.crashing = NOW, 0, False
        self.lost: list[bytes] = []
        for name in CUSTOMERS:
            register(self.desk.store, name, NOW)
            trade(self.desk.store, f"first {name}", [Leg(HOUSE, name, xrp(300))], NOW)
        given = draft_mandate(self.desk.store, MANDATE, person=ALICE.person, sign=ALICE.sign, now=NOW)
        approve_mandate(self.desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
        self._listen()

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            self.desk.store.close()
            self._folder.cleanup()

    # --- what customers and staff do --------------------------------------------------------------

    @rule(giver=customer, taker=customer, amount=coins)
    def customers_trade(self, giver: str, taker: str, amount: int) -> None:
        self.do(trade, f"trade {self.number()}", [Leg(giver, taker, xrp(amount))])

    @rule(target=ids, who=customer, amount=coins)
    def a_customer_withdraws(self, who: str, amount: int) -> str:
        name = f"w{self.number()}"
        self.do(accept, Wish(name, who, "cold", Destination(OUTSIDE, 7), xrp(amount)))
        return name

    @rule(name=ids)
    def the_same_withdrawal_comes_again(self, name: str) -> None:
        known = [one for one in withdrawals(self.desk.store) if one.id == name]
        for one in known:
            self.do(accept, Wish(name, one.customer, one.wallet, one.destination, one.amount))

    @rule(name=ids, what=st.sampled_from(["cancel", "hold", "release"]))
    def staff_look_at_a_withdrawal(self, name: str, what: str) -> None:
        if what == "hold":
            self.do(hold, name, "a look")
        else:
            self.do(cancel if what == "cancel" else release, name)

    @rule(amount=st.integers(1, 500))
    def staff_rebalance(self, amount: int) -> None:
        def ordered(store: Any, now: int) -> None:
            draft = draft_rebalance(
                store, asking(f"order {self.number()}"), from_wallet="cold", to_wallet="hot", amount=xrp(amount)
            )
            approve(store, draft.id, person=BOB.person, sign=BOB.sign, now=now)

        self.do(ordered)
        self.do(lambda _store, _now: self.desk.build())

    @rule(place=st.integers(0, 30))
    def staff_take_a_job_back(self, place: int) -> None:
        known = jobs(self.desk.store)
        if known:
            self.do(withdraw, known[place % len(known)].id)

    # --- the gap ----------------------------------------------------------------------------------

    @rule(how=st.sampled_from(["answered", "answered", "answered", "doubled", "lost", "declined", "never carried"]))
    def a_request_crosses(self, how: str) -> None:
        heights = {self.desk.world.network: self.desk.world.at}
        self.do(lambda store, now: renew_stale(store, self.desk.signer.station, heights, now))
        exported = self.do(lambda store, now: export_request(store, self.desk.signer.station, now))
        if exported is None or how == "never carried":
            return
        answer = self.desk.signer.answer(exported.blob, {0: "no"} if how == "declined" else None)
        if how == "lost":
            self.lost.append(answer)
            return
        for _ in range(2 if how == "doubled" else 1):
            self.do(import_answer, answer)

    @rule()
    def a_lost_answer_turns_up(self) -> None:
        if self.lost:
            self.do(import_answer, self.lost.pop(0))

    @rule()
    def an_open_request_is_carried_again(self) -> None:
        for row in requests(self.desk.store):
            if row.open:
                blob = request_blob(self.desk.store, row.digest)
                self.do(import_answer, self.desk.signer.answer(blob))

    # --- time, the ledger, and what goes wrong ----------------------------------------------------

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.do(lambda _store, now: self.turn(now))

    @rule(count=st.sampled_from([1, 1, 1, 2, EXPIRY + 2]))
    def ledgers_close(self, count: int) -> None:
        self.desk.world.close(count)

    @rule()
    def the_next_transaction_fails(self) -> None:
        self.desk.world.next_result = "tecNO_DST"

    @rule(silent=st.booleans(), losing=st.booleans())
    def the_node_misbehaves(self, *, silent: bool, losing: bool) -> None:
        self.desk.world.silent, self.desk.world.loses_everything = silent, losing

    @rule()
    def the_next_commit_is_a_crash(self) -> None:
        self.crashing = True

    @rule()
    def it_starts_again(self) -> None:
        url = url_of(self.desk.store)
        self.desk.store.close()
        self.desk.store = open_store(url, STATION)
        self._listen()

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def postings_add_up_and_nobody_owes_us(self) -> None:
        assert prove_balances(self.desk.store) == ()
        assert [one for one in balance_sheet(self.desk.store) if kind_of(one.account) in OWED and one.posted > 0] == []

    @invariant()
    def no_claim_is_held_twice(self) -> None:
        table = tables.claims
        with self.desk.store.reading() as connection:
            rows = connection.execute(select(table.c.scope, table.c.name).where(table.c.active)).all()
        assert max(Counter(map(tuple, rows)).values(), default=0) <= 1

    @invariant()
    def each_transfer_has_one_live_transaction_at_most(self) -> None:
        link, table = tables.job_transfers, tables.jobs
        query = select(link.c.transfer, table.c.state).join(table, table.c.id == link.c.job)
        with self.desk.store.reading() as connection:
            rows = connection.execute(query).all()
        live = Counter(row.transfer for row in rows if State(row.state) not in UNDONE)
        assert max(live.values(), default=0) <= 1

    # --- how steps are done -----------------------------------------------------------------------

    def do(self, step: Any, *words: Any) -> Any:
        """Do a step that may be refused, or end in a crash before its commit; then it starts again and goes on."""
        try:
            return step(self.desk.store, *words, self.now)
        except Refusal:
            return None
        except Crash:
            self.it_starts_again()
            return None

    def turn(self, now: int) -> None:
        from online.jobs.loop import tick

        tick(self.desk.store, self.desk.gateways, now)

    def number(self) -> int:
        self.count += 1
        return self.count

    def _listen(self) -> None:
        @event.listens_for(self.desk.store.engine, "commit")
        def _(connection: Connection) -> None:
            if self.crashing and connection.get_execution_options().get("lockgate_writing"):
                self.crashing = False
                raise Crash

    def _come_to_rest(self) -> None:
        """Let everything end: the node answers, ledgers close past every expiry, and the books are compared."""
        world = self.desk.world
        self.crashing = world.silent = world.loses_everything = False
        for _ in range(6):
            world.close(EXPIRY + 2)
            self.now += 100
            self.turn(self.now)
            self.a_request_crosses("answered")
        world.close(EXPIRY + 2)
        self.turn(self.now)
        assert [job.state for job in jobs(self.desk.store) if job.state in (State.EXPORTED, State.SUBMITTED)] == []
        self.postings_add_up_and_nobody_owes_us()
        assert [one.difference for one in check(self.desk.store, self.desk.gateways)] == [0, 0]
        paid = sum(one.amount.units for one in withdrawals(self.desk.store) if one.state is Stand.PAID)
        arrived = world.accounts[OUTSIDE].units if OUTSIDE in world.accounts else 0
        assert paid == arrived
        ended = {one.state for one in jobs(self.desk.store)}
        assert ended <= {*ENDS, State.DRAFTED, State.APPROVED, State.BUILT}


@pytest.mark.parametrize("part", range(2))
def test_whatever_happens_the_books_hold_and_nothing_is_paid_twice(part: int) -> None:
    """Draw 150 lives of 50 steps in each part: two parts, so that two cores share them."""
    drawn = settings(
        max_examples=150, stateful_step_count=50, deadline=None, derandomize=settings().derandomize,
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    machine = type(f"Days{part}", (Days,), {})  # a name of its own draws lives of its own
    run_state_machine_as_test(machine, settings=drawn)
