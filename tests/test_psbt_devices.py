"""The coordinator asks a device of another maker: exports a PSBT, takes in the signed one, and says so to the auditor.

embit is the device: it has a seed, reads what was exported and signs it. Wallets, orders, books and the ledger are the
real ones on the devnet, whose consensus is Bitcoin Core's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from embit import bip32
from embit.descriptor.checksum import checksum
from embit.finalizer import finalize_psbt
from embit.networks import NETWORKS
from embit.psbt import PSBT
from embit.script import Witness
from sqlalchemy import update

from offline_signer import journal_file, setup
from offline_signer.box import opened
from online import audit
from online.cli.exporting import review_of
from online.cli.request import in_its_format
from online.jobs.answers import Answered, import_answer
from online.jobs.export import Exported, export_request, request_blob
from online.jobs.model import jobs
from online.jobs.reconcile import acknowledge, import_signer_journal
from online.ledger.books import open_wallet
from online.orders.spending import draft_batch, draft_pay
from online.store import tables
from online.store.cards import seal_watch
from online.store.signers import device_key, signer
from online.store.wallets import import_card, keys, wallet, watch_wallet
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.psbt import psbt_of, read_psbt, write_psbt
from shared.chains.bitcoin.psbt_answers import signatures_in
from shared.chains.bitcoin.psbt_ours import unsigned_psbt
from shared.chains.bitcoin.sizes import Reader
from shared.chains.bitcoin.transactions import (
    Output,
    Transaction,
    read_all,
    read_unsigned,
    read_witness,
    write,
    write_witness,
)
from shared.courier.inward import carry_in
from shared.courier.outward import Ways, carry_out
from shared.effects import Destination
from shared.errors import BitcoinPsbtRefused, ForeignSignerAsked, Refusal, Unreconciled
from shared.policy import Person
from shared.policy_document import read_policy, seal_policy
from tests.bitcoin_house import COIN, NETWORK, NOW, PASSPHRASE, XCP, House, a_house, amount, friend
from tests.bitcoin_world import key, request
from tests.psbt_world import Coin, Watcher

ROOT = bip32.HDKey.from_seed(bytes(range(32, 96)))
OTHER = bip32.HDKey.from_seed(bytes(64))
FUNCTIONS = {"p2wpkh": ("wpkh", 84), "p2tr": ("tr", 86)}


Still = tuple[House, dict[str, Exported]]


def descriptor(form: str = "p2wpkh", *, account: int = 0, root: bip32.HDKey = ROOT, branches: str = "<0;1>") -> str:
    """Write the descriptor that a device would export."""
    function, purpose = FUNCTIONS[form]
    path = f"{purpose}h/1h/{account}h"
    xpub = root.derive(f"m/{path}").to_public().to_base58(NETWORKS["test"]["xpub"])
    return checked(f"{function}([{root.my_fingerprint.hex()}/{path}]{xpub}/{branches}/*)")


def checked(text: str) -> str:
    return f"{text}#{checksum(text)}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """Give a house in which a device's wallet of each form waits for its answer: what is refused changes nothing."""
    with a_house(tmp_path_factory.mktemp("still")) as made:
        exported = {}
        for form in FUNCTIONS:
            device = furnish(made, form, name=form)
            exported[form] = asked(made, device, wallet=form)
        yield made, exported


def furnish(house: House, form: str = "p2wpkh", count: int = 2, name: str = "vault") -> bytes:
    """Give the coordinator a device's wallet, two coins on each of its addresses; give what stands for the device."""
    watched = watch_wallet(house.store, name, descriptor(form), NOW, network=NETWORK, tier="cold", device="coldcard",
                           addresses=count)
    for index in range(count):
        house.fund(COIN, COIN, wallet=name, index=index)
    open_wallet(house.store, name, house.gateway, NOW)
    return watched.signer


