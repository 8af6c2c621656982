"""PSBT: the vectors of BIP174, BIP370 and BIP371, the roles of HWI's test data, and embit as oracle both ways."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from typing import Any

import pytest
from embit import bip32
from embit import script as their_script
from embit.psbt import PSBT, DerivationPath
from embit.transaction import Transaction as TheirTransaction

from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.context import Prevout
from shared.chains.bitcoin.model import Change
from shared.chains.bitcoin.multisig import multisig
from shared.chains.bitcoin.networks import key_path
from shared.chains.bitcoin.psbt import Psbt, psbt_of, read_psbt, spent_output, write_psbt
from shared.chains.bitcoin.psbt_ours import Ours, ours_from_psbt, unsigned_psbt, with_signatures
from shared.chains.bitcoin.psbt_roles import combine, extract, finalize
from shared.chains.bitcoin.sizes import sized
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write
from shared.errors import BitcoinPsbtRefused, BitcoinSighash, Refusal
from tests.bitcoin_world import HEIGHT, REGTEST, Key, Request, a_pair, a_payment, core_accepts, key, request
from tests.shared_vectors import cases, name_of

BIPS = ("keys/bip174.json", "keys/bip370.json", "keys/bip371.json")
ROLES = "keys/psbt_roles.json"
ROOT = bip32.HDKey.from_seed(bytes(range(64)))
FINGERPRINT: bytes = ROOT.my_fingerprint


def all_of(*kinds: str) -> pytest.MarkDecorator:
    found = [case for file in (*BIPS, ROLES) for case in cases(file, *kinds) if bytes_of(case)]
    return pytest.mark.parametrize("case", found, ids=name_of)


def role(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases(ROLES, kind), ids=name_of)


def bytes_of(case: dict[str, Any]) -> bytes:
    """Give a case's bytes; one case of BIP370 has none, and three of BIP371 stand in angle brackets."""
    if case.get("hex"):
        return bytes.fromhex(case["hex"].strip("<>"))
    return base64.b64decode(case.get("psbt_base64", ""))


def psbt(text: str) -> Psbt:
    return read_psbt(base64.b64decode(text))


# --- vectors --------------------------------------------------------------------------------------


@all_of("psbt_valid")
def test_what_the_bips_call_valid_is_read_and_written_with_the_same_fields(case: dict[str, Any]) -> None:
    found = read_psbt(bytes_of(case))
    again = read_psbt(write_psbt(found))
    assert again == found
    assert sorted(write_psbt(found)) == sorted(bytes_of(case))


@all_of("psbt_refused", "psbt_locktime_conflict")
def test_what_the_bips_call_invalid_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BitcoinPsbtRefused):
        read_psbt(bytes_of(case))


@all_of("psbt_locktime")
def test_lock_times_are_determined_as_bip370_says(case: dict[str, Any]) -> None:
    if case["expect"] == "refuse":
        with pytest.raises(BitcoinPsbtRefused):
            read_psbt(bytes_of(case))
        return
    assert read_psbt(bytes_of(case)).transaction.lock_time == case["locktime"]


@role("psbt_creator")
def test_a_created_psbt_is_that_of_others(case: dict[str, Any]) -> None:
    inputs = tuple(Input(bytes.fromhex(one["txid"])[::-1], one["vout"], 0xFFFFFFFF) for one in case["inputs"])
    paid = [(address, round(value * 10**8)) for one in case["outputs"] for address, value in one.items()]
    outputs = tuple(Output(value, script_of(address, REGTEST)) for address, value in paid)
    assert write_psbt(psbt_of(Transaction(2, inputs, outputs, 0))) == base64.b64decode(case["result"])


@role("psbt_combiner")
def test_combined_psbts_are_those_of_others(case: dict[str, Any]) -> None:
    assert combine([psbt(text) for text in case["combine"]]) == psbt(case["result"])


@role("psbt_finalizer")
def test_a_finalized_psbt_is_that_of_others(case: dict[str, Any]) -> None:
    assert finalize(psbt(case["finalize"])) == psbt(case["result"])


@role("psbt_extractor")
def test_an_extracted_transaction_is_that_of_others(case: dict[str, Any]) -> None:
    assert write(extract(psbt(case["extract"]))).hex() == case["result"]


@role("psbt_signer")
def test_legacy_and_nested_inputs_of_others_are_not_signed_here(case: dict[str, Any]) -> None:
    with pytest.raises(BitcoinPsbtRefused):
        ours_from_psbt(psbt(case["psbt"]), MY_KEYS, HEIGHT)


