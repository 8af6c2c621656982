"""Random walks: whatever people, signer, node and ledger do in whatever order, the laws hold after every walk.

Each walk is a list of drawn steps; a refused step is a step that changed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from online.audit import verify
from online.jobs.answers import import_answer
from online.jobs.export import request_blob, requests
from online.jobs.model import jobs, transfer_refs
from online.jobs.states import ENDS, State
from online.jobs.withdraw import withdraw
from online.ledger.books import check, prove_balances
from online.orders.approval import rebuild
from online.store import tables
from shared.errors import Refusal
from tests.online_world import ALICE, EXPIRY, NOW, Desk, make_desk

Step = Callable[[Desk, int], object]


def _answer(desk: Desk, number: int) -> object:
    open_ones = [one for one in requests(desk.store) if one.open]
    blob = request_blob(desk.store, open_ones[0].digest) if open_ones else b""
    return import_answer(desk.store, desk.signer.answer(blob, {0: "no"} if number % 4 == 0 else None), NOW)


def _lose(desk: Desk, number: int) -> object:
    desk.world.loses_everything = number % 5 == 0
    return None


def _fail(desk: Desk, number: int) -> object:
    desk.world.next_result = "tecUNFUNDED_PAYMENT" if number % 3 == 0 else "tesSUCCESS"
    return None


STEPS: dict[str, Step] = {
    "rebalance": lambda desk, number: desk.rebalance(number + 1, f"key {number % 5}"),
    "payments": lambda desk, number: desk.payments(2, f"pay {number % 4}"),
    "build": lambda desk, _: desk.build(),
    "export": lambda desk, _: desk.export(),
    "answer": _answer,
    "tick": lambda desk, _: desk.tick(),
    "close": lambda desk, _: desk.world.close(),
    "expire": lambda desk, number: desk.world.close(EXPIRY + 1 if number % 3 == 0 else 2),
    "lose": _lose,
    "fail": _fail,
    "withdraw": lambda desk, number: withdraw(desk.store, number % 6 + 1, NOW),
    "rebuild": lambda desk, number: rebuild(
        desk.store, number % 6 + 1, person=ALICE.person, sign=ALICE.sign, now=NOW
    ),
}
_BUSY = ["rebalance", "build", "export", "answer", "tick", "close"]


@settings(max_examples=25)
@given(
    walk=st.lists(
        st.tuples(st.sampled_from([*STEPS, *_BUSY, *_BUSY]), st.integers(0, 20)), min_size=8, max_size=40
    )
)
def test_the_laws_hold_after_any_walk(
    tmp_path_factory: pytest.TempPathFactory, walk: list[tuple[str, int]]
) -> None:
    desk = make_desk(tmp_path_factory.mktemp("walk"))
    for name, number in walk:
        with suppress(Refusal):
            STEPS[name](desk, number)
    _require_laws(desk)
    desk.world.loses_everything = False
    with suppress(Refusal):
        _answer(desk, 1)
    for _ in range(3):
        desk.tick()
        desk.world.close(EXPIRY + 1)
    desk.tick()
    _require_laws(desk)
    assert all(job.state in ENDS for job in jobs(desk.store) if job.state not in _WAITING)
    if not any(job.state is State.BUILT for job in jobs(desk.store)):
        assert [one.difference for one in check(desk.store, desk.gateways)] == [0, 0]


_WAITING = {State.DRAFTED, State.APPROVED, State.BUILT}


def _require_laws(desk: Desk) -> None:
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).problems == ()
    with desk.store.reading() as connection:
        held = connection.execute(select(tables.claims.c.name).where(tables.claims.c.active)).scalars().all()
        carried = Counter(
            ref
            for job in jobs(desk.store)
            if job.state not in (State.DEAD, State.DECLINED, State.WITHDRAWN)
            for ref in transfer_refs(connection, job.id)
        )
    assert len(held) == len(set(held))
    assert not carried or max(carried.values()) == 1
    assert len(set(desk.world.submitted)) == len(
        {job.tx_id for job in jobs(desk.store) if job.submitted_height is not None}
    )
