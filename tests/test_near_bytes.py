"""NEAR's bytes have one reading: what is cut, longer, reordered or flipped in one bit is refused or shows.

Every kind of request is tried, through the door that the signer uses and the text that people read.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.chains.near import NEAR, borsh
from shared.chains.near.borsh import Reader
from shared.chains.near.codec import MOST_BYTES, encode_transaction, read_transaction
from shared.chains.near.decode import read_unsigned
from shared.chains.near.delegates import (
    encode_delegate,
    is_delegate,
    read_delegate,
    read_signed,
    relayed,
)
from shared.chains.near.model import AddKey, DeleteKey, FunctionCall, Transfer
from shared.chains.near.nep413 import Message, encode_message, read_message
from shared.errors import NearMalformed, NearMessageRefused, Refusal
from shared.review import Reviewed, context_lines, review
from tests.near_house import (
    BLOCK,
    KEY,
    ME,
    NETWORK,
    OTHERS,
    PATH,
    REGISTER,
    SECRET,
    USDT,
    context_of,
    decoded,
    delegate,
    drawn_delegate,
    drawn_transaction,
    kinds,
    transaction,
)

KINDS = kinds()


def text_of(kind: str, unsigned: bytes, context: dict[str, int] | None = None) -> tuple[str, ...] | None:
    """Give what a person reads of these bytes; None where they are refused."""
    stated = context or context_of(kind)
    try:
        tx = decoded(unsigned, stated)
        effects = NEAR.effects(tx, REGISTER)
    except Refusal:
        return None
    transfers = tuple(bytes(16) for _ in effects.payments)
    return review([Reviewed(effects, (PATH,), context_lines(stated), transfers)], bytes(32)).lines


def flips(blob: bytes) -> Iterator[bytes]:
    number, width = int.from_bytes(blob), len(blob)
    for bit in range(8 * width):
        yield (number ^ 1 << bit).to_bytes(width)


@pytest.mark.parametrize("kind", KINDS)
def test_any_flipped_bit_of_the_unsigned_bytes_is_refused_or_shows(kind: str) -> None:
    meant = text_of(kind, KINDS[kind])
    assert meant is not None
    texts = [text_of(kind, one) for one in flips(KINDS[kind])]
    assert meant not in texts
    shown = [one for one in texts if one is not None]
    assert len(shown) == len(set(shown))
    assert 8 < len(shown) < len(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_any_flipped_bit_of_the_context_is_refused_or_shows(kind: str) -> None:
    context = context_of(kind)
    meant = text_of(kind, KINDS[kind])
    for name, value in context.items():
        changed = (int.from_bytes(one) for one in flips(value.to_bytes(8)))
        assert all(text_of(kind, KINDS[kind], {**context, name: one}) != meant for one in changed)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_cut_at_any_place_are_refused(kind: str) -> None:
    assert not [size for size in range(len(KINDS[kind])) if text_of(kind, KINDS[kind][:size])]


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_behind_the_end_are_refused(kind: str) -> None:
    lots = random.Random(kind)
    tails = [b"\0", b"\xff", bytes(65), KINDS[kind], *(lots.randbytes(size) for size in range(1, 100))]
    assert not [tail for tail in tails if text_of(kind, KINDS[kind] + tail)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_behind_the_bytes_is_refused_by_its_own_code(kind: str) -> None:
    with pytest.raises(Refusal) as caught:
        decoded(KINDS[kind] + b"\0" + bytes(64), context_of(kind))
    assert caught.value.code == "near-already-signed"


def test_reordered_fields_are_refused() -> None:
    one = transaction(Transfer(5))
    fields = {
        "signer": borsh.text(one.signer, ""), "key": b"\0" + one.public_key, "nonce": borsh.number(one.nonce, 8, ""),
        "receiver": borsh.text(one.receiver, ""), "block": one.block_hash,
        "actions": borsh.number(1, 4, "") + b"\3" + borsh.number(5, 16, ""),
    }  # fmt: skip
    orders = list(permutations(fields))
    assert b"".join(fields[name] for name in orders[0]) == encode_transaction(one)
    texts = {order: text_of("payment", b"".join(fields[name] for name in order)) for order in orders}
    read = {order for order, text in texts.items() if text is not None}
    swapped = ("receiver", "key", "nonce", "signer", "block", "actions")  # bob.near pays: it shows
    assert read == {orders[0], swapped}
    assert texts[orders[0]] != texts[swapped]


@pytest.mark.parametrize("actions", list(permutations([AddKey(OTHERS[0]), DeleteKey(KEY), AddKey(OTHERS[1])])))
def test_a_ceremonys_actions_in_another_order_are_refused_or_read_as_they_stand(actions: tuple[object, ...]) -> None:
    unsigned = encode_transaction(transaction(*actions, receiver=ME))  # type: ignore[arg-type]
    shown = text_of("near-rotate", unsigned)
    assert (shown is not None) is isinstance(actions[-1], DeleteKey)


@given(st.integers(0, 2**64))
def test_what_was_written_reads_back_the_same(seed: int) -> None:
    lots = random.Random(seed)
    one, other = drawn_transaction(lots), drawn_delegate(lots)
    assert read_transaction(encode_transaction(one)) == one
    assert read_delegate(encode_delegate(other)) == other
    assert not is_delegate(encode_transaction(one))
    assert is_delegate(encode_delegate(other))
    assert read_unsigned(encode_transaction(one)) == one
    assert read_unsigned(encode_delegate(other)) == other


@given(st.integers(0, 2**64), st.data())
def test_bytes_that_read_at_all_are_the_one_encoding_of_what_was_read(seed: int, data: st.DataObject) -> None:
    raw = bytearray(encode_transaction(drawn_transaction(random.Random(seed))))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_transaction(bytes(raw))
    except Refusal:
        return
    assert encode_transaction(found) == raw


@given(st.binary(max_size=300))
def test_no_bytes_make_anything_but_a_refusal_or_a_value(raw: bytes) -> None:
    for read in (read_transaction, read_delegate, read_unsigned, read_signed, read_message,
                 lambda raw: NEAR.explain(raw, NETWORK)):
        try:
            read(raw)
        except Refusal as refusal:
            assert refusal.code  # noqa: PT017


@pytest.mark.parametrize("module", ["decode", "explain"])
def test_bytes_that_would_not_encode_back_to_themselves_are_refused(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such bytes are known; a fault in the codec would make some, and this is what stands against it."""
    monkeypatch.setattr(f"shared.chains.near.{module}.encode", lambda inner: KINDS["near-lanes"])
    with pytest.raises(NearMalformed, match="encoding the transaction again"):
        decoded(KINDS["payment"]) if module == "decode" else NEAR.explain(KINDS["payment"], NETWORK)