# --- embit as oracle ------------------------------------------------------------------------------


def derived(path: tuple[int, ...], form: str = "p2wpkh") -> Key:
    """Give a key below the oracle's root, so that both can find it."""
    return Key(ROOT.derive(list(path)).key.secret, path, form)


KEYS = {
    form: [derived(key_path(REGTEST, "secp256k1", 0, index, form), form) for index in range(6)]
    for form in ("p2wpkh", "p2tr")
}
MY_KEYS = {one.public: one.path for form in KEYS.values() for one in form}
COSIGNERS = multisig(1, [KEYS["p2wpkh"][5].public, key(1).public, key(2).public])


def drawn(lots: random.Random) -> Request:
    """Draw a request with inputs of every kind, payments, and change."""
    coins = [
        (lots.choice(KEYS[lots.choice(["p2wpkh", "p2tr"])]), lots.randint(1_000, 10**9))
        for _ in range(lots.randint(1, 3))
    ]
    total = sum(value for _, value in coins)
    back = lots.choice(KEYS[coins[0][0].form])
    outputs = [
        Output(total // 2, back.script),
        Output(total // 3, lots.choice([key(9), key(8, "p2tr")]).script),
    ]
    found = request(coins, outputs, change=[(0, back)], sequence=lots.choice([0xFFFFFFFD, 0xFFFFFFFF]))
    found = replace(
        found,
        transaction=replace(
            found.transaction,
            inputs=tuple(
                replace(one, txid=lots.randbytes(32), index=lots.choice([0, 1, lots.getrandbits(32)]))
                for one in found.transaction.inputs
            ),
        ),
    )
    prevouts = []
    for one, mine in zip(found.stated.prevouts, found.keys, strict=True):
        if mine.form == "p2tr":
            prevouts.append(replace(one, opener=mine.public[1:]))
        elif mine == KEYS["p2wpkh"][5]:
            prevouts.append(
                Prevout(
                    Output(one.output.value, COSIGNERS.output_script), COSIGNERS.witness_script, mine.public
                )
            )
        else:
            prevouts.append(one)
    return replace(found, stated=replace(found.stated, prevouts=tuple(prevouts)))


@pytest.mark.parametrize("seed", range(10))
def test_what_we_write_embit_reads_and_signs_and_core_accepts(seed: int) -> None:
    lots = random.Random(seed)
    for case in range(200):
        wanted = drawn(lots)
        raw = write_psbt(unsigned_psbt(wanted.decode(), FINGERPRINT))
        theirs = PSBT.parse(raw)
        assert theirs.tx.serialize() == write(wanted.transaction)
        assert [theirs.utxo(index).value for index in range(len(theirs.inputs))] == [
            one.value for one in wanted.spent
        ]
        if case % 4 == 0:
            assert theirs.sign_with(ROOT) == len(wanted.keys)
            signed = extract(finalize(read_psbt(theirs.serialize())))
            assert core_accepts(write(signed), wanted.spent)
            assert signed.txid == wanted.transaction.txid


def their_psbt(wanted: Request, version: int) -> bytes:
    """Let the oracle write a PSBT about a request."""
    tx = TheirTransaction.parse(write(wanted.transaction))
    theirs = PSBT(tx, version=version) if version else PSBT(tx)
    for scope, mine, prevout in zip(theirs.inputs, wanted.keys, wanted.stated.prevouts, strict=True):
        place = DerivationPath(FINGERPRINT, list(mine.path))
        scope.witness_utxo = their_output(prevout.output)
        point = ROOT.derive(list(mine.path)).key.get_public_key()
        if mine.form == "p2tr":
            scope.taproot_internal_key = point
            scope.taproot_bip32_derivations[point] = ([], place)
        else:
            scope.bip32_derivations[point] = place
        if prevout.public_key:
            scope.witness_script = their_script.Script(prevout.opener)
    back = wanted.stated.change[0]
    point = ROOT.derive(list(back.path)).key.get_public_key()
    place = DerivationPath(FINGERPRINT, list(back.path))
    if back.path[0] == 84 | 1 << 31:
        theirs.outputs[0].bip32_derivations[point] = place
    else:
        theirs.outputs[0].taproot_bip32_derivations[point] = ([], place)
    raw: bytes = theirs.serialize()
    return raw


def their_output(output: Output) -> Any:
    from embit.transaction import TransactionOutput

    return TransactionOutput(output.value, their_script.Script(output.script))


@pytest.mark.parametrize("seed", range(10))
def test_what_embit_writes_becomes_ours_and_our_answer_is_accepted(seed: int) -> None:
    lots = random.Random(100 + seed)
    for case in range(200):
        wanted = drawn(lots)
        foreign = read_psbt(their_psbt(wanted, 2 if case % 2 else 0))
        ours = ours_from_psbt(foreign, MY_KEYS, HEIGHT)
        assert (ours.unsigned, ours.keys) == (
            write(wanted.transaction),
            tuple(one.path for one in wanted.keys),
        )
        tx = decoded(ours)
        assert [one.index for one in tx.change] == [0]
        assert BITCOIN.effects(tx).payments == BITCOIN.effects(wanted.decode()).payments
        if case % 4 < 2:
            answer = with_signatures(foreign, tx, wanted.signatures(tx))
            final = read_psbt(write_psbt(finalize(answer)))
            assert (final.version, final.transaction) == (foreign.version, foreign.transaction)
            assert core_accepts(write(extract(final)), wanted.spent)
            read_again = PSBT.parse(write_psbt(answer))
            assert read_again.tx.serialize() == write(wanted.transaction)


def decoded(ours: Ours) -> Any:
    return BITCOIN.decode(ours.unsigned, ours.context, ours.keys, REGTEST)


# --- foreign PSBTs that are not turned into ours --------------------------------------------------

MINE = KEYS["p2wpkh"][0]
BASE = request([(MINE, 100_000)], [Output(90_000, key(3).script)])
FUNDING = replace(BASE.transaction, outputs=(Output(7, b"\x51"), Output(100_000, MINE.script)))


def spoiled(index: int = 0, fields: dict[bytes, bytes | None] | None = None, of: Request = BASE) -> Psbt:
    """Give a good PSBT with some fields of its input set or taken away."""
    good = unsigned_psbt(of.decode(), FINGERPRINT)
    whole = {**good.inputs[0], **(fields or {})}
    return replace(good, inputs=({name: value for name, value in whole.items() if value is not None},))


def test_the_psbt_that_every_row_spoils_is_good_by_itself() -> None:
    assert ours_from_psbt(spoiled(), MY_KEYS, HEIGHT).keys == (MINE.path,)


SIGNATURE = b"\x30\x06\x02\x01\x01\x02\x01\x01\x01"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({b"\x01": None}, BitcoinPsbtRefused),
        ({b"\x01": Output(5, b"\x51").write()}, BitcoinPsbtRefused),
        ({b"\x03": b"\x02\0\0\0"}, BitcoinSighash),
        ({b"\x03": b"\x81\0\0\0"}, BitcoinSighash),
        ({b"\x02" + MINE.public: SIGNATURE}, BitcoinPsbtRefused),
        ({b"\x06" + MINE.public: None}, BitcoinPsbtRefused),
        ({b"\x06" + MINE.public: None, b"\x06" + key(3).public: FINGERPRINT + bytes(4)}, BitcoinPsbtRefused),
        ({b"\0": write(BASE.transaction)}, BitcoinPsbtRefused),
    ],
)
def test_an_input_without_all_that_it_takes_is_refused(
    fields: dict[bytes, bytes | None], kind: type[Refusal]
) -> None:
    with pytest.raises(kind):
        ours_from_psbt(spoiled(0, fields), MY_KEYS, HEIGHT)


