"""The signer signs what another maker's wallet asks for, under the laws that hold for everybody, and in one path.

embit stands on the other side: it knows the descriptor that the signer printed and nothing else. What was signed is
finalized and judged by Bitcoin Core's consensus. Whatever is refused leaves the journal as it was.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from embit import ec
from embit.finalizer import finalize_psbt
from embit.psbt import PSBT, DerivationPath
from embit.script import Script, Witness
from embit.transaction import Transaction as TheirTransaction
from embit.transaction import TransactionOutput

from offline_signer import ceremony, journal_file, pen
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import address_of, key_script
from shared.chains.bitcoin.context import Prevout, Stated, write_context
from shared.chains.bitcoin.counterparty.carriers import encode_outputs
from shared.chains.bitcoin.counterparty.messages import encode
from shared.chains.bitcoin.counterparty.model import EnhancedSend
from shared.chains.bitcoin.digests import Digests
from shared.chains.bitcoin.multisig import multisig
from shared.chains.bitcoin.psbt import read_psbt
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write
from shared.encoding import encode as encode_value
from shared.envelope import Approval, Declined, Item, Lot, TransferRef, order_id, seal_approval
from shared.errors import BadPolicy, BadSeal, DiskFull, Refusal
from shared.foreign import DOCUMENT, foreign_document, read_foreign_document
from shared.policy_document import parse_policy
from shared.sealed import open_sealed
from shared.transport.pack import unpack
from tests.bitcoin_world import key
from tests.psbt_world import (
    HEIGHT,
    REGTEST,
    SHOP,
    SIGNET,
    STRANGER,
    Coin,
    Pair,
    Watcher,
    make_pair,
    payment,
    rules,
    taken_by_core,
)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path / "signer")


def journal(pair: Pair) -> bytes:
    return (pair.world.folder / journal_file.NAME).read_bytes()


def refused(pair: Pair, raw: bytes, **how: Any) -> str:
    """Give the code with which a PSBT is refused; the journal must not have grown."""
    before = journal(pair)
    with pytest.raises(Refusal) as caught:
        pair.sign(raw, **how)
    assert journal(pair) == before
    return caught.value.code


# --- what is signed -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize("name", ["vault", "tap"])
def test_what_embit_asks_for_is_signed_in_its_own_version_and_core_accepts_it(
    pair: Pair, name: str, version: int
) -> None:
    watcher = pair.watchers[name]
    raw = payment(watcher, version=version)
    answer = pair.sign(raw)
    assert read_psbt(answer).version == read_psbt(raw).version == version
    assert taken_by_core(answer, [Output(Coin().value, watcher.script(Coin()))])


@pytest.mark.parametrize("version", [0, 2])
def test_embit_reads_the_answer_and_finalizes_it_to_the_transaction_that_it_asked_for(pair: Pair, version: int) -> None:
    raw = payment(pair.vault, version=version)
    final = finalize_psbt(PSBT.parse(pair.sign(raw)))
    assert final is not None
    assert final.txid() == PSBT.parse(raw).tx.txid()


@pytest.mark.parametrize("name", ["vault", "tap"])
def test_coins_of_both_branches_are_spent_together(pair: Pair, name: str) -> None:
    watcher = pair.watchers[name]
    coins = [Coin(index, 1_000_000 + index, branch, branch) for branch in (0, 1) for index in range(4)]
    raw = watcher.psbt(coins, [(SHOP.script, 5_000_000)], Coin(3, 2_990_000, 1)).serialize()
    assert taken_by_core(pair.sign(raw), [Output(coin.value, watcher.script(coin)) for coin in coins])


def test_only_signatures_are_added_and_what_is_not_understood_is_carried_along(pair: Pair) -> None:
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 9_000_000)], Coin(1, 999_000, 1))
    theirs.unknown = {b"\xfc\x05other\x01": b"ours alone"}  # embit's own are one dictionary for all PSBTs
    theirs.inputs[0].unknown = {b"\xfc\x05other\x02key": b"more"}
    asked, answered = (read_psbt(raw) for raw in (theirs.serialize(), pair.sign(theirs.serialize())))
    (before,), (after,) = asked.inputs, answered.inputs
    assert {name: value for name, value in after.items() if name[0] != 2} == dict(before)
    assert len(after) == len(before) + 1
    assert (answered.fields, answered.outputs) == (asked.fields, asked.outputs)


def test_the_review_says_who_asks_what_is_paid_and_what_comes_back(pair: Pair) -> None:
    lines = "\n".join(pair.examine(payment(pair.vault)).review.lines)
    assert "foreign-payment on bitcoin:regtest" in lines
    assert "no coordinator of ours has signed this" in lines
    assert SHOP.address in lines
    assert f"change 0.03999 BTC back to {pair.vault.address(Coin(2, 0, 1))}" in lines.replace("\n      > ", "")
    assert f"stated and signed: {Coin().txid.hex()}:0 holds 0.1 BTC" in lines.replace("\n      > ", "")
    assert "stated by the coordinator" not in lines


def test_a_quorum_of_people_approves_as_for_every_request(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "signer", approvals=2)
    raw = payment(pair.vault)
    assert refused(pair, raw) == "not-enough-approvals"
    assert refused(pair, raw, people=("carol", "eve")) == "unknown-person"
    assert pair.sign(raw, people=("carol", "dave"))


def test_a_lock_time_is_shown(pair: Pair) -> None:
    raw = payment(pair.vault, lock_time=700)
    assert "not before block 700" in "\n".join(pair.examine(raw).review.lines)
    assert pair.codes(raw) == []
    assert refused(pair, raw, height=699) == "bitcoin-lock-time"


# --- the laws -------------------------------------------------------------------------------------


def test_the_same_psbt_twice_has_the_same_answer_needs_nobody_and_counts_once(pair: Pair) -> None:
    raw = payment(pair.vault)
    first, before = pair.sign(raw), journal(pair)
    assert pair.sign(raw, people=()) == first
    assert journal(pair) == before


def test_the_same_transaction_in_another_psbt_has_the_same_signature_and_counts_once(pair: Pair) -> None:
    answers = [read_psbt(pair.sign(payment(pair.vault, version=version))) for version in (0, 2)]
    first, second = ({key: value for key, value in one.inputs[0].items() if key[0] == 2} for one in answers)
    assert first == second
    assert _spent(pair) == 6_000_000 + 1_000


def test_a_higher_fee_out_of_the_same_inputs_pays_the_same_transfer_once(pair: Pair) -> None:
    pair.sign(payment(pair.vault))
    pair.sign(payment(pair.vault, fee=3_000))
    assert _spent(pair) == 6_000_000 + 1_000 + 3_000


def test_another_payment_out_of_the_same_inputs_is_another_transfer_and_counts_beside_the_first(pair: Pair) -> None:
    one, other = payment(pair.vault), payment(pair.vault, pay=5_000_000)
    ids = [pair.examine(raw).transactions[0].transfers for raw in (one, other)]
    assert ids[0] != ids[1]
    for raw in (one, other):
        pair.sign(raw)
    assert _spent(pair) == 11_000_000 + 2_000


def test_the_same_payment_from_other_inputs_is_told_and_needs_its_own_approval(pair: Pair) -> None:
    pair.sign(payment(pair.vault))
    again = pair.vault.psbt([Coin(1, number=1)], [(SHOP.script, 6_000_000)], Coin(1, 3_999_000, 1)).serialize()
    assert refused(pair, again, people=()) == "not-enough-approvals"
    assert "was signed before: this pays it again" in "\n".join(pair.examine(again).lines())


def test_two_equal_payments_of_one_transaction_are_two_transfers(pair: Pair) -> None:
    raw = pair.vault.psbt([Coin()], [(SHOP.script, 4_000_000)] * 2, Coin(0, 1_999_000, 1)).serialize()
    assert len(set(pair.examine(raw).transactions[0].transfers)) == 2
    pair.sign(raw)
    assert _spent(pair) == 8_001_000


def test_another_value_for_an_outpoint_that_was_sworn_to_is_refused(pair: Pair) -> None:
    pair.sign(payment(pair.vault))
    lie = pair.vault.psbt([replace(Coin(), value=9_000_000)], [(SHOP.script, 6_000_000)], Coin(2, 2_999_000, 1))
    assert refused(pair, lie.serialize()) == "amount-sworn"


def test_budgets_hold_over_psbts(pair: Pair) -> None:
    coins = [Coin(0, 10**8, number=number) for number in range(4)]
    for coin in coins[:2]:
        pair.sign(pair.vault.psbt([coin], [(SHOP.script, coin.value - 1_000)]).serialize())
    more = pair.vault.psbt(coins[2:3], [(SHOP.script, 10**8 + 1)])
    assert refused(pair, more.serialize()) == "bitcoin-amount-refused"
    many = pair.vault.psbt(coins[2:], [(SHOP.script, 99_999_000)] * 2)
    assert refused(pair, many.serialize()) == "over-day-limit"


def test_an_approval_of_another_psbt_does_not_count(pair: Pair) -> None:
    one, other = payment(pair.vault), payment(pair.vault, fee=2_000)
    with pair.world.box() as box:
        words = pair.world.approvals(pair.examine(other, box=box), box)
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, pair.examine(one, box=box), words)
    assert caught.value.code == "not-enough-approvals"


def test_an_approval_that_saw_another_journal_stops_it(pair: Pair) -> None:
    raw = payment(pair.vault)
    carol = pair.world.people["carol"]
    with pair.world.box() as box:
        seen = pair.examine(raw, box=box)
        other = Approval(seen.digest, (), replace(box.seen(), root=bytes(31) + b"\1"))
        words = seal_approval(other, carol.public, carol.sign)
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, seen, [words])
    assert caught.value.code == "journal-behind"


def test_the_height_that_a_person_states_is_part_of_what_is_approved(pair: Pair) -> None:
    raw = payment(pair.vault)
    assert pair.examine(raw).digest != pair.examine(raw, HEIGHT).digest
    assert "height 1000, as stated at the signer" in "\n".join(pair.examine(raw, HEIGHT).review.lines)


def test_nothing_is_signed_where_the_journal_can_not_be_written(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def full(*_: object, **__: object) -> None:
        raise DiskFull("no room")

    def counted(payload: Any, stroke: Any) -> bytes:
        made.append(payload.message)
        return bytes(64)

    monkeypatch.setattr(journal_file.JournalFile, "append", full)
    monkeypatch.setattr(pen, "sign", counted)
    assert refused(pair, payment(pair.vault)) == "disk-full"
    assert made == []


def test_one_transaction_of_several_wallets_is_refused_whatever_their_rules_say(pair: Pair) -> None:
    both = pair.vault.psbt([Coin(), Coin(1, number=1)], [(SHOP.script, 6_000_000)], Coin(2, 13_999_000, 1))
    second = pair.watchers["second"].psbt([Coin(1, number=1)], [(SHOP.script, 1)])
    both.inputs[1] = second.inputs[0]
    assert pair.codes(both.serialize()) == ["mixed-wallets"]


def test_a_coordinators_request_that_spends_from_two_wallets_is_refused_too(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "signer", kinds='["payment"]')
    mine, other = pair.wallet("vault"), pair.wallet("second")
    inputs = tuple(Input(bytes([number]) * 32, 0, 0xFFFFFFFD) for number in (1, 2))
    scripts = [pair.watchers[name].script(Coin()) for name in ("vault", "second")]
    prevouts = tuple(
        Prevout(Output(4_000_000, script), wallet.keys[0])
        for script, wallet in zip(scripts, (mine, other), strict=True)
    )
    paths = tuple(BITCOIN.key_path(REGTEST, "secp256k1", account, 0) for account in (0, 1))
    unsigned = write(Transaction(2, inputs, (Output(7_999_000, SHOP.script),), 0))
    item = Item(unsigned, paths, (TransferRef(order_id("two wallets"), 0),), write_context(Stated(HEIGHT, prevouts)))
    sealed = pair.world.request(lots=(Lot(REGTEST, {}, (item,)),))
    assert pair.codes(sealed) == ["mixed-wallets"]


def test_a_wallet_of_several_keys_gets_our_signature_beside_the_others(pair: Pair) -> None:
    wallet = multisig(2, [pair.wallet("vault").keys[0], key(31).public, key(32).public])
    pair.world.install(pair.world.policy_text(epoch=3, more=rules({"vault": pair.wallet("vault")}).replace(
        "places = [", f'places = ["{address_of(wallet.output_script, REGTEST)}", ', 1)))
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 9_990_000)])
    theirs.inputs[0].witness_utxo = TransactionOutput(Coin().value, Script(wallet.output_script))
    theirs.inputs[0].witness_script = Script(wallet.witness_script)
    answer = pair.sign(theirs.serialize())
    ((name, mine),) = [(name, value) for name, value in read_psbt(answer).inputs[0].items() if name[0] == 2]
    assert name[1:] == pair.wallet("vault").keys[0]
    digest = Digests(read_psbt(answer).transaction, [Output(Coin().value, wallet.output_script)])
    other = PrivateKey(key(31).secret).sign(digest.segwit(0, wallet.witness_script), hasher=None)
    both = PSBT.parse(answer)
    both.inputs[0].partial_sigs[ec.PublicKey.parse(key(31).public)] = other + b"\1"
    assert taken_by_core(both.serialize(), [Output(Coin().value, wallet.output_script)])
    assert refused(pair, answer) == "bitcoin-psbt-refused"  # signed by us already
    assert mine.endswith(b"\1")


def test_a_wallet_whose_rule_does_not_name_the_kind_signs_no_psbt(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "signer", kinds='["payment"]')
    assert refused(pair, payment(pair.vault)) == "kind-not-allowed"


def test_an_automatic_rule_may_not_name_such_a_kind(pair: Pair) -> None:
    text = pair.world.policy_text(more=rules({"vault": pair.wallet("vault")}, approvals=0)).replace(
        "approvals = 0", "approvals = 0\nautomatic = true"
    )
    with pytest.raises(BadPolicy, match="automatic for foreign"):
        parse_policy(text)


def test_a_psbt_can_not_be_declined_since_no_answer_would_say_so(pair: Pair) -> None:
    with pair.world.box() as box, pytest.raises(Refusal) as caught:
        ceremony.examine(payment(pair.vault), box.history, box.policy(), pair.world.station, box.now(),
                         [Declined(0, "no")])
    assert caught.value.code == "not-approved"


def test_a_coordinators_request_takes_no_height_from_a_person(pair: Pair) -> None:
    request = pair.world.request(pair.world.payment(5, sequence=1))
    with pytest.raises(Refusal) as caught:
        pair.examine(request, HEIGHT)
    assert caught.value.code == "bad-field"


def _spent(pair: Pair) -> int:
    with pair.world.box() as box:
        usage = box.history.usage(pair.world.now)
    return sum(units for bucket, units in usage.epoch.items() if bucket[2:] == ("BTC", "all"))


def test_the_journal_keeps_what_was_read_and_an_auditor_finds_the_digest_again(pair: Pair) -> None:
    raw = payment(pair.vault)
    digest = pair.examine(raw, HEIGHT).digest
    pair.sign(raw, height=HEIGHT)
    entry = journal_file.read(pair.world.folder, pair.world.station).entries[-1]
    kept = entry.body["sealed"]
    assert isinstance(kept, bytes)
    document = unpack(kept)
    assert foreign_document(REGTEST, HEIGHT, raw) == (document, digest)
    assert (entry.kind, entry.body["request"]) == ("sign", digest)
    with pytest.raises(BadSeal):
        open_sealed(document, DOCUMENT)


@pytest.mark.parametrize("document", [
    foreign_document(REGTEST, None, b"psbt")[0][:-1],
    foreign_document(REGTEST, None, b"psbt")[0] + b"\0",
    encode_value(["lockgate", "request/1", b"", []]),
    encode_value(["lockgate", DOCUMENT, b"", [[b"", b""]]]),
    encode_value(["lockgate", DOCUMENT, encode_value({"network": REGTEST, "height": "1", "contents": b""}), []]),
    encode_value(["lockgate", DOCUMENT, encode_value({"network": REGTEST, "contents": b""}), []]),
    encode_value(["lockgate", DOCUMENT, encode_value({"network": REGTEST, "height": 1, "contents": b"", "x": 1}), []]),
])
def test_a_kept_document_in_any_other_form_is_refused(document: bytes) -> None:
    with pytest.raises(Refusal):
        read_foreign_document(document)


def test_a_kept_document_is_read_as_it_was_written() -> None:
    document, digest = foreign_document(REGTEST, HEIGHT, b"psbt")
    assert read_foreign_document(document) == (REGTEST, b"psbt", digest)


def test_a_flipped_bit_is_refused_or_read_and_never_a_fault(pair: Pair) -> None:
    lots = random.Random(370)
    good = [payment(pair.watchers[name], version=version) for name in ("vault", "tap") for version in (0, 2)]
    digests, seen = {pair.examine(raw).digest for raw in good}, set[bytes]()
    with pair.world.box() as box:
        for _ in range(2_000):
            raw = bytearray(lots.choice(good))
            raw[lots.randrange(5, len(raw))] ^= 1 << lots.randrange(8)
            if bytes(raw) in seen:
                continue
            seen.add(bytes(raw))
            try:
                found = pair.examine(bytes(raw), box=box)
            except Refusal:
                continue
            assert found.digest not in digests
            digests.add(found.digest)


# --- what is refused ------------------------------------------------------------------------------


def spoiled(pair: Pair, change: Any, **how: Any) -> bytes:
    """Give the ordinary PSBT after a change to embit's form of it."""
    theirs = PSBT.parse(payment(pair.vault, **how))
    change(theirs)
    return bytes(theirs.serialize())


