"""Requests, answers, approvals and cards: they come back as they went, in one form only, and never altered.

Bad bodies are a table of changes to a good one, signed again with the right key: the refusal is the reader's own, and
not the signature's.
"""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from shared import envelope
from shared.encoding import decode, encode
from shared.envelope import (
    ANSWER,
    APPROVAL,
    CARD,
    MOST_CARD_KEYS,
    MOST_ITEMS,
    MOST_KEYS,
    MOST_TRANSFERS,
    NOTHING_SEEN,
    REQUEST,
    Approval,
    Declined,
    Item,
    Lot,
    SeenLog,
    SigningAnswer,
    SigningRequest,
    TransferRef,
    WalletCard,
    card_addresses,
    card_keys,
    open_answer,
    open_approval,
    open_card,
    open_request,
    order_id,
    seal_answer,
    seal_approval,
    seal_card,
    seal_request,
)
from shared.errors import BadField, BadKey, Refusal, WrongDocument
from shared.hdkeys import derive
from shared.sealed import seal

KEY = SigningKey(bytes(range(32)))
PUBLIC = KEY.verify_key.encode()
OTHER = SigningKey(bytes(32))
SEEN = SeenLog(3, b"r" * 32)
ORDERS = (order_id("a"), order_id("b"))


def sign(message: bytes) -> bytes:
    return KEY.sign(message).signature


NODE = derive(bytes(range(16)), "secp256k1", (2**31 + 44,)).public()
REFS = (TransferRef(ORDERS[0], 0), TransferRef(ORDERS[1], 5), TransferRef(ORDERS[0], 2**32 - 1))
ITEMS = (
    Item(b"\x12\x00first", ((1, 2**31),), REFS[:2]),
    Item(b"\x12\x00secon", ((), (7,)), ()),
    Item(b"x", (), REFS[2:]),
)
LOTS = (Lot("xrpl:local", {"height": 9, "who": "me", "raw": b"\0", "yes": True, "none": None}, ITEMS),
        Lot("xrpl:testnet", {}, ITEMS[:1]))
REQUESTED = SigningRequest(PUBLIC, bytes(32), 1_800_000_000, SEEN, LOTS)
NO = (Declined(1, "no"), Declined(4, "\u00e9"))
ANSWERED = SigningAnswer(b"d" * 32, (b"s" * 64, b"t" * 64), NO, "note\n", (b"h" * 32,))
APPROVED = Approval(b"d" * 32, (Declined(0, "why"),), NOTHING_SEEN)
CARDED = WalletCard(PUBLIC, "cold", "xrpl:local", "cold", "secp256k1", 0, NODE.public_key + NODE.chain_code, ())
NUMBERED = replace(CARDED, curve="ed25519", xpub=b"", keys=(b"k" * 32, b"l" * 32))

SEALED = {
    REQUEST: seal_request(REQUESTED, sign),
    ANSWER: seal_answer(ANSWERED, PUBLIC, sign),
    APPROVAL: seal_approval(APPROVED, PUBLIC, sign),
    CARD: seal_card(CARDED, sign),
}
OPEN: Mapping[str, Callable[[bytes], Any]] = {
    REQUEST: open_request, ANSWER: open_answer, APPROVAL: open_approval, CARD: open_card,
}
VALUES: Mapping[str, Any] = {REQUEST: REQUESTED, ANSWER: ANSWERED, APPROVAL: APPROVED, CARD: CARDED}

# --- there and back --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SEALED)
def test_what_was_sealed_opens_as_it_was_and_names_its_signer(kind: str) -> None:
    value, opened = OPEN[kind](SEALED[kind])
    assert value == VALUES[kind]
    assert opened.signers == (PUBLIC,)
    assert opened.digest == hashlib.sha256(b"lockgate\0" + kind.encode() + b"\0" + opened.body).digest()


def test_a_card_of_numbered_keys_opens_as_it_was() -> None:
    assert open_card(seal_card(NUMBERED, sign))[0] == NUMBERED