def test_what_a_psbt_says_of_the_path_of_a_key_of_ours_is_not_read() -> None:
    elsewhere = spoiled(0, {b"\x06" + MINE.public: b"else" + bytes(4)})
    assert ours_from_psbt(elsewhere, MY_KEYS, HEIGHT).keys == (MINE.path,)


def test_signature_type_all_may_be_said() -> None:
    assert ours_from_psbt(spoiled(0, {b"\x03": b"\x01\0\0\0"}), MY_KEYS, HEIGHT).keys == (MINE.path,)


def test_a_previous_transaction_is_compared_and_carried_along() -> None:
    spend = Input(bytes.fromhex(FUNDING.txid)[::-1], 1, 0xFFFFFFFD)
    wanted = replace(BASE, transaction=replace(BASE.transaction, inputs=(spend,)))
    full = spoiled(0, {b"\0": write(FUNDING), b"\x01": None}, wanted)
    ours = ours_from_psbt(full, MY_KEYS, HEIGHT)
    assert "previous" in ours.context
    assert decoded(ours).spends[0].output.value == 100_000
    lying = spoiled(0, {b"\0": write(FUNDING), b"\x01": Output(99, MINE.script).write()}, wanted)
    with pytest.raises(BitcoinPsbtRefused):
        spent_output(lying, 0)