def a_transaction(output: Output) -> Transaction:
    return Transaction(2, (Input(bytes(range(32)), 0, 0xFFFFFFFF),), (output,), 0)


def _sighash(kind: int) -> Any:
    return lambda psbt: setattr(psbt.inputs[0], "sighash_type", kind)


def _no_utxo(psbt: Any) -> None:
    psbt.inputs[0].witness_utxo = None


def _no_derivation(psbt: Any) -> None:
    psbt.inputs[0].bip32_derivations.clear()


def _signed_by(scope: Any) -> None:
    point = ec.PublicKey.parse(key(3).public)
    scope.partial_sigs[point] = b"\x30\x06\x02\x01\x01\x02\x01\x01\x01"


def _already_signed(psbt: Any) -> None:
    _signed_by(psbt.inputs[0])


def _final(psbt: Any) -> None:
    psbt.inputs[0].final_scriptwitness = Witness([b"\1" * 71, key(3).public])


def _script_of_another(psbt: Any) -> None:
    psbt.inputs[0].witness_utxo = TransactionOutput(10_000_000, Script(SHOP.script))


def _previous(output: Output) -> Any:
    """Put a transaction with this output to the ordinary coin as its previous one; its id is another one."""
    found = TheirTransaction.parse(write(a_transaction(output)))
    return lambda psbt: setattr(psbt.inputs[0], "non_witness_utxo", found)


