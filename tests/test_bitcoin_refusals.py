"""What is not signed: one row for each rule, the request that breaks it and the code of the refusal."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.context import Stated
from shared.chains.bitcoin.counterparty import messages
from shared.chains.bitcoin.counterparty.carriers import encode_outputs
from shared.chains.bitcoin.counterparty.model import EnhancedSend
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.model import Change
from shared.chains.bitcoin.multisig import multisig, witness
from shared.chains.bitcoin.rules import check_outputs
from shared.chains.bitcoin.script import bare_multisig, data_pushes, push, read_push, segwit
from shared.chains.bitcoin.sizes import compact
from shared.chains.bitcoin.taproot import output_key
from shared.chains.bitcoin.transactions import Input, Output, read, write
from shared.der import der_from_raw, raw_from_der
from shared.encoding import encode
from shared.errors import Refusal
from tests.bitcoin_world import (
    HEIGHT,
    REGTEST,
    Pair,
    Request,
    a_pair,
    a_payment,
    a_send,
    key,
    multisig_prevout,
    request,
    with_outputs,
)

HARD = 1 << 31
BASE = a_payment()
MESSAGE = messages.encode(EnhancedSend("XCP", 5, key(9).address, b"\x01"), REGTEST)
PAIR = a_pair(key(0), MESSAGE)
STRANGER = key(7, account=5)
Make = Callable[[], object]


def refused(make: Make, code: str) -> None:
    with pytest.raises(Refusal) as found:
        make()
    assert found.value.code == code


def test_the_request_that_every_row_spoils_is_good_by_itself() -> None:
    assert BASE.signed().blob
    assert PAIR.decode().reveal


def with_transaction(**changed: Any) -> Make:
    return replace(BASE, transaction=replace(BASE.transaction, **changed)).decode


def with_input(**changed: Any) -> Make:
    return with_transaction(inputs=(replace(BASE.transaction.inputs[0], **changed),))


def paying(*outputs: Output) -> Make:
    return with_outputs(BASE, *outputs).decode


def stating(**changed: Any) -> Make:
    return replace(BASE, stated=replace(BASE.stated, **changed)).decode


def context(**changed: Any) -> Make:
    return replace(BASE, extra=changed).decode


def change_to(path: tuple[int, ...], public_key: bytes = key(1).public, index: int = 0) -> Make:
    return stating(change=(Change(index, public_key, path),))


ONE = BASE.transaction.inputs[0]
COIN = BASE.stated.prevouts[0]
WALLET = multisig(2, [key(number, account=3).public for number in range(3)])
UNSORTED = b"\x52" + b"".join(b"\x21" + one for one in reversed(WALLET.keys)) + b"\x53\xae"
FUNDING = replace(BASE.transaction, outputs=(COIN.output,) * 3)
TRUNK = key(0).path[:3]


def spending(prevout: Any, one: Any = None) -> Make:
    found = replace(BASE, stated=replace(BASE.stated, prevouts=(prevout,), change=()), keys=(one or key(0),))
    return found.decode


def with_previous(*previous: bytes, **changed: Any) -> Request:
    spent = Input(bytes.fromhex(FUNDING.txid)[::-1], changed.pop("index", 2), 0xFFFFFFFD)
    transaction = replace(BASE.transaction, inputs=(spent,))
    return replace(BASE, transaction=transaction, stated=replace(BASE.stated, previous=previous, **changed))


SINGLE = {
    "version 1": (with_transaction(version=1), "bitcoin-version"),
    "a relative lock time": (with_input(sequence=0xFFFFFFFE), "bitcoin-sequence"),
    "a lock time ahead": (with_transaction(lock_time=HEIGHT + 1), "bitcoin-lock-time"),
    "a lock time of day": (with_transaction(lock_time=1_700_000_000), "bitcoin-lock-time"),
    "a lock time without effect": (
        with_transaction(lock_time=5, inputs=(replace(ONE, sequence=0xFFFFFFFF),)),
        "bitcoin-lock-time",
    ),
    "an input that spends nothing": (with_input(txid=bytes(32)), "bitcoin-input-refused"),
    "a script in an input": (with_input(script=b"\x51"), "bitcoin-already-signed"),
    "a witness in an input": (with_input(witness=(b"\x01",)), "bitcoin-already-signed"),
    "no outputs": (with_transaction(outputs=()), "bitcoin-malformed"),
    "outputs above inputs": (paying(Output(100_001, STRANGER.script)), "bitcoin-amount-refused"),
    "an output beyond the supply": (
        paying(Output(21 * 10**14 + 1, STRANGER.script)),
        "bitcoin-amount-refused",
    ),
    "dust": (paying(Output(293, STRANGER.script)), "bitcoin-dust"),
    "dust to taproot": (paying(Output(329, key(0, "p2tr").script)), "bitcoin-dust"),
    "a witness version ahead": (paying(Output(9_000, segwit(2, bytes(32)))), "bitcoin-script-refused"),
    "an empty script": (paying(Output(9_000, b"")), "bitcoin-script-refused"),
    "a public key as script": (
        paying(Output(9_000, push(key(1).public) + b"\xac")),
        "bitcoin-script-refused",
    ),
    "an OP_RETURN of text": (paying(Output(0, b"\x6a\x05hello")), "counterparty-not-understood"),
    "an OP_RETURN of opcodes": (paying(Output(0, b"\x6a\x51")), "counterparty-not-understood"),
    "bare multisig to people": (
        paying(Output(9_000, WALLET.witness_script)),
        "counterparty-not-understood",
    ),
    "change that is no output": (change_to((*TRUNK, 0, 1), index=2), "bitcoin-change-refused"),
    "change twice": (
        stating(change=(Change(0, key(1).public, key(1).path),) * 2),
        "bitcoin-change-refused",
    ),
    "change to a stranger": (change_to((*TRUNK, 0, 1), index=1), "bitcoin-change-refused"),
    "change by another key": (change_to((*TRUNK, 0, 1), key(2).public), "bitcoin-change-refused"),
    "change of another account": (
        change_to((*TRUNK[:2], (TRUNK[2] + 1) | HARD, 0, 1)),
        "bitcoin-change-refused",
    ),
    "change far out": (change_to((*TRUNK, 0, 1_000_000)), "bitcoin-change-refused"),
    "change on another branch": (change_to((*TRUNK, 2, 1)), "bitcoin-change-refused"),
    "change on a hardened step": (change_to((*TRUNK, 0, 1 | HARD)), "bitcoin-change-refused"),
    "change without a path": (change_to(()), "bitcoin-change-refused"),
    "change to no point": (change_to((*TRUNK, 0, 1), b"\x02" * 32), "bitcoin-key-refused"),
    "change to a script of no input": (stating(change=(Change(1),)), "bitcoin-change-refused"),
    "another public key": (spending(replace(COIN, opener=key(1).public)), "bitcoin-key-refused"),
    "no public key": (spending(replace(COIN, opener=b"")), "bitcoin-key-refused"),
    "two public keys": (spending(replace(COIN, public_key=key(1).public)), "bitcoin-input-refused"),
    "a legacy input": (
        spending(replace(COIN, output=Output(100_000, b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"))),
        "bitcoin-input-refused",
    ),
    "a nested input": (
        spending(replace(COIN, output=Output(100_000, b"\xa9\x14" + bytes(20) + b"\x87"))),
        "bitcoin-input-refused",
    ),
    "a taproot input with a script": (
        spending(replace(COIN, output=Output(100_000, key(0, "p2tr").script))),
        "bitcoin-key-refused",
    ),
    "a taproot input with another internal key": (
        spending(replace(COIN, output=Output(100_000, key(0, "p2tr").script), opener=key(1).public[1:])),
        "bitcoin-key-refused",
    ),
    "a taproot input with two keys": (
        spending(replace(COIN, output=Output(100_000, key(0, "p2tr").script), public_key=key(1).public)),
        "bitcoin-input-refused",
    ),
    "a taproot input that is no point": (
        spending(replace(COIN, output=Output(100_000, segwit(1, b"\xff" * 32)), opener=b"")),
        "bitcoin-key-refused",
    ),
    "another witness script": (
        spending(replace(multisig_prevout(WALLET, key(0, account=3), 100_000), opener=b"\x51")),
        "bitcoin-input-refused",
    ),
    "a key that is not of the multisig": (
        spending(multisig_prevout(WALLET, key(0), 100_000)),
        "bitcoin-key-refused",
    ),
    "inputs beyond the supply": (
        request([(key(0), 21 * 10**14), (key(1), 1)], [Output(9_000, STRANGER.script)]).decode,
        "bitcoin-amount-refused",
    ),
    "an input twice": (
        replace(
            BASE,
            transaction=replace(BASE.transaction, inputs=(ONE, ONE)),
            stated=replace(BASE.stated, prevouts=(COIN, COIN)),
            keys=(key(0), key(0)),
        ).decode,
        "bitcoin-input-refused",
    ),
    "a key too few": (replace(BASE, keys=()).decode, "bitcoin-key-refused"),
    "an amount too many": (stating(prevouts=(COIN, COIN)), "bitcoin-context-refused"),
    "another network": (replace(BASE, network="bitcoin:lightning").decode, "unknown-chain"),
    # what is stated
    "no height": (context(height=None), "bitcoin-context-refused"),
    "a height of nothing": (context(height=0), "bitcoin-context-refused"),
    "a height that is a time": (context(height=500_000_000), "bitcoin-context-refused"),
    "an unknown name": (context(fee=1), "bitcoin-context-refused"),
    "an envelope without a reveal": (context(envelope=b"\x51"), "bitcoin-context-refused"),
    "amounts that are no bytes": (context(prevouts=5), "bitcoin-context-refused"),
    "amounts that are no CBOR": (context(prevouts=b"\xff"), "bitcoin-context-refused"),
    "amounts that are no list": (context(prevouts=encode({})), "bitcoin-context-refused"),
    "no amounts": (context(prevouts=encode([])), "bitcoin-context-refused"),
    "an amount without a script": (context(prevouts=encode([[b"\x01"]])), "bitcoin-context-refused"),
    "an amount that is a number": (context(prevouts=encode([[1, b"\x51"]])), "bitcoin-context-refused"),
    "an amount with a leading zero": (
        context(prevouts=encode([[b"\x00\x01", b"\x51"]])),
        "bitcoin-context-refused",
    ),
    "an amount beyond the supply": (
        context(prevouts=encode([[b"\xff" * 8, b"\x51"]])),
        "bitcoin-context-refused",
    ),
    "an amount of an empty script": (context(prevouts=encode([[b"\x01", b""]])), "bitcoin-context-refused"),
    "change that is no row": (context(change=encode([5])), "bitcoin-context-refused"),
    "change of no number": (context(change=encode([[True]])), "bitcoin-context-refused"),
    "change of a large number": (context(change=encode([[2**32]])), "bitcoin-context-refused"),
    # previous transactions
    "a previous transaction that nothing spends": (
        stating(previous=(write(FUNDING),)),
        "bitcoin-previous-refused",
    ),
    "a previous transaction twice": (
        with_previous(write(FUNDING), write(FUNDING)).decode,
        "bitcoin-previous-refused",
    ),
    "a previous transaction that is cut": (with_previous(write(FUNDING)[:-1]).decode, "bitcoin-malformed"),
    "an index beyond the previous outputs": (
        with_previous(write(FUNDING), index=3).decode,
        "bitcoin-previous-refused",
    ),
    "an amount that lies": (
        with_previous(
            write(FUNDING), prevouts=(replace(COIN, output=replace(COIN.output, value=100_001)),)
        ).decode,
        "bitcoin-previous-refused",
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_what_is_not_signed(name: str) -> None:
    refused(*SINGLE[name])


def test_a_previous_transaction_that_fits_is_accepted() -> None:
    assert with_previous(write(FUNDING)).signed().blob


def test_change_to_a_coin_of_our_key_and_a_strangers_is_refused_beside_other_coins() -> None:
    mine = key(0)
    shared = multisig(1, [mine.public, STRANGER.public])
    base = request([(mine, 50_000), (mine, 50_000)], [Output(90_000, shared.output_script)])
    prevouts = (base.stated.prevouts[0], multisig_prevout(shared, mine, 50_000))
    spoiled = replace(base, stated=replace(base.stated, prevouts=prevouts, change=(Change(0),)))
    refused(spoiled.decode, "bitcoin-change-refused")
    honest = replace(base, stated=replace(base.stated, prevouts=prevouts))
    (payment,) = BITCOIN.effects(honest.decode()).payments
    assert payment.amount.units == 90_000


def test_change_to_the_script_of_an_input_of_one_key_is_proven_by_its_signature() -> None:
    base = request([(key(0), 50_000), (key(1), 50_000)], [Output(90_000, key(1).script)])
    found = BITCOIN.effects(replace(base, stated=replace(base.stated, change=(Change(0),))).decode())
    assert (found.payments, found.owned) == ((), ())


@pytest.mark.parametrize(
    ("output", "data"),
    [
        (Output(0, b"\x6a\x01A"), ()),
        (Output(1, b"\x6a\x01A"), (0,)),
        (Output(1_001, WALLET.witness_script), (0,)),
    ],
)
def test_data_is_refused_unless_it_is_understood_and_holds_next_to_nothing(
    output: Output, data: tuple[int, ...]
) -> None:
    refused(lambda: check_outputs([output], data), "bitcoin-data-refused")


def test_a_tweak_beyond_the_order_gives_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.chains.bitcoin.taproot.tagged", lambda tag, blob: b"\xff" * 32)
    refused(lambda: output_key(STRANGER.public[1:], b"never tweaked before"), "bitcoin-key-refused")


def test_without_ripemd160_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ValueError(name)

    monkeypatch.setattr("shared.chains.bitcoin.hashes.hashlib.new", missing)
    refused(lambda: hash160(b"never hashed before"), "no-ripemd160")


@pytest.mark.parametrize("der", [b"", b"\x30\x06\x02\x01", b"\x30\x07\x02\x02\x00\x01\x02\x01\x01"])
def test_a_signature_that_is_not_minimal_der_is_refused(der: bytes) -> None:
    refused(lambda: raw_from_der(der), "bad-signature-form")
    assert raw_from_der(der_from_raw(b"\x80" * 32 + b"\x01" * 32)) == b"\x80" * 32 + b"\x01" * 32


def test_a_witness_script_of_something_else_is_no_multisig() -> None:
    script = segwit(0, sha256(b"\x51").digest())
    prevout = multisig_prevout(WALLET, key(0), 100_000)
    refused(
        spending(replace(prevout, opener=b"\x51", output=Output(100_000, script))), "bitcoin-multisig-refused"
    )


def test_a_signature_of_a_stranger_makes_no_witness() -> None:
    refused(lambda: witness(WALLET, {key(9).public: b"", key(8).public: b""}), "bitcoin-multisig-refused")


def test_keys_of_a_multisig_that_do_not_ascend_are_refused() -> None:
    prevout = multisig_prevout(WALLET, key(0, account=3), 100_000)
    script = segwit(0, sha256(UNSORTED).digest())
    bad = replace(prevout, opener=UNSORTED, output=Output(100_000, script))
    refused(spending(bad, key(0, account=3)), "bitcoin-multisig-refused")


@pytest.mark.parametrize("keys", [[], [key(0).public] * 2, [key(n).public for n in range(16)]])
def test_a_multisig_needs_some_different_keys(keys: list[bytes]) -> None:
    refused(lambda: multisig(1, keys), "bitcoin-multisig-refused")


# --- pairs ----------------------------------------------------------------------------------------


def commit_to(*outputs: Output, change: tuple[Change, ...] = ()) -> Make:
    commit = replace(
        PAIR.commit,
        transaction=replace(PAIR.commit.transaction, outputs=outputs),
        stated=replace(PAIR.commit.stated, change=change),
    )
    spend = Input(bytes.fromhex(commit.transaction.txid)[::-1], 0, 0xFFFFFFFF)
    return replace(PAIR, commit=commit, reveal=replace(PAIR.reveal, inputs=(spend,))).decode


def revealing(**changed: Any) -> Make:
    return replace(PAIR, reveal=replace(PAIR.reveal, **changed)).decode


ANCHOR, BACK = PAIR.commit.transaction.outputs
MARK, SPEND = PAIR.reveal.outputs[0], PAIR.reveal.inputs[0]
PAIRS = {
    "a payment in the commit": (
        commit_to(
            ANCHOR, Output(9_000, BACK.script), Output(600, STRANGER.script), change=PAIR.commit.stated.change
        ),
        "bitcoin-pair-refused",
    ),
    "the anchor called change": (commit_to(BACK, change=(Change(0),)), "bitcoin-pair-refused"),
    "an anchor of another envelope": (commit_to(Output(5_000, STRANGER.script)), "bitcoin-pair-refused"),
    "an anchor of dust": (commit_to(replace(ANCHOR, value=329)), "bitcoin-dust"),
    "an anchor that is not spent first": (
        revealing(inputs=(replace(SPEND, index=1),)),
        "bitcoin-pair-refused",
    ),
    "a reveal of another commit": (
        revealing(inputs=(replace(SPEND, txid=b"\x01" * 32),)),
        "bitcoin-pair-refused",
    ),
    "a reveal with another input": (
        revealing(inputs=(SPEND, replace(SPEND, index=1))),
        "bitcoin-pair-refused",
    ),
    "a reveal without its mark": (revealing(outputs=(Output(0, b"\x6a\x01A"),)), "bitcoin-pair-refused"),
    "a reveal that pays a stranger": (
        revealing(outputs=(MARK, Output(330, STRANGER.script))),
        "bitcoin-pair-refused",
    ),
    "a reveal with two outputs besides": (
        revealing(outputs=(MARK, Output(300, key(0).script), Output(300, key(0).script))),
        "bitcoin-pair-refused",
    ),
    "a reveal that pays more than it has": (
        revealing(outputs=(MARK, Output(50_000, key(0).script))),
        "bitcoin-amount-refused",
    ),
    "a reveal of version 1": (revealing(version=1), "bitcoin-version"),
    "a reveal for later": (revealing(lock_time=HEIGHT + 1), "bitcoin-lock-time"),
    "no envelope": (lambda: PAIR.decode(envelope=b""), "bitcoin-context-refused"),
    "an envelope that is none": (lambda: PAIR.decode(envelope=b"\x51"), "counterparty-envelope-refused"),
    "an envelope by another key": (a_pair(key(0), MESSAGE, key(1).public[1:]).decode, "bitcoin-pair-refused"),
    "an envelope by another taproot key": (
        a_pair(key(0, "p2tr"), MESSAGE, key(1).public[1:]).decode,
        "bitcoin-pair-refused",
    ),
    "another key for the reveal": (
        lambda: PAIR.decode(keys=[key(0).path, key(1).path]),
        "bitcoin-pair-refused",
    ),
    "no key for the reveal": (lambda: PAIR.decode(keys=[key(0).path]), "bitcoin-key-refused"),
    "three transactions": (
        lambda: PAIR.decode(
            unsigned=write(PAIR.commit.transaction) + write(PAIR.reveal) + write(BASE.transaction)
        ),
        "bitcoin-malformed",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_that_does_not_belong_together_is_not_signed(name: str) -> None:
    refused(*PAIRS[name])


def test_a_wallet_of_several_keys_signs_no_envelope() -> None:
    one = key(0, account=3)
    pair: Pair = a_pair(one, MESSAGE)
    prevout = multisig_prevout(WALLET, one, 100_000)
    spoiled = replace(pair.commit, stated=replace(pair.commit.stated, prevouts=(prevout,)), keys=(one,))
    refused(replace(pair, commit=spoiled).decode, "bitcoin-pair-refused")


# --- data and dangers -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_data_outputs_of_a_strangers_key_are_refused(form: str) -> None:
    wanted = a_send(key(0, form), MESSAGE, "multisig")
    data = encode_outputs(MESSAGE, wanted.transaction.inputs[0].txid[::-1], "multisig", STRANGER.public)
    outputs = (*(Output(value, script) for value, script in data), wanted.transaction.outputs[-1])
    spoiled = replace(wanted, transaction=replace(wanted.transaction, outputs=outputs))
    refused(spoiled.decode, "bitcoin-data-refused")


def test_money_in_an_op_return_is_refused() -> None:
    wanted = a_send(key(0), MESSAGE)
    outputs = (replace(wanted.transaction.outputs[0], value=1), wanted.transaction.outputs[1])
    with pytest.raises(Refusal):
        replace(wanted, transaction=replace(wanted.transaction, outputs=outputs)).decode()


def test_an_asset_without_known_decimals_is_refused() -> None:
    wanted = a_send(key(0), messages.encode(EnhancedSend("RAREPEPE", 5, key(9).address), REGTEST))
    tx = wanted.decode()
    refused(lambda: BITCOIN.effects(tx), "asset-unknown")
    (payment,) = BITCOIN.effects(tx, {"RAREPEPE": 2}).payments
    assert str(payment.amount) == "0.05 RAREPEPE"


P2SH = b"\xa9\x14" + bytes(20) + b"\x87"


@pytest.mark.parametrize("script", [key(9, "p2tr").script, WALLET.output_script, P2SH])
def test_a_payment_to_a_strangers_script_is_a_danger_that_policy_must_allow(script: bytes) -> None:
    tx = with_outputs(BASE, Output(9_000, script))
    assert BITCOIN.effects(tx.decode()).dangers == (
        "foreign-script-from-asset-address",
        "moves-attached-assets",
    )


def test_a_payment_before_the_change_could_move_attached_assets() -> None:
    change, payment = BASE.transaction.outputs
    turned = replace(
        BASE,
        transaction=replace(BASE.transaction, outputs=(payment, change)),
        stated=replace(BASE.stated, change=(replace(BASE.stated.change[0], index=1),)),
    )
    assert BITCOIN.effects(turned.decode()).dangers == ("moves-attached-assets",)


def test_a_message_without_change_leaves_no_output_for_attached_assets() -> None:
    wanted = a_send(key(0), MESSAGE)
    alone = with_outputs(wanted, wanted.transaction.outputs[0])
    assert BITCOIN.effects(alone.decode()).dangers == ("moves-attached-assets",)


# --- bytes ----------------------------------------------------------------------------------------

RAW = write(BASE.transaction)
SIGNED = BASE.signed().blob


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        RAW[:-1],
        RAW + b"\0",
        RAW[:4] + b"\0\2" + RAW[4:],  # an unknown flag
        RAW[:4] + b"\0\1" + RAW[4:-4] + b"\0" + RAW[-4:],  # witnesses announced, none there
        RAW[:4] + b"\xfd\x01\x00" + RAW[5:],  # a length longer than it need be
        RAW[:4] + b"\xff" + b"\xff" * 8 + RAW[5:],
        RAW[:4] + b"\xfe\xff\xff\xff\x7f" + RAW[5:],
        RAW[:4] + b"\0" + RAW[5:],
        bytes(4_000_001),
        SIGNED[: SIGNED.index(b"\x02\x47")] + b"\xfd\xff\xff" + SIGNED[SIGNED.index(b"\x02\x47") + 1 :]
        if b"\x02\x47" in SIGNED
        else b"\xff",
    ],
)
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    refused(lambda: read(raw), "bitcoin-malformed")


def test_what_is_accepted_after_a_flipped_bit_says_something_else_and_nothing_crashes() -> None:
    lots = random.Random(7)
    wanted = [BASE, a_send(key(0), MESSAGE), a_send(key(0), MESSAGE, "multisig")]
    for _ in range(1_500):
        one = lots.choice(wanted)
        raw, stated = bytearray(write(one.transaction)), one.context()
        name = lots.choice(["", "", "prevouts", "change"])
        target = raw if not name else bytearray(stated[name])
        target[lots.randrange(len(target))] ^= 1 << lots.randrange(8)
        if name:
            stated[name] = bytes(target)
        try:
            assert write(read(bytes(raw))) == bytes(raw)
            tx = BITCOIN.decode(bytes(raw), stated, [each.path for each in one.keys], REGTEST)
            assert BITCOIN.effects(tx) != BITCOIN.effects(one.decode())
        except Refusal:
            continue
        assert BITCOIN.payloads(tx) != BITCOIN.payloads(one.decode()) or name == "change"


def test_a_pair_with_a_flipped_bit_never_crashes() -> None:
    lots = random.Random(8)
    whole = write(PAIR.commit.transaction) + write(PAIR.reveal)
    for _ in range(600):
        raw, leaf = bytearray(whole), bytearray(PAIR.leaf)
        target = lots.choice([raw, leaf])
        target[lots.randrange(len(target))] ^= 1 << lots.randrange(8)
        try:
            PAIR.decode(unsigned=bytes(raw), envelope=bytes(leaf))
        except Refusal:
            continue


# --- scripts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 75, 76, 255, 256, 520])
def test_a_push_is_read_as_it_is_written(size: int) -> None:
    assert data_pushes(b"\x6a" + push(bytes(size))) == (bytes(size),)


@pytest.mark.parametrize(
    "script", [b"", b"\x51", b"\x6a\x4c\x01a", b"\x6a\x02a", b"\x6a\x4d\x01\x00a", b"\x6a\x4c"]
)
def test_a_script_of_other_things_than_shortest_pushes_has_none(script: bytes) -> None:
    assert data_pushes(script) is None


def test_an_opcode_is_no_push() -> None:
    assert read_push(b"\xac", 0) is None


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: b"\x54" + s[1:], lambda s: s[:1] + b"\x20" + s[2:]]
)
def test_a_spoiled_multisig_script_is_none(spoil: Callable[[bytes], bytes]) -> None:
    assert bare_multisig(spoil(WALLET.witness_script)) is None
    assert bare_multisig(WALLET.witness_script) == (2, WALLET.keys)


def test_compact_sizes_end_at_64_bits() -> None:
    assert [len(compact(number)) for number in (252, 253, 65_535, 65_536, 2**32)] == [1, 3, 3, 5, 9]
    with pytest.raises(ValueError, match="64 bits"):
        compact(2**64)


def test_a_context_is_written_as_it_is_read() -> None:
    stated = replace(BASE.stated, previous=(b"\x01",))
    assert isinstance(stated, Stated)
    assert BASE.context()["height"] == HEIGHT
