"""The bank test: two coordinator processes with four hands each on one PostgreSQL, killed at random for 20 seconds.

Orders, withdrawals and trades are taken, transactions built, exported, answered, submitted and watched, and strangers'
deposits read at the same time by whoever comes first. At every moment all postings add up to nothing; in the end each
order that was acknowledged was paid exactly once, each withdrawal paid once or given back, each deposit is whose it is,
no claim was used twice, and the books agree with the ledger account by account. What died on the way is decided anew by
a person, as it would be.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import select

from online.audit import verify
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.jobs.answers import import_answer
from online.jobs.export import request_blob, requests
from online.jobs.model import jobs, transfer_refs
from online.jobs.states import ENDS, UNDONE, State
from online.ledger.reports import trial_balance
from online.orders.approval import approve, rebuild
from online.orders.model import orders
from online.orders.spending import draft_pay
from online.store import tables
from online.withdrawals.accepting import accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State as Stand
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.errors import Refusal
from tests.coordinators import DEAL, Ledger, Pen, Place, bank, served, started, wish_of
from tests.model_rest import Known, require_rest
from tests.online_world import ALICE, BOB, NOW, XRP, Desk, asking, make_desk, xrp
from tests.store_place import needs_server, placed, store_url

pytestmark = [pytest.mark.postgres, needs_server]

SECONDS = 20
LEDGER_SECONDS = 0.3
TICKETS = 2000
KILLED_LEAST, ACKNOWLEDGED_LEAST = 4, 20
"""However slow the machine is, so many processes are killed at work and so much of each kind is acknowledged."""
SECONDS_MOST = 180
RICH = 20_000
"""What each customer begins with, in XRP."""
OUTSIDE = encode_address(b"somebody else's ledg")


def test_eight_hands_in_two_processes_that_are_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    with placed("postgresql"):
        ledger = Ledger()
        desk = make_desk(tmp_path, ledger)
        ledger.accounts[desk.address("cold")].tickets = set(range(1, TICKETS + 1))
        known = _customers(desk, ledger)
        with served(ledger, desk.signer, store_url(tmp_path), tmp_path) as place:
            killed = _run(desk, ledger, place)
            assert place.lines("troubles") == []
            assert killed >= KILLED_LEAST
        _require_acknowledged(desk, place)
        _finish(desk, place)
        for _ in set(place.lines("dealt")):
            known.move(DEAL[0].giver, DEAL[0].taker, DEAL[0].amount)
        _require_orders_paid_once(desk, ledger, place)
        _require_withdrawals_ended(desk, place)
        require_rest(desk, ledger, known, OUTSIDE)
        _require_laws(desk)


def _customers(desk: Desk, ledger: Ledger) -> Known:
    """Let dave and edward have balances and places, and the cold wallet pay what they withdraw."""
    known = Known(Counter({XRP.code: sum(one.units for one in ledger.accounts.values())}), {}, Counter())
    for name in ("dave", "edward"):
        register(desk.store, name, NOW)
        trade(desk.store, f"first {name}", [Leg(HOUSE, name, xrp(RICH))], NOW)
        known.move(None, name, xrp(RICH))
    known.places = {instruct(desk.store, name, "hot", NOW).place: name for name in ("dave", "edward")}
    mandate = Mandate("cold", {"XRP": Ceiling(*(xrp(RICH).units,) * 4)}, count=3, age_seconds=0)
    given = draft_mandate(desk.store, mandate, person=ALICE.person, sign=ALICE.sign, now=NOW)
    approve_mandate(desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.tick()
    return known


def _run(desk: Desk, ledger: Ledger, place: Place) -> int:
    """Let the bank work while its ledger closes and its processes die at work; give how many were killed."""
    lots, hot = random.Random(20), desk.address("hot")
    began, killed, born = time.monotonic(), 0, 2

    def start(number: int) -> BaseProcess:
        return started(bank, place, number, hot, OUTSIDE, desk.signer.station)

    processes = [start(number) for number in range(born)]
    ending = threading.Event()
    closing = threading.Thread(target=_close_ledgers, args=(ledger, hot, ending))
    closing.start()
    try:
        while not _enough(place, killed, time.monotonic() - began):
            time.sleep(lots.uniform(0.3, 3.0))
            _require_balance(desk)
            victim = lots.randrange(2)
            if str(processes[victim].pid) not in place.lines("working"):
                continue
            _kill(processes[victim])
            killed += 1
            processes[victim] = start(born)
            born += 1
    finally:
        for process in processes:
            _kill(process)
        ending.set()
        closing.join()
    return killed


def _enough(place: Place, killed: int, seconds: float) -> bool:
    least = min(len(place.lines("approved")), len(place.lines("accepted")))
    worked = killed >= KILLED_LEAST and least >= ACKNOWLEDGED_LEAST
    return seconds >= SECONDS_MOST or (seconds >= SECONDS and worked)


def _close_ledgers(ledger: Ledger, hot: str, ending: threading.Event) -> None:
    """Close ledgers in which strangers pay to both customers, and to nobody."""
    while not ending.wait(LEDGER_SECONDS):
        for tag in (1, 2, 99):
            ledger.given(OUTSIDE, Destination(hot, tag), xrp(tag))
        ledger.pass_by()


def _kill(process: BaseProcess) -> None:
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(timeout=30)


def _finish(desk: Desk, place: Place) -> None:
    """Ask again for all that was asked for, under the same keys, and lead every order to its payment."""
    for line in place.lines("asked"):
        key, tag = line.split()
        payments = [(Destination(desk.address("hot"), int(tag)), xrp(1))]
        order = draft_pay(desk.store, asking(key), wallet="cold", payments=payments)
        approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    for line in place.lines("wished"):
        name, number = line.split()
        accept(desk.store, wish_of(name, int(number), OUTSIDE), NOW)
    for name in place.lines("dealt"):
        trade(desk.store, name, DEAL, NOW)
    pen = Pen(desk.signer)
    for _ in range(40):
        _carry_everything(desk, pen)
        desk.world.close()
        assert desk.tick().troubles == ()
        if all(job.state in ENDS for job in jobs(desk.store)) and not _rebuilt(desk):
            return
    pytest.fail("the orders do not come to an end")


def _carry_everything(desk: Desk, pen: Pen) -> None:
    with suppress(Refusal):  # nothing to export, or one is open still
        desk.export()
    for one in requests(desk.store):
        if one.open:
            import_answer(desk.store, pen.answer(request_blob(desk.store, one.digest)), NOW)
    desk.tick()


def _rebuilt(desk: Desk) -> bool:
    """Let a person decide that orders that died are paid after all; withdrawals that did are given back."""
    paid = _carried(desk, (State.FINAL,))
    own = {order.id for order in orders(desk.store) if order.kind != "withdrawals"}
    newest = {ref: job for job in jobs(desk.store) if job.order in own for ref in _refs(desk, job.id)}
    dead = {job.id for ref, job in newest.items() if ref not in paid}
    for number in sorted(dead):
        rebuild(desk.store, number, person=ALICE.person, sign=ALICE.sign, now=NOW)
    return bool(dead)


def _refs(desk: Desk, job_id: int) -> tuple[object, ...]:
    with desk.store.reading() as connection:
        return transfer_refs(connection, job_id)


def _carried(desk: Desk, states: tuple[State, ...]) -> Counter[object]:
    return Counter(ref for job in jobs(desk.store, states=states) for ref in _refs(desk, job.id))


def _require_balance(desk: Desk) -> None:
    assert [(one.posted, one.pending) for one in trial_balance(desk.store) if one.posted or one.pending] == []


def _require_acknowledged(desk: Desk, place: Place) -> None:
    """Assert that whatever the store said yes to is there, and that no two hands ever asked for the same."""
    tags = Counter(line.split()[1] for name in ("asked", "wished") for line in place.lines(name))
    assert set(tags.values()) == {1}
    assert {*place.lines("drafted"), *place.lines("approved")} <= {one.idempotency_key for one in orders(desk.store)}
    assert set(place.lines("accepted")) <= {one.id for one in withdrawals(desk.store)}
    with desk.store.reading() as connection:
        assert set(place.lines("traded")) <= set(connection.execute(select(tables.trades.c.id)).scalars())


def _require_orders_paid_once(desk: Desk, ledger: Ledger, place: Place) -> None:
    asked = {int(line.split()[1]) for line in place.lines("asked")}
    assert _tags_paid(ledger, desk.address("hot")) == Counter(asked)


def _require_withdrawals_ended(desk: Desk, place: Place) -> None:
    ended = withdrawals(desk.store)
    assert {one.id for one in ended} == {line.split()[0] for line in place.lines("wished")}
    assert {one.state for one in ended} <= {Stand.PAID, Stand.RETURNED}
    paid = [one.destination.tag for one in ended if one.state is Stand.PAID]
    assert len(paid) > ACKNOWLEDGED_LEAST // 2
    assert isinstance(desk.world, Ledger)
    assert _tags_paid(desk.world, OUTSIDE) == Counter(paid)


def _tags_paid(ledger: Ledger, address: str) -> Counter[int | None]:
    return Counter(
        payment.destination.tag
        for _, result, effects, _ in ledger.done.values()
        for payment in effects.payments
        if result == "tesSUCCESS" and payment.destination.address == address
    )


def _require_laws(desk: Desk) -> None:
    assert verify(desk.store).problems == ()
    desk.require_books()
    live = _carried(desk, tuple(set(State) - UNDONE))
    assert set(live.values()) == {1}
    with desk.store.reading() as connection:
        claims = tables.claims
        query = select(claims.c.scope, claims.c.name).where(claims.c.active)
        held = Counter((row.scope, row.name) for row in connection.execute(query))
    assert set(held.values()) == {1}
    assert len(desk.world.done) == len(jobs(desk.store, states=(State.FINAL,)))