ROWS = {
    "sighash-none": (_sighash(2), {}, "bitcoin-sighash"),
    "sighash-single-anyone": (_sighash(0x83), {}, "bitcoin-sighash"),
    "no-amount": (_no_utxo, {}, "bitcoin-psbt-refused"),
    "no-key": (_no_derivation, {}, "bitcoin-psbt-refused"),
    "signed-already": (_already_signed, {}, "bitcoin-psbt-refused"),
    "finalized": (_final, {}, "bitcoin-psbt-refused"),
    "anothers-script": (_script_of_another, {}, "bitcoin-psbt-refused"),
    "another-previous-transaction": (_previous(Output(10_000_000, SHOP.script)), {}, "bitcoin-psbt-refused"),
    "fee-too-high": (lambda psbt: None, {"fee": 20_001}, "fee-too-high"),
    "fee-rate-too-high": (lambda psbt: None, {"fee": 16_000}, "fee-too-high"),
    "relative-lock": (lambda psbt: None, {"sequence": 5}, "bitcoin-sequence"),
    "transaction-version": (lambda psbt: None, {"tx_version": 1}, "bitcoin-version"),
    "time-lock": (lambda psbt: None, {"lock_time": 1_700_000_000}, "bitcoin-lock-time"),
}


@pytest.mark.parametrize("row", ROWS)
def test_what_must_not_be_signed_is_refused_by_its_code(pair: Pair, row: str) -> None:
    change, how, code = ROWS[row]
    assert refused(pair, spoiled(pair, change, **how)) == code


