"""The rules of XRPL transactions: each row is a good transaction with one thing wrong, and its refusal.

Rows change fields, not bytes; the codec writes them and `decode` reads them, as the signer does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import coincurve
import pytest

from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.addresses import encode_address
from shared.chains.xrpl.build import (
    Terms,
    build_account_set,
    build_payment,
    build_regular_key,
    build_signer_list,
    build_tickets,
)
from shared.chains.xrpl.fields import TOP, Fields, header
from shared.chains.xrpl.memos import memo_text, parse_memo_text, plain_memo
from shared.chains.xrpl.model import Memo, Tx
from shared.effects import Claim, Destination, Expiry
from shared.errors import (
    Refusal,
    UnknownChain,
    WrongNetwork,
    XrplFieldMissing,
    XrplFieldOrder,
    XrplFieldRefused,
    XrplMalformed,
    XrplMemoRefused,
    XrplSequence,
    XrplSettingRefused,
    XrplTypeRefused,
)
from shared.money import Amount, Asset

MAIN, LOCAL = "xrpl:mainnet", "xrpl:local"
KEY = coincurve.PrivateKey(b"\x07" * 32).public_key.format()
ACCOUNT = XRPL.address(KEY, "secp256k1", MAIN)
OTHER, THIRD = encode_address(b"\x01" * 20), encode_address(b"\x02" * 20)
PATH = (1 << 31,)
CONTEXT: dict[str, int | str | bytes | bool | None] = {"height": 100}


def terms(**changes: Any) -> Terms:
    values = {"sequence": 7} | changes
    return Terms(values.pop("network", MAIN), ACCOUNT, values.pop("public_key", KEY), 12, 200, **values)


def payment(to: Destination | None = None, **changes: Any) -> bytes:
    t = terms(**changes)
    return build_payment(t, to or Destination(OTHER, 5), Amount(XRPL.network(t.network).native, 1_000_000))


def decode(unsigned: bytes, network: str = MAIN) -> Tx:
    return cast("Tx", XRPL.decode(unsigned, CONTEXT, [PATH], network))


GOOD = {
    "payment": payment(),
    "tickets": build_tickets(terms(), 250),
    "account-set": build_account_set(terms(), set_flag="require-dest"),
    "regular-key": build_regular_key(terms(), OTHER),
    "signer-list": build_signer_list(terms(), 2, [(THIRD, 1), (OTHER, 1)]),
}


def entries(*pairs: tuple[int, int]) -> list[Any]:
    return [{"Account": bytes([first]) * 20, "SignerWeight": weight} for first, weight in pairs]


def memo(**parts: bytes) -> dict[str, Any]:
    return {"Memos": [parts]}


OWN = codec.read(GOOD["payment"])["Account"]
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("payment", {"Amount": 0}, "xrpl-payment-refused"),
    ("payment", {"Destination": OWN}, "xrpl-payment-refused"),
    ("payment", {"Destination": None}, "xrpl-field-missing"),
    ("payment", {"Amount": None}, "xrpl-field-missing"),
    ("payment", {"TransactionType": None}, "xrpl-field-missing"),
    ("payment", {"Account": None}, "xrpl-field-missing"),
    ("payment", {"Fee": None}, "xrpl-field-missing"),
    ("payment", {"Sequence": None}, "xrpl-field-missing"),
    ("payment", {"SigningPubKey": None}, "xrpl-field-missing"),
    ("payment", {"TransactionType": 21}, "xrpl-type-refused"),
    ("payment", {"TransactionType": 999}, "xrpl-type-refused"),
    ("payment", {"Flags": 0x00020000}, "xrpl-flags-refused"),
    ("payment", {"Flags": 0x40000000}, "xrpl-flags-refused"),
    ("payment", {"Flags": 0xC0000000}, "xrpl-flags-refused"),
    ("payment", {"TicketCount": 1}, "xrpl-field-refused"),
    ("payment", {"RegularKey": b"\1" * 20}, "xrpl-field-refused"),
    ("payment", {"Sequence": 0}, "xrpl-sequence"),
    ("payment", {"TicketSequence": 3}, "xrpl-sequence"),
    ("payment", {"Sequence": 0, "TicketSequence": 0}, "xrpl-sequence"),
    ("payment", {"Fee": 0}, "xrpl-no-fee"),
    ("payment", {"LastLedgerSequence": None}, "xrpl-no-expiry"),
    ("payment", {"LastLedgerSequence": 0}, "xrpl-expired"),
    ("payment", {"LastLedgerSequence": 100}, "xrpl-expired"),
    ("payment", {"NetworkID": 0}, "xrpl-network-id-present"),
    ("payment", {"NetworkID": 21337}, "xrpl-network-id-present"),
    ("payment", {"SigningPubKey": b"\2" * 32}, "xrpl-key-refused"),
    ("payment", {"SigningPubKey": b"\4" * 33}, "xrpl-key-refused"),
    ("payment", {"TxnSignature": b"\1" * 70}, "xrpl-already-signed"),
    ("payment", {"Signers": []}, "xrpl-already-signed"),
    ("payment", {"Memos": []}, "xrpl-memo-refused"),
    ("payment", memo(), "xrpl-memo-refused"),
    ("payment", memo(MemoData=b""), "xrpl-memo-refused"),
    ("payment", memo(MemoType=b"no blanks"), "xrpl-memo-refused"),
    ("payment", memo(MemoFormat=b"\xff"), "xrpl-memo-refused"),
    ("payment", memo(MemoData=b"\1" * 1100), "xrpl-memo-refused"),
    ("payment", memo(MemoData=b"\1" * 1020), "xrpl-memo-refused"),
    ("tickets", {"TicketCount": 0}, "xrpl-ticket-count"),
    ("tickets", {"TicketCount": 251}, "xrpl-ticket-count"),
    ("tickets", {"TicketCount": None}, "xrpl-field-missing"),
    ("account-set", {"SetFlag": 0}, "xrpl-setting-refused"),
    ("account-set", {"SetFlag": 5}, "xrpl-setting-refused"),
    ("account-set", {"SetFlag": 8}, "xrpl-setting-refused"),
    ("account-set", {"ClearFlag": 11}, "xrpl-setting-refused"),
    ("account-set", {"ClearFlag": 1}, "xrpl-setting-refused"),
    ("regular-key", {"RegularKey": OWN}, "xrpl-regular-key-refused"),
    ("signer-list", {"SignerQuorum": None}, "xrpl-field-missing"),
    ("signer-list", {"SignerQuorum": 0}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerQuorum": 3}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": None}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": []}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": entries((2, 1), (1, 1))}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": entries((1, 1), (1, 1))}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": entries((1, 0), (2, 2))}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": [{"SignerWeight": 2}]}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": [{"Account": b"\1" * 20}]}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": [{"Account": OWN, "SignerWeight": 2}]}, "xrpl-signer-list-refused"),
    ("signer-list", {"SignerEntries": entries(*((n, 1) for n in range(1, 34)))}, "xrpl-malformed"),
]


@pytest.mark.parametrize(("kind", "changes", "code"), ROWS)
def test_a_transaction_with_one_thing_wrong_is_refused(kind: str, changes: dict[str, Any], code: str) -> None:
    fields = cast("Fields", {**codec.read(GOOD[kind]), **changes})
    with pytest.raises(Refusal) as refusal:
        decode(codec.write(fields))
    assert refusal.value.code == code
    assert refusal.value.hint


def field_bytes(type_code: int, field_code: int, rest: bytes) -> bytes:
    return header(type_code, field_code) + rest


CUT = GOOD["payment"]
END = codec.read(CUT)["Destination"]
BYTES: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "xrpl-field-missing"),
    ("a byte behind the end", CUT + b"\0", "xrpl-malformed"),
    ("an end of object behind the end", CUT + b"\xe1", "xrpl-field-unknown"),
    ("an end of array behind the end", CUT + b"\xf1", "xrpl-field-unknown"),
    ("a half header", CUT + b"\x80", "xrpl-malformed"),
    ("a field twice", CUT + b"\x83\x14" + END, "xrpl-field-order"),
    ("a field out of order", CUT + field_bytes(2, 3, b"\0\0\0\1"), "xrpl-field-order"),
    ("a header longer than needed", CUT.replace(b"\x24\0\0\0\7", b"\x20\x04\0\0\0\7", 1), "xrpl-malformed"),
    ("a header that hides behind a zero", CUT.replace(b"\x73", b"\0\x73", 1), "xrpl-field-unknown"),
    ("three bytes of header longer than needed", CUT + b"\0\x11\x05", "xrpl-malformed"),
    ("Paths", CUT + field_bytes(18, 1, b"\0"), "xrpl-field-refused"),
    ("a field of tomorrow", CUT + field_bytes(20, 30, b"\0"), "xrpl-field-unknown"),
    ("SendMax", CUT.replace(b"\x68", b"\x69", 1), "xrpl-field-refused"),
    ("a token amount", CUT.replace(b"\x61\x40", b"\x61\xc0", 1), "xrpl-token-amount"),
    ("a negative amount", CUT.replace(b"\x61\x40", b"\x61\0", 1), "bad-amount"),
    ("more than there is", CUT.replace(b"\x61\x40", b"\x61\x60", 1), "bad-amount"),
    ("a short account", CUT.replace(b"\x83\x14" + END, b"\x83\x13" + END[:19]), "xrpl-malformed"),
    ("no account", CUT.replace(END, bytes(20)), "xrpl-malformed"),
    ("a field cut short", CUT[:-1], "xrpl-malformed"),
    ("a number cut short", CUT[:5], "xrpl-malformed"),
    ("a length cut short", CUT[: -len(END) - 1], "xrpl-malformed"),
    ("a length of three bytes", CUT + field_bytes(8, 8, b"\xf1\0\0"), "xrpl-malformed"),
    ("a long length cut short", CUT + field_bytes(8, 8, b"\xc1"), "xrpl-malformed"),
    ("a length that is too long", CUT + field_bytes(8, 8, b"\xc1\0" + bytes(5)), "xrpl-malformed"),
    ("an object in an array of memos", CUT + b"\xf9\xeb\xe1\xf1", "xrpl-malformed"),
    ("an array that does not end", CUT + b"\xf9", "xrpl-malformed"),
    ("an object that does not end", CUT + b"\xf9\xea", "xrpl-malformed"),
    ("a stranger in a memo", CUT + b"\xf9\xea\x24\0\0\0\1\xe1\xf1", "xrpl-field-refused"),
    ("a long blob", CUT + bytes(20_000), "xrpl-malformed"),
]


@pytest.mark.parametrize(("blob", "code"), [row[1:] for row in BYTES], ids=[row[0] for row in BYTES])
def test_bytes_that_are_not_the_one_encoding_are_refused(blob: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        decode(blob)
    assert refusal.value.code == code


@pytest.mark.parametrize("type_code", [1, 19, 20, 21])
def test_a_refused_type_is_called_by_its_name(type_code: int) -> None:
    names = {1: "EscrowCreate", 19: "DepositPreauth", 20: "TrustSet", 21: "AccountDelete"}
    with pytest.raises(XrplTypeRefused, match=names[type_code]):
        decode(b"\x12" + type_code.to_bytes(2, "big") + GOOD["payment"][3:])


BAD_VALUES: list[dict[str, Any]] = [
    {"Sequence": 2**32},
    {"Sequence": -1},
    {"Sequence": True},
    {"TransactionType": 2**16},
    {"InvoiceID": b"\1"},
    {"InvoiceID": "00"},
    {"SigningPubKey": "00"},
    {"SigningPubKey": bytes(12_481)},
    {"Account": b"\1"},
    {"Memos": [{"MemoData": bytes(9000)}, {"MemoData": bytes(9000)}]},
]


@pytest.mark.parametrize("fields", BAD_VALUES)
def test_a_value_that_its_field_cannot_hold_is_not_written(fields: dict[str, Any]) -> None:
    with pytest.raises(XrplMalformed):
        codec.write(cast("Fields", fields))


@pytest.mark.parametrize("read", [decode, lambda blob: XRPL.explain(blob, MAIN)])
def test_bytes_that_would_be_encoded_otherwise_are_refused(
    read: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of defence, shown with a codec that overlooks a byte."""
    strict = codec.read
    monkeypatch.setattr(codec, "read", lambda blob: strict(blob[:-1]))
    with pytest.raises(XrplFieldOrder, match="again"):
        read(GOOD["payment"] + b"\0")