def test_several_of_our_keys_in_one_multisig_are_refused_and_so_is_a_second_signature() -> None:
    wallet = multisig(2, [one.public for one in KEYS["p2wpkh"][:3]])
    prevout = Prevout(Output(100_000, wallet.output_script), wallet.witness_script, MINE.public)
    of = replace(BASE, stated=replace(BASE.stated, prevouts=(prevout,)))
    assert ours_from_psbt(spoiled(of=of), MY_KEYS, HEIGHT).keys == (MINE.path,)
    place = FINGERPRINT + bytes(4)
    spoils: list[dict[bytes, bytes | None]] = [
        {b"\x06" + KEYS["p2wpkh"][1].public: place},
        {b"\x05": None},
        {b"\x02" + MINE.public: SIGNATURE},
    ]
    for fields in spoils:
        with pytest.raises(BitcoinPsbtRefused):
            ours_from_psbt(spoiled(0, fields, of), MY_KEYS, HEIGHT)


def test_an_output_of_ours_in_another_account_stays_a_payment() -> None:
    other = derived(key_path(REGTEST, "secp256k1", 4, 0))
    wanted = request([(MINE, 100_000)], [Output(50_000, other.script)])
    good = unsigned_psbt(wanted.decode(), FINGERPRINT)
    place = FINGERPRINT + b"".join(step.to_bytes(4, "little") for step in other.path)
    claimed = replace(good, outputs=({b"\x02" + other.public: place},))
    mine = {**MY_KEYS, other.public: other.path}
    assert "change" not in ours_from_psbt(claimed, mine, HEIGHT).context
    near = FINGERPRINT + b"".join(step.to_bytes(4, "little") for step in MINE.path)
    lying = replace(good, outputs=({b"\x02" + MINE.public: near, b"\x07" + b"\xff" * 32: b"\0" + near},))
    assert "change" not in ours_from_psbt(lying, MY_KEYS, HEIGHT).context


def test_a_psbt_without_inputs_and_a_pair_are_refused() -> None:
    empty = psbt_of(Transaction(2, (), (Output(1, b"\x51"),), 0))
    assert read_psbt(write_psbt(empty)) == empty
    with pytest.raises(BitcoinPsbtRefused):
        ours_from_psbt(empty, MY_KEYS, HEIGHT)
    from tests.test_bitcoin_signing import MESSAGE

    with pytest.raises(BitcoinPsbtRefused):
        unsigned_psbt(a_pair(key(0), MESSAGE).decode())


def test_signatures_go_into_no_psbt_about_another_transaction() -> None:
    one, other = a_payment(), BASE
    with pytest.raises(BitcoinPsbtRefused):
        with_signatures(unsigned_psbt(other.decode()), one.decode(), one.signatures())


def test_a_signed_psbt_of_version_2_may_not_grow_any_more() -> None:
    found = read_psbt(their_psbt(drawn(random.Random(1)), 2))
    growing = replace(found, fields={**found.fields, b"\x06": b"\x07"})
    wanted = drawn(random.Random(1))
    assert with_signatures(growing, wanted.decode(), wanted.signatures()).fields[b"\x06"] == b"\x04"


def test_change_without_a_key_has_no_derivation() -> None:
    same = replace(BASE, transaction=replace(BASE.transaction, outputs=(Output(5_000, MINE.script),)))
    same = replace(same, stated=replace(same.stated, change=(Change(0),)))
    assert unsigned_psbt(same.decode(), FINGERPRINT).outputs == ({},)
    keyed = replace(same, stated=replace(same.stated, change=(Change(0, MINE.public, MINE.path),)))
    assert unsigned_psbt(keyed.decode()).outputs == ({},)
    assert unsigned_psbt(keyed.decode(), FINGERPRINT).outputs != ({},)


# --- roles that refuse ----------------------------------------------------------------------------


def test_nothing_and_different_transactions_do_not_combine() -> None:
    with pytest.raises(BitcoinPsbtRefused):
        combine([])
    with pytest.raises(BitcoinPsbtRefused):
        combine([spoiled(), unsigned_psbt(a_payment().decode())])
    with pytest.raises(BitcoinPsbtRefused):
        combine([spoiled(), spoiled(0, {b"\x03": b"\x01\0\0\0"}), spoiled(0, {b"\x03": b"\x02\0\0\0"})])


