"""kill -9 at every move of the coordinator, right before and right after its COMMIT, then a restart that goes on.

A forked child does one step and kills itself at the commit that the case names; the parent opens the store anew,
does the step again and leads the job to its end. The node of this world writes down in a file what it was handed,
so that it outlives the child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from online.audit import verify
from online.chains.api import Verdict
from online.jobs.answers import import_answer
from online.jobs.export import Exported, export_request, request_blob, requests
from online.jobs.model import job
from online.jobs.states import State
from online.jobs.withdraw import withdraw
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.store.engine import PURPOSE
from shared.envelope import order_id
from shared.errors import MoveRefused, NothingToExport, RequestOutstanding
from tests.online_world import BOB, EXPIRY, NOW, Desk, World, asking, make_desk, xrp
from tests.store_place import reopened


class Node(World):
    """A world that keeps what it was handed in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def submit(self, blob: bytes) -> Verdict:
        with self.path.open("ab") as file:
            file.write(blob.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return super().submit(blob)

    def remember(self) -> None:
        """Take in what a dead child had handed over."""
        lines = self.path.read_text().split() if self.path.exists() else []
        for line in lines[len(self.submitted) :]:
            super().submit(bytes.fromhex(line))


Step = Callable[[Desk], object]


def _draft(desk: Desk) -> object:
    return draft_rebalance(desk.store, asking("r1"), from_wallet="cold", to_wallet="hot", amount=xrp(80_000))


def _approve(desk: Desk) -> object:
    return approve(desk.store, order_id("r1"), person=BOB.person, sign=BOB.sign, now=NOW)


def _build(desk: Desk) -> object:
    return desk.build()


def _export(desk: Desk) -> object:
    try:
        return export_request(desk.store, desk.signer.station, NOW)
    except (RequestOutstanding, NothingToExport):
        (row,) = requests(desk.store)
        return Exported(row.digest, request_blob(desk.store, row.digest), row.jobs)


def _answer(desk: Desk) -> object:
    (row,) = requests(desk.store)
    return import_answer(desk.store, desk.signer.answer(request_blob(desk.store, row.digest)), NOW)


def _decline(desk: Desk) -> object:
    (row,) = requests(desk.store)
    return import_answer(desk.store, desk.signer.answer(request_blob(desk.store, row.digest), {0: "no"}), NOW)


def _tick(desk: Desk) -> object:
    return desk.tick()


def _withdraw(desk: Desk) -> object:
    try:
        return withdraw(desk.store, 1, NOW)
    except MoveRefused:
        return job(desk.store, 1)


def _close(desk: Desk) -> None:
    desk.world.close()


def _expire(desk: Desk) -> None:
    desk.world.pool.clear()
    desk.world.close(EXPIRY + 1)


FINAL: list[Step] = [_draft, _approve, _build, _export, _answer, _tick, _close, _tick]
DEAD: list[Step] = [_draft, _approve, _build, _export, _answer, _tick, _expire, _tick]
FAILED: list[Step] = [_draft, _approve, _build, _export, _answer, _tick, _close, _tick]
WITHDRAWN: list[Step] = [_draft, _approve, _build, _withdraw]
DECLINED: list[Step] = [_draft, _approve, _build, _export, _decline]

CASES = [
    *[(FINAL, place, 1, State.FINAL) for place in range(6)],
    (FINAL, 5, 2, State.FINAL),
    (FINAL, 7, 1, State.FINAL),
    (FAILED, 7, 1, State.FAILED),
    (DEAD, 7, 1, State.DEAD),
    (WITHDRAWN, 3, 1, State.WITHDRAWN),
    (DECLINED, 4, 1, State.DECLINED),
]


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(("steps", "killed", "commit", "end"), CASES)
def test_a_kill_at_a_move_loses_nothing_and_doubles_nothing(
    tmp_path: Path, steps: list[Step], killed: int, commit: int, end: State, where: str
) -> None:
    node = Node(tmp_path / "node.txt")
    desk = make_desk(tmp_path, node)
    for place, step in enumerate(steps):
        if end is State.FAILED and step is _close:
            node.next_result = "tecNO_DST"
        if place == killed:
            desk.store.close()
            _killed(desk, step, commit, where)
            node.remember()
            desk = Desk(reopened(desk.store), node, desk.signer)
        step(desk)
    assert desk.states() == [end.value]
    assert len(set(node.submitted)) == (0 if end in (State.WITHDRAWN, State.DECLINED) else 1)
    assert verify(desk.store).problems == ()
    desk.require_books()
    paid = node.accounts[desk.address("hot")].units - xrp(1_000).units
    assert paid == (xrp(80_000).units if end is State.FINAL else 0)


def _killed(desk: Desk, step: Step, commit: int, where: str) -> None:
    """Do a step in a child that kills itself at a commit, and see that it died of that."""
    child = os.fork()
    if not child:
        try:
            store = reopened(desk.store)
            _arm(store.engine, commit, where)
            step(Desk(store, desk.world, desk.signer))
        finally:
            os._exit(3)  # it did not die where it should have
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _arm(engine: Any, commit: int, where: str) -> None:
    """Make the engine kill its process right before or right after a number of writing commits."""
    count = 0
    real_commit = engine.dialect.do_commit

    def counted(connection: Connection) -> None:
        nonlocal count
        count += connection.get_execution_options().get(PURPOSE) == "write"
        if count == commit and where == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def committed(connection: Any) -> None:
        real_commit(connection)
        if count == commit:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "commit", counted)
    engine.dialect.do_commit = committed
