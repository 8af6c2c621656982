"""What a day's steps ask of the store: nothing that reads whole what ever happened, whatever it costs today.

SQLite says of each statement how it would answer it (`growth`). Turns are looked at in many suites besides; building,
export, import and approvals on the other ledgers are by `both_machines`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.instructions import instruct
from online.deposits.intake import take_in
from online.deposits.suspense import credit, draft_return
from online.jobs.answers import import_answer
from online.jobs.export import export_request
from online.jobs.model import jobs
from online.jobs.renew import renew_stale
from online.jobs.withdraw import withdraw
from online.orders.approval import approve, rebuild
from online.orders.drafting import draft_rebalance
from online.orders.replacement import bump
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel, gather, hold
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from tests.growth import no_whole_reads
from tests.online_world import ALICE, BOB, NETWORK, NOW, Desk, asking, make_desk, xrp
from tests.open_world import OpenWorld

OUTSIDE = encode_address(b"somebody else's ledg")
CEILING = Ceiling(xrp(80).units, xrp(5_000).units, xrp(900).units, xrp(60).units)


def test_no_step_of_a_day_reads_whole_what_ever_happened(tmp_path: Path) -> None:
    world = OpenWorld()
    desk = make_desk(tmp_path, world)
    given = draft_mandate(
        desk.store, Mandate("cold", {"XRP": CEILING}, count=3, age_seconds=0),
        person=ALICE.person, sign=ALICE.sign, now=NOW,
    )  # fmt: skip
    approve_mandate(desk.store, given.id, person=BOB.person, sign=BOB.sign, now=NOW)
    _customers_come(desk)
    _strangers_pay(desk, world)
    _withdrawals_are_gathered(desk)
    _staff_order(desk)
    _requests_cross(desk, world)


def looked(desk: Desk, step: Callable[..., object], *words: object, **named: object) -> None:
    """Do a step of a store, and look at what it asks."""
    with no_whole_reads(desk.store):
        step(desk.store, *words, **named)


def _customers_come(desk: Desk) -> None:
    for name in ("dave", "edward"):
        looked(desk, register, name, NOW)
        looked(desk, trade, f"first {name}", [Leg(HOUSE, name, xrp(500))], NOW)
        looked(desk, instruct, name, "hot", NOW)
    desk.tick()


def _strangers_pay(desk: Desk, world: OpenWorld) -> None:
    for tag in (None, 1, 99):
        world.pay(OUTSIDE, Destination(desk.address("hot"), tag), xrp(40))
    world.close()
    looked(desk, take_in, desk.gateways, NOW)
    looked(desk, draft_return, asking("return"), 1)
    looked(desk, credit, 3, "dave", (ALICE.person, ALICE.sign), (BOB.person, BOB.sign), NOW)
    world.depth = 1
    world.sink(world.at - 2, again=True)
    looked(desk, take_in, desk.gateways, NOW)  # what was taken in is taken back, and comes again
    world.close(2)
    looked(desk, take_in, desk.gateways, NOW)


def _withdrawals_are_gathered(desk: Desk) -> None:
    for name in "abcdef":
        looked(desk, accept, Wish(name, "dave", "cold", Destination(OUTSIDE, 7), xrp(10)), NOW)
    looked(desk, cancel, "e", NOW)
    looked(desk, hold, "f", "a look", NOW)
    looked(desk, gather, NOW)
    desk.build()
    looked(desk, cancel, "a", NOW)  # its order is taken back, and its companions wait again
    looked(desk, gather, NOW)


def _staff_order(desk: Desk) -> None:
    for key in ("r1", "r2"):
        order = draft_rebalance(desk.store, asking(key), from_wallet="cold", to_wallet="hot", amount=xrp(5))
        looked(desk, approve, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
        desk.build()
    last = jobs(desk.store)[-1].id
    looked(desk, withdraw, last, NOW)
    looked(desk, rebuild, last, person=ALICE.person, sign=ALICE.sign, now=NOW)


def _requests_cross(desk: Desk, world: OpenWorld) -> None:
    desk.build()
    looked(desk, renew_stale, desk.signer.station, {NETWORK: world.at}, NOW)
    with no_whole_reads(desk.store, "keys"):  # a wallet has as many as it has customers
        exported = export_request(desk.store, desk.signer.station, NOW)
    answer = desk.signer.answer(exported.blob, {1: "no"})
    looked(desk, bump, exported.jobs[0], person=ALICE.person, sign=ALICE.sign, now=NOW, terms={"fee": 24})
    looked(desk, lambda _store: desk.build())
    looked(desk, import_answer, answer, NOW)
    for _ in range(3):
        looked(desk, lambda _store: desk.tick())
        world.close(2)
    assert {"final", "declined", "withdrawn"} <= set(desk.states())
