"""XRPL against xrpl-py: random accepted transactions, both directions, and damage that must never crash.

xrpl-py's binary codec is the oracle for bytes. It is more lenient than ours, so only what we accept is
compared.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from xrpl.core.binarycodec import decode as their_decode
from xrpl.core.binarycodec import encode as their_encode
from xrpl.core.binarycodec import encode_for_multisigning, encode_for_signing

from shared.chains.xrpl import XRPL, codec
from shared.chains.xrpl.addresses import decode_address, encode_address
from shared.chains.xrpl.fields import Fields
from shared.chains.xrpl.settings import ACCEPTED
from shared.errors import Refusal
from tests.test_xrpl_vectors import fields_from_json

PATH = (1 << 31,)
NETWORKS = ("xrpl:mainnet", "xrpl:testnet", "xrpl:local", "xrpl:net-70000")
IDS = {"xrpl:local": 21337, "xrpl:net-70000": 70000}
URL = "abcXYZ019-._~:/?#[]@!$&'()*+,;=%"


def address(lots: random.Random) -> str:
    return encode_address(lots.randbytes(20))


def number(lots: random.Random, most: int) -> int:
    return lots.choice([1, most, lots.randint(1, most), lots.randint(1, min(most, 1000))])


def memos(lots: random.Random) -> list[dict[str, Any]]:
    found = []
    for _ in range(lots.randint(1, 3)):
        parts = {"MemoData": lots.randbytes(lots.choice([1, 30, 192, 193, 250])).hex().upper()}
        if lots.random() < 0.5:
            parts["MemoType"] = "".join(lots.choices(URL, k=lots.randint(1, 20))).encode().hex().upper()
        if lots.random() < 0.3:
            parts["MemoFormat"] = "".join(lots.choices(URL, k=lots.randint(1, 20))).encode().hex().upper()
        found.append({"Memo": parts})
    return found


def payment(lots: random.Random) -> dict[str, Any]:
    tx: dict[str, Any] = {"TransactionType": "Payment", "Destination": address(lots)}
    tx["Amount"] = str(number(lots, 10**17))
    if lots.random() < 0.6:
        tx["DestinationTag"] = lots.choice([0, number(lots, 2**32 - 1)])
    if lots.random() < 0.1:
        tx["InvoiceID"] = lots.randbytes(32).hex().upper()
    return tx


def tickets(lots: random.Random) -> dict[str, Any]:
    return {"TransactionType": "TicketCreate", "TicketCount": number(lots, 250)}


def account_set(lots: random.Random) -> dict[str, Any]:
    flags = lots.sample(sorted(ACCEPTED), 2)
    chosen = dict(zip(("SetFlag", "ClearFlag"), flags, strict=True))
    return {"TransactionType": "AccountSet"} | {n: f for n, f in chosen.items() if lots.random() < 0.6}


def regular_key(lots: random.Random) -> dict[str, Any]:
    named = {"RegularKey": address(lots)} if lots.random() < 0.7 else {}
    return {"TransactionType": "SetRegularKey"} | named


def signer_list(lots: random.Random) -> dict[str, Any]:
    if lots.random() < 0.1:
        return {"TransactionType": "SignerListSet", "SignerQuorum": 0}
    accounts = sorted(lots.randbytes(20) for _ in range(lots.choice([1, 2, 3, 5, 32])))
    weights = [number(lots, 65_535) for _ in accounts]
    entries = [
        {"SignerEntry": {"Account": encode_address(a), "SignerWeight": w}}
        for a, w in zip(accounts, weights, strict=True)
    ]
    quorum = lots.randint(1, sum(weights))
    return {"TransactionType": "SignerListSet", "SignerQuorum": quorum, "SignerEntries": entries}


MAKERS = (payment, payment, payment, tickets, account_set, regular_key, signer_list)


def transaction(lots: random.Random) -> tuple[str, dict[str, Any]]:
    """Draw an accepted unsigned transaction in XRPL's JSON, and its network."""
    network = lots.choice(NETWORKS)
    key = lots.choice(
        [b"", b"\2" + lots.randbytes(32), b"\3" + lots.randbytes(32), b"\xed" + lots.randbytes(32)]
    )
    tx = lots.choice(MAKERS)(lots) | {
        "Account": address(lots),
        "Fee": str(number(lots, 10**9)),
        "LastLedgerSequence": lots.randint(101, 2**32 - 1),
        "SigningPubKey": key.hex().upper(),
        "Sequence": number(lots, 2**32 - 1),
    }
    if network in IDS:
        tx["NetworkID"] = IDS[network]
    if lots.random() < 0.5:
        tx |= {"Sequence": 0, "TicketSequence": number(lots, 2**32 - 1)}
    if lots.random() < 0.5:
        tx["Flags"] = lots.choice([0, 0x80000000])
    if lots.random() < 0.2:
        tx["SourceTag"] = lots.choice([0, number(lots, 2**32 - 1)])
    if lots.random() < 0.3:
        tx["Memos"] = memos(lots)
    return network, tx


