"""A model of the coordinator's days: whatever people, ledger, signer and crashes do in whatever order, the books hold.

Hypothesis draws steps: trades in two assets, withdrawals, orders and what replaces them, deposits of strangers, sweeps
of those that wait for one and what people do with those that wait for somebody, answers of two signers that are lost,
doubled, late or refused, ledgers that close, lose, fail, fall silent, lag, stutter and are taken back, crashes around
commits, restarts. After every step the invariants are looked at; at the end everything is let come to rest: whatever
can end has ended, and books and ledger are equal, account by account (`model_rest`). What happened is counted, and of
each kind there must be enough in all lives together, so that nothing is shown by days on which nothing happens.

The ledger is that of `open_world`, the signers those of `online_world`; the store and all that the coordinator does are
real.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

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
from sqlalchemy import Connection, event, func, select

from online.chains.xrpl import customs
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.states import State as Place
from online.deposits.suspense import credit, draft_return
from online.jobs.answers import import_answer
from online.jobs.export import export_request, request_blob, requests
from online.jobs.loop import tick
from online.jobs.model import job, jobs
from online.jobs.renew import renew_stale
from online.jobs.states import ENDS, State
from online.jobs.withdraw import withdraw
from online.ledger.books import open_wallet
from online.orders.approval import approve, rebuild
from online.orders.drafting import draft_rebalance
from online.orders.model import Order
from online.orders.replacement import bump
from online.orders.spending import draft_pay
from online.store import tables
from online.store.assets import add_asset
from online.store.database import Store
from online.store.engine import PURPOSE
from online.store.signers import pair_signer
from online.store.wallets import import_card
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel, hold
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.errors import Refusal
from shared.money import Amount, Asset
from tests.model_rest import Known, require_always, require_handed_over, require_rest, unended
from tests.online_world import (
    ALICE,
    BOB,
    EXPIRY,
    FEE,
    NETWORK,
    NOW,
    XRP,
    Account,
    Desk,
    PaperSigner,
    asking,
    let_go,
    make_desk,
    xrp,
)
from tests.open_world import GEM, UNLISTED, Fate, OpenWorld, Teller

CUSTOMERS = ("dave", "edward", "charlie")
OUTSIDE = encode_address(b"somebody else's ledg")
STRANGERS = tuple(encode_address(f"stranger number {one:4}".encode()) for one in range(2))
BEGINNING = xrp(120)
"""What each customer begins with: little enough that it is spent now and then."""
DEPTH = 3
"""As many ledgers can be taken back where any can."""
PLACES = {("hot", 1): "dave", ("hot", 2): "edward", ("hot", 3): "charlie", ("cold", 1): "charlie"}
"""Customers' places: a wallet's first address and a tag; the cold wallet's other address is edward's alone."""
GEMS = 100_000
"""What each wallet begins with in gems, in base units; each customer gets a hundredth."""
CEILING = Ceiling(xrp(80).units, xrp(5_000).units, xrp(900).units, xrp(60).units)
MANDATES = [Mandate(wallet, {"XRP": CEILING}, count=3, age_seconds=20) for wallet in ("cold", "warm")]
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files need no disk: what these lives lose is lost before a commit, never after it."""

LEAST: Final[Mapping[str, int]] = {
    "job final": 400, "job failed": 40, "job dead": 50, "job declined": 5, "job withdrawn": 250,
    "paid as rebalance": 100, "paid as pay": 100, "paid as withdrawals": 100, "paid as return": 5,
    "withdrawal paid": 100, "withdrawal returned": 5, "withdrawal cancelled": 3, "withdrawal held": 5,
    "deposit credited": 100, "deposit suspense": 50, "deposit returned": 5, "credited by two people": 20,
    "deposit unswept": 3, "swept": 40, "deposit gone": 3, "taken back credited": 5, "taken back suspense": 5,
    "taken back unswept": 3, "answered by signer 1": 50, "answered by signer 2": 50, "doubled": 5, "lost": 5,
    "late": 5, "carried again": 5, "used elsewhere": 5, "never carried": 5, "rebuilt": 3, "replaced": 50,
    "replaced and final": 3, "traded XRP": 40, "traded GEM": 5, "crash": 50, "restart": 80,
}  # fmt: skip
"""How often each thing must happen in a part's 150 lives: a third of what is drawn or less, so that others will do."""

