"""What waits for a person: each kind by what really brings it about, its next command, and one screen for all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from sqlalchemy import update

from online.audit import verify
from online.chains.api import Arrival, Arrivals
from online.cli.today import screen
from online.customers.register import register
from online.customers.trades import HOUSE, Leg, trade
from online.deposits.intake import take_in
from online.deposits.suspense import draft_return
from online.jobs.signer_journal import note_checkpoint
from online.jobs.submit import note_word
from online.ledger.differences import Finding, Kind
from online.ledger.reconcile import Report, keep
from online.orders.drafting import draft_rebalance
from online.store import tables
from online.store.wallets import import_card
from online.today import Waits, What, waiting
from online.treasury.targets import Target, set_target
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import hold
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate, revoke_mandate
from shared.effects import Destination
from shared.money import Asset
from tests.online_world import ALICE, BOB, NETWORK, NOW, XRP, Desk, asking, make_desk, xrp

LATER = NOW + 7_200


class Teller:
    """A gateway that tells of one payment to the cold wallet, from nobody known."""

    network = NETWORK

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def arrivals(
        self, _addresses: Collection[str], _assets: Collection[Asset], _cursor: str, _since: int | None = None
    ) -> Arrivals:
        came = Arrival("k", "T" * 64, 150, self.desk.address("hot"), Destination(self.desk.address("cold")), xrp(7))
        return Arrivals((came,), "1", 200)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


def seen(desk: Desk, now: int = NOW, person: str = "carol", spools: Collection[str] = ()) -> list[tuple[str, str, str]]:
    found = waiting(desk.store, now, person=person, spools=spools)
    return [(one.what.value, one.text, one.command) for one in found]


def drafted(desk: Desk) -> None:
    draft_rebalance(desk.store, asking("r1"), from_wallet="cold", to_wallet="hot", amount=xrp(5))


def mandate(desk: Desk) -> bytes:
    wanted = Mandate("hot", {"XRP": Ceiling(*(xrp(30).units,) * 4)}, 1, 60)
    return draft_mandate(desk.store, wanted, person=ALICE.person, sign=ALICE.sign, now=NOW).id


def asked(desk: Desk) -> bytes:
    """Let dave have money, the hot wallet a mandate, and a withdrawal wait."""
    register(desk.store, "dave", NOW)
    trade(desk.store, "t1", [Leg(HOUSE, "dave", xrp(50))], NOW)
    number = mandate(desk)
    approve_mandate(desk.store, number, person=BOB.person, sign=BOB.sign, now=NOW)
    accept(desk.store, Wish("w1", "dave", "hot", Destination(desk.address("cold", 1), 5), xrp(3)), NOW)
    return number


def held(desk: Desk) -> None:
    asked(desk)
    hold(desk.store, "w1", "the phone call", NOW)


def lost_mandate(desk: Desk) -> None:
    revoke_mandate(desk.store, asked(desk), person=ALICE.person, sign=ALICE.sign, now=NOW)


def exported(desk: Desk) -> None:
    desk.rebalance()
    desk.export()


def stuck(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    desk.tick()
    note_word(desk.store, 1, "later: STUCK: no mempool takes it")


def differing(desk: Desk) -> None:
    finding = Finding(Kind.MISSING_DEPOSIT, "hot", XRP, -9_000_000, "ABC", 120)
    keep(desk.store, Report((finding,), (), {NETWORK: 130}, {}), NOW)


def overpaid(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        row = {"account": f"withdrawals:{NETWORK}", "asset_network": NETWORK, "asset_code": "XRP", "pending": "0"}
        tx.sql.execute(tables.balances.insert().values(**row, posted="4"))


def paid_by_nobody(desk: Desk) -> None:
    take_in(desk.store, {NETWORK: Teller(desk)}, NOW)  # type: ignore[dict-item]


def journal_ahead(desk: Desk) -> None:
    note_checkpoint(desk.store, desk.signer.station, desk.signer.checkpoint(), NOW)


def unopened(desk: Desk) -> None:
    import_card(desk.store, desk.signer.card("new", 3), NOW)


def pool(desk: Desk) -> None:
    register(desk.store, "dave", NOW)
    with desk.store.transaction() as tx:
        tx.sql.execute(tables.places.insert().values(
            network=NETWORK, place=desk.address("cold"), customer="dave", custom="address", wallet="cold",
            address=desk.address("cold"), tag=None, memo=None, created=NOW,
        ))  # fmt: skip


def outside_its_band(desk: Desk) -> None:
    wanted = Target("hot", XRP, 0, 1, 2, "")
    for one in (wanted, Target("cold", XRP, 0, 1, xrp(10**6).units, "")):
        set_target(desk.store, one, person=ALICE.person, sign=ALICE.sign, now=NOW)


CASES: dict[str, tuple[Callable[[Desk], object], str, str, str]] = {
    "a draft": (drafted, "order", "rebalance r1, drafted by alice", "lockgate approve r1 --as carol"),
    "an approved order": (
        Desk.rebalance, "export", "1 job to export to vault", "lockgate request export --signer vault"),
    "a held withdrawal": (held, "withdrawal", "w1, 3 XRP: the phone call", "lockgate withdrawal show w1"),
    "a mandate's draft": (
        mandate, "mandate", "mandate of hot, drafted by alice", "lockgate mandate approve … --as carol"),
    "withdrawals without a mandate": (
        lost_mandate, "mandate", "withdrawals wait and hot has no mandate: 1",
        "lockgate mandate draft FILE --as carol"),
    "an order that no node takes": (
        stuck, "stuck", "job 1: STUCK: no mempool takes it", "lockgate order show r1"),
    "money of nobody known": (
        paid_by_nobody, "suspense", "arrival 1, 7 XRP: it came without a tag",
        "lockgate suspense credit 1 --customer ID --as carol --with SECOND"),
    "a kept difference": (differing, "difference", "missing-deposit in hot: -9 XRP", "lockgate reconcile --keep"),
    "an account on the wrong side": (
        overpaid, "wrong-side", f"withdrawals:{NETWORK}: 4 base units of XRP more were paid than owed",
        "lockgate books trial"),
    "a signer that is ahead": (
        journal_ahead, "journal", "of the journal of vault 0 of 1 entries are known",
        "lockgate audit import vault FILE"),
    "a wallet without books": (unopened, "books", "the wallet new has no books", "lockgate books open new"),
    "a pool that runs dry": (
        pool, "pool", "1 of 1 addresses of cold are left for customers", "lockgate wallet import CARD --addresses 4"),
    "a wallet outside its band": (
        outside_its_band, "proposal", "wallets outside their bands: 1 proposed", "lockgate target advise --as carol"),
}


def test_a_quiet_house_has_nothing_that_waits(desk: Desk) -> None:
    assert seen(desk) == []


@pytest.mark.parametrize("name", CASES)
def test_each_thing_that_waits_is_told_once_with_its_next_command(desk: Desk, name: str) -> None:
    make, what, line, command = CASES[name]
    make(desk)
    (one,) = seen(desk)
    before, _, after = command.partition("…")
    assert one[:2] == (what, line)
    assert one[2].startswith(before)
    assert one[2].endswith(after)


def test_every_kind_of_thing_is_tried_here() -> None:
    assert {what for _, what, _, _ in CASES.values()} | {"answer"} == set(What)


def test_an_answer_is_waited_for_and_through_a_spool_only_when_it_is_late(desk: Desk) -> None:
    exported(desk)
    desk.rebalance(5, "r2")  # can not be exported before that answer
    ((what, line, command),) = seen(desk, LATER)
    assert (what, command) == ("answer", "lockgate answer import FILE")
    assert line.startswith("no answer of vault to ")
    assert line.endswith(" for 2 h")
    assert seen(desk, spools=["vault"]) == []
    ((what, line, command),) = seen(desk, LATER, spools=["vault"])
    assert (what, command) == ("answer", "lockgate run --once")
    assert line.endswith("lies in the spool of vault for 2 h")


def test_what_goes_on_by_itself_is_told_once_it_is_late(desk: Desk) -> None:
    desk.rebalance()
    desk.answered()
    assert seen(desk) == []
    assert seen(desk, LATER) == [("stuck", "job 1 is signed, not submitted for 2 h", "lockgate run --once")]
    desk.tick()
    assert seen(desk) == []
    assert seen(desk, LATER) == [("stuck", "job 1 is undecided for 2 h", "lockgate order show r1")]


def test_who_drafted_is_not_asked_to_approve(desk: Desk) -> None:
    drafted(desk)
    mandate(desk)
    assert [one[2] for one in seen(desk, person="alice")] == ["lockgate order show r1", "lockgate mandate list"]


def test_what_is_being_sent_back_waits_for_its_order_alone(desk: Desk) -> None:
    paid_by_nobody(desk)
    draft_return(desk.store, asking("b1"), 1, to=Destination(desk.address("hot"), 1))
    assert [one[0] for one in seen(desk)] == ["order"]


def test_the_newest_look_that_was_kept_counts_alone_and_an_edit_of_it_is_noticed(desk: Desk) -> None:
    differing(desk)
    assert verify(desk.store).ok
    with desk.store.transaction() as tx:
        tx.sql.execute(update(tables.differences).values(units="1"))
    assert [one.partition(":")[0] for one in verify(desk.store).problems] == ["differences 0"]
    keep(desk.store, Report((), (), {NETWORK: 140}, {}), NOW)
    assert seen(desk) == []
    assert verify(desk.store).ok


def test_a_target_that_was_altered_hides_nothing_of_the_rest(desk: Desk) -> None:
    drafted(desk)
    outside_its_band(desk)
    with desk.store.transaction() as tx:
        tx.sql.execute(update(tables.targets).values(sealed=b"\0"))
    (_, order, _), (what, line, _) = seen(desk)
    assert (order, what) == ("rebalance r1, drafted by alice", "proposal")
    assert line.endswith("]")


# --- the screen ---------------------------------------------------------------------------------------


def lots(**counts: int) -> list[Waits]:
    reason = "above what is paid without a look, and told at some length"
    return [
        Waits(What(what), f"{what} {at}: {reason}", (what, "show", f"{what}-{at}"))
        for what, count in counts.items()
        for at in range(count)
    ]


def test_a_screen_holds_every_thing_while_there_is_room() -> None:
    lines = screen(lots(order=3, withdrawal=19))
    assert len(lines) == 22
    assert max(map(len, lines)) <= 80
    assert all("lockgate" in line for line in lines)
    assert lines[0].startswith("order 0: above what is paid without a look, and ...  lock")


def test_what_does_not_fit_is_told_by_its_number_the_largest_kind_first() -> None:
    lines = screen(lots(order=3, withdrawal=500, suspense=30))
    assert [line.split("  ")[0] for line in lines[3:]] == ["500 withdrawals held", "30 arrivals in suspense"]
    assert lines[3].endswith("lockgate withdrawal list --state held")
    assert len(screen([one for what in What for one in lots(**{what.value: 9})])) <= 22


def test_a_command_too_long_for_a_line_is_told_by_its_list_and_no_text_repaints_the_screen() -> None:
    (line,) = screen([Waits(What.WITHDRAWAL, "\x1b[2J" * 40, ("withdrawal", "show", "w" * 60))])
    assert line.endswith("  lockgate withdrawal list --state held")
    assert len(line) <= 80
    assert line.isprintable()
