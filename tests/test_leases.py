"""Several coordinator processes on one store: each transaction is handed over once a turn, whoever of them dies.

Two processes do their turns at the same time over 40 jobs, on one ledger that notes who handed it what and when, and
of one network's deposits they read one at a time.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from online.audit import verify
from online.courier.carry import carry
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.jobs.build import build_approved
from online.jobs.leases import leases
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.jobs.states import State
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.model import withdrawals
from shared.effects import Destination
from shared.errors import StoreBusy
from tests.coordinators import SPAWN, Ledger, Line, Place, one_turn, served, started
from tests.online_world import NETWORK, NOW, Desk, make_desk, xrp
from tests.store_place import needs_server, placed, reopened, store_url
from tests.test_withdrawals import MANDATE, mandated

JOBS = 40
SERVER = pytest.param("postgresql", marks=[pytest.mark.postgres, needs_server])


@pytest.fixture(params=["sqlite", SERVER])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let the stores of a test stand on each kind."""
    with placed(request.param):
        yield request.param


@dataclass
class Bank:
    """A desk with 40 answered jobs, and two processes that wait for their turns."""

    desk: Desk
    ledger: Ledger
    place: Place

    def two(self, turns: int) -> tuple[list[BaseProcess], object]:
        start = SPAWN.Barrier(3)
        return [started(one_turn, self.place, start, turns) for _ in range(2)], start

    def handed(self, height: int) -> Counter[bytes]:
        return Counter(blob for _, at, blob in self.ledger.taken if at == height)


@pytest.fixture
def bank(tmp_path: Path, kind: str) -> Iterator[Bank]:
    assert kind
    ledger = Ledger(pause_seconds=0.03)  # so that neither is done before the other has begun
    desk = make_desk(tmp_path, ledger)
    ledger.accounts[desk.address("cold")].tickets = set(range(1, JOBS + 1))
    desk.payments(JOBS)
    desk.answered()
    with served(ledger, desk.signer, store_url(tmp_path), tmp_path) as place:
        yield Bank(desk, ledger, place)


def test_two_processes_hand_each_transaction_over_once_a_turn_and_share_the_work(bank: Bank) -> None:
    bank.ledger.loses_everything = True
    processes, start = bank.two(turns=2)
    for _ in range(2):
        looked = bank.ledger.looks
        start.wait(timeout=60)  # type: ignore[attr-defined]
        start.wait(timeout=60)  # type: ignore[attr-defined]
        handed = bank.handed(bank.ledger.at)
        assert len(handed) == JOBS
        assert set(handed.values()) == {1}
        assert bank.ledger.looks - looked < 2 * JOBS  # as many as there would be without leases
        bank.ledger.pass_by()
    for process in processes:
        process.join(timeout=30)
    by_asker = Counter(asker for asker, _, _ in bank.ledger.taken)
    assert set(by_asker) == {process.pid for process in processes}
    assert min(by_asker.values()) > JOBS / 5
    assert bank.place.lines("troubles") == []


def test_what_a_killed_process_was_busy_with_is_taken_up_by_the_other(bank: Bank) -> None:
    processes, start = bank.two(turns=1)
    start.wait(timeout=60)  # type: ignore[attr-defined]
    victim, other = processes
    _wait_until(lambda: sum(asker == victim.pid for asker, _, _ in bank.ledger.taken) >= JOBS // 5)
    os.kill(victim.pid or 0, signal.SIGKILL)
    victim.join(timeout=30)
    bank.desk.tick()  # a third one takes up what is left, beside the one that lives
    start.abort()  # type: ignore[attr-defined]
    other.join(timeout=60)
    bank.desk.tick()
    handed = Counter(bank.ledger.submitted)
    assert len(handed) == JOBS
    assert sum(handed.values()) <= JOBS + 1  # what the killed one had in its hands
    bank.ledger.pass_by()
    bank.desk.tick()
    assert {job.state for job in jobs(bank.desk.store)} == {State.FINAL}
    bank.desk.require_books()
    assert verify(bank.desk.store).ok


def test_two_processes_that_pay_what_is_due_have_nothing_to_tell(tmp_path: Path, kind: str) -> None:
    assert kind
    ledger = Ledger()
    desk = make_desk(tmp_path, ledger)
    ledger.accounts[desk.address("cold")].tickets = set(range(1, 21))
    register(desk.store, "dave", NOW)
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(100))], NOW)
    mandated(desk, replace(MANDATE, count=1))
    for tag in range(20):
        accept(desk.store, Wish(f"w{tag}", "dave", "cold", Destination(desk.address("hot"), tag), xrp(1)), NOW)
    with served(ledger, desk.signer, store_url(tmp_path), tmp_path) as place:
        start = SPAWN.Barrier(2)
        processes = [started(one_turn, place, start, 1) for _ in range(2)]
        for process in processes:
            process.join(timeout=60)
    assert place.lines("troubles") == []
    assert {job.state for job in jobs(desk.store)} == {State.BUILT}
    assert {one.state.value for one in withdrawals(desk.store)} == {"ordered"}


