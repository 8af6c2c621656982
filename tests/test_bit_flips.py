"""One bit is enough: no altered transaction, context or sealed document passes for the one that was meant.

Every single bit of the unsigned bytes, the context, the key path and the transfers is flipped, sealed again with the
right station key and taken to the signer: it is refused, or the review's text (its fingerprint apart) and the
fingerprint both change. Some that nothing stands against are signed: the signature does not fit what was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from offline_signer import ceremony
from offline_signer.box import Box
from offline_signer.ceremony import Examination
from shared.chains.xrpl import XRPL
from shared.chains.xrpl.build import (
    build_account_set,
    build_payment,
    build_regular_key,
    build_signer_list,
    build_tickets,
)
from shared.effects import Destination
from shared.envelope import (
    NOTHING_SEEN,
    Item,
    Lot,
    SigningRequest,
    TransferRef,
    open_answer,
    order_id,
    seal_request,
)
from shared.errors import Refusal, XrplRefusal
from shared.money import Amount
from shared.transport.pack import pack, unpack
from tests.signing_world import NETWORK, STRANGER, XRP, World, make_world

HEIGHT = 1_000
KINDS = '["payment", "tickets", "account-set", "regular-key", "signer-list"]'
ANY = '[rule.any_limits.XRP]\ntransfer = "100000"\nrequest = "150000"\nday = "200000"\nepoch = "500000"'
NAMES = ("payment", "ticket_payment", "tickets", "account_set", "regular_key", "signer_list")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a signer whose policy allows every kind, strangers and large fees, so that little but the laws refuses."""
    limits = {"kinds": KINDS, "more": ANY, "free": 100_000}
    return make_world(tmp_path_factory.mktemp("flips") / "signer", limits=limits, count=3)


def unsigned(world: World, name: str) -> bytes:
    """Build one transaction of each kind that the signer knows."""
    plain = world.terms(sequence=7)
    destination = Destination(world.hot, 5, 'type="text/plain" data="rent of May"')
    match name:
        case "payment":
            return build_payment(plain, destination, Amount(XRP, 1_234_567))
        case "ticket_payment":
            return build_payment(world.terms(ticket=9), Destination(world.hot), Amount(XRP, 80_000_000_000))
        case "tickets":
            return build_tickets(plain, 3)
        case "account_set":
            return build_account_set(replace(plain, source_tag=3), set_flag="require-dest", clear_flag="disallow-xrp")
        case "regular_key":
            return build_regular_key(plain, world.addresses[1])
        case _:
            return build_signer_list(plain, 2, [(world.addresses[1], 1), (world.addresses[2], 2)])


def item(world: World, name: str) -> Item:
    refs = (TransferRef(order_id("flip"), 0),) if "payment" in name else ()
    return Item(unsigned(world, name), (world.path(0),), refs)


def sealed(world: World, one: Item, context: dict[str, int] | None = None) -> bytes:
    """Seal a request with the right station key."""
    lot = Lot(NETWORK, context or {"height": HEIGHT}, (one,))
    request = SigningRequest(world.station_key.public, world.station, world.now, NOTHING_SEEN, (lot,))
    return seal_request(request, world.station_key.sign)


def flips(blob: bytes) -> Iterator[bytes]:
    """Give every neighbour of some bytes that differs in one bit."""
    number, width = int.from_bytes(blob), len(blob)
    for bit in range(8 * width):
        yield (number ^ 1 << bit).to_bytes(width)


def text(examination: Examination) -> Sequence[str]:
    """Give what a person reads, without the fingerprint."""
    assert examination.review.fingerprint in examination.review.lines[0]
    return [line.replace(examination.review.fingerprint, "") for line in examination.review.lines]


def examined(world: World, box: Box, request: bytes) -> Examination | None:
    try:
        return world.examine(box, request)
    except Refusal:
        return None


def altered(world: World, good: Item, requests: Iterator[bytes]) -> list[bytes]:
    """Examine altered requests; give those that neither reading nor law nor policy refused. All others must differ."""
    passed = []
    with world.box() as box:
        meant = world.examine(box, sealed(world, good))
        assert not meant.objections
        for request in requests:
            seen = examined(world, box, request)
            if seen is None:
                continue
            assert text(seen) != text(meant)
            assert seen.review.fingerprint != meant.review.fingerprint
            if not seen.objections:
                passed.append(request)
    return passed


@pytest.mark.parametrize("name", NAMES)
def test_every_bit_of_the_unsigned_bytes_is_refused_or_shows(world: World, name: str) -> None:
    good = item(world, name)
    passed = altered(world, good, (sealed(world, replace(good, unsigned=one)) for one in flips(good.unsigned)))
    assert 8 < len(passed) < 8 * len(good.unsigned)