def test_an_input_without_its_signatures_is_not_finalized_or_extracted() -> None:
    taproot = request([(key(0, "p2tr"), 9_000)], [Output(5_000, key(1).script)])
    several = multisig(2, [one.public for one in KEYS["p2wpkh"][:3]])
    prevout = Prevout(Output(100_000, several.output_script), several.witness_script, MINE.public)
    of = replace(BASE, stated=replace(BASE.stated, prevouts=(prevout,)))
    for part in (
        spoiled(),
        spoiled(0, {b"\x01": None}),
        unsigned_psbt(taproot.decode()),
        spoiled(of=of),
        spoiled(0, {b"\x05": b"\x51"}, of),
    ):
        with pytest.raises(BitcoinPsbtRefused):
            finalize(part)
    with pytest.raises(BitcoinPsbtRefused):
        extract(spoiled())


@pytest.mark.parametrize("outer", [b"", b"\0\x14" + bytes(20)])
def test_inputs_of_one_key_are_finalized_in_every_form(outer: bytes) -> None:
    script = b"\xa9\x14" + bytes(20) + b"\x87" if outer else b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"
    fields = {b"\x01": Output(5, script).write(), b"\x02" + MINE.public: SIGNATURE}
    if outer:
        fields[b"\x04"] = outer
    signed = extract(finalize(replace(spoiled(), inputs=(fields,))))
    assert bool(signed.inputs[0].witness) == bool(outer)
    assert signed.inputs[0].script


# --- bytes ----------------------------------------------------------------------------------------


def test_a_flipped_bit_never_crashes_and_what_is_read_is_written_again() -> None:
    lots = random.Random(174)
    good = [write_psbt(unsigned_psbt(drawn(lots).decode(), FINGERPRINT)) for _ in range(5)]
    good += [bytes_of(case) for file in BIPS for case in cases(file, "psbt_valid") if bytes_of(case)]
    for _ in range(3_000):
        raw = bytearray(lots.choice(good))
        raw[lots.randrange(len(raw))] ^= 1 << lots.randrange(8)
        try:
            found = read_psbt(bytes(raw))
        except BitcoinPsbtRefused:
            continue
        assert read_psbt(write_psbt(found)) == found
        try:
            ours_from_psbt(found, MY_KEYS, HEIGHT)
        except Refusal:
            continue


@pytest.mark.parametrize(
    "value",
    [
        b"\x81\xc0\x01\x51",
        b"\0\xc1\x01\x51",
        b"\x01\xc0\x01\x51",
        b"\0\xc0\x01\x51\0\xc0\x01\x51",
        b"\0\xc0\x05",
    ],
)
def test_a_taproot_tree_that_is_none_is_refused(value: bytes) -> None:
    good = unsigned_psbt(BASE.decode())
    with pytest.raises(BitcoinPsbtRefused):
        read_psbt(write_psbt(replace(good, outputs=({b"\x06": value},))))


def test_uncompressed_keys_of_old_wallets_are_carried_along() -> None:
    old = spoiled(0, {b"\x06\x04" + bytes(64): FINGERPRINT + bytes(4)})
    assert read_psbt(write_psbt(old)) == old
    assert ours_from_psbt(old, MY_KEYS, HEIGHT).keys == (MINE.path,)


def test_a_taproot_input_says_its_internal_key_also_without_a_fingerprint() -> None:
    mine = key(0, "p2tr")
    of = request([(mine, 9_000)], [Output(5_000, key(1).script)])
    known = Prevout(of.stated.prevouts[0].output, mine.public[1:])
    tx = replace(of, stated=replace(of.stated, prevouts=(known,))).decode()
    assert unsigned_psbt(tx).inputs[0][b"\x17"] == mine.public[1:]
    assert unsigned_psbt(of.decode()).inputs[0].keys() == {b"\x01"}


def test_a_whole_taproot_tree_is_read() -> None:
    good = unsigned_psbt(BASE.decode())
    leaf = b"\xc0" + sized(b"\x51")
    whole = replace(good, outputs=({b"\x06": b"\x02" + leaf + b"\x02" + leaf + b"\x01" + leaf},))
    assert read_psbt(write_psbt(whole)) == whole


def test_a_hash_that_is_not_its_preimages_is_refused() -> None:
    for kind in (0x0B, 0x0D):
        bad = spoiled(0, {bytes([kind]) + bytes(32): b"secret"})
        with pytest.raises(BitcoinPsbtRefused):
            read_psbt(write_psbt(bad))