def test_an_amount_that_the_previous_transaction_contradicts_is_refused(pair: Pair) -> None:
    theirs = _funded_by(pair, 9_000_000)
    assert refused(pair, theirs.serialize()) == "bitcoin-psbt-refused"


def test_a_previous_transaction_that_agrees_is_taken(pair: Pair) -> None:
    assert pair.sign(_funded_by(pair, 10_000_000).serialize())


def _funded_by(pair: Pair, value: int) -> Any:
    """Give a PSBT that states 0.1 BTC beside a previous transaction whose output holds some value."""
    funding = a_transaction(Output(value, pair.vault.script(Coin())))
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000)], Coin(2, 3_999_000, 1))
    theirs.inputs[0].txid = bytes.fromhex(funding.txid)
    theirs.inputs[0].non_witness_utxo = TheirTransaction.parse(write(funding))
    return theirs


def test_change_to_a_strangers_key_is_a_payment_that_the_policy_judges(pair: Pair) -> None:
    raw = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000), (STRANGER.script, 3_999_000)])
    assert refused(pair, raw.serialize()) == "unknown-destination"


def test_change_that_only_says_that_it_is_ours_is_a_payment(pair: Pair) -> None:
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000), (STRANGER.script, 3_999_000)])
    (one,) = pair.vault.at(1, 2).keys
    theirs.outputs[1].bip32_derivations[ec.PublicKey.parse(one.sec())] = DerivationPath(one.fingerprint, one.derivation)
    assert refused(pair, theirs.serialize()) == "unknown-destination"


