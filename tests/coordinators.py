"""Coordinator processes that share one store, one ledger and one signer, so that they can be killed and raced.

The ledger and the signer of `online_world` live in the test's process and are served from there; what a coordinator
does to the store it does for itself. Whatever it meets that people should not see, it writes into a file of troubles.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from online.chains.api import AccountState, Arrivals, Built, Look, NodeReport, Outcome, Plan, Verdict, Watched
from online.customers.trades import Leg, trade
from online.jobs.answers import import_answer
from online.jobs.build import build_approved
from online.jobs.export import export_request, request_blob, requests
from online.jobs.loop import tick
from online.orders.approval import approve
from online.orders.spending import draft_pay
from online.store.database import open_store
from online.withdrawals.accepting import Wish, accept
from shared.effects import Claim, Destination
from shared.envelope import open_request
from shared.errors import AnswerTooLate, NothingToExport, RequestOutstanding
from shared.money import Amount, Asset
from tests.online_world import BOB, NETWORK, NOW, STATION, PaperSigner, asking, xrp
from tests.open_world import OpenWorld

DEAL = (Leg("edward", "dave", xrp(2)),)
"""What each trade of the bank moves."""

TAGS_EACH = 100_000
"""So many tags each hand has to itself: more than any takes in a test."""

SPAWN = multiprocessing.get_context("spawn")
"""A child begins anew and has none of the threads, locks and connections of the test."""


class Ledger(OpenWorld):
    """The world for many askers at once: one at a time, slow to answer, and it notes who asked for what."""

    def __init__(self, pause_seconds: float = 0.0) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.pause_seconds = pause_seconds
        self.taken: list[tuple[int, int, bytes]] = []
        self.looks = 0
        self.readers: list[int] = []
        self.answering = threading.Event()
        self.answering.set()

    def take(self, asker: int, blob: bytes) -> Verdict:
        time.sleep(self.pause_seconds)
        with self.lock:
            self.taken.append((asker, self.at, blob))
            return self.submit(blob)

    def told(self, watched: Watched) -> Outcome:
        with self.lock:
            self.looks += 1
            return self.watch(watched)

    def read(
        self, asker: int, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None
    ) -> Arrivals:
        with self.lock:
            self.readers.append(asker)
            found = self.arrivals(addresses, assets, cursor, since)
        self.answering.wait(timeout=60)
        return found

    def plan(self, plan: Plan, taken: Collection[Claim]) -> Built:
        with self.lock:
            return self.build(plan, taken)

    def now(self) -> int:
        with self.lock:
            return self.height()

    def given(self, sender: str, to: Destination, amount: Amount) -> None:
        with self.lock:
            self.pay(sender, to, amount)

    def pass_by(self, count: int = 1) -> None:
        with self.lock:
            self.close(count)


class Pen:
    """The paper signer for many askers: asked again for a request, it gives the same answer again."""

    def __init__(self, signer: PaperSigner) -> None:
        self.signer = signer
        self.lock = threading.Lock()
        self.answers: dict[bytes, bytes] = {}

    def answer(self, blob: bytes) -> bytes:
        with self.lock:
            digest = open_request(blob)[1].digest
            if digest not in self.answers:
                self.answers[digest] = self.signer.answer(blob)
            return self.answers[digest]


class Line:
    """The gateway of a coordinator process to the ledger in the test's process."""

    network = NETWORK

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger

    def check(self) -> NodeReport:
        return NodeReport("line", NETWORK, "1", self.height(), ())

    def height(self) -> int:
        return int(self.ledger.now())

    def account(self, address: str) -> AccountState:
        raise NotImplementedError

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        built: Built = self.ledger.plan(plan, taken)
        return built

    def submit(self, blob: bytes) -> Verdict:
        verdict: Verdict = self.ledger.take(os.getpid(), blob)
        return verdict

    def look(self) -> Look:
        return Look(NETWORK, self.height(), lambda: self.ledger.told)

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        found: Arrivals = self.ledger.read(os.getpid(), addresses, assets, cursor, since)
        return found


class _Switchboard(BaseManager):
    pass


@dataclass(frozen=True)
class Place:
    """Where a coordinator process finds everything: the store's URL, the switchboard, a folder for what it says."""

    url: str
    address: str
    key: bytes
    folder: Path

    def lines(self, name: str) -> list[str]:
        """Give what the processes wrote into a file."""
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def say(self, name: str, text: str) -> None:
        """Add a line to a file; what was written outlives its process."""
        with (self.folder / name).open("ab", buffering=0) as file:
            file.write(text.encode() + b"\n")