@pytest.mark.parametrize("name", NAMES)
def test_every_bit_of_the_stated_height_is_refused_or_shows(world: World, name: str) -> None:
    good = item(world, name)
    heights = (int.from_bytes(one) for one in flips(HEIGHT.to_bytes(8)))
    assert altered(world, good, (sealed(world, good, {"height": one}) for one in heights))


def test_every_bit_of_the_name_of_the_stated_height_is_refused(world: World) -> None:
    good = item(world, "payment")
    names = (one.decode("latin-1") for one in flips(b"height"))
    assert not altered(world, good, (sealed(world, good, {name: HEIGHT}) for name in names))


def test_every_bit_of_a_transfers_order_and_line_shows(world: World) -> None:
    good = item(world, "payment")
    (ref,) = good.transfers
    others = [replace(ref, order=one) for one in flips(ref.order)]
    others += [replace(ref, line=int.from_bytes(one)) for one in flips(ref.line.to_bytes(4))]
    requests = (sealed(world, replace(good, transfers=(one,))) for one in others)
    assert len(altered(world, good, requests)) == len(others)


@pytest.mark.parametrize("name", NAMES)
def test_every_bit_of_the_key_path_is_refused(world: World, name: str) -> None:
    """Another path that the signer issued shows on the review, and its key is not the one that the bytes name."""
    good = item(world, name)
    steps = list(world.path(0))
    paths = [
        (*steps[:place], int.from_bytes(one), *steps[place + 1 :])
        for place, step in enumerate(steps)
        for one in flips(step.to_bytes(4))
    ]
    for request in altered(world, good, (sealed(world, replace(good, keys=(path,))) for path in paths)):
        with pytest.raises(Refusal):
            world.sign(request, people=["carol", "ann", "ben"])


@pytest.mark.parametrize("name", ["payment", "tickets", "signer_list"])
def test_what_is_signed_after_all_does_not_fit_what_was_meant(tmp_path: Path, name: str) -> None:
    world = make_world(tmp_path / "signer", limits={"kinds": KINDS, "more": ANY, "free": 100_000}, count=3)
    good = item(world, name)
    passed = altered(world, good, (sealed(world, replace(good, unsigned=one)) for one in flips(good.unsigned)))
    meant = XRPL.decode(good.unsigned, {"height": HEIGHT}, good.keys, NETWORK)
    signed = 0
    for request in passed[:: max(1, len(passed) // 12)]:
        try:
            answer, opened = open_answer(world.sign(request, people=["carol", "ann", "ben"]))
        except Refusal:
            continue  # the key is another, or an earlier one of these binds the transfer or has emptied the wallet
        signed += 1
        assert opened.signers == (world.station,)
        with pytest.raises(XrplRefusal):
            XRPL.assemble(meant, answer.signatures)
    assert signed


# --- sealed documents ------------------------------------------------------------------------------


def test_every_bit_of_a_sealed_request_is_refused(world: World) -> None:
    with world.box() as box:
        request = sealed(world, item(world, "payment"))
        assert not world.examine(box, request).objections
        for one in flips(request):
            with pytest.raises(Refusal):
                world.examine(box, one)


def test_every_bit_of_a_sealed_answer_is_refused(tmp_path: Path) -> None:
    world = make_world(tmp_path / "signer")
    answer = world.sign(world.request(world.payment(80_000, to=world.hot, sequence=7)))
    assert open_answer(answer)[1].signers == (world.station,)
    for one in flips(answer):
        with pytest.raises(Refusal):
            open_answer(one)


def test_every_bit_of_an_approval_is_refused(tmp_path: Path) -> None:
    world = make_world(tmp_path / "signer")
    with world.box() as box:
        examination = world.examine(box, world.request(world.payment(80_000, sequence=7)))
        (approval,) = world.approvals(examination, box)
        for one in flips(approval):
            with pytest.raises(Refusal):
                ceremony.sign(box, examination, [one])
        assert ceremony.sign(box, examination, [approval])


def test_every_bit_of_a_packed_request_is_refused_or_unpacks_to_the_same(world: World) -> None:
    request = sealed(world, item(world, "payment"))
    for one in flips(pack(request)):
        try:
            assert unpack(one) == request
        except Refusal:
            continue


def test_a_stranger_as_the_signer_list_is_refused_by_policy(world: World) -> None:
    bad = build_signer_list(world.terms(sequence=7), 1, [(STRANGER, 1)])
    with world.box() as box:
        examination = world.examine(box, sealed(world, Item(bad, (world.path(0),), ())))
    assert [one.code for one in examination.objections] == ["foreign-signing-key"]