def test_change_beyond_the_keys_that_were_issued_is_a_payment(pair: Pair) -> None:
    raw = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000)], Coin(4, 3_999_000, 1)).serialize()
    assert refused(pair, raw) == "unknown-destination"


def test_change_of_another_wallet_of_ours_is_a_payment(pair: Pair) -> None:
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000)], Coin(2, 3_999_000, 1))
    other = pair.watchers["second"].psbt([Coin()], [], Coin(2, 3_999_000, 1))
    theirs.outputs[1] = other.outputs[0]
    assert refused(pair, theirs.serialize()) == "unknown-destination"


def test_a_coin_beyond_the_keys_that_were_issued_names_no_key_of_ours(pair: Pair) -> None:
    assert refused(pair, pair.vault.psbt([Coin(4)], [(SHOP.script, 9_000_000)]).serialize()) == "bitcoin-psbt-refused"


def test_the_network_is_that_of_the_wallet_whose_keys_sign(pair: Pair) -> None:
    raw = payment(pair.watchers["signet"])
    (one,) = pair.examine(raw).transactions
    assert one.effects.network == SIGNET
    assert one.effects.source == pair.watchers["signet"].address(Coin(), SIGNET)


def test_keys_of_two_networks_in_one_psbt_are_refused(pair: Pair) -> None:
    both = pair.vault.psbt([Coin(), Coin(1, number=1)], [(SHOP.script, 6_000_000)], Coin(2, 3_999_000, 1))
    both.inputs[1] = pair.watchers["signet"].psbt([Coin(1, number=1)], [(SHOP.script, 1)]).inputs[0]
    assert refused(pair, both.serialize()) == "wrong-network"