@contextmanager
def served(ledger: Ledger, signer: PaperSigner, url: str, folder: Path) -> Iterator[Place]:
    """Serve a ledger and a signer to coordinator processes."""
    pen = Pen(signer)
    _Switchboard.register("ledger", callable=lambda: ledger, exposed=["take", "told", "plan", "now", "read"])
    _Switchboard.register("pen", callable=lambda: pen, exposed=["answer"])
    place = Place(url, f"{folder}/switchboard", os.urandom(16), folder)
    server = _Switchboard(place.address, place.key).get_server()
    # Its own `serve_forever` ends the whole process with it; this thread waits for callers until the tests are over.
    server.stop_event = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.accepter, daemon=True).start()
    try:
        yield place
    finally:
        server.stop_event.set()  # type: ignore[attr-defined]


def started(target: Callable[..., None], *args: object) -> BaseProcess:
    """Start a coordinator process."""
    process = SPAWN.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def _connected(place: Place) -> _Switchboard:
    _Switchboard.register("ledger")
    _Switchboard.register("pen")
    board = _Switchboard(place.address, place.key)
    board.connect()
    return board


# --- what a process does ------------------------------------------------------------------------------


def one_turn(place: Place, start: Barrier, turns: int) -> None:
    """Do turns of the loop together with the others, and say what there was to say."""
    line = Line(_connected(place).ledger())  # type: ignore[attr-defined]
    store = open_store(place.url, STATION)
    for _ in range(turns):
        start.wait(timeout=60)
        try:
            report = tick(store, {NETWORK: line}, NOW)
        except Exception:  # noqa: BLE001 - the test shows it
            place.say("troubles", traceback.format_exc().replace("\n", " | "))
        else:
            for text in report.troubles:
                place.say("troubles", text)
        start.wait(timeout=60)


def bank(place: Place, number: int, hot: str, outside: str, station: bytes) -> None:
    """Work with four hands until killed: one takes orders, one customers' wishes, one has signed, one does turns.

    `number` is the process's own: no other, before or after it, has it.
    """
    hands = [
        lambda: _orders(place, 2 * number, hot),
        lambda: _wishes(place, 2 * number + 1, outside),
        lambda: _crossings(place, station),
        lambda: _turns(place),
    ]
    threads = [threading.Thread(target=_for_ever, args=(place, hand), daemon=True) for hand in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _for_ever(place: Place, hand: Callable[[], Iterator[object]]) -> None:
    try:
        for _ in hand():
            time.sleep(0.01)
    except BaseException:  # noqa: BLE001 - the test shows it
        place.say("troubles", traceback.format_exc().replace("\n", " | "))


def _orders(place: Place, hand: int, hot: str) -> Iterator[object]:
    """Take orders: asked is written before, acknowledged once the store has said yes."""
    store = open_store(place.url, STATION)
    for tag in turnstile(hand):
        name = f"order-{tag}"
        place.say("asked", f"{name} {tag}")
        place.say("working", f"{os.getpid()}")
        order = draft_pay(store, asking(name), wallet="cold", payments=[(Destination(hot, tag), xrp(1))])
        place.say("drafted", name)
        approve(store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)
        place.say("approved", name)
        yield order


def _wishes(place: Place, hand: int, outside: str) -> Iterator[object]:
    """Accept withdrawals and trades: asked is written before, acknowledged once the store has said yes."""
    store = open_store(place.url, STATION)
    for tag in turnstile(hand):
        name = f"wish-{tag}"
        place.say("wished", f"{name} {tag}")
        accept(store, wish_of(name, tag, outside), NOW)
        place.say("accepted", name)
        place.say("dealt", name)
        trade(store, name, DEAL, NOW)
        place.say("traded", name)
        yield tag


def wish_of(name: str, tag: int, outside: str) -> Wish:
    """Give the withdrawal behind a name and tag."""
    return Wish(name, "dave", "cold", Destination(outside, tag), xrp(1))


def turnstile(hand: int) -> range:
    """Give tags that no other hand uses, by its number from 0 on, and no customer has."""
    first = (hand + 1) * TAGS_EACH
    assert first + TAGS_EACH <= 2**32
    return range(first, first + TAGS_EACH)


def _crossings(place: Place, station: bytes) -> Iterator[object]:
    board, store = _connected(place), open_store(place.url, STATION)
    line, pen = Line(board.ledger()), board.pen()  # type: ignore[attr-defined]
    while True:
        build_approved(store, {NETWORK: line}, NOW)
        try:
            blob = export_request(store, station, NOW).blob
        except NothingToExport:
            yield None
            continue
        except RequestOutstanding:
            # Another process exported it, or died before the answer came: it is carried once more.
            blob = next((request_blob(store, one.digest) for one in requests(store) if one.open), b"")
        if blob:
            _carry(place, store, pen.answer(blob))
        yield None


def _carry(place: Place, store: Any, answer: bytes) -> None:
    try:
        import_answer(store, answer, NOW)
    except AnswerTooLate:
        place.say("late", "an answer came after everything in it had ended")


def _turns(place: Place) -> Iterator[object]:
    store, line = open_store(place.url, STATION), Line(_connected(place).ledger())  # type: ignore[attr-defined]
    while True:
        for text in tick(store, {NETWORK: line}, NOW).troubles:
            place.say("troubles", text)
        yield None