def asked(house: House, device: bytes, units: int = COIN // 2, wallet: str = "vault") -> Exported:
    """Draft and approve a payment from the device's wallet, and export it."""
    payments = [(Destination(friend(1)), amount(units))]
    house.approved(draft_pay(house.store, house.asking(), wallet=wallet, payments=payments))
    house.build()
    return export_request(house.store, device, house.now)


def signed(raw: bytes, root: bip32.HDKey = ROOT, *, final: bool = False) -> bytes:
    """Sign as the device does; with `final` it finalizes what it signed."""
    psbt = PSBT.parse(raw)
    assert psbt.sign_with(root) > 0 or root is not ROOT
    return bytes((finalized(psbt) if final else psbt).serialize())


def finalized(psbt: Any) -> Any:
    """Put the final witness into each input, as devices do that give back a finished PSBT."""
    tx = finalize_psbt(psbt)
    for scope, spent in zip(psbt.inputs, tx.vin, strict=True):
        scope.final_scriptwitness = spent.witness
        scope.partial_sigs.clear()
    return psbt


def taken(house: House, blob: bytes) -> Answered:
    return import_answer(house.store, blob, house.now)


def refused(house: House, blob: bytes) -> str:
    """Give the code with which an answer is refused; no job may have moved."""
    before = house.states()
    with pytest.raises(Refusal) as caught:
        taken(house, blob)
    assert house.states() == before
    return caught.value.code


# --- the whole way --------------------------------------------------------------------------------


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_what_a_device_signs_goes_onto_the_ledger_and_into_the_books(house: House, form: str, *, final: bool) -> None:
    device = furnish(house, form)
    exported = asked(house, device, COIN * 3 // 2)
    answer = taken(house, signed(exported.blob, final=final and form == "p2wpkh"))
    assert (answer.request, answer.answered, answer.repeated) == (exported.digest, exported.jobs, False)
    house.settle()
    assert house.states() == ["final"]
    assert house.gateway.account(friend(1)).balance.units == COIN * 3 // 2
    house.require_books()


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_the_device_is_told_every_value_key_and_path_and_what_comes_back(house: House, form: str) -> None:
    device = furnish(house, form)
    psbt = PSBT.parse(asked(house, device).blob)
    places = "taproot_bip32_derivations" if form == "p2tr" else "bip32_derivations"
    scopes = [*psbt.inputs, psbt.outputs[0]]
    for scope in scopes:
        ((_, place),) = getattr(scope, places).items()
        found = place[1] if form == "p2tr" else place
        assert found.fingerprint == ROOT.my_fingerprint
        assert ROOT.derive(found.derivation).key.get_public_key().xonly() in {
            key.public_key[1:] for key in keys(house.store, "vault")
        }
    assert [scope.witness_utxo.value for scope in psbt.inputs] == [COIN]


def test_the_request_has_the_review_that_a_signer_of_ours_would_show(house: House) -> None:
    exported = asked(house, furnish(house))
    text = "\n".join(review_of(house.store, exported.digest).lines)
    assert friend(1) in text
    assert "pays 0.5 BTC" in text
    assert request_blob(house.store, exported.digest) == exported.blob


def test_a_device_and_a_signer_of_ours_may_have_other_keys_at_the_same_path(house: House) -> None:
    path = keys(house.store, "cold")[0].path
    account = path[2] - 2**31
    how: Any = {"network": NETWORK, "tier": "cold", "device": "coldcard"}
    watch_wallet(house.store, "vault", descriptor(account=account), NOW, **how)
    assert keys(house.store, "vault")[0].path == path
    house.fund(COIN, wallet="vault")
    psbt = PSBT.parse(asked(house, signer(house.store, "coldcard").public_key).blob)
    ((point, place),) = psbt.inputs[0].bip32_derivations.items()
    assert point.sec() == keys(house.store, "vault")[0].public_key
    assert place.derivation == list(path)
    payments = [(Destination(friend(2)), amount(COIN // 2))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    house.settle()
    assert house.states() == ["exported", "final"]


def test_each_job_is_a_psbt_of_its_own_and_several_may_be_under_way(house: House) -> None:
    device = furnish(house)
    first = asked(house, device)
    second = asked(house, device, COIN // 4)
    assert len({first.digest, second.digest}) == 2
    assert first.jobs != second.jobs
    for exported in (second, first):
        taken(house, signed(exported.blob))
    house.settle()
    assert house.states() == ["final", "final"]


@pytest.mark.parametrize("symbols", ["ur", "bbqr"])
def test_it_crosses_both_ways_as_drawn_symbols(house: House, tmp_path: Path, symbols: Any) -> None:
    exported = asked(house, furnish(house))
    carry_out(exported.blob, Ways(gif=tmp_path / "asked.gif", symbols=symbols))
    seen = carry_in(str(tmp_path / "asked.gif"), lambda _: None).sealed
    carry_out(signed(seen), Ways(png=tmp_path / "answer", symbols=symbols))
    assert taken(house, carry_in(str(tmp_path / "answer"), lambda _: None).sealed).answered == exported.jobs


def test_only_what_goes_to_a_device_is_drawn_in_its_symbols(still: Still) -> None:
    ways = in_its_format(still[1]["p2wpkh"].blob, Ways())
    assert (ways.symbols, in_its_format(b"sealed", Ways()).symbols) == ("ur", None)
    with pytest.raises(ForeignSignerAsked):
        in_its_format(b"sealed", Ways(symbols="bbqr"))


def test_the_same_answer_twice_changes_nothing(house: House) -> None:
    exported = asked(house, furnish(house))
    answer = signed(exported.blob)
    taken(house, answer)
    again = taken(house, answer)
    assert (again.repeated, again.answered) == (True, exported.jobs)
    assert taken(house, signed(exported.blob, final=True)).repeated  # in another form, with the same signature


def test_a_taproot_signature_counts_where_devices_leave_it_unfinished(house: House) -> None:
    exported = asked(house, furnish(house, "p2tr"))
    final = read_psbt(signed(exported.blob))
    fields = [{**given, b"\x13": read_witness(Reader(made[b"\x08"]))[0]}
              for given, made in zip(read_psbt(exported.blob).inputs, final.inputs, strict=True)]
    partial = write_psbt(replace(read_psbt(exported.blob), inputs=tuple(fields)))
    assert taken(house, partial).answered == exported.jobs
    assert taken(house, write_psbt(final)).repeated


def test_signatures_are_not_taken_for_another_transaction() -> None:
    tx = request([(key(0), 100_000)], [Output(90_000, key(1).script)]).decode()
    other = request([(key(0), 100_000)], [Output(80_000, key(1).script)]).decode()
    with pytest.raises(BitcoinPsbtRefused):
        signatures_in(unsigned_psbt(other), tx)


# --- what the auditor sees ------------------------------------------------------------------------


def test_the_audit_names_the_jobs_behind_which_no_signers_journal_stands(house: House) -> None:
    exported = asked(house, furnish(house))
    taken(house, signed(exported.blob))
    house.settle()
    report = audit.verify(house.store)
    assert (report.problems, report.without_journal) == ((), exported.jobs)


def test_what_a_signer_of_ours_signed_is_not_among_them(house: House) -> None:
    payments = [(Destination(friend(1)), amount(COIN))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    assert audit.verify(house.store).without_journal == ()


def test_a_psbt_in_the_place_of_a_signers_answer_is_named(house: House) -> None:
    payments = [(Destination(friend(1)), amount(COIN // 2))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.cross()
    (job,) = jobs(house.store)
    assert job.blob is not None
    transaction, = read_all(job.blob, 1)
    psbt = psbt_of(unsigned_of(transaction))
    fields = tuple({b"\x08": write_witness(one.witness)} for one in transaction.inputs)
    with house.store.transaction() as tx:
        tx.sql.execute(update(tables.answers).values(sealed=write_psbt(replace(psbt, inputs=fields))))
    report = audit.verify(house.store)
    assert any(problem.startswith("requests") for problem in report.problems)
    assert report.without_journal == ()


def unsigned_of(transaction: Transaction) -> Transaction:
    return replace(transaction, inputs=tuple(replace(one, witness=()) for one in transaction.inputs))


@pytest.mark.parametrize(("table", "column", "value", "where"), [
    ("requests", "sealed", b"psbt\xff\0", "requests"),
    ("requests", "sealed", b"other", "requests"),
    ("requests", "created", 7, "requests"),
    ("answers", "sealed", b"psbt\xff\0", "requests"),
    ("answers", "sealed", b"other", "answers"),
    ("signers", "fingerprint", b"else", "signers coldcard"),
    ("wallets", "account", 7, "wallets vault"),
    ("keys", "path", "m/84'/1'/0'/0/5", "keys vault"),
    ("jobs", "blob", b"another", "jobs"),
])
def test_an_edited_row_about_a_device_is_named(house: House, table: str, column: str, value: Any, where: str) -> None:
    taken(house, signed(asked(house, furnish(house, count=1)).blob))
    row = tables.metadata.tables[table]
    query = update(row).values({column: value})
    name = {"signers": "name", "wallets": "name", "keys": "wallet"}.get(table)
    if name:
        query = query.where(row.c[name] == ("coldcard" if table == "signers" else "vault"))
    with house.store.transaction() as tx:
        tx.sql.execute(query)
    assert any(problem.startswith(where) for problem in audit.verify(house.store).problems)


def test_what_a_signer_of_ours_signed_for_another_wallet_is_shown_and_stops_exports_until_it_is_known(
    house: House,
) -> None:
    raw = _signed_by_our_signer(house)
    lines = (house.folder / "signer" / journal_file.NAME).read_bytes()
    found = import_signer_journal(house.store, house.signer, lines, house.now)
    (unknown,) = found.unknown
    assert unknown.unsigned_sha256 == sha256(write(read_psbt(raw).transaction, witness=False)).digest()
    assert unknown.pays[0] == "another maker's wallet asked for it"
    assert unknown.pays[1] == f"0.5 BTC to {friend(1)}"
    assert unknown.why == "another maker's wallet asked for it"
    payments = [(Destination(friend(1)), amount(7_000))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    with pytest.raises(Unreconciled):
        house.export()
    alice = house.people["alice"]
    acknowledge(house.store, house.signer, [unknown.unsigned_sha256], person=Person("alice", alice.public),
                sign=alice.sign, now=house.now)
    house.cross()
    house.settle()
    assert house.states() == ["final"]


def _signed_by_our_signer(house: House) -> bytes:
    """Let another wallet ask our signer for a payment out of the cold wallet; the policy's next epoch allows it."""
    with opened(house.folder / "signer", PASSPHRASE, lambda: house.now) as box:
        sealed = next(entry.body["sealed"] for entry in reversed(box.journal.entries) if entry.kind == "policy")
        assert isinstance(sealed, bytes)
        text = read_policy(sealed)[1].replace("epoch = 1\n", "epoch = 2\n", 1)
        ann = house.people["ann"]
        text = text.replace('kinds = ["payment"', 'kinds = ["foreign-payment", "payment"')
        setup.install_policy(box, seal_policy(text, ann.public, ann.sign))
        watcher = Watcher(setup.describe(box, "cold").whole)
        raw = bytes(watcher.psbt([Coin(1, COIN, number=3)], [(script_of(friend(1), NETWORK), COIN // 2)],
                                 Coin(0, COIN // 2 - 1_000)).serialize())
    house.sign(raw)
    return raw


# --- answers that are refused ---------------------------------------------------------------------


def test_an_unsigned_psbt_is_no_answer(still: Still) -> None:
    assert refused(still[0], still[1]["p2wpkh"].blob) == "bitcoin-psbt-refused"


def test_a_signature_by_another_key_is_refused(still: Still) -> None:
    raw = still[1]["p2wpkh"].blob
    good, stranger = PSBT.parse(signed(raw)), OTHER.derive("m/0").key
    ((point, _),) = good.inputs[0].partial_sigs.items()
    good.inputs[0].partial_sigs[point] = stranger.sign(bytes(32)).serialize() + b"\1"
    assert refused(still[0], good.serialize()) == "bitcoin-bad-signature"


@pytest.mark.parametrize(("tail", "code"), [
    (b"\x83", "bitcoin-sighash"), (b"\0", "bitcoin-sighash"),
])
def test_a_signature_of_another_type_is_refused(still: Still, tail: bytes, code: str) -> None:
    good = PSBT.parse(signed(still[1]["p2wpkh"].blob))
    ((point, one),) = good.inputs[0].partial_sigs.items()
    good.inputs[0].partial_sigs[point] = one[:-1] + tail
    assert refused(still[0], good.serialize()) == code


@pytest.mark.parametrize(("items", "code"), [
    ([bytes(65)], "bitcoin-sighash"),
    ([bytes(63)], "bitcoin-bad-signature"),
    ([bytes(64)], "bitcoin-bad-signature"),
    ([bytes(64), b"\x50"], "bitcoin-psbt-refused"),
])
def test_a_taproot_witness_of_another_form_is_refused(still: Still, items: list[bytes], code: str) -> None:
    psbt = PSBT.parse(still[1]["p2tr"].blob)
    psbt.inputs[0].final_scriptwitness = Witness(items)
    assert refused(still[0], psbt.serialize()) == code


def test_a_witness_that_names_another_key_is_refused(still: Still) -> None:
    psbt = PSBT.parse(still[1]["p2wpkh"].blob)
    psbt.inputs[0].final_scriptwitness = Witness([b"\x30" * 71, OTHER.key.get_public_key().sec()])
    assert refused(still[0], psbt.serialize()) == "bitcoin-psbt-refused"


def test_a_high_s_signature_is_refused(still: Still) -> None:
    good = PSBT.parse(signed(still[1]["p2wpkh"].blob))
    ((point, one),) = good.inputs[0].partial_sigs.items()
    good.inputs[0].partial_sigs[point] = _high(one)
    assert refused(still[0], good.serialize()) == "bitcoin-bad-signature"


def _high(der: bytes) -> bytes:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    at = 4 + der[3]
    small = int.from_bytes(der[at + 2 : -1], "big")
    large = b"\0" + (order - small).to_bytes(32, "big")
    body = der[2:at] + bytes([2, len(large)]) + large
    return bytes([0x30, len(body)]) + body + b"\1"


def test_a_psbt_about_another_transaction_is_unknown(still: Still) -> None:
    psbt = PSBT.parse(signed(still[1]["p2wpkh"].blob))
    psbt.outputs[0].value -= 1
    assert refused(still[0], psbt.serialize()) == "unknown-request"


def test_the_lock_time_is_part_of_what_was_asked(still: Still) -> None:
    psbt = PSBT.parse(signed(still[1]["p2wpkh"].blob))
    psbt.locktime = 7
    assert refused(still[0], psbt.serialize()) == "unknown-request"


def test_another_signature_for_the_same_request_conflicts_with_the_first(house: House) -> None:
    raw = asked(house, furnish(house, "p2tr")).blob
    taken(house, signed(raw))
    psbt = PSBT.parse(raw)
    psbt.inputs[0].final_scriptwitness = Witness([bytes(64)])
    assert refused(house, psbt.serialize()) == "answer-conflict"


def test_a_psbt_does_not_answer_what_a_signer_of_ours_was_asked(house: House) -> None:
    payments = [(Destination(friend(1)), amount(COIN))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments))
    house.export()
    (job,) = jobs(house.store)
    assert job.unsigned is not None
    (transaction,) = read_unsigned(job.unsigned, 1)
    assert refused(house, write_psbt(psbt_of(transaction))) == "answer-by-another"


def test_a_commit_and_its_reveal_are_no_psbt(house: House) -> None:
    device = furnish(house)
    house.counterparty.credit(house.address("vault"), "XCP", 1_000 * COIN)
    lines = [(Destination(friend(number)), amount(1_000 + number, XCP)) for number in range(30)]
    house.approved(draft_batch(house.store, house.asking(), wallet="vault", payments=lines))
    house.build()
    with pytest.raises(Refusal) as caught:
        export_request(house.store, device, house.now)
    assert (caught.value.code, house.states()) == ("foreign-signer", ["built"])


# --- wallets from descriptors ---------------------------------------------------------------------


def test_a_descriptor_taken_in_twice_only_adds_addresses(house: House) -> None:
    how: Any = {"network": NETWORK, "tier": "cold", "device": "coldcard"}
    watch_wallet(house.store, "vault", descriptor(), NOW, **how)
    watch_wallet(house.store, "vault", descriptor(branches="0"), NOW, addresses=3, **how)
    assert [key.path[-2:] for key in keys(house.store, "vault")] == [(0, 0), (0, 1), (0, 2)]
    assert signer(house.store, "coldcard").fingerprint == ROOT.my_fingerprint
    assert wallet(house.store, "vault").signer == device_key(ROOT.my_fingerprint)
    assert audit.verify(house.store).problems == ()


def test_two_wallets_of_one_device_have_one_device_behind_them(house: House) -> None:
    how: Any = {"network": NETWORK, "tier": "cold", "device": "coldcard"}
    first = watch_wallet(house.store, "vault", descriptor(), NOW, **how)
    second = watch_wallet(house.store, "tap", descriptor("p2tr"), NOW, **how)
    assert first.signer == second.signer


@pytest.mark.parametrize(("name", "text", "device", "code"), [
    ("cold", descriptor(), "coldcard", "card-conflict"),
    ("p2wpkh", descriptor(account=1), "coldcard", "card-conflict"),
    ("p2wpkh", descriptor(root=OTHER), "keystone", "card-conflict"),
    ("other", descriptor(), "coldcard", "card-conflict"),
    ("other", descriptor(account=1), "keystone", "name-taken"),
    ("other", descriptor(root=OTHER), "box", "name-taken"),
    ("other", descriptor(root=OTHER), "coldcard", "name-taken"),
])
def test_a_descriptor_never_changes_what_is_there(still: Still, name: str, text: str, device: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        watch_wallet(still[0].store, name, text, NOW, device=device, network=NETWORK, tier="cold")
    assert caught.value.code == code


GOOD = descriptor().partition("#")[0]
FP = ROOT.my_fingerprint.hex()


@pytest.mark.parametrize("text", [
    GOOD,
    f"{GOOD}#qqqqqqqq",
    descriptor().replace("/84h", "/84H"),
    checked(GOOD.replace("wpkh(", "tr(")),
    checked(GOOD.replace("wpkh(", "pkh(")),
    checked(GOOD.replace("wpkh(", "sh(wpkh(") + ")"),
    checked(GOOD.replace("84h/1h/0h", "84h/0h/0h")),
    checked(GOOD.replace("84h/1h/0h", "84h/1h/1h")),
    checked(GOOD.replace("84h/1h/0h", "84h/1h/9999999999h")),
    checked(GOOD.replace("84h/1h/0h", "84h/1h")),
    checked(GOOD.replace("84h/1h/0h", "84h/1h/0")),
    checked(GOOD.replace("<0;1>", "1")),
    checked(GOOD.replace("<0;1>", "<1;0>")),
    checked(GOOD.replace("<0;1>/*", "<0;1>/*h")),
    checked(GOOD.replace(f"[{FP}/84h/1h/0h]", "")),
    checked(GOOD.replace("tpub", "xpub")),
    checked(GOOD.replace("tpubD", "tpubE")),
    "",
    "x" * 401,
])
def test_a_descriptor_that_can_not_be_watched_is_refused(still: Still, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        watch_wallet(still[0].store, "vault", text, NOW, network=NETWORK, tier="cold", device="coldcard")
    assert caught.value.code == "foreign-descriptor"


def test_on_another_ledger_there_is_nothing_to_watch_by(still: Still) -> None:
    with pytest.raises(Refusal) as caught:
        watch_wallet(still[0].store, "vault", descriptor(), NOW, network="xrpl:local", tier="cold", device="coldcard")
    assert caught.value.code == "foreign-unwanted"


def test_what_anybody_else_sealed_is_not_taken_as_a_card(still: Still) -> None:
    house, _ = still
    station = house.people["station"]
    sealed = seal_watch("vault", NETWORK, "cold", descriptor(), station.public, station.sign)
    with pytest.raises(Refusal) as caught:
        import_card(house.store, sealed, NOW)
    assert caught.value.code == "wrong-document"


def test_apostrophes_are_read_as_the_letter_h(house: House) -> None:
    text = checked(GOOD.replace("h/", "'/").replace("h]", "']"))
    found = watch_wallet(house.store, "vault", text, NOW, network=NETWORK, tier="cold", device="coldcard")
    assert (found.account, found.form) == (0, "p2wpkh")