def context(lots: random.Random, tx: dict[str, Any]) -> dict[str, Any]:
    several = {"signer": address(lots), "public_key": b"\xed" + lots.randbytes(32)}
    return {"height": 100} | ({} if tx["SigningPubKey"] else several)


@pytest.mark.parametrize("seed", range(10))
def test_five_hundred_random_transactions_have_the_same_bytes_and_meaning_as_in_xrpl_py(seed: int) -> None:
    lots = random.Random(seed)
    for _ in range(500):
        network, tx_json = transaction(lots)
        blob = bytes.fromhex(their_encode(tx_json))
        fields = fields_from_json(tx_json)
        assert codec.write(fields) == blob
        assert codec.read(blob) == fields
        assert their_decode(blob.hex().upper()) == tx_json
        stated = context(lots, tx_json)
        tx = XRPL.decode(blob, stated, [PATH], network)
        effects = XRPL.effects(tx)
        assert (effects.source, effects.fee_most.units) == (tx_json["Account"], int(tx_json["Fee"]))
        for paid in effects.payments:
            assert (paid.destination.address, paid.destination.tag, paid.amount.units) == (
                tx_json["Destination"],
                tx_json.get("DestinationTag"),
                int(tx_json["Amount"]),
            )
        if lots.random() < 0.1:  # the oracle is slow
            _check_payload(tx_json, stated, tx)


def _check_payload(tx_json: dict[str, Any], stated: dict[str, Any], tx: Any) -> None:
    (payload,) = XRPL.payloads(tx)
    if payload.algorithm == "ed25519":
        theirs = (
            encode_for_multisigning(tx_json, stated["signer"])
            if "signer" in stated
            else encode_for_signing(tx_json)
        )
        assert payload.message.hex().upper() == theirs


def test_ten_thousand_damaged_transactions_are_read_or_refused_and_never_crash() -> None:
    lots = random.Random(5)
    read = 0
    for _ in range(500):
        network, tx_json = transaction(lots)
        blob = bytes.fromhex(their_encode(tx_json))
        stated = context(lots, tx_json)
        for _ in range(20):
            damaged = _damage(lots, blob)
            try:
                tx = XRPL.decode(damaged, stated, [PATH], network)
            except Refusal:
                continue
            XRPL.effects(tx)
            XRPL.payloads(tx)
            # What we still read, the oracle reads the same way and writes back as the same bytes.
            if read % 10 == 0:
                assert bytes.fromhex(their_encode(their_decode(damaged.hex().upper()))) == damaged
            read += 1
    assert read > 1000  # most of the damage hits an address or a number, which is another good transaction


def _damage(lots: random.Random, blob: bytes) -> bytes:
    at = lots.randrange(len(blob))
    way = lots.randrange(10)
    if way == 0:
        return blob[:at]
    if way == 1:
        return blob[:at] + lots.randbytes(1) + blob[at:]
    if way == 2:
        return blob[:at] + blob[at + 1 :]
    return blob[:at] + lots.randbytes(1) + blob[at + 1 :]


@pytest.mark.parametrize("size", [0, 1, 2, 40, 400])
def test_random_bytes_are_refused(size: int) -> None:
    lots = random.Random(size)
    for _ in range(200):
        for prefix in (b"", b"\x12\0\0"):
            with pytest.raises(Refusal):
                XRPL.explain(prefix + lots.randbytes(size), NETWORKS[0])


def test_account_ids_and_addresses_are_one_to_one() -> None:
    lots = random.Random(1)
    for _ in range(500):
        account = lots.randbytes(20)
        assert decode_address(encode_address(account)) == account
    fields: Fields = {}
    assert codec.read(codec.write(fields)) == fields