def test_a_key_of_a_wallet_on_another_ledger_is_none_for_a_psbt(pair: Pair) -> None:
    theirs = pair.vault.psbt([Coin()], [(SHOP.script, 6_000_000)])
    mine = pair.world.keys[0]
    theirs.inputs[0].bip32_derivations = {ec.PublicKey.parse(mine): DerivationPath(bytes(4), [0])}
    theirs.inputs[0].witness_utxo = TransactionOutput(10_000_000, Script(key_script(mine, "secp256k1", "p2wpkh")))
    assert refused(pair, theirs.serialize()) == "bitcoin-psbt-refused"


def test_a_psbt_of_another_signers_wallet_names_no_key_of_ours(pair: Pair, tmp_path: Path) -> None:
    other = make_pair(tmp_path / "other")
    assert refused(pair, payment(other.vault)) == "bitcoin-psbt-refused"


@pytest.mark.parametrize("cut", [1, 40])
def test_a_psbt_that_was_cut_is_refused(pair: Pair, cut: int) -> None:
    assert refused(pair, payment(pair.vault)[:-cut]) == "bitcoin-psbt-refused"


# --- Counterparty ---------------------------------------------------------------------------------


def a_send(watcher: Watcher, asset: str = "XCP", units: int = 5 * 10**8) -> bytes:
    """Give a PSBT whose one data output sends an asset to the shop, with change behind it."""
    send = EnhancedSend(asset, units, SHOP.address, b"")
    ((value, script),) = encode_outputs(encode(send, REGTEST), Coin().txid, "opreturn")
    return bytes(watcher.psbt([Coin()], [(script, value)], Coin(2, 9_999_000, 1)).serialize())


