"""What is refused of Counterparty, each by its code, and what the accepted messages mean to policy and people."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import coincurve
import pytest

from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty import kinds
from shared.chains.bitcoin.counterparty.arc4 import arc4
from shared.chains.bitcoin.counterparty.assets import asset_id, asset_name
from shared.chains.bitcoin.counterparty.bits import BitReader
from shared.chains.bitcoin.counterparty.carriers import PREFIX, choose_encoding, encode_outputs
from shared.chains.bitcoin.counterparty.cbor import write_array
from shared.chains.bitcoin.counterparty.envelope import (
    build_envelope,
    envelope_control_block,
    envelope_output,
    open_envelope,
    read_envelope,
)
from shared.chains.bitcoin.counterparty.gates import Table, gates, mpma_table, own_reveals_only
from shared.chains.bitcoin.counterparty.history import (
    HistoryInput,
    decode_history,
    p2sh_data,
    read_history,
)
from shared.chains.bitcoin.counterparty.legacy import parse_legacy
from shared.chains.bitcoin.counterparty.meaning import Meaning, asset_of, payments
from shared.chains.bitcoin.counterparty.memos import check_memo, parse_memo_text
from shared.chains.bitcoin.counterparty.messages import decode, encode, options, signable
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Float64,
    Message,
    Mpma,
    MpmaMemo,
    MpmaSend,
    Other,
    Sweep,
)
from shared.chains.bitcoin.counterparty.mpma import check_mpma, read_body
from shared.chains.bitcoin.counterparty.packing import (
    begins_legacy,
    pack,
    pack_legacy,
    unpack,
    unpack_legacy,
)
from shared.chains.bitcoin.counterparty.reading import read, read_leaf
from shared.chains.bitcoin.script import p2pkh, p2sh, push, segwit
from shared.errors import AssetUnknown, Refusal, UnknownChain
from tests.counterparty_strategies import NETWORK, NETWORKS

FAR = 2_000_000
TXID = sha256(b"spent").digest()
KEY = coincurve.PrivateKey(b"\x07" * 32).public_key.format()
ALICE, BOB = (address_of(segwit(0, bytes([n]) * 20), NETWORK) for n in (1, 2))
CAROL = address_of(segwit(1, b"\3" * 32), NETWORK)
SOURCE = address_of(p2pkh(b"\4" * 20), NETWORK)
CHANGE = (5000, segwit(0, b"\4" * 20))
TIME = 1_800_000_000
ZERO, ONE, MINUS = (Float64(bytes([head, low]) + bytes(6)) for head, low in ((0, 0), (0x3F, 0xF0), (0x80, 0)))
SEND = EnhancedSend("XCP", 1000, ALICE, b"order 7")
BLOB = encode(SEND, NETWORK)
TWO = (MpmaSend("XCP", ALICE, 1), MpmaSend("XCP", BOB, 2))


def sweep_bytes(flags: int, memo: bytes) -> bytes:
    return b"\4" + write_array([pack(ALICE, NETWORK), flags, memo])


def send_bytes(asset: int, quantity: int, packed: bytes, memo: bytes = b"") -> bytes:
    return b"\2" + write_array([asset, quantity, packed, memo])


PACKED = pack(ALICE, NETWORK)
OPTIONS = encode(options(True, TIME), NETWORK)

REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "counterparty-not-understood"),
    ("half a type", b"\0\0", "counterparty-not-understood"),
    ("a dispenser", b"\x0c" + bytes(30), "counterparty-kind-refused"),
    ("an order", b"\x0a" + bytes(30), "counterparty-kind-refused"),
    ("an issuance", b"\x14" + bytes(30), "counterparty-kind-refused"),
    ("a dispense", b"\x0d\0", "counterparty-kind-refused"),
    ("a UTXO move", b"\x64abc", "counterparty-kind-refused"),
    ("a detachment", b"\x66abc", "counterparty-kind-refused"),
    ("an unknown kind", b"\xee", "counterparty-kind-refused"),
    ("an unknown kind of four bytes", b"\0\1\2\3", "counterparty-kind-refused"),
    ("a type in four bytes", b"\0\0\0" + BLOB, "counterparty-not-understood"),
    ("a classic send", encode(ClassicSend("XCP", 1), NETWORK), "counterparty-kind-refused"),
    ("a classic send cut short", bytes(4) + bytes(15), "counterparty-not-understood"),
    ("a send of BTC", send_bytes(0, 5, PACKED), "counterparty-asset-refused"),
    ("a send of no asset", send_bytes(5, 5, PACKED), "counterparty-asset-refused"),
    ("a send of nothing", send_bytes(1, 0, PACKED), "counterparty-quantity-refused"),
    ("a send of too much", send_bytes(1, 2**63, PACKED), "counterparty-quantity-refused"),
    ("a memo of 35 bytes", send_bytes(1, 5, PACKED, bytes(35)), "counterparty-memo-refused"),
    (
        "a witness program of version 1 with 20 bytes",
        send_bytes(1, 5, b"\3\1" + bytes(20)),
        "counterparty-address-refused",
    ),
    ("a witness program of version 2", send_bytes(1, 5, b"\3\2" + bytes(32)), "counterparty-address-refused"),
    ("an unknown tag", send_bytes(1, 5, b"\4" + bytes(20)), "counterparty-address-refused"),
    ("a long number", b"\2\x84\x18\1" + BLOB[3:], "counterparty-not-understood"),
    ("an open array", b"\2\x9f" + BLOB[2:] + b"\xff", "counterparty-not-understood"),
    ("a map", b"\2\xa0", "counterparty-not-understood"),
    ("a huge array", b"\2\x9b" + b"\xff" * 8, "counterparty-not-understood"),
    ("a negative number", b"\2\x81\x20", "counterparty-not-understood"),
    ("a string cut short", BLOB[:-1], "counterparty-not-understood"),
    ("an item cut off", b"\2\x84\1", "counterparty-not-understood"),
    ("a number cut short", b"\2\x84\x19\1", "counterparty-not-understood"),
    ("a text for a memo", b"\2" + write_array([1, 5, PACKED, "memo"]), "counterparty-not-understood"),
    ("a float for a quantity", b"\2" + write_array([1, ONE, PACKED, b""]), "counterparty-not-understood"),
    ("three fields", b"\2" + write_array([1, 5, PACKED]), "counterparty-not-understood"),
    (
        "the old form",
        b"\2" + bytes(7) + b"\1" + bytes(7) + b"\5" + pack_legacy(ALICE, NETWORK),
        "counterparty-legacy-form",
    ),
    ("an old sweep", b"\4" + pack_legacy(ALICE, NETWORK) + b"\1", "counterparty-legacy-form"),
    ("a sweep of nothing", sweep_bytes(4, b"memo"), "counterparty-sweep-refused"),
    ("a sweep with unknown flags", sweep_bytes(9, b""), "counterparty-sweep-refused"),
    ("a sweep without the hex memo it says", sweep_bytes(5, b""), "counterparty-sweep-refused"),
    ("a sweep whose text is none", sweep_bytes(1, b"\xff"), "counterparty-memo-refused"),
    ("a lock", encode(Broadcast(TIME, ZERO, 0, "", b"LOCK"), NETWORK), "counterparty-feed-lock"),
    (
        "a lock with blanks",
        encode(Broadcast(TIME, ZERO, 0, "", b" lock "), NETWORK),
        "counterparty-feed-lock",
    ),
    (
        "a lock with a MIME type",
        encode(Broadcast(TIME, 1, 2, "text/plain", b"Lock"), NETWORK),
        "counterparty-feed-lock",
    ),
    (
        "a broadcast",
        encode(Broadcast(TIME, ZERO, 0, "", b"hello"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS 2",
        encode(Broadcast(TIME, ZERO, 0, "", b"OPTIONS 2"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "options in small letters",
        encode(Broadcast(TIME, ZERO, 0, "", b"options 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS with a value",
        encode(Broadcast(TIME, ONE, 0, "", b"OPTIONS 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS with a whole zero",
        encode(Broadcast(TIME, 0, 0, "", b"OPTIONS 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS with a fee",
        encode(Broadcast(TIME, ZERO, 1, "", b"OPTIONS 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS with a MIME type",
        encode(Broadcast(TIME, ZERO, 0, "text/plain", b"OPTIONS 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS of 1970",
        encode(Broadcast(9, ZERO, 0, "", b"OPTIONS 1"), NETWORK),
        "counterparty-broadcast-refused",
    ),
    (
        "OPTIONS of after 2106",
        b"\x1e" + write_array([2**32, ZERO, 0, "", b"OPTIONS 1"]),
        "counterparty-broadcast-refused",
    ),
    (
        "minus zero",
        b"\x1e" + write_array([TIME, MINUS, 0, "", b"OPTIONS 1"]),
        "counterparty-broadcast-refused",
    ),
    (
        "a value that is no number",
        OPTIONS.replace(b"\xfb\0\0", b"\xfb\x7f\xf8"),
        "counterparty-not-understood",
    ),
    ("a value cut short", b"\x1e\x85\0\xfb\0", "counterparty-not-understood"),
    ("a MIME type that is no text", b"\x1e\x85\0\0\0\x61\xff\x40", "counterparty-not-understood"),
    ("OPTIONS and a byte", OPTIONS + b"\0", "counterparty-not-understood"),
    ("a batch without a body", b"\3", "counterparty-not-understood"),
    ("a batch without addresses", b"\3\0\0\0", "mpma-table"),
    ("a batch of no addresses", b"\3\0\0\x40", "counterparty-not-understood"),
    ("a table cut short", b"\3\0\1\x16" + bytes(3), "counterparty-not-understood"),
    ("an address of 43 bytes", b"\3\0\1\x2b" + bytes(43), "counterparty-not-understood"),
    ("a batch without sends", b"\3\0\1\x16" + PACKED, "counterparty-not-understood"),
    ("a batch that ends at once", b"\3\0\1\x16" + PACKED + b"\0", "counterparty-mpma-refused"),
]


@pytest.mark.parametrize(("blob", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_message_is_refused_by_its_code(blob: bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        signable(blob, NETWORK, FAR)
    assert caught.value.code == code


def test_what_is_refused_as_a_kind_is_refused_by_its_name() -> None:
    for type_id, name in (
        (12, "dispenser"),
        (10, "order"),
        (20, "issuance"),
        (101, "attachment"),
        (250, "unknown"),
    ):
        with pytest.raises(Refusal, match=name):
            signable(bytes([type_id]), NETWORK, FAR)
    assert kinds.name_of(2) == "enhanced send"


BATCHES: list[tuple[str, Mpma, str]] = [
    ("one line", Mpma(TWO[:1]), "counterparty-mpma-refused"),
    ("a recipient twice", Mpma((*TWO, MpmaSend("XCP", ALICE, 3))), "counterparty-mpma-refused"),
    ("BTC", Mpma((*TWO, MpmaSend("BTC", ALICE, 3))), "counterparty-asset-refused"),
    ("no asset", Mpma((*TWO, MpmaSend("A1", ALICE, 3))), "counterparty-asset-refused"),
    ("zero", Mpma((*TWO, MpmaSend("PEPECASH", ALICE, 0))), "counterparty-quantity-refused"),
    ("an empty memo", Mpma(TWO, MpmaMemo(b"")), "counterparty-memo-refused"),
    ("64 bytes", Mpma(TWO, MpmaMemo(bytes(64), is_hex=True)), "counterparty-memo-refused"),
    ("no text", Mpma((*TWO, MpmaSend("PEPECASH", ALICE, 1, MpmaMemo(b"\xff")))), "counterparty-memo-refused"),
    (
        "another network",
        Mpma((*TWO, MpmaSend("XCP", "1CounterpartyXXXXXXXXXXXXXXXUWLpVr", 1))),
        "wrong-network",
    ),
]


@pytest.mark.parametrize(("message", "code"), [row[1:] for row in BATCHES], ids=[row[0] for row in BATCHES])
def test_a_batch_that_nodes_would_void_is_never_written(message: Mpma, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        encode(message, NETWORK)
    assert caught.value.code == code


def test_a_batch_has_at_most_65535_addresses() -> None:
    many = Mpma(tuple(MpmaSend("XCP", str(number), 1) for number in range(65_536)))
    with pytest.raises(Refusal, match="65535"):
        check_mpma(many)


def test_a_batch_in_another_order_is_refused() -> None:
    blob = encode(Mpma(TWO), NETWORK)
    first, second = blob[4:26], blob[27:49]
    with pytest.raises(Refusal, match="one form"):
        decode(blob[:4] + second + blob[26:27] + first + blob[49:], NETWORK)


def test_a_line_that_points_outside_of_the_table_is_refused() -> None:
    three = Mpma((*TWO, MpmaSend("XCP", CAROL, 3)))
    body = encode(three, NETWORK)[1:]
    bits = bytearray(body)
    start = len(body) - 27
    for place in range(start * 8, len(body) * 8):
        changed = bytearray(bits)
        changed[place // 8] ^= 128 >> place % 8
        try:
            read_body(bytes(changed), NETWORK, Table.NOW)
        except Refusal as refusal:
            if "outside" in str(refusal):
                return
    raise AssertionError("no line pointed outside")


def test_heights_decide_what_is_read() -> None:
    main = "bitcoin:mainnet"
    assert mpma_table(main, 971_699) is Table.BEFORE
    assert mpma_table(main, 971_700) is Table.NOW
    assert mpma_table("bitcoin:testnet4", 155_499) is Table.BEFORE
    assert mpma_table("bitcoin:signet", 325_500) is Table.NOW
    assert mpma_table(NETWORK, 0) is Table.NOW
    assert [own_reveals_only(main, height) for height in (969_319, 969_320)] == [False, True]
    with pytest.raises(Refusal) as caught:
        signable(BLOB, main, 901_999)
    assert caught.value.code == "counterparty-height"
    with pytest.raises(UnknownChain):
        gates("bitcoin:testnet3")


def test_the_table_of_another_block_has_a_code_of_its_own() -> None:
    old = encode(Mpma(TWO), NETWORK, Table.BEFORE)
    with pytest.raises(Refusal) as caught:
        signable(old, NETWORK, 0)
    assert caught.value.code == "mpma-table"
    new = encode(Mpma(TWO), NETWORK)
    with pytest.raises(Refusal) as caught:
        decode(new, NETWORK, Table.BEFORE)
    assert caught.value.code == "mpma-table"
    assert not any(begins_legacy(size) for size in range(21, 43))


# --- assets, addresses, memos ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("BTC", 0),
        ("XCP", 1),
        ("BAAA", 26**3),
        ("Z" * 12, 26**12 - 1),
        (f"A{26**12 + 1}", 26**12 + 1),
        (f"A{2**64 - 1}", 2**64 - 1),
    ],
)
def test_an_asset_has_one_name_and_one_number(name: str, number: int) -> None:
    assert asset_id(name) == number
    assert asset_name(number) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xcp",
        "ABCD",
        "BAA",
        "B" * 13,
        f"A{26**12}",
        f"A{2**64}",
        "A095428956661682177",
        "PEPECASH.CARD",
        "XCP\n",
        "ßßßß",
    ],
)
def test_a_text_that_is_no_asset_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        asset_id(name)
    assert caught.value.code == "counterparty-asset-refused"


@pytest.mark.parametrize("number", [2, 26**3 - 1, 26**12, 2**64, 2**70])
def test_a_number_that_is_no_asset_is_refused(number: int) -> None:
    with pytest.raises(Refusal):
        asset_name(number)


@pytest.mark.parametrize("network", NETWORKS)
def test_an_address_is_packed_and_unpacked(network: str) -> None:
    old = [p2pkh(bytes(20)), p2sh(bytes(20)), segwit(0, bytes(20))]
    for script in [*old, segwit(0, bytes(32)), segwit(1, bytes(32))]:
        address = address_of(script, network)
        assert unpack(pack(address, network), network) == address
        if script in old:
            assert unpack_legacy(pack_legacy(address, network), network) == address
            assert begins_legacy(pack_legacy(address, network)[0])
        else:
            with pytest.raises(Refusal):
                pack_legacy(address, network)


@pytest.mark.parametrize(
    "packed", [b"", bytes(20), b"\x6f" + bytes(21), b"\x81" + bytes(20), b"\0" + bytes(20)]
)
def test_21_bytes_of_another_network_or_version_are_no_address(packed: bytes) -> None:
    with pytest.raises(Refusal):
        unpack_legacy(packed, NETWORK)


@pytest.mark.parametrize(
    "text", ["", "memo", '""', '"a', "hex ", "hex 0", "hex AB", "hex 6d656d6f", '"a"b"', '"é"', '"\ud800"']
)
def test_a_memo_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Refusal):
        parse_memo_text(text)
    assert parse_memo_text('"memo"') == b"memo"
    assert parse_memo_text("hex 00ff") == b"\0\xff"
    check_memo(b"\xff", 1, is_text=False)


def test_bits_of_nothing_end_at_once() -> None:
    reader = BitReader(b"")
    assert reader.take(0) == 0
    with pytest.raises(Refusal):
        reader.take(1)


# --- carriers -------------------------------------------------------------------------------------


def code_of(outputs: Sequence[tuple[int, bytes]], *, classic: bool = False) -> str:
    with pytest.raises(Refusal) as caught:
        read(TXID, outputs, NETWORK, FAR, classic=classic)
    return caught.value.code


def op_return(plain: bytes) -> tuple[int, bytes]:
    return (0, b"\x6a" + push(arc4(TXID, plain)))


def hidden_key_hash(plain: bytes) -> bytes:
    return p2pkh(arc4(TXID, plain.ljust(20, b"\0")))


def test_payments_alone_carry_nothing() -> None:
    assert read(TXID, [CHANGE, (1, p2pkh(bytes(20)))], NETWORK, FAR) is None
    assert read_history([HistoryInput(TXID)], [CHANGE], NETWORK) is None


def test_data_is_read_where_it_stands() -> None:
    reading = read(TXID, [CHANGE, *encode_outputs(BLOB, TXID, "opreturn"), CHANGE], NETWORK, FAR)
    assert reading is not None
    assert (reading.message, reading.data_outputs, reading.destination_output) == (SEND, (1,), None)


def test_data_in_another_way_than_it_is_written_is_refused() -> None:
    (single,) = encode_outputs(BLOB, TXID, "opreturn")
    first, second = encode_outputs(encode(Mpma(TWO), NETWORK), TXID, "multisig", KEY)
    assert code_of([(1, single[1])]) == "counterparty-carrier-refused"
    assert code_of([single, CHANGE, single]) == "counterparty-carrier-refused"
    assert code_of([single, single]) == "counterparty-not-understood"
    assert code_of([first, CHANGE, second]) == "counterparty-carrier-refused"
    assert code_of([(999, first[1]), second]) == "counterparty-carrier-refused"
    assert code_of([second, first]) == "counterparty-carrier-refused"
    other = encode_outputs(encode(Mpma(TWO), NETWORK), TXID, "multisig", bytes([KEY[0] ^ 1]) + KEY[1:])[1]
    assert code_of([first, other]) == "counterparty-carrier-refused"
    assert code_of([(0, b"\x6a" + push(PREFIX))]) == "counterparty-carrier-refused"
    assert code_of([(0, b"\x6a")]) == "counterparty-not-understood"
    assert code_of([(0, b"\x6a" + push(b"hello"))]) == "counterparty-not-understood"
    assert code_of([(0, single[1] + push(b"x"))]) == "counterparty-not-understood"
    assert code_of([op_return(PREFIX)]) == "counterparty-carrier-refused"
    assert code_of([op_return(PREFIX + b"P2SH")]) == "counterparty-p2sh-dead"


def test_a_real_bare_multisig_is_not_taken_for_data() -> None:
    script = b"\x51" + (b"\x21" + KEY) * 2 + b"\x52\xae"
    assert code_of([(1000, script)]) == "counterparty-not-understood"
    assert read_history([HistoryInput(TXID)], [(1000, script)], NETWORK) is None


def test_what_looks_like_a_payment_and_is_data_is_refused_wherever_it_stands() -> None:
    script = hidden_key_hash(bytes([8 + 3]) + PREFIX + b"abc")
    assert code_of([CHANGE, (546, script)]) == "counterparty-carrier-refused"
    part = BLOB[:11]
    outputs = [
        (546, hidden_key_hash(bytes([8 + len(part)]) + PREFIX + part))
        for part in (BLOB[n : n + 11] for n in range(0, len(BLOB), 11))
    ]
    found = read_history([HistoryInput(TXID)], [CHANGE, *outputs, CHANGE], NETWORK)
    assert found is not None
    assert (found.message, found.encoding, found.blob[:11]) == (SEND, "key-hash", part)
    assert read(TXID, [(546, hidden_key_hash(bytes([20]) + PREFIX))], NETWORK, FAR) is None


@pytest.mark.parametrize(
    ("message", "txid", "encoding", "key"),
    [
        (b"", TXID, "opreturn", b""),
        (bytes(65_001), TXID, "opreturn", b""),
        (BLOB, TXID[1:], "opreturn", b""),
        (BLOB, TXID, "p2sh", b""),
        (BLOB, TXID, "multisig", b""),
        (BLOB, TXID, "multisig", b"\2" + b"\xff" * 32),
    ],
)
def test_outputs_are_written_only_in_an_encoding_that_is_known(
    message: bytes, txid: bytes, encoding: str, key: bytes
) -> None:
    with pytest.raises(Refusal) as caught:
        encode_outputs(message, txid, encoding, key)
    assert caught.value.code == "counterparty-carrier-refused"


def test_the_encoding_is_chosen_as_nodes_choose_it() -> None:
    assert [choose_encoding(bytes(size)) for size in (72, 73)] == ["opreturn", "multisig"]


def test_a_classic_send_goes_to_the_only_output_before_its_data() -> None:
    blob = encode(ClassicSend("XCP", 7), NETWORK)
    (data,) = encode_outputs(blob, TXID, "opreturn")
    paid = (546, segwit(0, b"\1" * 20))
    assert code_of([paid, data, CHANGE]) == "counterparty-kind-refused"
    assert code_of([data, CHANGE], classic=True) == "counterparty-carrier-refused"
    assert code_of([paid, CHANGE, data], classic=True) == "counterparty-carrier-refused"
    reading = read(TXID, [paid, data, CHANGE], NETWORK, FAR, classic=True)
    assert reading is not None
    assert (reading.message, reading.destination_output) == (ClassicSend("XCP", 7, ALICE), 0)
    past = read_history([HistoryInput(TXID)], [paid, data, CHANGE], NETWORK)
    assert past is not None
    assert past.message == reading.message
    assert past.destinations == (ALICE,)


# --- envelopes ------------------------------------------------------------------------------------


X_ONLY = KEY[1:]
LEAF = build_envelope(BLOB, X_ONLY)
ORD = build_envelope(
    encode(Broadcast(TIME, ZERO, 0, "image/png", b"x" * 600), NETWORK), X_ONLY, inscription=True
)
TAIL = b"\x68\x20" + X_ONLY + b"\xac"


def test_an_envelope_that_is_to_be_signed_gives_its_reading() -> None:
    reading = read_leaf(LEAF, NETWORK, FAR)
    assert (reading.message, reading.data_outputs, reading.encoding) == (SEND, (), "taproot")
    assert envelope_output(LEAF)[:2] == b"\x51\x20"
    assert envelope_control_block(LEAF)[1:] == X_ONLY
    inscribed = build_envelope(OPTIONS, X_ONLY, inscription=True)
    with pytest.raises(Refusal) as caught:
        read_leaf(inscribed, NETWORK, FAR)
    assert caught.value.code == "counterparty-broadcast-refused"


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        LEAF[:-1],
        LEAF[1:],
        b"\0\x63" + TAIL,
        b"\0\x63\x51" + TAIL,
        b"\0\x63" + b"\x4d\x09\x02" + bytes(521) + TAIL,
        b"\0\x63" + b"\x4c\x02ab" + TAIL,
        b"\0\x63" + push(b"a") + push(b"b") + TAIL,
        b"\0\x63" + push(b"") + TAIL,
        b"\0\x63" + push(b"ord") + TAIL,
        ORD.replace(b"\x03xcp", b"\x03ord"),
        ORD.replace(b"\x01\x05", b"\x01\x06"),
        ORD.replace(b"image/png", b"image/\xff\xff\xff"),
        ORD.replace(b"\x84\x18\x1e", b"\x84\x18\x1f"),
        ORD.replace(b"\x84\x18\x1e", b"\x85\x18\x1e"),
        ORD.replace(b"\x84\x18\x1e", b"\x80\x18\x1e"),
        b"\0\x63" + b"".join(map(push, (b"ord", b"\7", b"xcp", b"\1", b"a", b"\5", b"\x80", b""))) + TAIL,
        b"\0\x63" + b"".join(map(push, (b"ord", b"\7", b"xcp", b"\1", b"a", b"\5", b"", b"b"))) + TAIL,
        b"\0\x63"
        + b"".join(map(push, (b"ord", b"\7", b"xcp", b"\1", b"a", b"\5", write_array([30, b"x"]), b"")))
        + TAIL,
        b"\0\x63"
        + b"".join(map(push, (b"ord", b"\7", b"xcp", b"\1", b"", b"\5", write_array([30, 1, ZERO, 0]), b"")))
        + TAIL,
    ],
)
def test_a_script_that_is_no_envelope_in_its_one_form_is_refused(leaf: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read_envelope(leaf)
    assert caught.value.code == "counterparty-envelope-refused"


@pytest.mark.parametrize(
    ("message", "key", "inscription"),
    [
        (BLOB, X_ONLY[1:], False),
        (b"", X_ONLY, False),
        (BLOB, X_ONLY, True),
        (b"\x1e" + write_array([1, 2, 3, 4, 5]), X_ONLY, True),
        (b"\x1e\xff", X_ONLY, True),
    ],
)
def test_an_envelope_is_written_only_of_what_it_can_hold(
    message: bytes, key: bytes, inscription: bool
) -> None:
    with pytest.raises(Refusal) as caught:
        build_envelope(message, key, inscription=inscription)
    assert caught.value.code == "counterparty-envelope-refused"


def test_an_envelope_in_small_pieces_is_history() -> None:
    leaf = b"\0\x63" + push(BLOB[:5]) + push(BLOB[5:]) + TAIL
    assert open_envelope(leaf).message == BLOB
    mark = (0, b"\x6a" + push(PREFIX))
    for witness, found in (((b"s", leaf, b"c"), SEND), ((b"s", b"", b"c"), None), ((), None)):
        past = read_history([HistoryInput(TXID, witness=witness)], [mark], NETWORK)
        assert (past and past.message) == found


# --- history --------------------------------------------------------------------------------------


def test_history_stops_where_nodes_stop() -> None:
    (data,) = encode_outputs(BLOB, TXID, "opreturn")
    garbage = (0, b"\x6a" + push(b"hello"))
    two_pushes = (0, b"\x6a" + push(b"a") + push(b"b"))
    for bad in (garbage, two_pushes):
        assert read_history([HistoryInput(TXID)], [bad, data], NETWORK) is None
        past = read_history([HistoryInput(TXID)], [(1, b"\x51"), data, CHANGE, bad], NETWORK)
        assert past is not None
        assert past.message == SEND


def test_other_kinds_of_the_past_are_named() -> None:
    assert decode_history(b"\x0cabc", NETWORK) == Other(12, "dispenser", b"abc")
    with pytest.raises(Refusal):
        decode_history(b"\2abc", NETWORK)
    with pytest.raises(Refusal):
        parse_legacy(3, b"", NETWORK)
    for head, tail in ((b"\x7f\xf0", b""), (b"\xff\xff", b""), (b"\0\0", b"x")):
        with pytest.raises(Refusal):
            parse_legacy(30, bytes(4) + head + bytes(11) + tail, NETWORK)
    assert parse_legacy(30, bytes(17), NETWORK) == Broadcast(0, ZERO, 0, "", b"")


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"\x4c",
        b"\x51",
        push(b"abc"),
        push(b"\x51\xad\x00\x75\x74\x00\x87"),
        push(push(b"CNTRPRTYx") + b"\xad\x00\x75\x74\x00\x87"),
        push(push(b"data") + b"\x75\xad\x00\x75\x74\x00\x87"),
    ],
)
def test_an_input_without_a_data_script_has_no_part_of_a_message(script: bytes) -> None:
    assert p2sh_data(script) is None
    past = read_history([HistoryInput(TXID, script)], [op_return(PREFIX + b"P2SH")], NETWORK)
    assert past is None


# --- meaning --------------------------------------------------------------------------------------


def said(message: Message) -> Meaning:
    return payments(message, SOURCE, NETWORK, {"PEPECASH": 0})


def lines_of(meaning: Meaning) -> list[str]:
    return [f"{payment.amount} -> {payment.destination}" for payment in meaning.payments]


def test_a_send_is_a_payment_with_its_memo() -> None:
    assert lines_of(said(SEND)) == [f'0.00001 XCP -> {ALICE} memo "order 7"']
    assert lines_of(said(EnhancedSend("PEPECASH", 5, BOB))) == [f"5 PEPECASH -> {BOB}"]
    assert lines_of(said(EnhancedSend("PEPECASH", 5, BOB, b"\0"))) == [f"5 PEPECASH -> {BOB} memo hex 00"]
    assert said(SEND).kind == said(ClassicSend("XCP", 1, ALICE)).kind == "counterparty-send"
    assert said(SEND).payments[0].source == SOURCE


def test_a_batch_with_the_old_table_says_by_when_it_must_be_mined() -> None:
    main = "bitcoin:mainnet"
    places = [address_of(segwit(0, bytes([n]) * 20), main) for n in (1, 2)]
    batch = Mpma(tuple(MpmaSend("XCP", place, 1) for place in places))
    for table, height in ((Table.BEFORE, 971_699), (Table.NOW, 971_700)):
        blob = encode(batch, main, table)
        for reading in (
            read(TXID, encode_outputs(blob, TXID, "opreturn"), main, height),
            read_leaf(build_envelope(blob, X_ONLY), main, height),
        ):
            assert reading is not None
            assert ["before block 971700" in fact for fact in reading.facts] == [True] * (
                table is Table.BEFORE
            )


def test_an_asset_that_the_register_does_not_know_is_refused() -> None:
    with pytest.raises(AssetUnknown) as caught:
        said(EnhancedSend("RAREPEPE", 1, ALICE))
    assert caught.value.code == "asset-unknown"
    assert asset_of("XCP", NETWORK, {"XCP": 0}).decimals == 8


def test_a_batch_is_many_payments_and_their_sums() -> None:
    lines = (
        MpmaSend("PEPECASH", ALICE, 5),
        MpmaSend("XCP", ALICE, 10**8, MpmaMemo(b"own")),
        MpmaSend("XCP", BOB, 1),
    )
    meaning = said(Mpma(lines, MpmaMemo(b"for all")))
    assert meaning.kind == "counterparty-mpma"
    assert lines_of(meaning) == [
        f'5 PEPECASH -> {ALICE} memo "for all"',
        f'1 XCP -> {ALICE} memo "own"',
        f'0.00000001 XCP -> {BOB} memo "for all"',
    ]
    assert meaning.facts == (
        "a batch of 3 sends to 2 addresses, all or nothing",
        "in all 5 PEPECASH",
        "in all 1.00000001 XCP",
    )
    assert said(Mpma(lines)).payments[0].destination.memo is None


@pytest.mark.parametrize(
    ("required", "words"), [(True, "memos are required"), (False, "memos are not required")]
)
def test_options_are_a_change_of_the_account(required: bool, words: str) -> None:
    blob = encode(options(required, TIME), NETWORK)
    assert (
        blob
        == bytes.fromhex("1e851a")
        + TIME.to_bytes(4, "big")
        + bytes.fromhex("fb0000000000000000006049")
        + b"OPTIONS %d" % required
    )
    meaning = said(signable(blob, NETWORK, FAR))
    assert (meaning.kind, meaning.payments) == ("counterparty-options", ())
    (change,) = meaning.settings
    assert change.account == SOURCE
    assert words in change.detail
    assert not change.who_may_sign


def test_a_sweep_counts_as_everything() -> None:
    meaning = said(signable(encode(Sweep(BOB, 7, b"\xff"), NETWORK), NETWORK, FAR))
    assert (meaning.kind, meaning.payments) == ("counterparty-sweep", ())
    (change,) = meaning.settings
    assert change.detail == f"every balance and the ownership of every asset goes to {BOB} memo hex ff"
    assert change.who_may_sign
    assert change.keys == (BOB,)
    assert "0.001 XCP" in meaning.facts[0]
    assert said(Sweep(BOB, 1)).settings[0].detail == f"every balance goes to {BOB}"
