"""The coordinator's jobs over a served devnet and the real gateway: the same ends as in the small world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from online.audit import compare, verify
from online.chains import connect
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.jobs.answers import import_answer
from online.jobs.build import build_job
from online.jobs.loop import tick
from online.jobs.model import jobs
from online.ledger.books import open_wallet
from online.orders.approval import approve, rebuild
from online.orders.drafting import draft_tickets
from shared.envelope import SigningAnswer
from tests.online_world import ALICE, BOB, NETWORK, NOW, Desk, PaperSigner, World, asking, set_up

EXPIRY_LEDGERS = 8
XRP = 1_000_000


@dataclass
class Served:
    desk: Desk
    ledger: XrplWorld

    def close(self, count: int = 1) -> None:
        for _ in range(count):
            self.ledger.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    ledger = XrplWorld()
    store = set_up(tmp_path)
    with serve(ledger) as server:
        gateway = connect(
            NETWORK, {"url": server.url, "timeout_seconds": 3, "expiry_ledgers": EXPIRY_LEDGERS}
        )
        desk = Desk(store, World(), PaperSigner(), gateway)
        ledger.fund_all({desk.address("cold"): 100_000 * XRP, desk.address("hot"): 1_000 * XRP})
        for wallet in ("cold", "hot"):
            open_wallet(store, wallet, gateway, NOW)
        yield Served(desk, ledger)
        gateway.close()  # type: ignore[attr-defined]


def test_a_rebalance_is_final_on_the_devnet_and_in_the_books(served: Served) -> None:
    desk = served.desk
    desk.rebalance()
    desk.answered()
    assert [one.verdict.kind for one in desk.tick().submitted] == ["accepted"]
    served.close()
    assert desk.tick().troubles == ()
    assert desk.states() == ["final"]
    desk.require_books()
    assert verify(desk.store).problems == ()
    assert compare(desk.store, desk.signer.station, desk.signer.journal, desk.gateways).ok


def test_what_was_never_signed_ends_when_its_ledgers_are_over(served: Served) -> None:
    desk = served.desk
    desk.rebalance()
    desk.export()
    served.close(EXPIRY_LEDGERS + 2)
    assert desk.tick().troubles == ()
    assert desk.states() == ["dead"]
    desk.require_books()


def test_what_happened_without_its_answer_is_not_called_dead(served: Served) -> None:
    desk = served.desk
    desk.rebalance()
    answer = desk.signer.answer(desk.export().blob)
    assert desk.gateway is not None
    desk.gateway.submit(_blob_of(desk, answer))
    served.close(EXPIRY_LEDGERS + 2)
    report = desk.tick()
    assert desk.states() == ["exported"]
    assert any("import the answer" in trouble for trouble in report.troubles)
    assert any("[answer-missing]" in trouble for trouble in report.troubles)  # what it brought waits for that as well
    import_answer(desk.store, answer, NOW)
    desk.tick()
    assert desk.states() == ["final"]
    desk.require_books()


def _blob_of(desk: Desk, sealed: bytes) -> bytes:
    from shared.chains import chain
    from shared.envelope import open_answer

    answer: SigningAnswer = open_answer(sealed)[0]
    (job,) = jobs(desk.store)
    ledger = chain(job.network)
    transaction = ledger.decode(job.unsigned or b"", job.context, job.keys, job.network)
    return ledger.assemble(transaction, answer.signatures).blob


def test_tickets_are_made_and_carry_payments_in_any_order(served: Served) -> None:
    desk = served.desk
    order = draft_tickets(desk.store, asking("t"), wallet="cold", count=5)
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    desk.tick()
    served.close()
    desk.tick()
    desk.payments(5)
    desk.answered()
    desk.tick()
    served.close()
    tick(desk.store, desk.gateways, NOW)
    assert desk.states() == ["final"] * 6
    desk.require_books()


def test_a_payment_that_died_is_built_again_on_the_same_ticket_so_that_it_excludes_the_dead_one(
    served: Served,
) -> None:
    desk = served.desk
    order = draft_tickets(desk.store, asking("t"), wallet="cold", count=3)
    approve(desk.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
    desk.answered()
    desk.tick()
    served.close()
    desk.tick()
    desk.payments(2)
    desk.export()
    served.close(EXPIRY_LEDGERS + 2)
    desk.tick()
    assert desk.states()[1:] == ["dead", "dead"]
    first, second = (one.effects.claims for one in jobs(desk.store)[1:] if one.effects)
    for number in (3, 2):  # the later one first: its lowest free ticket would be the other's
        rebuild(desk.store, number, person=ALICE.person, sign=ALICE.sign, now=NOW)
        build_job(desk.store, jobs(desk.store)[-1].id, desk.gateway, NOW)  # type: ignore[arg-type]
    again = {one.id: one.effects.claims for one in jobs(desk.store)[3:] if one.effects}
    assert sorted(again.values()) == sorted([first, second])
    assert again[4] == second