def test_one_process_at_a_time_carries_to_a_spool(bank: Bank, tmp_path: Path) -> None:
    spools = {"vault": tmp_path / "spool"}
    for name in ("in", "out", "refused"):
        (spools["vault"] / name).mkdir(parents=True)
    bank.desk.rebalance(key="another")
    with leases(reopened(bank.desk.store)) as theirs, theirs.spool("vault") as mine:
        assert mine
        carried = carry(bank.desk.store, bank.desk.gateways, spools, NOW, patience_seconds=0)
        assert (carried.exported, carried.troubles) == ([], [])
    assert len(carry(bank.desk.store, bank.desk.gateways, spools, NOW, patience_seconds=0).exported) == 1


def test_a_job_that_another_session_holds_is_left_alone_until_it_lets_go(bank: Bank) -> None:
    (first, second, *_) = jobs(bank.desk.store)
    with leases(reopened(bank.desk.store)) as theirs:
        assert theirs.take(first) == first
        with leases(bank.desk.store) as ours:
            assert ours.take(first) is None
            assert ours.take(second) == second
        assert len(bank.desk.tick().submitted) == JOBS - 1
    assert [one.job for one in bank.desk.tick().submitted] == [first.id]


def test_builders_for_one_address_stand_in_line_and_those_for_others_do_not(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("online.store.engine.BUSY_SECONDS", 0.2)
    other, name = reopened(bank.desk.store), f"{NETWORK}/{bank.desk.address('cold')}"
    bank.desk.rebalance(key="another")
    with leases(other) as theirs, theirs.line(name):
        with pytest.raises(StoreBusy):
            build_approved(reopened(bank.desk.store), bank.desk.gateways, NOW)
        with leases(reopened(bank.desk.store)) as ours, ours.line(f"{NETWORK}/{bank.desk.address('hot')}"):
            pass
    assert len(build_approved(bank.desk.store, bank.desk.gateways, NOW)) == 1


def test_one_process_at_a_time_reads_a_networks_deposits_on_and_another_goes_on_when_it_dies(
    tmp_path: Path, kind: str
) -> None:
    assert kind
    ledger = Ledger()
    desk = make_desk(tmp_path, ledger)
    register(desk.store, "dave", NOW)
    place = instruct(desk.store, "dave", "hot", NOW).place
    with served(ledger, desk.signer, store_url(tmp_path), tmp_path) as there:
        line, here = {NETWORK: Line(ledger)}, os.getpid()
        tick(desk.store, line, NOW)
        ledger.pay(desk.address("cold"), place, xrp(5))
        ledger.pass_by()
        ledger.answering.clear()
        start = SPAWN.Barrier(2)
        other = started(one_turn, there, start, 1)
        start.wait(timeout=60)
        _wait_until(lambda: ledger.readers == [here, other.pid])
        assert tick(desk.store, line, NOW).troubles == ()
        assert ledger.readers == [here, other.pid]
        os.kill(other.pid or 0, signal.SIGKILL)
        other.join(timeout=30)
        ledger.answering.set()
        _wait_until(lambda: tick(desk.store, line, NOW).troubles == () and ledger.readers[2:] == [here])
    assert [(one.customer, one.amount) for one in deposits(desk.store)] == [("dave", xrp(5))]
    desk.require_books()


def test_a_cursor_that_another_session_owns_is_left_alone_and_those_of_other_networks_are_not(bank: Bank) -> None:
    def seen() -> tuple[bool, bool]:
        with leases(bank.desk.store) as ours, ours.cursor(NETWORK) as this, ours.cursor("xrpl:test") as other:
            return this, other

    with leases(reopened(bank.desk.store)) as theirs, theirs.cursor(NETWORK) as first:
        assert (first, seen()) == (True, (False, True))
    assert seen() == (True, True)


def test_a_job_that_moved_since_it_was_listed_is_left_alone(bank: Bank) -> None:
    (first, *_) = jobs(bank.desk.store)
    bank.desk.tick()
    with leases(bank.desk.store) as held:
        assert held.take(first) is None


def _held(bank: Bank) -> int:
    """Count the leases that the server keeps for this test's database; the others' are not ours to judge."""
    with bank.desk.store.reading() as connection:
        return int(connection.exec_driver_sql(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).scalar_one())  # fmt: skip


@pytest.mark.parametrize("kind", [SERVER], indirect=True)
def test_more_leases_than_a_server_has_room_for_are_let_go_on_the_way(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("online.store.locks._MOST_HELD", 10)
    counts = []
    with leases(bank.desk.store) as ours:
        for job in jobs(bank.desk.store):
            assert ours.take(job) is not None
            counts.append(_held(bank))
    assert len(counts) == JOBS
    assert max(counts) == 10
    assert len(bank.desk.tick().submitted) == JOBS
    assert _held(bank) == 0


def _wait_until(holds: object) -> None:
    until = time.monotonic() + 60
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)