refs = st.builds(TransferRef, st.sampled_from(ORDERS) | st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1))
paths = st.lists(st.integers(0, 2**32 - 1), max_size=10).map(tuple)
items = st.builds(
    Item, st.binary(max_size=40), st.lists(paths, max_size=3).map(tuple), st.lists(refs, max_size=3).map(tuple)
)
plain = st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
lots = st.builds(
    Lot, st.sampled_from(["xrpl:local", "n"]), st.dictionaries(st.text("abc", max_size=3), plain, max_size=3),
    st.lists(items, min_size=1, max_size=4).map(tuple),
)
roots = st.binary(min_size=32, max_size=32).filter(any)
seen = st.just(NOTHING_SEEN) | st.builds(SeenLog, st.integers(1, 2**48), roots)
requests = st.builds(
    SigningRequest, st.just(PUBLIC), st.binary(min_size=32, max_size=32), st.integers(0, 2**40), seen,
    st.lists(lots, min_size=1, max_size=3).map(tuple),
)
reasons = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
declined = st.dictionaries(st.integers(0, MOST_ITEMS), reasons, max_size=4).map(
    lambda many: tuple(Declined(position, many[position]) for position in sorted(many))
)
hashes = st.binary(min_size=32, max_size=32)


@settings(max_examples=60)
@given(requests)
def test_every_request_comes_back_as_it_went(request: SigningRequest) -> None:
    assert open_request(seal_request(request, sign))[0] == request


@settings(max_examples=40)
@given(
    st.builds(SigningAnswer, hashes, st.lists(st.binary(min_size=64, max_size=64), max_size=3).map(tuple), declined,
              st.text("ab\n\u2014 ", max_size=40), st.lists(hashes, max_size=3).map(tuple)),
    st.builds(Approval, hashes, declined, seen),
)
def test_every_answer_and_approval_comes_back_as_it_went(answer: SigningAnswer, approval: Approval) -> None:
    assert open_answer(seal_answer(answer, PUBLIC, sign))[0] == answer
    assert open_approval(seal_approval(approval, PUBLIC, sign))[0] == approval


def test_positions_count_along_all_lots() -> None:
    flat = REQUESTED.flat()
    assert [item.unsigned for _, item in flat] == [b"\x12\x00first", b"\x12\x00secon", b"x", b"\x12\x00first"]
    assert [lot.network for lot, _ in flat] == ["xrpl:local"] * 3 + ["xrpl:testnet"]


def test_a_transfers_id_is_made_of_its_order_and_line_alone() -> None:
    made = {TransferRef(order_id(key), line).transfer_id for key in ("a", "b") for line in range(50)}
    assert len(made) == 100
    assert {len(one) for one in made} == {16}
    assert TransferRef(order_id("a"), 7).transfer_id == TransferRef(order_id("a"), 7).transfer_id


def test_the_ids_of_an_order_and_a_transfer_stay_what_they_are() -> None:
    assert order_id("order").hex() == hashlib.sha256(b"lockgate/order\0order").hexdigest()[:32]
    message = b"lockgate/transfer\0" + order_id("order") + bytes([0, 0, 1, 0])
    assert TransferRef(order_id("order"), 256).transfer_id == hashlib.sha256(message).digest()[:16]


