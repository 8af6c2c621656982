"""A model of the coordinator's days: whatever people, ledger, signer and crashes do in whatever order, the books hold.

Hypothesis draws steps: trades, withdrawals, orders, deposits of strangers and what people do with those that wait,
answers that are lost, doubled, late or refused, ledgers that close, lose, fail, fall silent, lag, stutter and are taken
back, crashes around commits, restarts. After every step the invariants are looked at; at the end everything is let come
to rest, and books and ledger must be equal, account by account (`model_rest`). The ledger is that of `open_world`, the
signer that of `online_world`; the store and all that the coordinator does are real.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, event

from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.states import State as Place
from online.deposits.suspense import credit, draft_return
from online.jobs.answers import import_answer
from online.jobs.export import export_request, request_blob, requests
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.jobs.renew import renew_stale
from online.jobs.states import State
from online.jobs.withdraw import withdraw
from online.orders.approval import approve, rebuild
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.store.database import Store
from online.store.engine import PURPOSE
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel, hold
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.errors import Refusal
from shared.money import Amount
from tests.model_rest import Known, require_always, require_rest
from tests.online_world import ALICE, BOB, EXPIRY, NOW, Desk, PaperSigner, asking, let_go, make_desk, xrp
from tests.open_world import UNLISTED, Fate, OpenWorld

CUSTOMERS = ("dave", "edward", "charlie")
OUTSIDE = encode_address(b"somebody else's ledg")
STRANGERS = tuple(encode_address(f"stranger number {one:4}".encode()) for one in range(2))
BEGINNING = xrp(120)
"""What each customer begins with: little enough that it is spent now and then."""
DEPTH = 3
"""As many ledgers can be taken back where any can."""
PLACES = {("hot", 1): "dave", ("hot", 2): "edward", ("hot", 3): "charlie", ("cold", 1): "charlie"}
"""Customers' places: a wallet's first address and a tag."""
MANDATE = Mandate(
    "cold", {"XRP": Ceiling(xrp(80).units, xrp(5_000).units, xrp(900).units, xrp(60).units)}, count=3, age_seconds=20
)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files need no disk: what these lives lose is lost before a commit, never after it."""

customer = st.sampled_from(CUSTOMERS)
coins = st.integers(1, 90)
number = st.integers(0, 30)
paid_to = st.one_of(
    st.sampled_from(sorted(PLACES)),
    st.tuples(st.sampled_from(["hot", "cold", "cold's other"]), st.sampled_from([None, 0, 2, 99])),
)


class Crash(Exception):
    """The process ends."""


@dataclass(frozen=True)
class Morning:
    """What every life begins with: the store's bytes, the ledger and the signer; and the one place of all stores."""

    store: Store
    kept: bytes
    world: OpenWorld
    signer: PaperSigner
    known: Known

    def desk(self) -> tuple[Desk, OpenWorld, Known]:
        """Begin a life."""
        self.store.close()
        _file(self.store).write_bytes(self.kept)
        world = deepcopy(self.world)
        return Desk(self.store, world, deepcopy(self.signer)), world, deepcopy(self.known)


