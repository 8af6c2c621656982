"""What a key of ours paid by a signature whose answer never came: nothing is booked until it is known whose it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from online.audit import verify
from online.chains.api import Arrivals
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.jobs.answers import import_answer
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from shared.effects import Destination
from shared.money import Asset
from tests.online_world import BOB, NOW, Desk, asking, make_desk, xrp
from tests.open_world import OpenWorld

STRANGER = "rrrrrrrrrrrrrrrrrrrrBZbvji"


class Nameless(OpenWorld):
    """A ledger that names no sender."""

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        told = super().arrivals(addresses, assets, cursor, since)
        return replace(told, found=tuple(replace(one, sender="") for one in told.found))


@pytest.fixture(params=[OpenWorld, Nameless])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """Dave pays into the hot wallet, to which 10 XRP are on their way; nobody brought the answer back."""
    desk = make_desk(tmp_path, request.param())
    register(desk.store, "dave", NOW)
    instruct(desk.store, "dave", "hot", NOW)
    desk.tick()
    order = draft_rebalance(desk.store, asking("r1"), from_wallet="cold", to_wallet="hot", amount=xrp(10))
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    return desk


def told(desk: Desk) -> list[tuple[str, int]]:
    return [(one.state.value, one.amount.units // 10**6) for one in deposits(desk.store)]


def test_nothing_is_booked_until_the_answer_of_what_happened_has_come(desk: Desk) -> None:
    exported = desk.export().blob
    (blob,) = desk.signer.blobs(exported)
    desk.world.submit(blob)
    desk.world.pay(STRANGER, Destination(desk.address("hot"), 1), xrp(7))  # type: ignore[attr-defined]
    desk.world.close()
    for _ in range(2):
        (trouble,) = desk.tick().troubles
        assert "[answer-missing]" in trouble
    assert told(desk) == []
    import_answer(desk.store, desk.signer.answer(exported), NOW)
    desk.tick()
    assert sorted(told(desk)) == [("credited", 7), ("own", 10)]
    desk.require_books()
    assert verify(desk.store).ok


def test_what_strangers_pay_waits_for_no_answer(desk: Desk) -> None:
    desk.export()
    # One who pays as much as we do is a stranger by name alone: where none is given, this one would wait.
    same = 10 if type(desk.world) is OpenWorld else 11
    desk.world.pay(STRANGER, Destination(desk.address("hot"), 1), xrp(same))  # type: ignore[attr-defined]
    desk.world.close()
    assert desk.tick().troubles == ()
    assert told(desk) == [("credited", same)]
