"""The coordinator's side of a hot signer's spool: what is approved goes out, answers come in, refusals are told.

Most tests play the signer by hand: a signer on paper reads `in` and writes `out` or `refused` as the program does. The
last ones run the program itself in a process of its own, the gateway and the devnet, with nobody at the signer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from online import config
from online.audit import verify
from online.chains import connect
from online.chains.api import Built, Plan
from online.courier.carry import carry, look_back
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.jobs.answers import Answered
from online.jobs.loop import Report, tick
from online.jobs.model import jobs
from online.jobs.reconcile import import_signer_journal
from online.jobs.withdraw import withdraw
from online.ledger.books import check, open_wallet, prove_balances
from online.orders.approval import approve
from online.orders.drafting import draft_rebalance
from online.orders.spending import draft_pay
from online.store.database import Station, Store, open_store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from shared.effects import Claim, Destination
from shared.envelope import open_request
from shared.errors import BadConfig, MoveRefused, ReserveTooLow
from shared.transport.media import MOST_FILE_BYTES
from tests.hot_world import Hot, make_hot, until
from tests.online_world import (
    ALICE,
    BOB,
    EXPIRY,
    NETWORK,
    NOW,
    STATION,
    Desk,
    PaperSigner,
    Somebody,
    asking,
    make_desk,
    xrp,
)
from tests.store_place import backed_up, store_url

FOLDERS = ("in", "out", "refused")
XRP = 1_000_000


@dataclass
class Place:
    """A desk whose one signer has a spool."""

    desk: Desk
    folder: Path

    def carry(self, patience: float = 0.0) -> list[str]:
        """Do one turn; give its troubles."""
        return carry(self.desk.store, self.desk.gateways, self.spools, NOW, patience_seconds=patience).troubles

    @property
    def spools(self) -> dict[str, Path]:
        return {"vault": self.folder}

    def files(self, name: str) -> list[str]:
        return sorted(one.name for one in (self.folder / name).iterdir())

    def laid(self) -> bytes:
        """Give the one request that lies in the spool."""
        (path,) = (self.folder / "in").glob("*.request")
        return path.read_bytes()

    def answer(self, answer: bytes | None = None) -> str:
        """Do what the signer does: answer the one request and take it away; give its digest."""
        request = self.laid()
        digest = open_request(request)[1].digest.hex()
        given = self.desk.signer.answer(request) if answer is None else answer
        part = self.folder / "out" / ".part"
        part.write_bytes(given)
        os.rename(part, self.folder / "out" / f"{digest}.answer")
        (self.folder / "in" / f"{digest}.request").unlink()
        return digest

    def refuse(self, code: str = "over-day-limit") -> str:
        """Do what the signer does: put the one request aside with a reason; give its digest."""
        digest = open_request(self.laid())[1].digest.hex()
        (self.folder / "refused" / f"{digest}.reason").write_text(f"{code}: too much - Wait.\n")
        os.rename(self.folder / "in" / f"{digest}.request", self.folder / "refused" / f"{digest}.request")
        return digest


@pytest.fixture
def place(tmp_path: Path) -> Place:
    desk, folder = make_desk(tmp_path), tmp_path / "spool"
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    return Place(desk, folder)


# --- out ----------------------------------------------------------------------------------------------------


def test_what_is_approved_is_built_exported_and_laid_in_one_turn(place: Place) -> None:
    place.desk.rebalance(5)
    assert place.carry() == []
    assert place.desk.states() == ["exported"]
    request, sealed = open_request(place.laid())
    assert place.files("in") == [f"{sealed.digest.hex()}.request"]
    assert request.signer == place.desk.signer.station
    assert (place.folder / "in" / f"{sealed.digest.hex()}.request").stat().st_mode & 0o777 == 0o640


def test_what_nobody_approved_stays(place: Place) -> None:
    draft_rebalance(place.desk.store, asking("r1"), from_wallet="cold", to_wallet="hot", amount=xrp(5))
    assert place.carry() == []
    assert place.desk.states() == ["drafted"]
    assert place.files("in") == []


def test_a_signer_without_a_spool_gets_nothing_by_itself(place: Place) -> None:
    place.desk.rebalance(5)
    assert tick(place.desk.store, place.desk.gateways, NOW).troubles == ()
    assert place.desk.states() == ["approved"]


def test_one_request_is_open_at_a_time_and_the_next_carries_all_that_waits(place: Place) -> None:
    place.desk.rebalance(5, "one")
    place.carry()
    place.desk.rebalance(6, "two")
    place.desk.rebalance(7, "three")
    assert place.carry() == []
    assert place.desk.states() == ["exported", "approved", "approved"]
    place.answer()
    assert place.carry() == []
    assert place.desk.states() == ["answered", "exported", "exported"]
    assert len(open_request(place.laid())[0].flat()) == 2


def test_a_request_that_was_lost_is_laid_again_as_the_same_bytes(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    first = place.laid()
    for one in (place.folder / "in").iterdir():
        one.unlink()
    assert place.carry() == []
    assert place.laid() == first


def test_what_a_person_exported_for_the_signer_is_carried_too(place: Place) -> None:
    place.desk.rebalance(5)
    exported = place.desk.export()
    assert place.carry() == []
    assert place.laid() == exported.blob


def test_a_spool_that_takes_nothing_is_a_trouble_and_is_tried_again(place: Place) -> None:
    place.desk.rebalance(5)
    (place.folder / "in").rmdir()
    (trouble,) = place.carry()
    assert trouble.endswith("[file-trouble]")
    assert place.desk.states() == ["exported"]
    (place.folder / "in").mkdir()
    assert place.carry() == []
    assert place.laid()


def test_a_missing_spool_or_an_unknown_signer_stops_no_other(place: Place, tmp_path: Path) -> None:
    place.desk.rebalance(5)
    spools = {"nobody": tmp_path, **place.spools}
    report = tick(place.desk.store, place.desk.gateways, NOW, spools)
    assert [text.rpartition("[")[2] for text in report.troubles] == ["unknown-signer]"]
    assert place.desk.states() == ["exported"]
    (place.folder / "out").rmdir()
    assert [text.rpartition("[")[2] for text in place.carry()] == ["file-trouble]"]


def test_a_job_that_can_not_be_built_stops_no_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    build, poor = place.desk.world.build, place.desk.address("cold", 1)

    def building(plan: Plan, taken: Collection[Claim]) -> Built:
        if plan.source == poor:
            raise ReserveTooLow("too little is there")
        return build(plan, taken)

    monkeypatch.setattr(place.desk.world, "build", building)
    place.desk.payments(1, "bad", sources=(poor,))
    place.desk.rebalance(5, "good")
    (trouble,) = place.carry()
    assert "job 1 waits: too little is there [reserve-too-low]" in trouble
    assert place.desk.states() == ["approved", "exported"]
    assert len(open_request(place.laid())[0].flat()) == 1


def test_a_silent_node_decides_nothing(place: Place) -> None:
    place.desk.rebalance(5)
    place.desk.world.silent = True
    (trouble,) = place.carry()
    assert trouble.endswith("[node-silent]")
    assert place.desk.states() == ["approved"]
    place.desk.world.silent = False
    assert place.carry() == []
    assert place.desk.states() == ["exported"]


# --- in -----------------------------------------------------------------------------------------------------


def test_an_answer_is_imported_submitted_and_cleared_away_in_the_next_turn(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    place.answer()
    report = tick(place.desk.store, place.desk.gateways, NOW, place.spools)
    assert [one.verdict.kind for one in report.submitted] == ["accepted"]
    assert (report.troubles, place.desk.states()) == ((), ["submitted"])
    assert [place.files(name) for name in FOLDERS] == [[], [], []]


def test_a_turn_waits_a_little_for_the_answer_to_what_it_laid(place: Place) -> None:
    place.desk.rebalance(5)

    def soon() -> None:
        until(lambda: any((place.folder / "in").glob("*.request")), lambda: "nothing was laid")
        place.answer()

    timer = Timer(0.0, soon)
    timer.start()
    assert place.carry(patience=20.0) == []
    timer.join()
    assert place.desk.states() == ["answered"]


def test_the_same_answer_twice_changes_nothing(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    request = place.laid()
    answer = place.desk.signer.answer(request)
    place.answer(answer)
    place.carry()
    digest = open_request(request)[1].digest.hex()
    (place.folder / "out" / f"{digest}.answer").write_bytes(answer)
    done = carry(place.desk.store, place.desk.gateways, place.spools, NOW)
    assert done.answered == [Answered(bytes.fromhex(digest), (1,), (), repeated=True)]
    assert (done.troubles, place.files("out"), place.desk.states()) == ([], [], ["answered"])


def test_an_idle_loop_waits_for_what_lies_in_a_spool(place: Place) -> None:
    place.desk.rebalance(5)
    assert tick(place.desk.store, place.desk.gateways, NOW, place.spools).pending == 1


def cut(place: Place, answer: bytes) -> bytes:
    return answer[:-1]


def nothing(place: Place, answer: bytes) -> bytes:
    return b""


def the_request_itself(place: Place, answer: bytes) -> bytes:
    return place.laid()


def another_signers(place: Place, answer: bytes) -> bytes:
    return PaperSigner(2).answer(place.laid())


def one_bit_off(place: Place, answer: bytes) -> bytes:
    return bytes([*answer[:-1], answer[-1] ^ 1])


def too_large(place: Place, answer: bytes) -> bytes:
    return bytes(MOST_FILE_BYTES + 1)


@pytest.mark.parametrize(
    "spoil", [cut, nothing, the_request_itself, another_signers, one_bit_off, too_large], ids=lambda one: one.__name__
)
def test_what_is_not_the_answer_is_told_stays_and_changes_nothing(
    place: Place, spoil: Callable[[Place, bytes], bytes]
) -> None:
    place.desk.rebalance(5)
    place.carry()
    request = place.laid()
    digest = place.answer(spoil(place, place.desk.signer.answer(request)))
    for _ in range(2):
        (trouble,) = place.carry()
        assert trouble.startswith("spool of vault: answer to ")
    assert place.desk.states() == ["exported"]
    assert place.files("out") == [f"{digest}.answer"]
    (place.folder / "out" / f"{digest}.answer").write_bytes(place.desk.signer.answer(request))
    assert place.carry() == []
    assert place.desk.states() == ["answered"]


def test_a_link_in_the_place_of_an_answer_is_not_followed(place: Place, tmp_path: Path) -> None:
    place.desk.rebalance(5)
    place.carry()
    secret = tmp_path / "secret"
    secret.write_bytes(place.desk.signer.answer(place.laid()))
    digest = open_request(place.laid())[1].digest.hex()
    (place.folder / "out" / f"{digest}.answer").symlink_to(secret)
    (trouble,) = place.carry()
    assert trouble.endswith("[not-a-plain-file]")
    assert place.desk.states() == ["exported"]


def test_other_names_are_left_alone(place: Place) -> None:
    for name in FOLDERS:
        for other in (".0.part", "readme", "ab.answer", f"{'A' * 64}.request"):
            (place.folder / name / other).write_bytes(b"x")
    before = [place.files(name) for name in FOLDERS]
    assert place.carry() == []
    assert [place.files(name) for name in FOLDERS] == before


# --- refused ------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_at_every_turn_with_its_reason_and_ends_nothing(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    place.refuse()
    for _ in range(2):
        (trouble,) = place.carry()
        assert "was refused: over-day-limit: too much - Wait." in trouble
        assert "was refused" in tick(place.desk.store, place.desk.gateways, NOW, place.spools).troubles[0]
    assert place.desk.states() == ["exported"]
    assert place.files("in") == []
    with pytest.raises(MoveRefused):
        withdraw(place.desk.store, 1, NOW)


def test_taking_a_refused_request_away_asks_once_more(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    request = place.laid()
    digest = place.refuse()
    (place.folder / "refused" / f"{digest}.request").unlink()
    assert place.carry() == []
    assert place.laid() == request
    place.answer()
    assert place.carry() == []
    assert place.desk.states() == ["answered"]
    assert place.files("refused") == []


def test_a_refused_payment_ends_by_the_ledgers_proof_and_the_next_one_goes_out(place: Place) -> None:
    desk = place.desk
    desk.rebalance(5, "one")
    place.carry()
    place.refuse()
    desk.rebalance(6, "two")
    place.carry()
    assert desk.states() == ["exported", "approved"]
    desk.world.close(EXPIRY + 2)
    tick(desk.store, desk.gateways, NOW, place.spools)
    assert desk.states() == ["dead", "approved"]
    assert place.carry() == []
    assert desk.states() == ["dead", "exported"]
    assert place.files("refused") == []
    desk.require_books()


def test_an_answer_that_comes_after_the_end_is_told_once_and_cleared_away(place: Place) -> None:
    desk = place.desk
    desk.rebalance(5)
    place.carry()
    desk.world.close(EXPIRY + 2)
    desk.tick()
    assert desk.states() == ["dead"]
    place.answer()
    (trouble,) = place.carry()
    assert trouble.endswith("[answer-too-late]")
    assert place.carry() == []
    assert place.files("out") == []


def test_a_reason_that_is_hostile_or_missing_is_shown_harmless(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    digest = place.refuse()
    reason = place.folder / "refused" / f"{digest}.reason"
    reason.write_bytes(b"\x1b[2J\xff\n" + b"x" * 5_000)
    (trouble,) = place.carry()
    assert trouble.isprintable()
    assert len(trouble) < 800
    reason.unlink()
    (trouble,) = place.carry()
    assert "its reason can not be read" in trouble


def test_a_refused_file_of_no_request_of_ours_is_left_alone(place: Place) -> None:
    (place.folder / "refused" / f"{'ab' * 32}.request").write_bytes(b"garbage")
    assert place.carry() == []
    assert place.files("refused") == [f"{'ab' * 32}.request"]


# --- the settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["spool = 1", "[spool]\nhot = 1", '[spool]\nhot = ""', '[spool.hot]\nfolder = "x"'])
def test_a_section_that_names_no_folders_is_refused(tmp_path: Path, section: str) -> None:
    (tmp_path / "config.toml").write_text(f'network_class = "test"\n{section}\n')
    with pytest.raises(BadConfig, match="spool"):
        config.load(tmp_path)


def test_a_spools_folder_begins_at_the_data_folder_or_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('network_class = "test"\n[spool]\nhot = "/var/spool/x"\nwarm = "y"\n')
    assert config.load(tmp_path).spools == {"hot": Path("/var/spool/x"), "warm": tmp_path / "y"}


# --- with nobody at the signer ------------------------------------------------------------------------------


@dataclass
class Alone:
    """A coordinator over the devnet, and a hot signer whose program runs by itself."""

    store: Store
    hot: Hot
    ledger: XrplWorld
    gateway: object

    def turn(self) -> Report:
        spools = {"hot-box": self.hot.spool}
        return tick(self.store, {NETWORK: self.gateway}, int(time.time()), spools)  # type: ignore[dict-item]

    def pay(self, coins: int, key: str) -> None:
        payments = [(Destination(self.hot.world.hot), xrp(coins))]
        order = draft_pay(self.store, asking(key), wallet="till", payments=payments)
        approve(self.store, order.id, person=BOB.person, sign=BOB.sign, now=NOW)

    def states(self) -> list[str]:
        return [job.state.value for job in jobs(self.store)]

    def mandate(self) -> None:
        """Let the till pay withdrawals at once, and dave hold 500 XRP."""
        mandate = Mandate("till", {"XRP": Ceiling(*[xrp(400).units] * 4)}, 1, 0)
        given = draft_mandate(self.store, mandate, **signing(ALICE), now=NOW)
        approve_mandate(self.store, given.id, **signing(BOB), now=NOW)
        register(self.store, "dave", NOW)
        trade(self.store, "bought", [Leg(HOUSE, "dave", xrp(500))], NOW)

    def ask(self, name: str, coins: int) -> None:
        accept(self.store, Wish(name, "dave", "till", Destination(VAULT), xrp(coins)), int(time.time()))

    def withdrawn(self) -> dict[str, str]:
        return {one.id: str(one.state) for one in withdrawals(self.store)}

    def moves_on(self) -> bool:
        """Do a turn, in which nothing may be amiss, and close a ledger."""
        assert self.turn().troubles == ()
        self.ledger.close()
        return True

    def why(self) -> str:
        return f"{self.states()}\n{self.hot.log}"


def signing(one: Somebody) -> dict[str, Any]:
    return {"person": one.person, "sign": one.sign}


VAULT = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    hot, ledger = make_hot(tmp_path, vault=VAULT), XrplWorld()
    hot.world.hot = VAULT
    station = hot.world.station_key
    store = open_store(store_url(tmp_path), Station(station.public, station.sign))
    for somebody in (ALICE, BOB):
        add_person(store, somebody.person.name, somebody.person.key, NOW)
    pair_signer(store, hot.world.station, "hot-box", NOW)
    import_card(store, hot.card, NOW)
    with serve(ledger) as server:
        gateway = connect(NETWORK, {"url": server.url, "timeout_seconds": 3, "expiry_ledgers": 50})
        ledger.fund_all({keys(store, "till")[0].address: 1_000 * XRP})
        ledger.close()
        open_wallet(store, "till", gateway, NOW)
        yield Alone(store, hot, ledger, gateway)
        gateway.close()  # type: ignore[attr-defined]


def test_a_payment_goes_from_approved_to_final_with_nobody_at_the_signer(alone: Alone) -> None:
    alone.pay(20, "p1")
    with alone.hot.serving("--host-has-network"):
        report = alone.turn()
        while not report.submitted:
            assert report.troubles == ()
            report = alone.turn()
        assert [one.verdict.kind for one in report.submitted] == ["accepted"]
        alone.ledger.close()
        assert alone.turn().troubles == ()
    assert alone.states() == ["final"]
    assert prove_balances(alone.store) == ()
    assert [one.difference for one in check(alone.store, {NETWORK: alone.gateway})] == [0]  # type: ignore[dict-item]
    assert [list((alone.hot.spool / name).iterdir()) for name in FOLDERS] == [[], [], []]


def test_what_the_policy_forbids_is_declined_told_once_and_stops_no_other(alone: Alone) -> None:
    alone.pay(101, "too much")
    alone.pay(20, "fair")
    told: list[str] = []
    with alone.hot.serving("--host-has-network"):
        while alone.states() != ["declined", "submitted"]:
            told += alone.turn().troubles
        (one,) = told
        assert "job 1 was declined: over-transfer-limit: 101 XRP in one transfer, at most 100 XRP" in one
        alone.pay(30, "in its place")  # the declined one's sequence is free again, and those behind it waited for it
        until(lambda: alone.moves_on() and alone.states() == ["declined", "final", "final"], alone.why)
    assert prove_balances(alone.store) == ()
    assert [list((alone.hot.spool / name).iterdir()) for name in FOLDERS] == [[], [], []]


def test_a_withdrawal_above_the_signers_limit_is_held_and_all_others_are_paid(alone: Alone) -> None:
    alone.mandate()
    for name, coins in (("a", 20), ("b", 101), ("c", 30)):
        alone.ask(name, coins)
    with alone.hot.serving("--host-has-network"):
        until(lambda: bool(alone.turn()) and alone.withdrawn()["b"] == "held", alone.why)
        alone.ask("d", 40)
        ends = {"a": "paid", "b": "held", "c": "paid", "d": "paid"}
        until(lambda: alone.moves_on() and alone.withdrawn() == ends, alone.why)
    assert "over-transfer-limit" in next(one.reason for one in withdrawals(alone.store) if one.id == "b")
    assert prove_balances(alone.store) == ()
    assert verify(alone.store).ok
    assert [one.difference for one in check(alone.store, {NETWORK: alone.gateway})] == [0]  # type: ignore[dict-item]


def test_a_restored_coordinator_pays_nothing_before_it_knows_what_its_signer_signed(alone: Alone) -> None:
    alone.mandate()
    alone.ask("a", 20)
    restored = Alone(backed_up(alone.store), alone.hot, alone.ledger, alone.gateway)
    with alone.hot.serving("--host-has-network"):
        until(lambda: alone.moves_on() and alone.withdrawn() == {"a": "paid"}, alone.why)
        for _ in range(3):
            told = restored.turn().troubles
            assert any("entries-missing" in text for text in told)
            assert (restored.withdrawn(), restored.states()) == ({"a": "queued"}, [])
        journal = (alone.hot.world.folder / "journal.log").read_bytes()
        assert import_signer_journal(restored.store, alone.hot.world.station, journal, NOW).unknown == ()
        until(lambda: restored.moves_on() and restored.withdrawn() == {"a": "paid"}, restored.why)
    assert alone.hot.spent() == 20 * XRP + 10
    assert [job.tx_id for job in jobs(restored.store)] == [job.tx_id for job in jobs(alone.store)]
    assert prove_balances(restored.store) == ()
    assert verify(restored.store).problems == ()
    assert [one.difference for one in check(restored.store, {NETWORK: alone.gateway})] == [0]  # type: ignore[dict-item]
    restored.store.close()


@pytest.mark.parametrize("told", ["", "ab", "ab" * 32, f"{'ab' * 32}\nno checkpoint"],
    ids=["nothing", "short", "no checkpoint", "another word"],
)
def test_what_was_answered_last_is_a_signers_word_or_a_trouble(place: Place, told: str) -> None:
    place.desk.rebalance(5)
    (place.folder / f"{STATION.public_key.hex()}.last").write_text(told)
    assert len(look_back(place.desk.store, place.spools, NOW)) == 1
    assert place.carry() == []


def test_a_request_that_was_answered_last_and_is_known_stops_nothing(place: Place) -> None:
    place.desk.rebalance(5)
    place.carry()
    digest = place.answer()
    (place.folder / f"{STATION.public_key.hex()}.last").write_text(f"{digest}\n{place.desk.signer.checkpoint()}")
    assert look_back(place.desk.store, place.spools, NOW) == ()
    assert place.carry() == []
    assert place.desk.states() == ["answered"]


def test_a_signer_that_dies_between_two_turns_is_asked_again_and_signs_once(alone: Alone) -> None:
    alone.pay(20, "p1")
    carry(alone.store, {NETWORK: alone.gateway}, {"hot-box": alone.hot.spool}, NOW, patience_seconds=0)  # type: ignore[dict-item]
    with alone.hot.serving("--host-has-network") as process:
        until(lambda: any((alone.hot.spool / "out").glob("*.answer")), lambda: alone.hot.log)
        process.kill()
        process.wait()
    for one in (alone.hot.spool / "out").iterdir():
        one.unlink()
    entries = alone.hot.entries()
    with alone.hot.serving("--host-has-network"):
        until(lambda: bool(alone.turn().submitted), lambda: alone.hot.log)
    assert alone.hot.entries() == entries
    alone.ledger.close()
    alone.turn()
    assert alone.states() == ["final"]