CROSSINGS = ["answered", "answered", "doubled", "lost", "used elsewhere", "declined", "never carried"]

customer = st.sampled_from(CUSTOMERS)
coins = st.integers(1, 90)
number = st.integers(0, 30)
signer = st.sampled_from([0, 0, 1])
asset = st.sampled_from([XRP, XRP, GEM])
paid_to = st.one_of(
    st.sampled_from(sorted(PLACES)),
    st.just(("cold's other", None)),
    st.tuples(st.sampled_from(["hot", "cold", "cold's other"]), st.sampled_from([None, 0, 2, 99])),
)


class Crash(Exception):
    """The process ends."""


@dataclass(frozen=True)
class Morning:
    """What every life begins with: the store's bytes, the ledger and the signers; and the one place of all stores."""

    store: Store
    kept: bytes
    world: OpenWorld
    signers: tuple[PaperSigner, PaperSigner]
    known: Known

    def desk(self) -> tuple[Desk, OpenWorld, tuple[PaperSigner, PaperSigner], Known]:
        """Begin a life, or a further day of it."""
        self.store.close()
        _file(self.store).write_bytes(self.kept)
        world, signers = deepcopy(self.world), deepcopy(self.signers)
        return Desk(self.store, world, signers[0], Teller(world)), world, signers, deepcopy(self.known)