def test_the_table_stands_in_canonical_order() -> None:
    orders = [field.order for field in TOP.by_name.values()]
    assert orders == sorted(set(orders))


# --- networks -------------------------------------------------------------------------------------


def test_a_network_above_1024_needs_its_own_id() -> None:
    unsigned = payment(network=LOCAL)
    assert decode(unsigned, LOCAL).network == LOCAL
    for change, code in ((None, "xrpl-network-id-missing"), (21338, "xrpl-network-id-wrong")):
        fields = cast("Fields", {**codec.read(unsigned), "NetworkID": change})
        with pytest.raises(Refusal) as refusal:
            decode(codec.write(fields), LOCAL)
        assert refusal.value.code == code
    with pytest.raises(UnknownChain):
        decode(unsigned, "xrpl:nowhere")


# --- the context ----------------------------------------------------------------------------------

SEVERAL: dict[str, Any] = {"height": 100, "signer": OTHER, "public_key": KEY}
CONTEXTS: list[tuple[bytes, dict[str, Any]]] = [
    (KEY, {}),
    (KEY, {"height": 0}),
    (KEY, {"height": True}),
    (KEY, {"height": "100"}),
    (KEY, {"height": 2**32}),
    (KEY, {"height": 100, "amount": 5}),
    (KEY, SEVERAL),
    (b"", {"height": 100}),
    (b"", SEVERAL | {"more": 1}),
    (b"", SEVERAL | {"signer": ACCOUNT}),
    (b"", SEVERAL | {"signer": 5}),
    (b"", SEVERAL | {"signer": "rrr"}),
    (b"", SEVERAL | {"public_key": KEY[1:]}),
    (b"", SEVERAL | {"public_key": KEY.hex()}),
    (b"", SEVERAL | {"public_key": b"\5" * 33}),
]


