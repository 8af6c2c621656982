"""What passes by itself is told as waiting, once, and no trouble: troubles are what a person must look into."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from online.chains.api import Built, Plan
from online.chains.xrpl.claims import choose
from online.cli import run
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import export_request
from online.jobs.loop import Report
from online.withdrawals.accepting import Wish, accept
from shared.effects import Claim, Destination
from shared.errors import LoopTrouble, NodeUnreachable, NoFreeClaim, Refusal, ReserveTooLow, StoreBusy
from tests.cli_house import lockgate
from tests.online_world import NOW, Desk, World, make_desk, xrp
from tests.test_withdrawals import MANDATE, mandated

IN_A_ROW = NoFreeClaim("10 sequences of the account wait in a row already", passes=True)


class Refusing(World):
    """A ledger on which nothing can be built from one address."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal: Refusal = IN_A_ROW
        self.barred = ""

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        if plan.source == self.barred:
            raise self.refusal
        return super().build(plan, taken)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Dave wants to be paid from the hot wallet, which can not now."""
    world = Refusing()
    desk = make_desk(tmp_path, world)
    world.barred = desk.address("hot")
    register(desk.store, "dave", NOW)
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(50))], NOW)
    mandated(desk, replace(MANDATE, wallet="hot", count=1))
    accept(desk.store, Wish("w1", "dave", "hot", Destination(desk.address("cold"), 5), xrp(3)), NOW)
    return desk


def refusing(desk: Desk, refusal: Refusal) -> Report:
    assert isinstance(desk.world, Refusing)
    desk.world.refusal = refusal
    return desk.tick()


def test_a_claim_that_will_be_free_again_is_waited_for(desk: Desk) -> None:
    report = refusing(desk, IN_A_ROW)
    assert report.troubles == ()
    assert report.waits == (f"withdrawals of job 1 wait: {IN_A_ROW} [no-free-claim]",)


def test_what_a_person_must_look_into_stays_a_trouble(desk: Desk) -> None:
    report = refusing(desk, NodeUnreachable("no answer"))
    assert (report.waits, len(report.troubles)) == ((), 1)


def test_money_that_is_short_is_waited_for_once_ours_is_on_its_way_there(desk: Desk) -> None:
    short = "the hot address can spend 1 drop"
    assert len(refusing(desk, ReserveTooLow(short)).troubles) == 1
    order = desk.rebalance(70)  # not left yet: a person must carry it
    assert len(refusing(desk, ReserveTooLow(short)).troubles) == 1
    build_approved(desk.store, desk.gateways, NOW, order=order.id)
    exported = export_request(desk.store, desk.signer.station, NOW, order=order.id)
    import_answer(desk.store, desk.signer.answer(exported.blob), NOW)
    report = refusing(desk, ReserveTooLow(short))
    assert report.troubles == ()
    assert report.waits == (f"withdrawals of job 1 wait: {short} [reserve-too-low]",)
    desk.world.close()
    desk.tick()  # it has come
    assert len(refusing(desk, ReserveTooLow(short)).troubles) == 1


@pytest.mark.parametrize(("tickets", "passes"), [([], False), ([7], True)])
def test_tickets_that_others_hold_come_free_and_missing_ones_must_be_made(tickets: list[int], *, passes: bool) -> None:
    with pytest.raises(NoFreeClaim) as refusal:
        choose("ticket", "a", 5, tickets, [Claim("a", "ticket 7")])
    assert refusal.value.passes is passes


# --- how it is told -----------------------------------------------------------------------------------


def test_it_is_told_once_and_again_only_after_it_was_over(capsys: pytest.CaptureFixture[str]) -> None:
    before: tuple[str, ...] = ()
    said = []
    for waits in (("w",), ("w",), ("w", "v"), (), ("w",)):
        report = Report((), (), 0, (), waits)
        run._print(report, before, (), as_json=False)
        said.append(capsys.readouterr().err.splitlines())
        before = report.waits
    assert said == [["waits: w"], [], ["waits: v"], [], ["waits: w"]]


@pytest.mark.parametrize("busy", [False, True])
def test_a_round_that_only_waits_ends_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, busy: bool) -> None:
    def turn(*_given: Any) -> Report:
        if busy:
            raise StoreBusy("another process is writing to the store")
        return Report((), (), 0, (), ("the rest",))

    assert lockgate("--home", tmp_path, "init", "--kdf", "light", "--url", "http://127.0.0.1:9").code == 0
    monkeypatch.setattr("online.jobs.loop.tick", turn)
    done = lockgate("--home", tmp_path, "run", "--once", "--json")
    assert done.code == 0
    assert done.json["troubles"] == []
    assert len(done.json["waits"]) == 1
    monkeypatch.setattr("online.jobs.loop.tick", lambda *_given: Report((), (), 0, ("look",)))
    assert lockgate("--home", tmp_path, "run", "--once").refused(LoopTrouble.code)


def test_a_refusal_told_of_one_of_several_jobs_passes_as_before(desk: Desk) -> None:
    assert isinstance(desk.world, Refusing)
    desk.world.barred = desk.address("cold")
    desk.rebalance(5)
    with pytest.raises(NoFreeClaim) as refusal:
        desk.build()
    assert refusal.value.passes
