"""Claims: reserved by a unique index before they are used, so that two coordinators never build on the same one."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, update

from online.chains.api import Built, Plan
from online.jobs.build import build_approved, build_job
from online.jobs.export import export_request
from online.jobs.model import jobs
from online.store import tables
from shared.effects import Claim, Destination, Payment
from shared.errors import (
    BadSeal,
    ClaimTaken,
    GatewayMissing,
    MoveRefused,
    PlanMismatch,
    RequestOutstanding,
    StoreBusy,
)
from tests.online_world import NETWORK, NOW, Desk, World, make_desk, xrp
from tests.store_place import reopened


class Hasty(World):
    """A world that waits at a barrier while building, so that two builders choose the same claim."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier: threading.Barrier | None = None

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        built = super().build(plan, taken)
        if self.barrier is not None and not taken:
            with suppress(threading.BrokenBarrierError):  # where builders stand in line, nobody else comes
                self.barrier.wait(timeout=2)
        return built


def test_two_coordinators_racing_for_a_claim_get_one_each(tmp_path: Path) -> None:
    world = Hasty()
    desk = make_desk(tmp_path, world)
    desk.rebalance(1, "a")
    desk.rebalance(2, "b")
    world.barrier = threading.Barrier(2)
    stores = [reopened(desk.store) for _ in range(2)]
    builders = [
        threading.Thread(target=build_job, args=(store, number + 1, world, NOW))
        for number, store in enumerate(stores)
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(timeout=20)
    names = sorted(str(job.effects.claims[0].name) for job in jobs(desk.store) if job.effects is not None)
    assert names == ["sequence 5", "sequence 6"]
    desk.require_books()


def test_two_coordinators_racing_for_one_job_build_it_once(tmp_path: Path) -> None:
    world = Hasty()
    desk = make_desk(tmp_path, world)
    desk.rebalance()
    world.barrier = threading.Barrier(2)
    refused: list[Exception] = []

    def attempt() -> None:
        store = reopened(desk.store)
        try:
            build_job(store, 1, world, NOW)
        except (MoveRefused, StoreBusy) as refusal:
            refused.append(refusal)

    builders = [threading.Thread(target=attempt) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(timeout=20)
    assert len(refused) == 1
    assert desk.states() == ["built"]
    desk.require_books()


def test_two_coordinators_exporting_at_once_make_one_request(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance()
    desk.export()
    with pytest.raises(RequestOutstanding):
        export_request(reopened(desk.store), desk.signer.station, NOW)


class Deaf(World):
    """A world that ignores which claims are taken."""

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        return super().build(plan, ())


def test_a_gateway_that_always_offers_a_taken_claim_ends_in_a_refusal(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, Deaf())
    desk.rebalance(1, "a")
    desk.rebalance(2, "b")
    with pytest.raises(ClaimTaken):
        desk.build()
    assert desk.states() == ["built", "approved"]


class Thief(World):
    """A world that builds a payment of its own."""

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        (payment,) = plan.payments
        own = Payment(payment.source, Destination(payment.destination.address, 666), xrp(1))
        return super().build(Plan(plan.kind, plan.network, plan.source, plan.key, plan.public_key, (own,)), taken)


def test_a_built_transaction_that_does_something_else_than_its_plan_is_refused(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, Thief())
    desk.rebalance()
    with pytest.raises(PlanMismatch):
        desk.build()
    assert desk.states() == ["approved"]


def test_a_plan_that_was_changed_in_the_store_after_its_approval_is_not_built(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.payments(2)
    with desk.store.engine.begin() as connection:
        other = connection.execute(select(tables.jobs.c.plan).where(tables.jobs.c.id == 2)).scalar_one()
        connection.execute(update(tables.jobs).where(tables.jobs.c.id == 1).values(plan=other))
    with pytest.raises(PlanMismatch):
        desk.build()
    assert desk.states() == ["approved", "approved"]


def test_an_order_whose_approval_was_forged_in_the_store_is_not_built(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance()
    with desk.store.engine.begin() as connection:
        connection.execute(update(tables.orders).values(approved_by="alice"))
    with pytest.raises(BadSeal):
        desk.build()


def test_a_used_claim_is_never_given_out_again(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.rebalance(1, "a")
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()
    desk.world.accounts[desk.address("cold")].sequence = 5  # a node that fell behind
    desk.rebalance(2, "b")
    (built,) = desk.build()
    assert built.effects is not None
    assert built.effects.claims[0].name == "sequence 6"


def test_a_network_without_a_node_builds_nothing(tmp_path: Path) -> None:
    desk: Desk = make_desk(tmp_path)
    desk.rebalance()
    with pytest.raises(GatewayMissing):
        build_approved(desk.store, {}, NOW)
    assert NETWORK in desk.gateways


def test_what_other_jobs_will_spend_is_told_to_the_gateway(tmp_path: Path) -> None:
    told: list[int | str] = []

    class Listening(World):
        def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
            told.append(plan.params["pending_units"])
            return super().build(plan, taken)

    desk = make_desk(tmp_path, Listening())
    desk.payments(3)
    desk.build()
    one = xrp(10).units + 12
    assert told == [0, one, 2 * one]
