"""Signing from the outside: decode, payloads, raw signatures, assemble; Bitcoin Core's consensus judges the result."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shared.chains import chain, names
from shared.chains.bitcoin import BITCOIN, signing
from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty import messages
from shared.chains.bitcoin.counterparty.envelope import build_envelope
from shared.chains.bitcoin.counterparty.model import EnhancedSend, Mpma, MpmaMemo, MpmaSend
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.model import Change
from shared.chains.bitcoin.multisig import Multisig, multisig
from shared.chains.bitcoin.psbt import read_psbt
from shared.chains.bitcoin.psbt_roles import combine, extract, finalize
from shared.chains.bitcoin.script import p2sh
from shared.chains.bitcoin.taproot import output_key
from shared.chains.bitcoin.transactions import Output, read, read_all, write
from shared.effects import Claim, Destination, OwnedKey
from shared.errors import BadDer, BitcoinBadSignature, BitcoinMultisigRefused, CounterpartyBroadcastRefused
from tests.bitcoin_world import (
    REGTEST,
    Key,
    Request,
    a_pair,
    a_payment,
    a_send,
    core_accepts,
    core_refuses_flips,
    key,
    multisig_prevout,
    request,
)

LOTS = random.Random(143)
FORMS = pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
MESSAGE = messages.encode(EnhancedSend("XCP", 12_345_678, key(9).address, b"\x01\x02"), REGTEST)


def test_the_chain_is_registered_by_its_name() -> None:
    assert chain("bitcoin:signet") is BITCOIN
    assert "bitcoin" in names()


@FORMS
def test_a_payment_is_what_the_core_of_bitcoin_accepts_and_no_flipped_bit_is(form: str) -> None:
    wanted = a_payment(form)
    signed = wanted.signed()
    assert signed.tx_id == read(signed.blob).txid == wanted.transaction.txid
    assert core_accepts(signed.blob, wanted.spent)
    assert core_refuses_flips(signed.blob, wanted.spent, LOTS, 200)


@FORMS
def test_the_effects_of_a_payment_name_everything_in_it(form: str) -> None:
    wanted = a_payment(form)
    found = BITCOIN.effects(wanted.decode())
    (payment,) = found.payments
    assert (found.kind, found.network, found.source) == ("payment", REGTEST, key(0, form).address)
    assert payment.destination == Destination(key(7, account=5).address)
    assert (payment.amount.units, found.fee_most.units) == (39_000, 1_000)
    outpoint = wanted.transaction.inputs[0].name
    assert found.claims == (Claim(REGTEST, outpoint),)
    assert found.sworn == ((outpoint, 100_000),)
    assert found.owned == (OwnedKey(key(1, form).path, "secp256k1", key(1, form).public),)
    assert found.expiry is None
    assert found.dangers == ()
    assert f"change 0.0006 BTC back to {key(1, form).address}" in found.facts
    size = read(wanted.signed().blob).vsize
    assert 0 <= found.vbytes - size <= 1
    assert f"miners get 1000 satoshi for {found.vbytes} vB: " in "".join(found.facts)


def test_a_mixed_sweep_of_many_coins_is_accepted() -> None:
    coins = [(key(number, form), 5_000 + number) for number in range(12) for form in ("p2wpkh", "p2tr")]
    total = sum(value for _, value in coins)
    wanted = request(coins, [Output(total - 9_000, key(50).script)], change=[(0, key(50))])
    assert core_accepts(wanted.signed().blob, wanted.spent)
    assert core_refuses_flips(wanted.signed().blob, wanted.spent, LOTS, 40)
    assert BITCOIN.effects(wanted.decode()).payments == ()


@FORMS
def test_a_wrong_signature_is_refused_and_so_is_another_number_of_them(form: str) -> None:
    wanted = request([(key(0, form), 9_000), (key(1, form), 9_000)], [Output(17_000, key(2).script)])
    tx, (one, other) = wanted.decode(), wanted.signatures()
    bad = one[:40] + bytes([one[40] ^ 1]) + one[41:]
    for signatures in (
        [other, one],
        [bad, other],
        [one],
        [one, other, other],
        [one[:63], other],
        [bytes(64), other],
    ):
        with pytest.raises((BitcoinBadSignature, BadDer)):
            BITCOIN.assemble(tx, signatures)


# --- several keys ---------------------------------------------------------------------------------


def of_several(quorum: int, count: int) -> tuple[Multisig, list[Key], list[Request]]:
    """Make a wallet of several keys, and the same payment as each signer gets it."""
    keys = [key(number, account=3) for number in range(count)]
    wallet = multisig(quorum, [one.public for one in keys])
    base = request([(keys[0], 80_000)], [Output(50_000, wallet.output_script), Output(29_000, key(9).script)])
    stated = [
        replace(base.stated, prevouts=(multisig_prevout(wallet, one, 80_000),), change=(Change(0),))
        for one in keys
    ]
    return (
        wallet,
        keys,
        [replace(base, stated=each, keys=(one,)) for each, one in zip(stated, keys, strict=True)],
    )


@pytest.mark.parametrize(("quorum", "count"), [(1, 2), (2, 3), (3, 5), (15, 15)])
def test_exactly_a_quorum_of_signers_makes_a_transaction(quorum: int, count: int) -> None:
    _, _, requests = of_several(quorum, count)
    parts = [(one.decode(), one.signatures()) for one in requests]
    signed = signing.assemble_multi(parts[-quorum:])
    assert core_accepts(signed.blob, requests[0].spent)
    assert core_refuses_flips(signed.blob, requests[0].spent, LOTS, 30)
    assert BITCOIN.effects(parts[0][0]).vbytes - read(signed.blob).vsize in range(2 + quorum // 2)


def test_too_few_too_many_doubled_and_foreign_signatures_are_refused() -> None:
    _, _, requests = of_several(2, 3)
    parts = [(one.decode(), one.signatures()) for one in requests]
    plain = a_payment()
    other = replace(requests[2], transaction=replace(requests[2].transaction, lock_time=5))
    for chosen in (
        parts,
        parts[:1],
        [],
        [parts[0], parts[0]],
        [parts[0], (other.decode(), other.signatures())],
        [(plain.decode(), plain.signatures())] * 2,
    ):
        with pytest.raises(BitcoinMultisigRefused):
            signing.assemble_multi(chosen)


def test_one_of_several_answers_with_a_psbt_that_combines() -> None:
    _, _, requests = of_several(2, 3)
    answers = [one.signed() for one in requests[:2]]
    assert {answer.tx_id for answer in answers} == {requests[0].transaction.txid}
    whole = extract(finalize(combine([read_psbt(answer.blob) for answer in answers])))
    both = signing.assemble_multi([(one.decode(), one.signatures()) for one in requests[:2]])
    assert write(whole) == both.blob
    assert core_accepts(both.blob, requests[0].spent)


def test_a_quorum_of_one_signs_at_once() -> None:
    _, _, requests = of_several(1, 3)
    assert core_accepts(requests[2].signed().blob, requests[2].spent)


def test_change_to_the_same_several_keys_is_no_payment() -> None:
    _, _, requests = of_several(2, 3)
    found = BITCOIN.effects(requests[0].decode())
    assert [payment.amount.units for payment in found.payments] == [29_000]
    assert found.owned == ()
    assert found.dangers == ()


def test_keys_are_sorted_as_bip67_says() -> None:
    # BIP67, "Test vectors", the first list: two keys in the wrong order, their script, its P2SH address.
    keys = [
        "02ff12471208c14bd580709cb2358d98975247d8765f92bc25eab3b2763ed605f8",
        "02fe6f0a5a297eb38c391581c4413e084773ea23954d93f7753db7dc0adc188b2f",
    ]
    wallet = multisig(2, [bytes.fromhex(one) for one in keys])
    assert wallet.witness_script.hex() == f"5221{keys[1]}21{keys[0]}52ae"
    address = address_of(p2sh(hash160(wallet.witness_script)), "bitcoin:mainnet")
    assert address == "39bgKC7RFbpoCRbtD5KEdkYKtNyhpsNa3Z"


# --- Counterparty ---------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("encoding", ["opreturn", "multisig"])
def test_a_send_in_outputs_is_understood_and_accepted(form: str, encoding: str) -> None:
    wanted = a_send(key(0, form), MESSAGE, encoding)
    found = BITCOIN.effects(wanted.decode())
    (payment,) = found.payments
    assert found.kind == "counterparty-send"
    assert (payment.amount.units, payment.amount.asset.code) == (12_345_678, "XCP")
    assert payment.destination.address == key(9).address
    held = 0 if encoding == "opreturn" else 1_000
    assert found.fee_most.units == 10_000 + held
    assert "miners get 10000 satoshi" in "".join(found.facts)
    assert core_accepts(wanted.signed().blob, wanted.spent)
    assert ("moves-attached-assets" in found.dangers) == (encoding == "multisig")


def test_change_before_the_data_keeps_attached_assets() -> None:
    found = BITCOIN.effects(a_send(key(0), MESSAGE, "multisig", change_first=True).decode())
    assert found.dangers == ()
    assert "1000 satoshi in outputs with data, counted in the fee" in found.facts


def test_a_wallet_of_several_keys_sends_by_multisig_outputs_of_one_of_its_keys() -> None:
    wallet, keys, _ = of_several(2, 3)
    base = a_send(keys[1], MESSAGE, "multisig")
    stated = replace(base.stated, prevouts=(multisig_prevout(wallet, keys[0], 200_000),), change=())
    tx = replace(base, stated=stated, keys=(keys[0],)).decode()
    assert BITCOIN.effects(tx).kind == "counterparty-send"


@FORMS
@pytest.mark.parametrize("tweak", [False, True])
def test_commit_and_reveal_are_signed_at_once_and_both_accepted(form: str, tweak: bool) -> None:
    one = key(0, form)
    if form == "p2wpkh" and tweak:
        return
    leaf_key = output_key(one.public[1:]).x_only if tweak else b""
    pair = a_pair(one, MESSAGE, leaf_key)
    tx = pair.decode()
    signed = BITCOIN.assemble(tx, pair.signatures(tx))
    commit, reveal = read_all(signed.blob, 2)
    assert signing.transactions(signed.blob) == ((commit.txid, write(commit)), (reveal.txid, write(reveal)))
    assert signed.tx_id == reveal.txid == pair.reveal.txid
    for raw, spent in ((write(commit), pair.commit.spent), (write(reveal), [commit.outputs[0]])):
        assert core_accepts(raw, spent)
        assert core_refuses_flips(raw, spent, LOTS, 60)


def test_the_effects_of_a_pair_are_those_of_both_transactions() -> None:
    pair = a_pair(key(0), MESSAGE)
    tx = pair.decode()
    found = BITCOIN.effects(tx)
    sizes = sum(one.vsize for one in read_all(BITCOIN.assemble(tx, pair.signatures(tx)).blob, 2))
    assert (found.kind, len(found.payments), len(found.claims)) == ("counterparty-send", 1, 1)
    assert found.fee_most.units == 300 + pair.commit.transaction.outputs[0].value
    assert 0 <= found.vbytes - sizes <= 1
    assert "moves-attached-assets" in found.dangers
    assert any("two transactions" in fact for fact in found.facts)


def test_a_reveal_may_keep_an_output_of_ours_and_then_keeps_attached_assets() -> None:
    pair = a_pair(
        key(0), messages.encode(messages.options(required=True, timestamp=1_790_000_000), REGTEST), kept=546
    )
    tx = pair.decode()
    found = BITCOIN.effects(tx)
    assert (found.kind, found.dangers) == ("counterparty-options", ())
    assert found.settings[0].what == "counterparty-options"
    assert sum("change" in fact for fact in found.facts) == 2
    _, reveal = read_all(BITCOIN.assemble(tx, pair.signatures(tx)).blob, 2)
    assert core_accepts(write(reveal), [pair.commit.transaction.outputs[0]])


def test_an_inscription_is_not_signed_since_its_message_would_not_be_options_as_nodes_compose_it() -> None:
    one, options = key(0), messages.options(required=True, timestamp=1_790_000_000)
    message = messages.encode(replace(options, mime="text/plain"), REGTEST)
    leaf = build_envelope(message, one.public[1:], inscription=True)
    with pytest.raises(CounterpartyBroadcastRefused):
        a_pair(one, message).decode(envelope=leaf)


def test_a_batch_to_500_recipients_crosses_as_one_pair_and_core_accepts_it() -> None:
    sends = [MpmaSend("XCP", key(100 + n).address, 1_000 + n, MpmaMemo(b"%06d" % n)) for n in range(500)]
    message = Mpma(tuple(sorted(sends, key=lambda send: send.address)))
    pair = a_pair(key(0), messages.encode(message, REGTEST))
    tx = pair.decode()
    found = BITCOIN.effects(tx)
    assert (found.kind, len(found.payments)) == ("counterparty-mpma", 500)
    commit, reveal = read_all(BITCOIN.assemble(tx, pair.signatures(tx)).blob, 2)
    assert core_accepts(write(commit), pair.commit.spent)
    assert core_accepts(write(reveal), [commit.outputs[0]])