@cache
def first_morning() -> Morning:
    """Set up customers who have balances and places, and a cold wallet that may pay withdrawals: once for all lives."""
    folder, world = tempfile.mkdtemp(dir=MEMORY), OpenWorld()
    atexit.register(shutil.rmtree, folder)
    desk = make_desk(Path(folder), world)
    known = Known(sum(account.units for account in world.accounts.values()), {}, Counter())
    for name in CUSTOMERS:
        register(desk.store, name, NOW)
        trade(desk.store, f"first {name}", [Leg(HOUSE, name, BEGINNING)], NOW)
        known.held[name] += BEGINNING.units
        known.own -= BEGINNING.units
    known.places = {
        instruct(desk.store, name, wallet, NOW, tag=tag).place: name for (wallet, tag), name in PLACES.items()
    }
    given = draft_mandate(desk.store, MANDATE, person=ALICE.person, sign=ALICE.sign, now=NOW)
    approve_mandate(desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.store.close()
    return Morning(desk.store, _file(desk.store).read_bytes(), world, desk.signer, known)


def _file(store: Store) -> Path:
    return Path(store.engine.url.database or "")


class Days(RuleBasedStateMachine):
    """One coordinator's life."""

    ids: Bundle[str] = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.desk, self.world, self.known = first_morning().desk()
        self.now, self.count, self.misbehaving = NOW, 0, 0
        self.crash_at, self.crash_after, self.doing = "", 0, False
        self.lost: list[bytes] = []
        self.looked: object = None
        for at in ("begin", "commit"):
            event.listen(self.desk.store.engine, at, getattr(self, f"_at_{at}"))

    @initialize(depth=st.sampled_from([0, DEPTH]))
    def it_is_busy_from_the_first_day(self, depth: int) -> None:
        """Say what kind of ledger it is, and give every later step something to meet."""
        self.world.depth = depth
        self.world.close(DEPTH + 1)  # what was there before has settled
        self.turn()
        for tag in (None, 99, 1):
            self.a_stranger_pays(STRANGERS[0], ("hot", tag), 40, listed=True)
        self.a_customer_withdraws("dave", 30, None)
        self.staff_rebalance(200)
        self.world.close(DEPTH + 1)
        self.turn()

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            for at in ("begin", "commit"):
                event.remove(self.desk.store.engine, at, getattr(self, f"_at_{at}"))
            self.desk.store.close()

    # --- what customers and staff do --------------------------------------------------------------

    @rule(giver=customer, taker=customer, amount=coins)
    def customers_trade(self, giver: str, taker: str, amount: int) -> None:
        if self.do(trade, f"trade {self.number()}", [Leg(giver, taker, xrp(amount))]):
            self.known.held[giver] -= xrp(amount).units
            self.known.held[taker] += xrp(amount).units

    @rule(target=ids, who=customer, amount=coins, to=st.sampled_from([None, None, ("hot", 2), ("hot", 3), ("hot", 99)]))
    def a_customer_withdraws(self, who: str, amount: int, to: tuple[str, int] | None) -> str:
        name = f"w{self.number()}"
        place = self.place(*to) if to else Destination(OUTSIDE, 7)
        self.do(accept, Wish(name, who, "cold", place, xrp(amount)))
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
            self.do(cancel if what == "cancel" else let_go, name)

    @rule(amount=st.integers(1, 500))
    def staff_rebalance(self, amount: int) -> None:
        words = asking(f"order {self.number()}")
        self.ordered(lambda store: draft_rebalance(
            store, words, from_wallet="cold", to_wallet="hot", amount=xrp(amount)
        ))  # fmt: skip

    @rule(place=number)
    def staff_take_a_job_back(self, place: int) -> None:
        known = jobs(self.desk.store)
        if known:
            self.do(withdraw, known[place % len(known)].id)

    @rule(place=number)
    def staff_let_what_did_nothing_be_built_again(self, place: int) -> None:
        known = jobs(self.desk.store, states=(State.DEAD, State.DECLINED))
        if known:
            self.do(lambda store, now: rebuild(
                store, known[place % len(known)].id, person=ALICE.person, sign=ALICE.sign, now=now
            ))  # fmt: skip
            self.do(lambda _store, _now: self.desk.build())

    # --- deposits ---------------------------------------------------------------------------------

    @rule(who=st.sampled_from(STRANGERS), to=paid_to, amount=coins, listed=st.sampled_from([True, True, True, False]))
    def a_stranger_pays(self, who: str, to: tuple[str, int | None], amount: int, *, listed: bool) -> None:
        self.world.pay(who, self.place(*to), xrp(amount) if listed else Amount(UNLISTED, amount))

    @rule(place=number, who=st.sampled_from([None, None, *CUSTOMERS]), less=st.sampled_from([0, 12]))
    def staff_settle_what_waits(self, place: int, who: str | None, less: int) -> None:
        """Credit it to somebody by two people, or send it back by an order."""
        waiting = deposits(self.desk.store, states=[Place.SUSPENSE])
        if not waiting:
            return
        found = waiting[place % len(waiting)].id
        if who is None:
            words = asking(f"return {self.number()}")
            self.ordered(lambda store: draft_return(store, words, found, less=less))
        elif self.do(credit, found, who, (ALICE.person, ALICE.sign), (BOB.person, BOB.sign)):
            self.known.credited[found] = who

    # --- the gap ----------------------------------------------------------------------------------

    @rule(how=st.sampled_from([
        "answered", "answered", "answered", "doubled", "lost", "used elsewhere", "declined", "never carried"
    ]))  # fmt: skip
    def a_request_crosses(self, how: str) -> None:
        heights = {self.world.network: self.world.at}
        self.do(lambda store, now: renew_stale(store, self.desk.signer.station, heights, now))
        exported = self.do(lambda store, now: export_request(store, self.desk.signer.station, now))
        if exported is None or how == "never carried":
            return
        answer = self.desk.signer.answer(exported.blob, {0: "no"} if how == "declined" else None)
        if how in ("lost", "used elsewhere"):
            self.lost.append(answer)
            for blob in self.desk.signer.blobs(exported.blob) if how == "used elsewhere" else ():
                self.world.submit(blob)
            return
        for _ in range(2 if how == "doubled" else 1):
            self.do(import_answer, answer)

    @rule(again=st.booleans())
    def an_answer_comes_late(self, *, again: bool) -> None:
        """Let one that was lost turn up, or carry what is open once more."""
        if not again and self.lost:
            self.do(import_answer, self.lost.pop(0))
        for row in requests(self.desk.store) if again else ():
            if row.open:
                blob = request_blob(self.desk.store, row.digest)
                self.do(import_answer, self.desk.signer.answer(blob))

    # --- time, the ledger, and what goes wrong ----------------------------------------------------

    @rule(seconds=st.integers(1, 40), closing=st.sampled_from([0, 0, 1, DEPTH + 1]))
    def time_passes(self, seconds: int, closing: int) -> None:
        self.now += seconds
        self.turn()
        self.world.close(closing)

    @rule(closing=st.sampled_from([1, 1, DEPTH + 1]), crossing=st.booleans())
    def a_day_goes_well(self, closing: int, *, crossing: bool) -> None:
        self.now += MANDATE.age_seconds
        self.turn()
        self.do(lambda _store, _now: self.desk.build())
        if crossing:
            self.a_request_crosses("answered")
        self.turn()
        self.world.close(closing)

    @rule(count=st.sampled_from([1, 1, DEPTH + 1, EXPIRY + DEPTH + 2]))
    def ledgers_close(self, count: int) -> None:
        self.world.close(count)

    @rule(count=st.integers(1, DEPTH), fate=st.sampled_from(["again", "later", "lost", "replaced"]))
    def ledgers_are_taken_back(self, count: int, fate: Fate) -> None:
        if self.world.depth:
            self.world.reorganise(count, fate)

    @rule(count=st.integers(1, 12), again=st.booleans())
    def even_what_was_final_is_taken_back(self, count: int, *, again: bool) -> None:
        if self.world.depth:
            self.world.sink(count, again=again)

    @rule()
    def the_next_transaction_fails(self) -> None:
        self.world.next_result = "tecNO_DST"

    @rule(how=st.sampled_from(["silent", "losing", "stuttering", "behind"]), turns=st.integers(1, 3))
    def the_node_misbehaves(self, how: str, turns: int) -> None:
        self.misbehaving = turns
        self.world.silent, self.world.loses_everything = how == "silent", how == "losing"
        self.world.stutters, self.world.behind = how == "stuttering", 2 * (how == "behind")

    @rule(at=st.sampled_from(["begin", "commit"]), after=st.integers(0, 6))
    def the_process_is_about_to_end(self, at: Literal["begin", "commit"], after: int) -> None:
        self.crash_at, self.crash_after = at, after

    @rule()
    def it_starts_again(self) -> None:
        self.desk.store.close()  # a process keeps nothing but what it reads anew, by new connections

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def the_books_hold(self) -> None:
        file = _file(self.desk.store)
        there = [one.stat() for one in (file, file.with_name(f"{file.name}-wal")) if one.exists()]
        now = [(one.st_mtime_ns, one.st_size) for one in there], self.world.at, self.world.sunk.copy()
        if now != self.looked:  # what nobody wrote to is as it was
            require_always(self.desk, self.world)
        self.looked = now

    # --- how steps are done -----------------------------------------------------------------------

    def do(self, step: Any, *words: Any) -> Any:
        """Do a step that may be refused, or be cut short by the end of the process; then it starts again."""
        self.doing = True
        try:
            return step(self.desk.store, *words, self.now)
        except Refusal:
            return None
        except Crash:
            self.it_starts_again()
            return None
        finally:
            self.doing = False

    def ordered(self, draft: Callable[[Store], Order]) -> None:
        """Have an order drafted by one, approved by another, and built."""

        def both(store: Store, now: int) -> None:
            order = draft(store)
            approve(store, order.id, person=BOB.person, sign=BOB.sign, now=now)

        self.do(both)
        self.do(lambda _store, _now: self.desk.build())

    def turn(self) -> None:
        """Do one turn; a node that misbehaves comes to its senses after some."""
        self.do(lambda store, now: tick(store, self.desk.gateways, now))
        self.misbehaving -= 1
        if self.misbehaving <= 0:
            self.world.silent = self.world.loses_everything = self.world.stutters = False
            self.world.behind = 0

    def number(self) -> int:
        self.count += 1
        return self.count

    def place(self, wallet: str, tag: int | None) -> Destination:
        name, _, other = wallet.partition("'s ")
        return Destination(self.desk.address(name, 1 if other else 0), tag)

    def _at_begin(self, connection: Connection) -> None:
        """Let the process end after what was committed, and before what follows."""
        self._crash("begin")

    def _at_commit(self, connection: Connection) -> None:
        """Let the process end before anything is committed."""
        if connection.get_execution_options().get(PURPOSE) == "write":
            self._crash("commit")

    def _crash(self, at: str) -> None:
        if not self.doing or at != self.crash_at:
            return
        self.crash_after -= 1
        if self.crash_after < 0:
            self.crash_at = ""
            raise Crash

    def _come_to_rest(self) -> None:
        """Let everything end: the node answers, ledgers close past every expiry, and the books are compared."""
        world = self.world
        self.crash_at, self.misbehaving = "", 0
        self.turn()
        world.close(EXPIRY + DEPTH + 2)  # what nobody answered, and what was lost on its way, is dead after this
        self.turn()
        while self.lost:
            self.an_answer_comes_late(again=False)
        self.a_day_goes_well(DEPTH + 1, crossing=True)
        world.close(EXPIRY + DEPTH + 2)
        self.turn()
        require_always(self.desk, world)
        require_rest(self.desk, world, self.known, OUTSIDE)


@pytest.mark.parametrize("part", range(2))
def test_whatever_happens_the_books_hold_and_nothing_is_paid_twice(part: int) -> None:
    """Draw 150 lives of 50 steps in each part: two parts, so that two cores share them."""
    drawn = settings(
        max_examples=150, stateful_step_count=50, deadline=None, derandomize=settings().derandomize,
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    machine = type(f"Days{part}", (Days,), {})  # a name of its own draws lives of its own
    run_state_machine_as_test(machine, settings=drawn)