# --- alterations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SEALED)
def test_every_flipped_bit_of_a_sealed_document_is_refused(kind: str) -> None:
    sealed = bytearray(SEALED[kind])
    for place in range(len(sealed) * 8):
        sealed[place // 8] ^= 1 << place % 8
        with pytest.raises(Refusal):
            OPEN[kind](bytes(sealed))
        sealed[place // 8] ^= 1 << place % 8


@pytest.mark.parametrize("kind", SEALED)
def test_every_cut_and_every_byte_too_many_is_refused(kind: str) -> None:
    sealed = SEALED[kind]
    for blob in [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0", b"\0" + sealed]:
        with pytest.raises(Refusal):
            OPEN[kind](blob)


@pytest.mark.parametrize("kind", SEALED)
@pytest.mark.parametrize("other", SEALED)
def test_a_document_of_one_kind_is_no_other(kind: str, other: str) -> None:
    if kind != other:
        with pytest.raises(WrongDocument):
            OPEN[kind](SEALED[other])


@pytest.mark.parametrize("kind", SEALED)
def test_a_second_signature_is_refused(kind: str) -> None:
    body = OPEN[kind](SEALED[kind])[1].body
    both = seal(kind, body, [(PUBLIC, sign), (OTHER.verify_key.encode(), lambda text: OTHER.sign(text).signature)])
    with pytest.raises(BadField, match=r"several have signed it|another key"):
        OPEN[kind](both)


@pytest.mark.parametrize("kind", [REQUEST, CARD])
def test_a_document_signed_by_another_than_it_names_is_refused(kind: str) -> None:
    body = OPEN[kind](SEALED[kind])[1].body
    with pytest.raises(BadField, match="another key"):
        OPEN[kind](seal(kind, body, [(OTHER.verify_key.encode(), lambda text: OTHER.sign(text).signature)]))


# --- bodies that are not right ---------------------------------------------------------------------

Change = Callable[[Any], object]


def put(*path: str | int, to: object) -> Change:
    """Make a change that puts a value at a place of a decoded body."""

    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        body[path[-1]] = to

    return change


def drop(*path: str) -> Change:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[int(step)] if step.isdigit() else body[step]
        del body[path[-1]]

    return change


LOT: tuple[str | int, ...] = ("lots", 0)
BAD: Mapping[str, Mapping[str, Change]] = {
    REQUEST: {
        "unknown_field": put("more", to=1),
        "unknown_field_of_a_lot": put(*LOT, "more", to=1),
        "missing_seen": drop("seen"),
        "missing_context": drop("lots", "0", "context"),
        "short_station": put("station", to=b"s" * 31),
        "text_as_signer": put("signer", to="s" * 32),
        "time_far_beyond": put("created", to=2**40 + 1),
        "seen_of_three": put("seen", to=[3, b"r" * 32, 1]),
        "seen_of_another_shape": put("seen", to=[b"r" * 32, 3]),
        "seen_true": put("seen", 0, to=True),
        "seen_nothing_with_a_root": put("seen", to=[0, b"r" * 32]),
        "seen_something_without_a_root": put("seen", to=[3, bytes(32)]),
        "seen_beyond_48_bits": put("seen", 0, to=2**48 + 1),
        "no_lots": put("lots", to=[]),
        "too_many_lots": lambda body: body["lots"].extend([body["lots"][1]] * 15),
        "lot_that_is_no_map": put("lots", 1, to=[1]),
        "lot_without_items": lambda body: body["lots"][1].update(lengths=[], unsigned=b"", keys=[], transfers=[]),
        "order_that_nobody_names": lambda body: body["orders"].append(b"o" * 16),
        "orders_not_in_the_order_of_their_first_use": put(*LOT, "transfers", 0, to=[1, 5, 0, 0]),
        "order_twice": lambda body: body["orders"].append(body["orders"][0]),
        "order_missing": lambda body: body["orders"].pop(),
        "order_of_15_bytes": put("orders", 0, to=b"o" * 15),
        "order_that_is_text": put("orders", 0, to="o" * 16),
        "transfer_of_a_missing_order": put(*LOT, "transfers", 0, 0, to=2),
        "transfer_without_a_line": lambda body: body["lots"][0]["transfers"][0].pop(),
        "transfer_beyond_32_bits": put(*LOT, "transfers", 0, 1, to=2**32),
        "transfers_of_another_shape": put(*LOT, "transfers", 0, to=7),
        "transfers_for_fewer_items": lambda body: body["lots"][0]["transfers"].pop(),
        "too_many_transfers": put(*LOT, "transfers", 0, to=[0, 0] * (MOST_TRANSFERS + 1)),
        "too_many_transfers_together": put(*LOT, "transfers", to=[[0, 0] * (MOST_TRANSFERS // 2)] * 3),
        "keys_for_more_items": lambda body: body["lots"][0]["keys"].append([]),
        "too_many_keys": put(*LOT, "keys", 0, to=[[]] * (MOST_KEYS + 1)),
        "too_long_a_path": put(*LOT, "keys", 0, 0, to=[1] * 11),
        "path_step_beyond_32_bits": put(*LOT, "keys", 0, 0, 0, to=2**32),
        "path_step_true": put(*LOT, "keys", 0, 0, 0, to=True),
        "path_step_as_text": put(*LOT, "keys", 0, 0, 0, to="1"),
        "path_that_is_no_list": put(*LOT, "keys", 0, 0, to=b"\1"),
        "lengths_too_long": put(*LOT, "lengths", 0, to=8),
        "lengths_too_short": put(*LOT, "lengths", 2, to=0),
        "length_of_100001": put(*LOT, "lengths", 0, to=100_001),
        "length_as_text": put(*LOT, "lengths", 0, to="7"),
        "lengths_for_fewer_items": lambda body: body["lots"][0]["lengths"].pop(),
        "one_byte_too_many": put(*LOT, "unsigned", to=b"x" * 16),
        "unsigned_as_list": put(*LOT, "unsigned", to=[b"x"]),
        "network_of_41_letters": put(*LOT, "network", to="x" * 41),
        "context_that_is_no_map": put(*LOT, "context", to=[1]),
        "list_in_the_context": put(*LOT, "context", "height", to=[9]),
        "map_in_the_context": put(*LOT, "context", "height", to={"height": 9}),
        "too_many_items": lambda body: body["lots"][1].update(
            lengths=[1] * 2_001, unsigned=b"x" * 2_001, keys=[[]] * 2_001, transfers=[[]] * 2_001
        ),
        "too_many_items_in_two_lots": lambda body: body["lots"][1].update(
            lengths=[1] * 1_998, unsigned=b"x" * 1_998, keys=[[]] * 1_998, transfers=[[]] * 1_998
        ),
    },
    ANSWER: {
        "unknown_field": put("transaction", to=b""),
        "missing_checkpoint": drop("checkpoint"),
        "signature_of_63_bytes": put("signatures", to=b"s" * 127),
        "too_many_signatures": put("signatures", to=b"s" * 64 * (4 * MOST_ITEMS + 1)),
        "signatures_as_list": put("signatures", to=[b"s" * 64]),
        "digest_of_31_bytes": put("request", to=b"d" * 31),
        "declined_twice": put("declined", to=[[1, "a"], [1, "b"]]),
        "declined_out_of_order": put("declined", to=[[4, "a"], [1, "b"]]),
        "declined_without_a_reason": put("declined", 0, to=[1]),
        "declined_for_nothing": put("declined", 0, to=[1, ""]),
        "declined_for_a_number": put("declined", 0, to=[1, 1]),
        "declined_with_too_much_to_say": put("declined", 0, to=[1, "x" * 201]),
        "declined_beyond_all_positions": put("declined", 1, to=[MOST_ITEMS + 1, "x"]),
        "declined_that_is_no_pair": put("declined", 0, to="1 no"),
        "proof_hash_of_31_bytes": put("consistency", 0, to=b"h" * 31),
        "proof_of_65_hashes": put("consistency", to=[b"h" * 32] * 65),
        "checkpoint_of_1001_letters": put("checkpoint", to="x" * 1_001),
    },
    APPROVAL: {
        "unknown_field": put("person", to="carol"),
        "missing_request": drop("request"),
        "seen_of_one": put("seen", to=[0]),
        "declined_as_map": put("declined", to={}),
    },
    CARD: {
        "unknown_field": put("secret", to=b""),
        "missing_tier": drop("tier"),
        "neither_xpub_nor_keys": put("xpub", to=b""),
        "both_xpub_and_keys": put("keys", to=[NODE.public_key]),
        "xpub_of_64_bytes": put("xpub", to=b"x" * 64),
        "xpub_of_66_bytes": put("xpub", to=b"x" * 66),
        "short_xpub_beside_keys": lambda body: body.update(xpub=b"x", keys=[NODE.public_key]),
        "xpub_on_ed25519": put("curve", to="ed25519"),
        "key_of_another_curve": lambda body: body.update(xpub=b"", keys=[b"k" * 32]),
        "too_many_keys": lambda body: body.update(xpub=b"", keys=[NODE.public_key] * (MOST_CARD_KEYS + 1)),
        "unknown_curve": put("curve", to="p256"),
        "unknown_tier": put("tier", to="lukewarm"),
        "wallet_name_with_escape_codes": put("wallet", to="\x1b[2Jcold"),
        "wallet_name_that_is_a_path": put("wallet", to="../cold"),
        "empty_wallet_name": put("wallet", to=""),
        "hardened_account": put("account", to=2**31),
        "network_as_number": put("network", to=0),
    },
}


@pytest.mark.parametrize(("kind", "name"), [(kind, f"{name}_refused") for kind in BAD for name in BAD[kind]])
def test_a_well_signed_body_that_is_not_right_is_refused(kind: str, name: str) -> None:
    body: Any = decode(OPEN[kind](SEALED[kind])[1].body)
    BAD[kind][name.removesuffix("_refused")](body)
    with pytest.raises(BadField):
        OPEN[kind](seal(kind, encode(body), [(PUBLIC, sign)]))


@pytest.mark.parametrize("kind", SEALED)
@pytest.mark.parametrize("body", [b"", b"\x00", encode([]), encode("x"), b"\xbf\xff", b"\x9b" + b"\xff" * 8])
def test_a_well_signed_body_that_is_no_map_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Refusal):
        OPEN[kind](seal(kind, body, [(PUBLIC, sign)]))


@pytest.mark.parametrize(
    "change",
    [
        put(*LOT, "transfers", 0, to=[0] * 200_000),
        put(*LOT, "keys", 0, to=[[0] * 10] * 20_000),
        put("lots", to=[{}] * 200_000),
        put("orders", to=[b""] * 200_000),
        put(*LOT, "lengths", to=[0] * 200_000),
        put(*LOT, "lengths", to=[2**64 - 1] * 3),
    ],
)
def test_a_hostile_request_takes_no_more_memory_than_its_own_length_explains(change: Change) -> None:
    body: Any = decode(open_request(SEALED[REQUEST])[1].body)
    change(body)
    blob = seal(REQUEST, encode(body), [(PUBLIC, sign)])
    tracemalloc.start()
    try:
        with pytest.raises(BadField):
            open_request(blob)
        assert tracemalloc.get_traced_memory()[1] < 120 * max(len(blob), 10_000)
    finally:
        tracemalloc.stop()


def test_a_request_may_hold_exactly_the_most_transactions() -> None:
    lot = Lot("xrpl:local", {}, (Item(b"x", (), ()),) * (MOST_ITEMS // 2))
    full = replace(REQUESTED, lots=(lot, lot))
    assert len(open_request(seal_request(full, sign))[0].flat()) == MOST_ITEMS


def test_one_column_wise_form_is_what_crosses() -> None:
    """A change of these bytes needs a decision record and a new kind."""
    assert hashlib.sha256(SEALED[REQUEST]).hexdigest()[:16] == "4ac7513477ecbc2a"
    body: Any = decode(open_request(SEALED[REQUEST])[1].body)
    assert body["orders"] == list(ORDERS)
    assert body["lots"][0]["lengths"] == [7, 7, 1]
    assert body["lots"][0]["unsigned"] == b"\x12\x12\x00\x00fsiercsotn" + b"x"
    assert body["lots"][0]["transfers"] == [[0, 0, 1, 5], [], [0, 2**32 - 1]]


# --- the keys of a card ----------------------------------------------------------------------------


def test_a_card_with_an_extended_key_gives_the_children_below_its_first_chain() -> None:
    assert card_keys(CARDED, 3) == tuple(NODE.child(0).child(index).public_key for index in range(3))
    assert card_keys(CARDED, 0) == ()


def test_a_card_of_numbered_keys_gives_those_it_has() -> None:
    assert card_keys(NUMBERED, 1) == NUMBERED.keys[:1]
    assert card_keys(NUMBERED, 9) == NUMBERED.keys


def test_a_cards_addresses_are_those_of_its_keys() -> None:
    found = card_addresses(CARDED, 2)
    assert len(set(found)) == 2
    assert all(address.startswith("r") for address in found)


@pytest.mark.parametrize(
    "point", [bytes(33), b"\x02" + b"\xff" * 32, b"\x04" + NODE.public_key[1:], b"\x02" + bytes(31) + b"\x05"]
)
def test_an_extended_key_that_is_no_point_is_refused_when_its_keys_are_asked_for(point: bytes) -> None:
    card = open_card(seal_card(replace(CARDED, xpub=point + bytes(32)), sign))[0]
    with pytest.raises(BadKey):
        card_keys(card, 1)


def test_nothing_of_this_module_knows_a_private_key() -> None:
    assert not [name for name in dir(envelope) if "private" in name.lower() or "secret" in name.lower()]