# --- every tag that is never signed ---------------------------------------------------------------------

KEYS = b"\0" + bytes(32)
HEAD = encode_transaction(transaction(Transfer(1)))[:-17]


@pytest.mark.parametrize(("body", "code"), [
    (b"\x00", "near-create-account"),
    (b"\x01" + bytes(4), "near-deploy-contract"),
    (b"\x04" + bytes(16) + KEYS, "near-stake"),
    (b"\x07" + borsh.text("bob.near", ""), "near-delete-account"),
    (b"\x08" + encode_delegate(delegate(Transfer(1))) + bytes(65), "near-delegate-inside"),
    (b"\x09", "near-later-action"), (b"\x0e", "near-later-action"), (b"\xff", "near-later-action"),
    (b"\x05" + KEYS + bytes(8) + b"\0\0" + borsh.text("zz.near", "") + bytes(4), "near-function-call-key"),
    (b"\x05" + KEYS + bytes(8) + b"\2", "near-gas-key"),
    (b"\x05" + KEYS + bytes(8) + b"\3", "near-gas-key"),
    (b"\x05" + KEYS + bytes(8) + b"\4", "near-malformed"),
    (b"\x05\1" + bytes(64), "near-key-type"),
    (b"\x05\2" + bytes(1952), "near-key-type"),
    (b"\x06\1" + bytes(64), "near-key-type"),
    (b"\x06\3" + bytes(64), "near-malformed"),
    (b"\x02" + borsh.sized(b"\xff") + bytes(28), "near-malformed"),
    (b"\x02" + borsh.sized(b"x" * 257) + bytes(28), "near-malformed"),
    (b"\x02" + borsh.sized(b"x") + b"\xff\xff\xff\xff" + bytes(28), "near-malformed"),
])  # fmt: skip
@pytest.mark.parametrize("where", ["alone", "in a delegate action"])
def test_every_action_that_is_never_signed_is_refused_by_its_own_code(body: bytes, code: str, where: str) -> None:
    unsigned = HEAD + body
    if where != "alone":
        plain = encode_delegate(delegate(Transfer(1)))
        place = plain.index(b"\3\1")
        unsigned = plain[:place] + body + plain[place + 17 :]
    with pytest.raises(Refusal) as caught:
        read_unsigned(unsigned)
    assert caught.value.code == code


