"""The ten laws of the signer, a group each, driven through the whole ceremony: examine, approve, journal, sign.

Everything is real (vault, journal file, XRPL bytes) but the clock. `refused` takes a request through the signer and
gives the code of the refusal; whatever is refused must leave the journal as it was.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import coincurve
import pytest

from offline_signer import ceremony, journal_file, pen
from offline_signer import release as releases
from offline_signer.box import origin_of
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.build import build_account_set, build_payment, build_regular_key, build_signer_list
from shared.checkpoint import open_checkpoint
from shared.effects import Destination
from shared.envelope import (
    Approval,
    Declined,
    Item,
    Lot,
    SeenLog,
    TransferRef,
    open_answer,
    open_request,
    order_id,
    seal_approval,
)
from shared.errors import NotExclusive, Refusal
from shared.merkle import verify_consistency
from shared.money import Amount
from shared.sealed import seal
from tests.house import ROOT
from tests.signing_world import NETWORK, NOON, STRANGER, XRP, World, make_world

DAY = 86_400


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "signer")


def refused(world: World, sealed: bytes, people: Sequence[str] = ("carol",), declined: Sequence[Declined] = ()) -> str:
    """Give the code with which a request is refused; the journal must not have grown."""
    before = (world.folder / journal_file.NAME).read_bytes()
    with pytest.raises(Refusal) as caught:
        world.sign(sealed, people=people, declined=declined)
    assert (world.folder / journal_file.NAME).read_bytes() == before
    return caught.value.code


def codes(world: World, sealed: bytes, declined: Sequence[Declined] = ()) -> list[str]:
    """Give the codes of every objection to a request."""
    with world.box() as box:
        return [one.code for one in world.examine(box, sealed, declined).objections]


def signatures(answer: bytes) -> tuple[bytes, ...]:
    return open_answer(answer)[0].signatures


def entries(world: World) -> int:
    return journal_file.read(world.folder, world.station).tip.size


def seen(world: World) -> SeenLog:
    with world.box() as box:
        return box.seen()


def setting(world: World, build: Callable[[], bytes]) -> Item:
    return Item(build(), (world.path(0),), ())


# --- 1: nothing opaque ------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 20])
def test_bytes_that_cannot_be_read_completely_are_refused(world: World, cut: int) -> None:
    item = world.payment(5, sequence=1)
    assert refused(world, world.request(replace(item, unsigned=item.unsigned[:-cut]))).startswith("xrpl-")


def test_one_opaque_transaction_refuses_the_request_even_when_it_is_declined(world: World) -> None:
    bad = replace(world.payment(6, "two", sequence=2), unsigned=b"\x12\x00\x00")
    request = world.request(world.payment(5, sequence=1), bad)
    assert refused(world, request, declined=[Declined(1, "strange")]).startswith("xrpl-")


def test_the_answer_holds_signatures_that_make_valid_transactions(world: World) -> None:
    item = world.payment(5, sequence=1)
    (signature,) = signatures(world.sign(world.request(item)))
    tx = XRPL.decode(item.unsigned, {"height": 1_000}, item.keys, NETWORK)
    assert len(XRPL.assemble(tx, [signature]).tx_id) == 64


def test_a_request_without_a_transfer_for_its_payment_is_refused(world: World) -> None:
    assert refused(world, world.request(replace(world.payment(5, sequence=1), transfers=()))) == "transfer-mismatch"


# --- 2: policy is sealed ------------------------------------------------------------------------------


@pytest.mark.parametrize(("build", "code"), [
    (lambda w: w.payment(5, sequence=1, to=STRANGER), "unknown-destination"),
    (lambda w: w.payment(5, sequence=1, tag=7), "unknown-destination"),
    (lambda w: w.payment(100_001, sequence=1), "over-transfer-limit"),
    (lambda w: w.payment(5, sequence=1, fee=1_001), "fee-too-high"),
    (lambda w: w.payment(5, sequence=1, last=40_000), "expiry-too-far"),
    (lambda w: w.payment(5, sequence=1, last=1_000), "xrpl-expired"),
])
def test_what_the_policy_does_not_allow_is_refused(world: World, build: Callable[[World], Item], code: str) -> None:
    assert refused(world, world.request(build(world))) == code


def test_a_request_above_its_limit_is_refused_although_each_payment_is_within(world: World) -> None:
    items = [world.payment(80_000, f"order {n}", sequence=n) for n in (1, 2)]
    assert refused(world, world.request(*items)) == "over-request-limit"


def test_a_huge_batch_meets_the_budget_as_one_sum(world: World) -> None:
    items = [world.payment(100, f"order {n}", sequence=n) for n in range(1, 1_999)]
    found = codes(world, world.request(*items))
    assert {"over-request-limit"} <= set(found)


def test_the_epoch_budget_ends_whatever_the_days_do(world: World) -> None:
    for number in range(1, 6):
        world.sign(world.request(world.payment(99_999, f"order {number}", sequence=number)))
        world.now += DAY + 1
    assert refused(world, world.request(world.payment(10, "last", sequence=9))) == "over-epoch-budget"


@pytest.mark.parametrize(("name", "build"), [
    ("signer list", lambda w: build_signer_list(w.terms(sequence=2), 1, [(STRANGER, 1)])),
    ("regular key", lambda w: build_regular_key(w.terms(sequence=2), STRANGER)),
    ("master key", lambda w: build_account_set(w.terms(sequence=2), set_flag="disable-master")),
])
def test_a_change_of_who_may_sign_slipped_into_a_batch_is_refused(
    world: World, name: str, build: Callable[[World], bytes]
) -> None:
    batch = [world.payment(5, f"order {n}", sequence=n) for n in (1, 3)]
    batch.insert(1, setting(world, lambda: build(world)))
    assert "kind-not-allowed" in codes(world, world.request(*batch))
    assert refused(world, world.request(*batch)) == "kind-not-allowed"


@pytest.fixture
def keeper(tmp_path: Path) -> World:
    """Give a signer whose policy allows a regular key to be set."""
    return make_world(tmp_path / "keeper", limits={"kinds": '["payment", "regular-key"]'})


def test_where_regular_keys_are_allowed_a_strangers_is_refused(keeper: World) -> None:
    request = keeper.request(setting(keeper, lambda: build_regular_key(keeper.terms(sequence=2), STRANGER)))
    assert refused(keeper, request, people=("carol", "ann", "ben")) == "foreign-signing-key"


def test_a_regular_key_of_our_own_needs_the_administrators_and_empties_the_wallet(keeper: World) -> None:
    own = setting(keeper, lambda: build_regular_key(keeper.terms(sequence=2), keeper.addresses[1]))
    assert refused(keeper, keeper.request(own)) == "not-enough-approvals"
    keeper.sign(keeper.request(own), people=("carol", "ann", "ben"))
    assert refused(keeper, keeper.request(keeper.payment(1, sequence=3))) == "over-epoch-budget"


def test_fees_without_payments_end_with_their_number(world: World) -> None:
    for number in range(1, 6):
        world.sign(world.request(world.tickets(1, sequence=number)))
    assert refused(world, world.request(world.tickets(1, sequence=6))) == "too-many-without-payment"


def test_fees_alone_end_with_the_budget(tmp_path: Path) -> None:
    world = make_world(tmp_path / "s", limits={"budget": "0.0025", "day": "0.0025", "free": 50})
    for number in (1, 2):
        world.sign(world.request(world.tickets(1, sequence=number, fee=1_000)))
    found = codes(world, world.request(world.tickets(1, sequence=3, fee=1_000)))
    assert found == ["over-day-limit", "over-epoch-budget"]


def test_a_wallet_of_another_source_is_refused(world: World) -> None:
    item = world.payment(5, sequence=1)
    terms = replace(world.terms(sequence=1), account=STRANGER)
    other = build_payment(terms, Destination(world.hot), Amount(XRP, 5_000_000))
    assert refused(world, world.request(replace(item, unsigned=other))) == "unknown-source"


def test_a_station_that_the_policy_does_not_name_is_refused(world: World) -> None:
    assert refused(world, world.request(world.payment(5, sequence=1), station=world.eve)) == "unknown-station"


def test_a_request_for_another_signer_is_refused(world: World) -> None:
    assert refused(world, world.request(world.payment(5, sequence=1), signer=bytes(32))) == "not-for-this-signer"


def test_a_request_for_the_other_class_of_networks_is_refused(world: World) -> None:
    lots = (Lot("xrpl:mainnet", {"height": 1_000}, (world.payment(5, sequence=1),)),)
    assert refused(world, world.request(lots=lots)) == "wrong-network"


@pytest.mark.parametrize(("name", "people", "code"), [
    ("nobody", (), "not-enough-approvals"),
    ("administrators who are no approvers", ("ann", "ben"), "not-enough-approvals"),
    ("a stranger", ("eve",), "unknown-person"),
    ("an approver and a stranger", ("carol", "eve"), "unknown-person"),
])
def test_without_the_approvers_word_nothing_is_signed(
    world: World, name: str, people: tuple[str, ...], code: str
) -> None:
    assert refused(world, world.request(world.payment(5, sequence=1)), people=people) == code


def test_one_approver_twice_is_one_approver(tmp_path: Path) -> None:
    world = make_world(tmp_path / "s", limits={"approvals": 2})
    request = world.request(world.payment(5, sequence=1))
    assert refused(world, request, people=("carol", "carol")) == "not-enough-approvals"
    assert signatures(world.sign(request, people=("carol", "dave")))


def test_an_approval_of_another_request_or_of_other_declines_does_not_count(world: World) -> None:
    first, second = (world.request(world.payment(5, f"order {n}", sequence=n)) for n in (1, 2))
    with world.box() as box:
        one, two = (world.examine(box, sealed) for sealed in (first, second))
        words = world.approvals(one, box)
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, two, words)
        assert caught.value.code == "not-enough-approvals"
        other = Approval(two.digest, (Declined(0, "no"),), box.seen())
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, two, [seal_approval(other, world.carol.public, world.carol.sign)])
        assert caught.value.code == "not-enough-approvals"


def test_an_approval_that_somebody_else_sealed_in_an_approvers_name_is_refused(world: World) -> None:
    request = world.request(world.payment(5, sequence=1))
    with world.box() as box:
        examination = world.examine(box, request)
        (word,) = world.approvals(examination, box)
        forged = word.replace(world.carol.public, world.eve.public)
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, examination, [forged])
    assert caught.value.code == "bad-signature"


def test_a_request_that_its_station_did_not_sign_is_refused(world: World) -> None:
    request, document = open_request(world.request(world.payment(5, sequence=1)))
    assert request.station == world.station_key.public
    forged = seal("request/1", document.body, [(world.eve.public, world.eve.sign)])
    assert refused(world, forged) == "bad-field"


# --- 3: at most one ---------------------------------------------------------------------------------


def test_a_second_transaction_for_a_transfer_on_the_same_sequence_counts_once(world: World) -> None:
    world.sign(world.request(world.payment(90_000, sequence=1)))
    world.sign(world.request(world.payment(90_000, sequence=1, fee=20)))
    with world.box() as box:
        spent = box.history.usage(world.now).epoch
    assert list(spent.values()) == [90_000_000_000 + 30]


def test_a_second_transaction_on_another_sequence_is_refused(world: World) -> None:
    world.sign(world.request(world.payment(5, sequence=1)))
    assert refused(world, world.request(world.payment(5, sequence=2))) == "could-pay-twice"
    assert refused(world, world.request(world.payment(5, ticket=2))) == "could-pay-twice"
    assert NotExclusive.hint.startswith("Look at the ledger first")


def test_two_transactions_for_one_transfer_in_one_request_are_refused(world: World) -> None:
    both = world.request(world.payment(5, sequence=1), world.payment(5, sequence=2))
    assert refused(world, both) == "could-pay-twice"


@pytest.mark.parametrize(("name", "changes"), [
    ("amount", {"xrp": 6}), ("source", {"index": 1}), ("destination", {"tag": 9}),
])
def test_a_transfers_id_is_never_used_for_another_payment(tmp_path: Path, name: str, changes: dict[str, int]) -> None:
    world = make_world(tmp_path / "s", text=lambda w: w.policy_text(hot=w.hot + " tag any"))
    world.sign(world.request(world.payment(5, sequence=1)))
    item = world.payment(**{"xrp": 5, "sequence": 1, **changes})  # type: ignore[arg-type]
    item = replace(item, keys=(world.path(changes.get("index", 0)),))
    assert "transfer-bound" in codes(world, world.request(item))


def test_a_transfers_id_is_not_used_for_two_payments_of_one_request(world: World) -> None:
    both = world.request(world.payment(5, sequence=1), world.payment(6, sequence=1))
    assert refused(world, both) == "transfer-bound"


def test_a_released_transaction_makes_room_for_one_on_another_sequence(world: World) -> None:
    first = world.payment(5, sequence=1)
    world.sign(world.request(first))
    apply_release(world, transfer_release(world))
    assert signatures(world.sign(world.request(world.payment(5, sequence=2))))
    assert refused(world, world.request(first, world.payment(7, "else", sequence=3))) == "could-pay-twice"


def test_a_transaction_released_as_dead_is_not_signed_again(world: World) -> None:
    request = world.request(world.payment(5, sequence=1))
    world.sign(request)
    apply_release(world, transfer_release(world))
    assert refused(world, request) == "could-pay-twice"


def transfer_release(world: World) -> dict[str, Any]:
    with world.box() as box:
        ((transfer, carried),) = box.history.transfers.items()
        dead = [record.name[1] for record in carried.live]
    return dict(releases.draft_transfer(world.station, transfer, dead, "sequence 1 was used by another"))


def apply_release(world: World, body: dict[str, Any], people: Sequence[str] = ("ann", "ben")) -> str:
    first, *others = [world.people[name] for name in people]
    sealed = releases.seal_release(body, first.public, first.sign)
    for one in others:
        sealed = releases.sign_release(sealed, one.public, one.sign)
    with world.box() as box:
        return releases.apply(box, sealed)


@pytest.mark.parametrize(("people", "code"), [
    (("ann",), "quorum-missing"), (("ann", "eve"), "strange-signer"), (("carol", "dave"), "strange-signer"),
])
def test_a_release_needs_the_administrators_quorum(world: World, people: tuple[str, ...], code: str) -> None:
    world.sign(world.request(world.payment(5, sequence=1)))
    with pytest.raises(Refusal) as caught:
        apply_release(world, transfer_release(world), people)
    assert caught.value.code == code


def test_a_release_works_once_and_on_its_own_signer_only(world: World, tmp_path: Path) -> None:
    world.sign(world.request(world.payment(5, sequence=1)))
    body = transfer_release(world)
    for station, code in ((bytes(32), "bad-release"), (world.station, "")):
        if code:
            with pytest.raises(Refusal) as caught:
                apply_release(world, {**body, "station": station})
            assert caught.value.code == code
    assert apply_release(world, body).endswith("1 released")
    with pytest.raises(Refusal) as caught:
        apply_release(world, body)
    assert caught.value.code == "bad-release"


def test_a_release_that_names_transactions_wrongly_is_refused(world: World) -> None:
    world.sign(world.request(world.payment(5, sequence=1)))
    wrong: list[list[Any]] = [[bytes(31)], ["text"], [[]]]
    for dead in wrong:
        with pytest.raises(Refusal) as caught:
            apply_release(world, {**transfer_release(world), "transactions": dead})
        assert caught.value.code == "bad-release"


# --- 4: journal first ---------------------------------------------------------------------------------


def test_asking_twice_gives_the_same_answer_writes_once_and_counts_once(world: World) -> None:
    request = world.request(world.payment(90_000, sequence=1), world.payment(60_000, "two", sequence=2))
    first, size = signatures(world.sign(request)), entries(world)
    assert signatures(world.sign(request, people=())) == first
    assert entries(world) == size
    with world.box() as box:
        assert list(box.history.usage(world.now).epoch.values()) == [150_000_000_020]


def test_a_transaction_in_two_requests_counts_once_and_is_signed_alike(world: World) -> None:
    item = world.payment(100_000, sequence=1)
    (one,) = signatures(world.sign(world.request(item)))
    (two, _) = signatures(world.sign(world.request(item, world.payment(50_000, "two", sequence=2))))
    assert one == two
    with world.box() as box:
        assert list(box.history.usage(world.now).epoch.values()) == [150_000_000_020]


def test_a_transaction_signed_before_cannot_be_given_other_transfers(world: World) -> None:
    item = world.payment(5, sequence=1)
    world.sign(world.request(item))
    again = replace(item, transfers=(TransferRef(order_id("another"), 0),))
    assert refused(world, world.request(again)) == "transfer-bound"


def test_the_entry_is_on_the_disk_when_the_pen_first_moves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    size, real = entries(world), pen.sign

    def looking(payload: object, stroke: object) -> bytes:
        assert entries(world) == size + 1
        return real(payload, stroke)  # type: ignore[arg-type]

    monkeypatch.setattr(pen, "sign", looking)
    assert signatures(world.sign(world.request(world.payment(5, sequence=1))))


def test_a_second_signer_at_once_is_refused_as_busy(world: World) -> None:
    with world.box():
        done = subprocess.run(
            [sys.executable, "-m", "offline_signer", "--home", str(world.folder), "journal", "checkpoint"],
            input="correct horse battery\n", capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        )
    assert done.returncode == 1
    assert "[signer-busy]" in done.stderr


def test_an_examination_does_not_outlive_the_next_entry(world: World) -> None:
    one, two = world.request(world.payment(5, sequence=1)), world.request(world.payment(5, sequence=2))
    with world.box() as box:
        first, second = world.examine(box, one), world.examine(box, two)
        ceremony.sign(box, first, world.approvals(first, box))
        with pytest.raises(ValueError, match="grown"):
            ceremony.sign(box, second, world.approvals(second, box))


# --- declines -----------------------------------------------------------------------------------------


def test_a_declined_transaction_is_named_in_the_answer_and_refused_ever_after(world: World) -> None:
    first, second = world.payment(5, sequence=1), world.payment(6, "two", sequence=2)
    no = Declined(1, "not today")
    answer = open_answer(world.sign(world.request(first, second), declined=[no]))[0]
    assert (len(answer.signatures), answer.declined) == (1, (no,))
    assert refused(world, world.request(second)) == "declined-before"


def test_a_request_answered_with_a_decline_is_answered_the_same_way(world: World) -> None:
    request = world.request(world.payment(5, sequence=1), world.payment(6, "two", sequence=2))
    no = Declined(1, "not today")
    first = open_answer(world.sign(request, declined=[no]))[0]
    again = open_answer(world.sign(request, people=()))[0]
    assert (again.signatures, again.declined) == (first.signatures, first.declined)
    assert refused(world, request, declined=[Declined(0, "neither")]) == "signed-before"


def test_a_signed_transaction_can_not_be_declined(world: World) -> None:
    item = world.payment(5, sequence=1)
    world.sign(world.request(item))
    other = world.request(item, world.payment(6, "two", sequence=2))
    assert refused(world, other, declined=[Declined(0, "too late")]) == "signed-before"


def test_a_whole_request_can_be_declined(world: World) -> None:
    answer = world.sign(world.request(world.payment(5, sequence=1)), declined=[Declined(0, "no")])
    assert signatures(answer) == ()


def test_what_is_declined_takes_nothing_from_the_limits(world: World) -> None:
    items = [world.payment(80_000, f"order {n}", sequence=n) for n in (1, 2)]
    assert len(signatures(world.sign(world.request(*items), declined=[Declined(1, "too much")]))) == 1


@pytest.mark.parametrize("declined", [
    [Declined(2, "beyond")], [Declined(-1, "before")], [Declined(0, "a"), Declined(0, "b")],
    [Declined(1, "a"), Declined(0, "b")], [Declined(0, "")], [Declined(0, "x" * 201)],
])
def test_declines_out_of_range_order_or_reason_are_refused(world: World, declined: list[Declined]) -> None:
    request = world.request(world.payment(5, sequence=1), world.payment(6, "two", sequence=2))
    assert refused(world, request, declined=declined) == "bad-field"


def test_the_same_transaction_twice_in_a_request_cannot_be_signed_and_declined_at_once(world: World) -> None:
    item = world.payment(5, sequence=1)
    for declined in ([], [Declined(0, "no")], [Declined(1, "no")], [Declined(0, "no"), Declined(1, "no")]):
        assert "transfer-mismatch" in codes(world, world.request(item, item), declined)
        assert refused(world, world.request(item, item), declined=declined) == "transfer-mismatch"


# --- 6: no clock is trusted ---------------------------------------------------------------------------


def test_a_clock_set_a_year_ahead_grants_nothing_until_the_quorum_confirms_it(world: World) -> None:
    world.sign(world.request(world.payment(90_000, sequence=1)))
    world.now += 365 * DAY
    with world.box() as box, pytest.raises(Refusal) as caught:
        box.now()
    assert caught.value.code == "clock-jumped"
    body = releases.draft_clock(world.station, NOON, world.now + 600, "the box lay in the safe for a year")
    with pytest.raises(Refusal) as caught:
        apply_release(world, body, ("ann",))
    assert caught.value.code == "quorum-missing"
    assert apply_release(world, body) == "the time is confirmed"
    assert signatures(world.sign(world.request(world.payment(90_000, "two", sequence=2))))


def test_a_confirmed_time_does_not_open_the_door_for_a_further_jump(world: World) -> None:
    world.now += 10 * DAY
    apply_release(world, dict(releases.draft_clock(world.station, NOON, NOON + 1_000 * DAY, "a holiday")))
    world.now += 10 * DAY
    with pytest.raises(Refusal) as caught:
        world.sign(world.request(world.payment(5, sequence=1)))
    assert caught.value.code == "clock-jumped"


def test_a_release_of_the_clock_is_bound_to_its_moment(world: World) -> None:
    world.now += 10 * DAY
    for after, until in ((NOON - 1, world.now + 60), (NOON, world.now - 60)):
        with pytest.raises(Refusal) as caught:
            apply_release(world, dict(releases.draft_clock(world.station, after, until, "why")))
        assert caught.value.code == "bad-release"


def test_a_clock_set_back_gives_no_allowance_back_and_writes_no_earlier_time(world: World) -> None:
    world.now += DAY
    for number in (1, 2):
        world.sign(world.request(world.payment(99_000, f"order {number}", sequence=number)))
    world.now -= 30 * DAY
    assert refused(world, world.request(world.payment(99_000, "three", sequence=3))) == "over-day-limit"
    world.sign(world.request(world.payment(10, "four", sequence=4)))
    assert journal_file.read(world.folder, world.station).tip.time == NOON + DAY


def test_the_days_allowance_comes_back_after_a_day(world: World) -> None:
    for number in (1, 2):
        world.sign(world.request(world.payment(99_000, f"order {number}", sequence=number)))
    assert refused(world, world.request(world.payment(99_000, "three", sequence=3))) == "over-day-limit"
    world.now += DAY
    assert signatures(world.sign(world.request(world.payment(99_000, "three", sequence=3))))


# --- 7, 8, 9: foreign text, secrets, the pen ----------------------------------------------------------


def test_foreign_text_reaches_the_screen_only_as_escapes(world: World) -> None:
    item = world.payment(5, sequence=1)
    request = world.request(lots=(Lot(NETWORK, {"height": 1_000}, (item,)),))
    with world.box() as box:
        examination = world.examine(box, request, [Declined(0, "\x1b[2Jall is well\u202e")])
        lines = [*examination.review.lines, *examination.lines()]
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_no_repr_shows_a_secret(world: World) -> None:
    with world.box() as box:
        box.pens.ready(XRPL.payloads(decoded(world))[0])
        node = box.vault.node("secp256k1", world.path(0))
        shown = repr((box, box.vault, node, box.pens, box.vault.header, world.carol))
        secrets = [node.private_key, node.chain_code, box.vault._seed, box.vault._opened.secret,
                   box.vault._opened.data_key]
    for secret in secrets:
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def decoded(world: World) -> object:
    item = world.payment(5, sequence=1)
    return XRPL.decode(item.unsigned, {"height": 1_000}, item.keys, NETWORK)


@pytest.mark.parametrize("wrong", [bytes(64), b"\xff" * 64, b"\x01" * 64, b"", b"\x01" * 65])
def test_a_pen_that_signs_wrongly_lets_nothing_leave(
    world: World, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    real = pen._ecdsa
    monkeypatch.setitem(pen._STROKES, "ecdsa-secp256k1", lambda secret: (lambda _: wrong, real(secret)[1]))
    with pytest.raises(Refusal) as caught:
        world.sign(world.request(world.payment(5, sequence=1)))
    assert caught.value.code == "bad-pen"


def test_a_high_s_is_a_wrong_signature(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    real = pen._ecdsa

    def high(secret: bytes) -> tuple[pen.Stroke, bytes]:
        key = coincurve.PrivateKey(secret)

        def stroke(digest: bytes) -> bytes:
            raw = key.sign_recoverable(digest, hasher=None)
            return raw[:32] + (order - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")

        return stroke, real(secret)[1]

    monkeypatch.setitem(pen._STROKES, "ecdsa-secp256k1", high)
    with pytest.raises(Refusal) as caught:
        world.sign(world.request(world.payment(5, sequence=1)))
    assert caught.value.code == "bad-pen"


HARD = 2**31


@pytest.mark.parametrize("path", [
    (), (5,), lambda p: p[:-1], lambda p: (*p[:-1], 2), lambda p: (*p[:-1], p[-1] | HARD), lambda p: (*p, 0),
    lambda p: (*p[:-3], 1 | HARD, *p[-2:]), (7867 | HARD, 1 | HARD, 0 | HARD),
])
def test_a_key_path_that_no_card_has_issued_is_refused(world: World, path: Any) -> None:
    item = world.payment(5, sequence=1)
    wrong = path(item.keys[0]) if callable(path) else path
    assert refused(world, world.request(replace(item, keys=(wrong,)))) == "wrong-key"


def test_a_key_path_of_another_key_of_the_wallet_is_refused(world: World) -> None:
    item = world.payment(5, sequence=1)
    assert refused(world, world.request(replace(item, keys=(world.path(1),)))) == "wrong-key"


def test_a_signing_key_that_is_not_ours_is_refused(world: World) -> None:
    foreign = coincurve.PrivateKey(b"\7" * 32).public_key.format()
    terms = replace(world.terms(sequence=1), public_key=foreign)
    unsigned = build_payment(terms, Destination(world.hot), Amount(XRP, 5_000_000))
    item = replace(world.payment(5, sequence=1), unsigned=unsigned)
    assert refused(world, world.request(item)) == "wrong-key"


# --- 10: one key, one journal -------------------------------------------------------------------------


def test_an_old_backup_is_noticed_by_the_request_that_saw_more(world: World) -> None:
    shutil.copytree(world.folder, world.folder.with_name("backup"))
    world.sign(world.request(world.payment(5, sequence=1)))
    newest = seen(world)
    shutil.rmtree(world.folder)
    os.rename(world.folder.with_name("backup"), world.folder)
    request = world.request(world.payment(6, "two", sequence=2), seen=newest)
    assert refused(world, request) == "journal-behind"


def test_an_old_backup_is_noticed_by_the_approver_who_saw_more(world: World) -> None:
    shutil.copytree(world.folder, world.folder.with_name("backup"))
    world.sign(world.request(world.payment(5, sequence=1)))
    newest = seen(world)
    shutil.rmtree(world.folder)
    os.rename(world.folder.with_name("backup"), world.folder)
    with world.box() as box:
        examination = world.examine(box, world.request(world.payment(6, "two", sequence=2)))
        word = Approval(examination.digest, (), newest)
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, examination, [seal_approval(word, world.carol.public, world.carol.sign)])
    assert caught.value.code == "journal-behind"


def test_a_journal_of_the_same_length_with_another_history_is_noticed(world: World) -> None:
    request = world.request(world.payment(5, sequence=1), seen=SeenLog(entries(world), b"\7" * 32))
    assert refused(world, request) == "journal-behind"


def test_an_old_journal_beside_a_newer_vault_is_noticed_at_once(world: World) -> None:
    old = (world.folder / journal_file.NAME).read_bytes()
    world.install(world.policy_text(epoch=2))
    (world.folder / journal_file.NAME).write_bytes(old)
    with pytest.raises(Refusal) as caught, world.box():
        pass
    assert caught.value.code == "journal-behind"


def test_the_answer_proves_that_the_journal_continues_what_the_request_had_seen(world: World) -> None:
    before = seen(world)
    answer = open_answer(world.sign(world.request(world.payment(5, sequence=1), seen=before)))[0]
    journal = journal_file.read(world.folder, world.station)
    new = open_checkpoint(answer.checkpoint, origin_of(world.station), world.station)
    verify_consistency(before.size, new.size, before.root, new.root, answer.consistency)
    assert (new.size, new.root) == (journal.tip.size, journal.tip.root())
