"""The bank test: two coordinator processes with four hands each on one PostgreSQL, killed at random for 20 seconds.

Orders are taken, approved, built, exported, answered, submitted and watched at the same time by whoever comes first. At
every moment all postings add up to nothing; in the end each order that was acknowledged was paid exactly once, no claim
was used twice, and the books agree with the ledger. What died on the way is decided anew by a person, as it would be.
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
from online.jobs.answers import import_answer
from online.jobs.export import request_blob, requests
from online.jobs.model import jobs, transfer_refs
from online.jobs.states import ENDS, UNDONE, State
from online.ledger.books import trial_balance
from online.orders.approval import approve, rebuild
from online.orders.model import orders
from online.orders.spending import draft_pay
from online.store import tables
from shared.effects import Destination
from shared.errors import Refusal
from tests.coordinators import Ledger, Pen, Place, bank, served, started
from tests.online_world import ALICE, BOB, NOW, Desk, asking, make_desk, xrp
from tests.store_place import needs_server, placed, store_url

pytestmark = [pytest.mark.postgres, needs_server]

SECONDS = 20
LEDGER_SECONDS = 0.3
TICKETS = 2000
KILLED_LEAST, APPROVED_LEAST = 4, 20
"""However slow the machine is, so many processes are killed at work and so many orders are acknowledged."""
SECONDS_MOST = 180


def test_eight_hands_in_two_processes_that_are_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    with placed("postgresql"):
        ledger = Ledger()
        desk = make_desk(tmp_path, ledger)
        ledger.accounts[desk.address("cold")].tickets = set(range(1, TICKETS + 1))
        with served(ledger, desk.signer, store_url(tmp_path), tmp_path) as place:
            killed = _run(desk, ledger, place)
            assert place.lines("troubles") == []
            assert killed >= KILLED_LEAST
        _finish(desk, place)
        _require_all_paid_once(desk, ledger, place)
        _require_laws(desk)


def _run(desk: Desk, ledger: Ledger, place: Place) -> int:
    """Let the bank work while its ledger closes and its processes die at work; give how many were killed."""
    lots, hot = random.Random(20), desk.address("hot")
    began, killed, born = time.monotonic(), 0, 2

    def start(number: int) -> BaseProcess:
        return started(bank, place, f"p{number}", hot, desk.signer.station)

    processes = [start(number) for number in range(born)]
    ending = threading.Event()
    closing = threading.Thread(target=_close_ledgers, args=(ledger, ending))
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
    worked = killed >= KILLED_LEAST and len(place.lines("approved")) >= APPROVED_LEAST
    return seconds >= SECONDS_MOST or (seconds >= SECONDS and worked)


def _close_ledgers(ledger: Ledger, ending: threading.Event) -> None:
    while not ending.wait(LEDGER_SECONDS):
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
    """Let a person decide that what died is paid after all."""
    paid = _carried(desk, (State.FINAL,))
    newest = {ref: job for job in jobs(desk.store) for ref in _refs(desk, job.id)}
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


def _require_all_paid_once(desk: Desk, ledger: Ledger, place: Place) -> None:
    known = {order.idempotency_key for order in orders(desk.store)}
    acknowledged = {*place.lines("drafted"), *place.lines("approved")}
    assert len(place.lines("approved")) >= APPROVED_LEAST
    assert acknowledged <= known
    asked = {int(line.split()[1]) for line in place.lines("asked")}
    paid = Counter(
        payment.destination.tag
        for _, result, effects, _ in ledger.done.values()
        for payment in effects.payments
        if result == "tesSUCCESS"
    )
    assert paid == Counter(asked)


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