@pytest.mark.parametrize(("unsigned", "code"), [
    (b"\1" + encode_transaction(transaction(Transfer(1))), "near-version"),
    (b"\2" + encode_transaction(transaction(Transfer(1))), "near-version"),
    (b"\x07" + encode_transaction(transaction(Transfer(1))), "near-version"),
    (borsh.text("bob.near", "") + b"\1" + bytes(64), "near-key-type"),
    (borsh.text("bob.near", "") + b"\2" + b"\xff" * 1952, "near-key-type"),
    (borsh.sized(b"\xff\xff"), "near-malformed"),
    (borsh.sized(b"x" * 65), "near-malformed"),
    (bytes(MOST_BYTES + 1), "near-malformed"),
    (encode_transaction(transaction(*[FunctionCall("m", bytes(60_000), 1, 1)] * 2)), "near-malformed"),
    (b"", "near-malformed"),
])  # fmt: skip
def test_other_versions_keys_and_lengths_are_refused_by_name(unsigned: bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_unsigned(unsigned)
    assert caught.value.code == code


# --- parts ------------------------------------------------------------------------------------------------


def test_what_has_no_encoding_is_not_written() -> None:
    for value, size in ((-1, 1), (256, 1), (2**128, 16), (True, 1)):
        with pytest.raises(NearMalformed):
            borsh.number(value, size, "a number")
    with pytest.raises(NearMalformed):
        borsh.text("\ud800", "a text")
    with pytest.raises(NearMalformed):
        borsh.fixed(b"x", 2, "bytes")
    with pytest.raises(NearMalformed):
        Reader(b"\1").close()


def test_a_relayers_transaction_holds_the_signed_delegate_action_and_is_never_signed_here() -> None:
    inner = delegate(FunctionCall("ft_transfer", b"{}", 1, 1))
    signed = encode_delegate(inner) + b"\0" + SECRET.sign(b"x").signature
    outer = relayed(signed, "relayer.near", OTHERS[0], 7, BLOCK)
    assert outer.endswith(b"\x01\0\0\0\x08" + signed)
    assert read_signed(signed)[0] == inner
    with pytest.raises(Refusal) as caught:
        read_unsigned(outer)
    assert caught.value.code == "near-delegate-inside"


@pytest.mark.parametrize("cut", [1, 65, 66])
def test_what_is_no_signed_delegate_action_is_not_wrapped(cut: int) -> None:
    signed = encode_delegate(delegate(Transfer(1), receiver=USDT)) + bytes(65)
    with pytest.raises(NearMalformed):
        relayed(signed[:-cut], "relayer.near", OTHERS[0], 7, BLOCK)
    with pytest.raises(NearMalformed):
        relayed(signed + b"\0", "relayer.near", OTHERS[0], 7, BLOCK)


MESSAGE = Message("Hello", bytes(range(32)), "example.near", None)


def test_a_message_that_proves_a_key_is_no_transaction_and_no_delegate_action() -> None:
    for message in (MESSAGE, Message("", bytes(32), "", "https://example.org")):
        assert read_message(encode_message(message)) == message
        with pytest.raises(Refusal):
            read_unsigned(encode_message(message))


@pytest.mark.parametrize(("raw", "kind"), [
    (encode_message(MESSAGE)[1:], NearMessageRefused),
    (bytes(4) + encode_message(MESSAGE)[4:], NearMessageRefused),
    (encode_message(MESSAGE)[:-1] + b"\2", NearMessageRefused),
    (encode_message(MESSAGE)[:-1] + b"\1", NearMalformed),
    (encode_message(MESSAGE)[:-1], NearMalformed),
    (encode_message(MESSAGE) + b"\0", NearMalformed),
])  # fmt: skip
def test_other_bytes_are_no_message(raw: bytes, kind: type[Refusal]) -> None:
    with pytest.raises(kind):
        read_message(raw)


@pytest.mark.parametrize("message", [
    Message("x" * 4097, bytes(32), "a"), Message("x", bytes(32), "a" * 4097), Message("x", bytes(32), "a", "a" * 4097),
    Message("x", bytes(31), "a"), Message("\ud800", bytes(32), "a"),
])  # fmt: skip
def test_messages_that_nobody_would_read_are_not_written(message: Message) -> None:
    with pytest.raises(Refusal):
        encode_message(message)