@pytest.mark.parametrize(("key", "context"), CONTEXTS)
def test_a_context_that_states_too_little_or_too_much_is_refused(key: bytes, context: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        XRPL.decode(payment(public_key=key), context, [PATH], MAIN)
    assert refusal.value.code in ("xrpl-context-refused", "bad-address")


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_key_signs(count: int) -> None:
    with pytest.raises(Refusal, match="one key"):
        XRPL.decode(GOOD["payment"], CONTEXT, [PATH] * count, MAIN)


# --- effects --------------------------------------------------------------------------------------


def test_a_payment_has_its_destination_amount_fee_claim_and_expiry() -> None:
    effects = XRPL.effects(decode(payment(Destination(OTHER, 0, plain_memo("invoice 7")), source_tag=3)))
    (paid,) = effects.payments
    assert (paid.source, paid.destination) == (ACCOUNT, Destination(OTHER, 0, 'data="invoice 7"'))
    assert (str(paid.amount), str(effects.fee_most)) == ("1 XRP", "0.000012 XRP")
    assert effects.claims == (Claim(f"{MAIN}/{ACCOUNT}", "sequence 7"),)
    assert effects.expiry == Expiry(200, 100)
    assert (effects.kind, effects.source, effects.fee_payer, effects.settings) == (
        "payment",
        ACCOUNT,
        ACCOUNT,
        (),
    )
    assert effects.facts == ("source tag 3",)


def test_a_ticket_is_claimed_instead_of_a_sequence() -> None:
    effects = XRPL.effects(decode(payment(sequence=None, ticket=17)))
    assert effects.claims == (Claim(f"{MAIN}/{ACCOUNT}", "ticket 17"),)


Build = Callable[[], bytes]
SETTINGS: list[tuple[Build, str, str, str, bool, tuple[str, ...]]] = [
    (
        lambda: build_tickets(terms(), 250),
        "tickets",
        "tickets",
        "creates 250 tickets (250 x owner reserve)",
        False,
        (),
    ),
    (
        lambda: build_tickets(terms(), 1),
        "tickets",
        "tickets",
        "creates 1 ticket (1 x owner reserve)",
        False,
        (),
    ),
    (
        lambda: build_account_set(terms(), set_flag="require-dest"),
        "account-set",
        "require-dest on",
        "account flag require-dest on",
        False,
        (),
    ),
    (
        lambda: build_account_set(terms(), clear_flag="deposit-auth"),
        "account-set",
        "deposit-auth off",
        "account flag deposit-auth off",
        False,
        (),
    ),
    (
        lambda: build_account_set(terms(), set_flag="disable-master"),
        "account-set",
        "disable-master on",
        "the master key may no longer sign",
        True,
        (),
    ),
    (
        lambda: build_account_set(terms(), clear_flag="disable-master"),
        "account-set",
        "disable-master off",
        "the master key may sign again",
        True,
        (ACCOUNT,),
    ),
    (
        lambda: build_regular_key(terms(), OTHER),
        "regular-key",
        "regular-key",
        f"the key of {OTHER} may sign",
        True,
        (OTHER,),
    ),
    (
        lambda: build_regular_key(terms(), None),
        "regular-key",
        "regular-key",
        "removes the regular key",
        True,
        (),
    ),
    (
        lambda: build_signer_list(terms(), 2, [(THIRD, 2), (OTHER, 1)]),
        "signer-list",
        "signer-list",
        f"quorum 2 of total weight 3: {OTHER} weight 1, {THIRD} weight 2",
        True,
        (OTHER, THIRD),
    ),
    (
        lambda: build_signer_list(terms(), 0, []),
        "signer-list",
        "signer-list",
        "removes the signer list",
        True,
        (),
    ),
]


@pytest.mark.parametrize(("build", "kind", "what", "detail", "who", "keys"), SETTINGS)
def test_a_setting_says_what_changes_and_who_may_sign(
    build: Build, kind: str, what: str, detail: str, who: bool, keys: tuple[str, ...]
) -> None:
    effects = XRPL.effects(decode(build()))
    (change,) = effects.settings
    assert (effects.kind, effects.payments, change.account) == (kind, (), ACCOUNT)
    assert (change.what, change.detail, change.who_may_sign, change.keys) == (what, detail, who, keys)


def test_an_account_set_of_nothing_says_so() -> None:
    effects = XRPL.effects(decode(build_account_set(terms(sequence=None, ticket=9))))
    assert (effects.settings, effects.facts) == ((), ("changes nothing, and uses up its sequence or ticket",))


def test_flags_invoice_memo_and_a_foreign_key_are_facts() -> None:
    fields = cast("Fields", {**codec.read(GOOD["payment"]), "Flags": 0x80000000, "InvoiceID": b"\xab" * 32})
    fields["Account"] = b"\5" * 20
    assert XRPL.effects(decode(codec.write(fields))).facts == (
        "invoice id " + "ab" * 32,
        "transaction flags 0x80000000",
        f"signed with the regular key {ACCOUNT}",
    )
    tickets = cast("Fields", {**codec.read(GOOD["tickets"]), **memo(MemoData=b"x")})
    assert XRPL.effects(decode(codec.write(tickets))).facts == ('memo data="x"',)


def test_every_flip_of_a_bit_is_refused_or_changes_effects_or_payload() -> None:
    """The signer compares the payload's key with its own, so a changed key never gets a signature."""
    for unsigned in GOOD.values():
        fields = cast("Fields", {**codec.read(unsigned), "Flags": 0x80000000})
        whole = codec.write(fields)
        true = decode(whole)
        seen = (XRPL.effects(true), XRPL.payloads(true)[0].public_key)
        for bit in range(len(whole) * 8):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            try:
                tx = decode(bytes(flipped))
            except Refusal:
                continue
            assert (XRPL.effects(tx), XRPL.payloads(tx)[0].public_key) != seen


# --- building -------------------------------------------------------------------------------------


def test_a_payment_of_another_networks_coin_is_not_built() -> None:
    with pytest.raises(WrongNetwork):
        build_payment(terms(), Destination(OTHER), Amount(Asset(LOCAL, "XRP", 6), 5))


@pytest.mark.parametrize("change", [{"sequence": None}, {"ticket": 5}])
def test_a_transaction_is_built_with_a_sequence_or_a_ticket(change: dict[str, Any]) -> None:
    with pytest.raises(XrplSequence):
        payment(**change)


def test_a_flag_of_no_name_is_not_built() -> None:
    with pytest.raises(XrplSettingRefused):
        build_account_set(terms(), set_flag="no-freeze")


def test_both_flags_of_an_account_set_are_built_and_shown() -> None:
    effects = XRPL.effects(
        decode(build_account_set(terms(), set_flag="disallow-xrp", clear_flag="require-dest"))
    )
    assert [change.what for change in effects.settings] == ["disallow-xrp on", "require-dest off"]


def test_an_ed25519_key_of_32_bytes_gets_its_prefix() -> None:
    assert codec.read(payment(public_key=b"\7" * 32))["SigningPubKey"] == b"\xed" + b"\7" * 32


def test_understanding_asks_for_a_type() -> None:
    with pytest.raises(XrplFieldMissing):
        decode(codec.write({"Fee": 5}))
    with pytest.raises(XrplFieldRefused):
        decode(codec.write(cast("Fields", {**codec.read(GOOD["tickets"]), "Amount": 5})))


# --- memos ----------------------------------------------------------------------------------------

MEMOS = [
    ((Memo(memo_data=b"invoice 7"),), 'data="invoice 7"'),
    ((Memo(b"text/plain", None, b"a"),), 'type="text/plain" data="a"'),
    ((Memo(b"t", b"f", b'"'),), 'type="t" format="f" data=0x22'),
    ((Memo(memo_data=b"\xc3\xa9"),), "data=0xc3a9"),
    ((Memo(memo_data=b"\\"),), "data=0x5c"),
    ((Memo(memo_data=b"0x41"),), 'data="0x41"'),
    ((Memo(memo_data=b"a + b"), Memo(b"t")), 'data="a + b" + type="t"'),
    ((Memo(memo_data=b" "),), 'data=" "'),
    ((Memo(memo_format=b"f"),), 'format="f"'),
]


@pytest.mark.parametrize(("memos", "text"), MEMOS)
def test_memos_and_their_text_are_one_to_one(memos: tuple[Memo, ...], text: str) -> None:
    assert memo_text(memos) == text
    assert parse_memo_text(text) == memos


def test_random_memos_survive_their_text() -> None:
    lots = random.Random(7)
    alphabet = [b'"', b"+", b" ", b" + ", b"data=", b"\\", b"0x", b"\xff", b"a", b"=", b"\n"]

    def part() -> bytes | None:
        return b"".join(lots.choices(alphabet, k=lots.randint(1, 6))) if lots.random() < 0.7 else None

    for _ in range(2000):
        memos = tuple(Memo(part(), part(), part() or b"z") for _ in range(lots.randint(1, 3)))
        assert parse_memo_text(memo_text(memos)) == memos
        assert memo_text(memos).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        ' data="a"',
        'data="a" ',
        "data=0x61",
        "data=0xC3A9",
        'data="é"',
        'data=""',
        '"' * 9,
        "a" * 5000,
        "\udcff",
    ],
)
def test_a_text_that_is_not_canonical_is_no_memo(text: str) -> None:
    with pytest.raises(XrplMemoRefused):
        parse_memo_text(text)


@pytest.mark.parametrize("text", ["", "\udcff"])
def test_a_plain_memo_is_a_text(text: str) -> None:
    with pytest.raises(XrplMemoRefused):
        plain_memo(text)


def test_a_memo_without_data_is_written_and_read() -> None:
    to = Destination(OTHER, None, 'type="t"')
    assert XRPL.effects(decode(payment(to))).payments[0].destination == to


def test_the_longest_memo_of_1024_bytes_is_accepted() -> None:
    fields = cast("Fields", {**codec.read(GOOD["payment"]), **memo(MemoData=b"\1" * 1019)})
    assert XRPL.effects(decode(codec.write(fields))).payments[0].destination.memo == "data=0x" + "01" * 1019