def test_a_counterparty_message_is_decoded_and_judged_as_always(pair: Pair) -> None:
    raw = a_send(pair.vault)
    (one,) = pair.examine(raw, HEIGHT).transactions
    assert one.effects.kind == "foreign-counterparty-send"
    assert [str(each.amount) for each in one.effects.payments] == ["5 XCP"]
    assert taken_by_core(pair.sign(raw, height=HEIGHT), [Output(Coin().value, pair.vault.script(Coin()))])


def test_without_a_height_a_counterparty_message_is_refused(pair: Pair) -> None:
    assert refused(pair, a_send(pair.vault)) == "height-missing"


def test_too_much_of_an_asset_or_an_unknown_one_is_refused(pair: Pair) -> None:
    assert refused(pair, a_send(pair.vault, units=11 * 10**8), height=HEIGHT) == "over-transfer-limit"
    assert refused(pair, a_send(pair.vault, asset="BOOKCARD", units=1), height=HEIGHT) == "asset-unknown"


def test_data_that_is_no_message_is_refused(pair: Pair) -> None:
    raw = pair.vault.psbt([Coin()], [(b"\x6a\x04abcd", 0)], Coin(2, 9_999_000, 1)).serialize()
    assert refused(pair, raw, height=HEIGHT).startswith(("bitcoin-data", "counterparty"))


def test_a_danger_that_the_policy_does_not_accept_is_refused(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "signer", accepts="[]")
    assert refused(pair, payment(pair.vault)) == "danger-not-accepted"
