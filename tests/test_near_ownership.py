"""Proofs of key ownership (NEP-413) by the signer: shown, approved by people, journaled, and never a transaction.

The proof is checked with PyNaCl over bytes that are put together here, beside the library that made it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from offline_signer import ceremony, journal_file, ownership, pen
from offline_signer.history import fold
from shared import chains
from shared.chains.api import Words
from shared.chains.near.decode import read_unsigned
from shared.chains.near.nep413 import Message, encode_message
from shared.encoding import encode
from shared.envelope import NOTHING_SEEN, Approval, seal_approval
from shared.errors import Refusal
from tests.cli_house import PASSPHRASE, signer
from tests.signing_world import PASSPHRASE as BOX_PASSPHRASE
from tests.signing_world import Somebody
from tests.test_signer_near import Vaults

NONCE = sha256(b"what the asker chose").digest()
WORDS = Words("I hold this key, 28 November", "auditor.example", NONCE)


@pytest.fixture
def vaults(tmp_path: Path) -> Vaults:
    return Vaults(tmp_path / "signer")


def proven(vaults: Vaults, *people: str, words: Words = WORDS, index: int = 0, wallet: str = "vaults",
           about: bytes | None = None) -> dict[str, str]:
    """Take a question through the signer, with approvals of these people."""
    with vaults.world.box() as box:
        question = ownership.ask(box.history, wallet, index, words)
        approval = Approval(about or question.digest, (), box.seen())
        signed = [_approval(vaults.world.people[name], approval) for name in people]
        found: dict[str, str] = json.loads(ownership.prove(box, question, signed))
    return found


def _approval(person: Somebody, approval: Approval) -> bytes:
    return seal_approval(approval, person.public, person.sign)


def refused(vaults: Vaults, *people: str, **changes: object) -> str:
    """Demand a refusal that leaves the journal as it was; give its code."""
    file = vaults.world.folder / journal_file.NAME
    before = file.read_bytes()
    with pytest.raises(Refusal) as caught:
        proven(vaults, *people, **changes)  # type: ignore[arg-type]
    assert file.read_bytes() == before
    return caught.value.code


def text(value: str) -> bytes:
    return len(value).to_bytes(4, "little") + value.encode()


@pytest.mark.parametrize("index", [0, 3])
def test_a_proof_verifies_by_the_standards_own_bytes(vaults: Vaults, index: int) -> None:
    found = proven(vaults, "carol", index=index)
    number = (2**31 + 413).to_bytes(4, "little")
    signed = number + text(WORDS.text) + NONCE + text(WORDS.recipient) + b"\0"
    VerifyKey(vaults.keys[index]).verify(sha256(signed).digest(), base64.b64decode(found["signature"]))
    assert found["accountId"] == vaults.addresses[index]
    assert (found["message"], found["recipient"]) == (WORDS.text, WORDS.recipient)
    assert base64.b64decode(found["nonce"]) == NONCE


def test_what_is_signed_can_be_no_transaction_and_no_delegate_action() -> None:
    raw = encode_message(Message(WORDS.text, WORDS.nonce, WORDS.recipient))
    with pytest.raises(Refusal):
        read_unsigned(raw)
    assert int.from_bytes(raw[:4], "little") > 64  # the longest signer that a transaction can begin with


def test_the_screen_shows_every_word(vaults: Vaults) -> None:
    with vaults.world.box() as box:
        lines = ownership.ask(box.history, "vaults", 1, WORDS).lines()
    assert lines[:5] == (
        "proves that this signer holds key 1 of wallet vaults on near:localnet; moves nothing",
        f"account {vaults.addresses[1]}",
        f"message: {WORDS.text}",
        f"to recipient: {WORDS.recipient}",
        f"nonce {NONCE.hex()}",
    )


def test_the_journal_has_the_words_and_whose_they_were_before_anything_is_signed(
    vaults: Vaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(pen, "sign", broken)
    with pytest.raises(RuntimeError):
        proven(vaults, "carol")
    entries = journal_file.read(vaults.world.folder, None).entries
    assert entries[-1].kind == "prove"
    body = dict(entries[-1].body)
    assert (body["message"], body["recipient"], body["nonce"]) == (WORDS.text, WORDS.recipient, NONCE)
    approvals = body["approvals"]
    assert isinstance(approvals, list)
    assert len(approvals) == 1
    fold(entries)


def test_asking_twice_gives_the_same_proof(vaults: Vaults) -> None:
    assert proven(vaults, "carol") == proven(vaults, "dave")


def test_a_proof_takes_nothing_from_what_may_be_paid(vaults: Vaults) -> None:
    for _ in range(12):
        proven(vaults, "carol")
    assert vaults.sign(vaults.pay(100))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(("people", "code"), [
    ((), "not-enough-approvals"), (("eve",), "unknown-person"), (("ann",), "unknown-person"),
    (("carol", "eve"), "unknown-person"), (("station",), "unknown-person"),
])
def test_nobody_proves_without_an_approver(vaults: Vaults, people: tuple[str, ...], code: str) -> None:
    assert refused(vaults, *people) == code


@pytest.mark.parametrize("approvals", [0, 2])
def test_no_rule_makes_it_automatic_and_a_rule_may_want_more(tmp_path: Path, approvals: int) -> None:
    vaults = Vaults(tmp_path / "signer")
    with vaults.world.box() as box:
        (rule,) = [one for one in box.policy().rules if one.wallet == "vaults"]
        policy = replace(box.policy(), rules=(replace(rule, approvals=approvals, automatic=not approvals),))
    assert ownership.quorum(policy, "vaults") == max(1, approvals)
    assert ownership.quorum(replace(policy, rules=()), "vaults") == 1


def test_an_approval_of_a_request_or_of_other_words_approves_no_proof(vaults: Vaults) -> None:
    with vaults.world.box() as box:
        request = vaults.world.examine(box, vaults.request(vaults.pay(5))).digest
        other = ownership.ask(box.history, "vaults", 0, replace(WORDS, text="something else")).digest
        key = ownership.ask(box.history, "vaults", 1, WORDS).digest
    for about in (request, other, key, sha256(encode({})).digest()):
        assert refused(vaults, "carol", about=about) == "not-enough-approvals"


def test_an_approval_of_a_proof_approves_no_request(vaults: Vaults) -> None:
    with vaults.world.box() as box:
        digest = ownership.ask(box.history, "vaults", 0, WORDS).digest
        examination = vaults.world.examine(box, vaults.request(vaults.pay(5)))
        approval = _approval(vaults.world.people["carol"], Approval(digest, (), NOTHING_SEEN))
        with pytest.raises(Refusal) as caught:
            ceremony.sign(box, examination, [approval])
    assert caught.value.code == "not-enough-approvals"


@pytest.mark.parametrize(("change", "code"), [
    ({"wallet": "nobody"}, "bad-field"),
    ({"index": 4}, "bad-field"),
    ({"index": -1}, "bad-field"),
    ({"wallet": "cold"}, "no-proof"),  # on XRPL
    ({"words": replace(WORDS, text="")}, "near-message"),
    ({"words": replace(WORDS, text=" blank at its end ")}, "near-message"),
    ({"words": replace(WORDS, text="two\nlines")}, "near-message"),
    ({"words": replace(WORDS, text="\u202etxet")}, "near-message"),
    ({"words": replace(WORDS, text="x" * 1025)}, "near-message"),
    ({"words": replace(WORDS, recipient="")}, "near-message"),
    ({"words": replace(WORDS, recipient="\u0430uditor.example")}, "near-message"),
    ({"words": replace(WORDS, nonce=bytes(31))}, "near-message"),
    ({"words": replace(WORDS, nonce=bytes(33))}, "near-message"),
])
def test_what_is_not_asked_for_rightly_is_refused(vaults: Vaults, change: dict[str, object], code: str) -> None:
    assert refused(vaults, "carol", **change) == code


def test_only_near_has_a_form_of_proof() -> None:
    for network in ("xrpl:local", "bitcoin:regtest"):
        with pytest.raises(Refusal) as caught:
            chains.ownership(network)
        assert caught.value.code == "no-proof"


# --- the command ----------------------------------------------------------------------------------


def test_the_command_shows_asks_and_writes_the_proof(vaults: Vaults, tmp_path: Path) -> None:
    key = tmp_path / "frank.key"
    made = signer("person", "new", "frank", "--out", key, "--network-class", "test", "--kdf", "light")
    text = vaults.world.policy_text(epoch=3, more="").replace('approvers = ["', f'approvers = ["{made.out.strip()}", "')
    vaults.world.install(text)
    words = ("--home", vaults.world.folder, "prove", "vaults", "--message", WORDS.text, "--recipient", WORDS.recipient,
             "--as", key, "--out", tmp_path / "proof.json")
    lines = (BOX_PASSPHRASE, PASSPHRASE)
    assert signer(*words, "--yes", "--nonce", NONCE.hex(), lines=lines).code == 0
    assert json.loads((tmp_path / "proof.json").read_text())["accountId"] == vaults.addresses[0]
    assert signer(*words[:-1], tmp_path / "other", "--nonce", NONCE.hex(),
                  lines=(BOX_PASSPHRASE, "no")).refused("not-approved")
    assert not (tmp_path / "other").exists()
    shown = signer("--home", vaults.world.folder, "journal", "show").out
    assert f"prove     recipient {WORDS.recipient}" in shown