@cache
def first_morning() -> Morning:
    """Set up customers who have balances and places, and two wallets that may pay withdrawals: once for all lives."""
    folder, world = tempfile.mkdtemp(dir=MEMORY), OpenWorld()
    atexit.register(shutil.rmtree, folder)
    desk, second = make_desk(Path(folder), world), PaperSigner(2)
    pair_signer(desk.store, second.station, "second", NOW)
    import_card(desk.store, second.card("warm", 2, "warm"), NOW)
    world.accounts[desk.address("warm")] = Account(xrp(20_000).units)
    open_wallet(desk.store, "warm", world, NOW)
    known = Known(Counter({XRP.code: sum(one.units for one in world.accounts.values())}), {}, Counter())
    _bring_gems(desk, world, known)
    for name in CUSTOMERS:
        register(desk.store, name, NOW)
        for amount in (BEGINNING, Amount(GEM, GEMS // 100)):
            trade(desk.store, f"first {amount.asset.code} {name}", [Leg(HOUSE, name, amount)], NOW)
            known.move(None, name, amount)
    places = {instruct(desk.store, name, wallet, NOW, tag=tag).place: name for (wallet, tag), name in PLACES.items()}
    with _addresses_alone():
        place = instruct(desk.store, "edward", "cold", NOW, new=True).place
    known.places, world.swept_first = {**places, place: "edward"}, {place.address}
    assert place == Destination(desk.address("cold", 1))
    for mandate in MANDATES:
        given = draft_mandate(desk.store, mandate, person=ALICE.person, sign=ALICE.sign, now=NOW)
        approve_mandate(desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.store.close()
    return Morning(desk.store, _file(desk.store).read_bytes(), world, (desk.signer, second), known)


def _bring_gems(desk: Desk, world: OpenWorld, known: Known) -> None:
    """Note the asset, and let every wallet have some in its books."""
    add_asset(desk.store, NETWORK, GEM.code, GEM.decimals, NOW)
    for wallet in ("cold", "hot", "warm"):
        world.gems[desk.address(wallet)] = GEMS
        known.own[GEM.code] += GEMS
        open_wallet(desk.store, wallet, Teller(world), NOW)


@contextmanager
def _addresses_alone() -> Iterator[None]:
    """Let places be addresses without tags for a while: this world has the customs of two kinds of ledgers."""
    before = customs.CUSTOMS
    vars(customs)["CUSTOMS"] = replace(before, tags=False)
    try:
        yield
    finally:
        vars(customs)["CUSTOMS"] = before


def _file(store: Store) -> Path:
    return Path(store.engine.url.database or "")


class Days(RuleBasedStateMachine):
    """One coordinator's life."""

    ids: Bundle[str] = Bundle("ids")
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._wake(first_morning())
        self.now, self.count, self.misbehaving = NOW, 0, 0
        self.crash_at, self.crash_after, self.doing = "", 0, False
        self.lost: list[bytes] = []
        self.looked: object = None
        for at in ("begin", "commit"):
            event.listen(self.desk.store.engine, at, getattr(self, f"_at_{at}"))

    @initialize(depth=st.sampled_from([0, DEPTH]), who=signer, how=st.sampled_from(CROSSINGS))
    def it_is_busy_from_the_first_day(self, depth: int, who: int, how: str) -> None:
        """Say what kind of ledger it is, and give every later step something to meet."""
        self._wake(second_morning(depth))
        self.count = 100  # names are never given twice
        self.an_order_crosses(who, how, fresh=True)

    def _wake(self, morning: Morning) -> None:
        self.desk, self.world, self.signers, self.known = morning.desk()

    def first_day(self) -> None:
        """Let strangers pay to all kinds of places, customers withdraw, and staff order."""
        self.world.close(DEPTH + 1)  # what was there before has settled
        self.turn()
        for to in (("hot", None), ("hot", 99), ("hot", 1), ("cold's other", None)):
            self.a_stranger_pays(STRANGERS[0], to, 40, XRP)
        self.a_customer_withdraws("dave", 30, None, "cold")
        self.a_customer_withdraws("charlie", 20, None, "warm")
        self.staff_rebalance(200, "cold")
        self.world.close(DEPTH + 1)
        self.turn()
        self.staff_sweep(40)

    def teardown(self) -> None:
        try:
            self._come_to_rest()
            self._count()
        finally:
            self.end()

    def end(self) -> None:
        """Leave the store to the next life."""
        for at in ("begin", "commit"):
            event.remove(self.desk.store.engine, at, getattr(self, f"_at_{at}"))
        self.desk.store.close()

    # --- what customers and staff do --------------------------------------------------------------

    @rule(giver=customer, taker=customer, amount=coins, what=asset, price=coins)
    def customers_trade(self, giver: str, taker: str, amount: int, what: Asset, price: int) -> None:
        """Give something, gems for coins."""
        legs = [Leg(giver, taker, self.units(amount, what))]
        if what == GEM:
            legs.append(Leg(taker, giver, xrp(price)))
        if self.do(trade, f"trade {self.number()}", legs):
            for one in legs:
                self.known.move(one.giver, one.taker, one.amount)
            self.seen[f"traded {what.code}"] += 1

    @rule(
        target=ids, who=customer, amount=coins, wallet=st.sampled_from(["cold", "warm"]),
        to=st.sampled_from([None, None, ("hot", 2), ("hot", 3), ("hot", 99)]),
    )  # fmt: skip
    def a_customer_withdraws(self, who: str, amount: int, to: tuple[str, int] | None, wallet: str) -> str:
        name = f"w{self.number()}"
        place = self.place(*to) if to else Destination(OUTSIDE, 7)
        self.do(accept, Wish(name, who, wallet, place, xrp(amount)))
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

    @rule(amount=st.integers(1, 500), wallet=st.sampled_from(["cold", "warm"]))
    def staff_rebalance(self, amount: int, wallet: str) -> None:
        words = asking(f"order {self.number()}")
        self.ordered(lambda store: draft_rebalance(
            store, words, from_wallet=wallet, to_wallet="hot", amount=xrp(amount)
        ))  # fmt: skip

    @rule(amount=st.integers(1, 150))
    def staff_sweep(self, amount: int) -> None:
        """Take from the address that is edward's alone, less or more than came there."""
        words, source = asking(f"sweep {self.number()}"), self.desk.address("cold", 1)
        wanted = [(Destination(self.desk.address("hot")), xrp(amount))]
        self.ordered(lambda store: draft_pay(store, words, wallet="cold", payments=wanted, sources=(source,)))

    @rule(place=number)
    def staff_replace_what_is_on_its_way(self, place: int) -> None:
        """Let another transaction do the same for a higher fee, while the first may still happen."""
        known = jobs(self.desk.store, states=(State.EXPORTED, State.ANSWERED, State.SUBMITTED))
        if known:
            number, terms = known[place % len(known)].id, {"fee": FEE + self.number()}
            self.do(lambda store, now: bump(
                store, number, person=ALICE.person, sign=ALICE.sign, now=now, terms=terms
            ))  # fmt: skip
            self.do(lambda _store, _now: self.desk.build())

    @rule(place=number)
    def staff_take_a_job_back(self, place: int) -> None:
        known = jobs(self.desk.store)
        if known:
            self.do(withdraw, known[place % len(known)].id)

    @rule(place=number)
    def staff_let_what_did_nothing_be_built_again(self, place: int) -> None:
        known = jobs(self.desk.store, states=(State.DEAD, State.DECLINED))
        for number in [known[(place + one) % len(known)].id for one in range(len(known))]:
            if self.do(self._rebuilt, number) is not None:
                self.seen["rebuilt"] += 1
                return

    def _rebuilt(self, store: Store, number: int, now: int) -> object:
        return rebuild(store, number, person=ALICE.person, sign=ALICE.sign, now=now)

    # --- deposits ---------------------------------------------------------------------------------

    @rule(who=st.sampled_from(STRANGERS), to=paid_to, amount=coins, what=st.sampled_from([XRP, XRP, GEM, UNLISTED]))
    def a_stranger_pays(self, who: str, to: tuple[str, int | None], amount: int, what: Asset) -> None:
        self.world.pay(who, self.place(*to), self.units(amount, what))

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
            self.seen["credited by two people"] += 1

    # --- the gap ----------------------------------------------------------------------------------

    @rule(who=signer, how=st.sampled_from(CROSSINGS), fresh=st.booleans())
    def an_order_crosses(self, who: int, how: str, *, fresh: bool) -> None:
        """Carry what is there to a signer, and what staff order just now."""
        if fresh:
            self.staff_rebalance(10, ("cold", "warm")[who])
        self.a_request_crosses(who, how)

    def a_request_crosses(self, who: int, how: str) -> None:
        pen, heights = self.signers[who], {self.world.network: self.world.at}
        self.do(lambda store, now: renew_stale(store, pen.station, heights, now))
        self._withdraw_what_replaces_nothing()
        self.do(lambda _store, _now: self.desk.build())
        exported = self.do(lambda store, now: export_request(store, pen.station, now))
        if exported is None:
            return
        self.seen[f"{how} by signer {who + 1}" if how == "answered" else how] += 1
        if how == "never carried":
            return
        answer = pen.answer(exported.blob, {0: "no"} if how == "declined" else None)
        if how in ("lost", "used elsewhere"):
            self.lost.append(answer)
            for blob in pen.blobs(exported.blob) if how == "used elsewhere" else ():
                self.world.submit(blob)
            return
        for _ in range(2 if how == "doubled" else 1):
            self.do(import_answer, answer)

    def _withdraw_what_replaces_nothing(self) -> None:
        """Take back what was not built before that ended which it was to replace: its place may be another's."""
        for one in jobs(self.desk.store, states=(State.APPROVED,)):
            if one.replaces is not None and job(self.desk.store, one.replaces).state in ENDS:
                self.do(withdraw, one.id)

    @rule(again=st.booleans())
    def an_answer_comes_late(self, *, again: bool) -> None:
        """Let one that was lost turn up, or carry what is open once more."""
        if not again and self.lost:
            self.seen["late"] += self.do(import_answer, self.lost.pop(0)) is not None
        for row in requests(self.desk.store) if again else ():
            if row.open:
                blob, pen = request_blob(self.desk.store, row.digest), self.pen(row.signer)
                self.seen["carried again"] += self.do(import_answer, pen.answer(blob)) is not None

    # --- time, the ledger, and what goes wrong ----------------------------------------------------

    @rule(seconds=st.integers(1, 40), closing=st.sampled_from([0, 0, 1, DEPTH + 1]))
    def time_passes(self, seconds: int, closing: int) -> None:
        self.now += seconds
        self.turn()
        self.world.close(closing)

    @rule(closing=st.sampled_from([1, DEPTH + 1]), crossing=st.sampled_from([(0,), (0,), (1,), ()]))
    def a_day_goes_well(self, closing: int, crossing: tuple[int, ...]) -> None:
        """Let what waits be gathered, cross to some signers, and happen."""
        self.now += MANDATES[0].age_seconds
        self.turn()
        for who in crossing:
            self.a_request_crosses(who, "answered")
            self.turn()
        self.world.close(closing)

    @rule(count=st.sampled_from([1, DEPTH + 1, EXPIRY + DEPTH + 2]))
    def ledgers_close(self, count: int) -> None:
        self.world.close(count)

    @rule(count=st.integers(1, DEPTH), fate=st.sampled_from(["again", "later", "lost", "replaced"]))
    def ledgers_are_taken_back(self, count: int, fate: Fate) -> None:
        if self.world.depth:
            self.world.reorganise(count, fate)

    @rule(place=number, beside=st.integers(0, 1), again=st.booleans())
    def even_what_was_final_is_taken_back(self, place: int, beside: int, *, again: bool) -> None:
        """Take back from a stranger's payment on, or what came right after it."""
        heights = {height for height, _ in self.world.gifts.values() if height <= self.world.settled}
        newest = sorted(heights, reverse=True)[:3]
        if self.world.depth and newest:
            self.world.sink(newest[place % len(newest)] - beside, again=again)

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
        self.seen["restart"] += 1
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
            self.seen["crash"] += 1
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
            self._node_comes_to_its_senses()

    def _node_comes_to_its_senses(self) -> None:
        self.world.silent = self.world.loses_everything = self.world.stutters = False
        self.world.behind = 0

    def number(self) -> int:
        self.count += 1
        return self.count

    def pen(self, station: bytes) -> PaperSigner:
        return next(one for one in self.signers if one.station == station)

    def units(self, count: int, what: Asset) -> Amount:
        return xrp(count) if what == XRP else Amount(what, count)

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
        self.crash_at = ""
        self._node_comes_to_its_senses()
        self.turn()
        world.close()
        self.turn()
        require_handed_over(self.desk, world)
        world.close(EXPIRY + DEPTH + 2)  # what nobody answered, and what was lost on its way, is dead after this
        self.turn()
        while self.lost:
            self.an_answer_comes_late(again=False)
        for _ in range(3):
            self.a_day_goes_well(DEPTH + 1, (0, 1))
            self.turn()
            if not unended(self.desk):
                break
            world.close(EXPIRY + DEPTH + 2)  # a hole before it ends what waits behind it
            self.turn()
        require_always(self.desk, world)
        require_rest(self.desk, world, self.known, OUTSIDE)

    def _count(self) -> None:
        """Count what this life has come to, by what the store holds of it."""
        job, back, came = tables.jobs, tables.taken_back, tables.arrivals
        wish, kind, place = tables.withdrawals, tables.orders, tables.sweeps
        queries = {
            "job": select(job.c.state, func.count()).group_by(job.c.state),
            "withdrawal": select(wish.c.state, func.count()).group_by(wish.c.state),
            "deposit": select(came.c.state, func.count()).group_by(came.c.state),
            "taken back": select(back.c.state, func.count()).group_by(back.c.state),
            "paid as": select(kind.c.kind, func.count()).join(job).where(job.c.state == "final").group_by(kind.c.kind),
        }
        alone = {
            "replaced": select(job.c.id).where(job.c.replaces.is_not(None)),
            "replaced and final": select(job.c.id).where(job.c.replaces.is_not(None), job.c.state == "final"),
            "swept": select(place.c.arrival).distinct(),
        }
        with self.desk.store.reading() as connection:
            for what, query in queries.items():
                self.seen.update({f"{what} {name}": count for name, count in connection.execute(query).all()})
            for what, one in alone.items():
                self.seen[what] += len(connection.execute(one).all())


@cache
def second_morning(depth: int) -> Morning:
    """Let the first day pass on a ledger of some depth: once for all lives."""
    first = first_morning()
    life = Days()
    life.world.depth = depth
    life.first_day()
    life.end()
    return Morning(first.store, _file(first.store).read_bytes(), life.world, life.signers, life.known)


@pytest.mark.parametrize("part", range(2))
def test_whatever_happens_the_books_hold_and_nothing_is_paid_twice(part: int) -> None:
    """Draw 150 lives of 50 steps in each part: two parts, so that two cores share them."""
    drawn = settings(
        max_examples=150, stateful_step_count=50, deadline=None, derandomize=settings().derandomize,
        suppress_health_check=list(HealthCheck), print_blob=True,
    )  # fmt: skip
    seen: Counter[str] = Counter()
    machine = type(f"Days{part}", (Days,), {"seen": seen})  # a name of its own draws lives of its own
    run_state_machine_as_test(machine, settings=drawn)
    rare = {what: (seen[what], least) for what, least in LEAST.items() if seen[what] < least}
    assert rare == {}, "too little happened, so that nothing is shown"
