"""What is sent back goes back once: an order that came to nothing is taken up again only while its arrival waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from online.audit import verify
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.states import State
from online.deposits.suspense import credit, draft_return
from online.orders.approval import approve, rebuild
from shared.effects import Destination
from shared.errors import NotInSuspense
from tests.online_world import ALICE, BOB, EXPIRY, NOW, Desk, asking, make_desk, xrp
from tests.open_world import OpenWorld

STRANGER = "rrrrrrrrrrrrrrrrrrrrBZbvji"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A stranger's 5 XRP came to the hot wallet without a tag; the order that sends them back expired."""
    world = OpenWorld()
    desk = make_desk(tmp_path, world)
    register(desk.store, "dave", NOW)
    instruct(desk.store, "dave", "hot", NOW)
    desk.tick()
    world.pay(STRANGER, Destination(desk.address("hot")), xrp(5))
    world.close()
    desk.tick()
    sent_back(desk, "r1")
    desk.export()
    world.close(EXPIRY + 2)
    desk.tick()
    assert desk.states() == ["dead"]
    return desk


def sent_back(desk: Desk, key: str) -> None:
    order = draft_return(desk.store, asking(key), 1)
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)


def credited(desk: Desk) -> None:
    credit(desk.store, 1, "dave", (ALICE.person, ALICE.sign), (BOB.person, BOB.sign), NOW)


def taken_up(desk: Desk, job: int = 1) -> None:
    rebuild(desk.store, job, person=ALICE.person, sign=ALICE.sign, now=NOW)


def test_what_was_credited_since_is_not_sent_back_after_all(desk: Desk) -> None:
    credited(desk)
    with pytest.raises(NotInSuspense):
        taken_up(desk)
    assert desk.states() == ["dead"]


def test_what_another_order_sends_back_is_not_sent_back_twice(desk: Desk) -> None:
    sent_back(desk, "r2")
    with pytest.raises(NotInSuspense):
        taken_up(desk)
    assert desk.states() == ["dead", "approved"]


def test_what_is_sent_back_after_all_is_credited_to_nobody(desk: Desk) -> None:
    sent_back(desk, "r2")
    desk.export()
    desk.world.close(EXPIRY + 2)
    desk.tick()
    taken_up(desk)  # the first order, though the second was drafted since
    with pytest.raises(NotInSuspense):
        credited(desk)
    with pytest.raises(NotInSuspense):
        taken_up(desk, 2)
    desk.answered()
    desk.tick()
    desk.world.close()
    desk.tick()
    assert desk.states() == ["dead", "dead", "final"]
    assert [one.state for one in deposits(desk.store)] == [State.RETURNED]
    desk.require_books()
    assert verify(desk.store).ok
