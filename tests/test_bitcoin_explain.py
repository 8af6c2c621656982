"""Explaining raw bytes: signed, unsigned, pairs and PSBTs, in fields that print; and the cost of a large sweep."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.counterparty import messages
from shared.chains.bitcoin.counterparty.model import EnhancedSend
from shared.chains.bitcoin.digests import Digests
from shared.chains.bitcoin.psbt import write_psbt
from shared.chains.bitcoin.psbt_ours import unsigned_psbt, with_signatures
from shared.chains.bitcoin.transactions import Output, write
from shared.errors import BitcoinRefusal, Refusal
from tests.bitcoin_world import REGTEST, Request, a_pair, a_payment, a_send, core_accepts, key, request
from tests.shared_vectors import cases, name_of

BASE = a_payment()
MESSAGE = messages.encode(EnhancedSend("XCP", 5, key(9).address, b"\x01"), REGTEST)


def explained(raw: bytes) -> dict[str, Any]:
    return dict(BITCOIN.explain(raw, REGTEST))


def test_an_unsigned_and_a_signed_transaction_explain_the_same_outputs() -> None:
    unsigned, signed = explained(write(BASE.transaction)), explained(BASE.signed().blob)
    assert (
        unsigned["outputs"]
        == signed["outputs"]
        == [
            f"0.0006 BTC to {key(1).address}",
            f"0.00039 BTC to {key(7, account=5).address}",
        ]
    )
    assert (unsigned["signed"], signed["signed"]) == ("no", "yes, not verified")
    assert unsigned["id"] == signed["id"] == BASE.transaction.txid
    assert unsigned["witness_id"] != signed["witness_id"]
    assert signed["virtual_size"] > unsigned["virtual_size"]


def test_a_message_is_explained_with_its_carrier() -> None:
    for encoding in ("opreturn", "multisig"):
        report = explained(a_send(key(0), MESSAGE, encoding).signed().blob)
        assert report["message"].startswith(f"{encoding}: EnhancedSend(asset='XCP', quantity=5")
        assert "with data" in report["outputs"][0]


def test_a_signed_pair_is_explained_as_both_transactions() -> None:
    pair = a_pair(key(0), MESSAGE)
    tx = pair.decode()
    report = explained(BITCOIN.assemble(tx, pair.signatures(tx)).blob)
    assert report["id"] == pair.reveal.txid
    assert report["transactions"][0]["id"] == pair.commit.transaction.txid
    assert report["transactions"][1]["message"].startswith("taproot: EnhancedSend")


def test_two_transactions_that_are_no_pair_are_not_explained() -> None:
    with pytest.raises(BitcoinRefusal):
        explained(write(BASE.transaction) * 2)


def test_a_psbt_is_explained_with_its_fee_and_signatures() -> None:
    bare = unsigned_psbt(BASE.decode())
    report = explained(write_psbt(bare))
    assert (report["fee"], report["signed"], report["psbt"]) == ("0.00001 BTC", "0 of 1 inputs", "version 0")
    signed = with_signatures(bare, BASE.decode(), BASE.signatures())
    assert explained(write_psbt(signed))["signed"] == "1 of 1 inputs"
    unknown = explained(write_psbt(replace(bare, inputs=({},))))
    assert unknown["fee"] == "not in the transaction"


def test_a_psbt_that_pays_more_than_it_spends_is_not_explained() -> None:
    bare = unsigned_psbt(BASE.decode())
    poor = replace(bare, inputs=({b"\x01": Output(5, key(0).script).write()},))
    with pytest.raises(Refusal):
        explained(write_psbt(poor))


@pytest.mark.parametrize("raw", [b"", b"psbt\xff", b"\x02", bytes(100)])
def test_bytes_that_are_nothing_are_not_explained(raw: bytes) -> None:
    with pytest.raises(BitcoinRefusal):
        explained(raw)


def test_an_output_that_is_not_understood_is_not_explained() -> None:
    with pytest.raises(BitcoinRefusal):
        explained(write(replace(BASE.transaction, outputs=(Output(1, b"\x51"),))))


@pytest.mark.parametrize("case", cases("bitcoin-counterparty.json", "regtest_transaction"), ids=name_of)
def test_mined_transactions_are_explained_with_their_message(case: dict[str, Any]) -> None:
    report = explained(bytes.fromhex(case["signed_tx_hex"]))
    assert report["id"] == case["txid"]
    assert (report["message"] is None) == (case["encoding"] == "taproot")  # the reveal has it, not the commit


# --- a sweep of 500 coins -------------------------------------------------------------------------


def sweep(count: int, form: str = "p2wpkh") -> Request:
    coins = [(key(number, form), 10_000) for number in range(count)]
    return request(coins, [Output(9_000 * count, key(0, form).script)], change=[(0, key(0, form))])


def test_the_work_for_digests_grows_with_the_number_of_inputs_and_not_with_its_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = 0

    def counting(blob: bytes) -> Any:
        nonlocal hashed
        hashed += len(blob)
        return sha256(blob)

    def cost(count: int) -> int:
        """Count the bytes that are hashed for every digest of a sweep, once in each way."""
        nonlocal hashed
        hashed, of = 0, sweep(count)
        digests = Digests(of.transaction, of.spent)
        for index in range(count):
            digests.segwit(index, b"\x76\xa9\x14" + bytes(20) + b"\x88\xac")
        return hashed

    monkeypatch.setattr("shared.chains.bitcoin.digests.sha256", counting)
    assert cost(400) < 4.1 * cost(100)


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_a_sweep_of_500_coins_is_signed_and_accepted(form: str) -> None:
    wanted = sweep(500, form)
    signed = wanted.signed()
    assert core_accepts(signed.blob, wanted.spent)
    place = random.Random(500).randrange(len(signed.blob))
    flipped = signed.blob[:place] + bytes([signed.blob[place] ^ 4]) + signed.blob[place + 1 :]
    assert not core_accepts(flipped, wanted.spent)
