"""Proofs that this signer holds a wallet's key: shown, approved, written into the journal, and only then signed.

A proof moves nothing, but it speaks in the house's name, so no rule ever makes it automatic: at least one approver says
yes, as many as the wallet's rule wants. The ledger's own form keeps it from being a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from offline_signer import pen
from offline_signer.box import Box
from offline_signer.ceremony import require_seen
from offline_signer.history import History
from shared import chains
from shared.chains.api import Payload, Words
from shared.encoding import Value, encode
from shared.envelope import open_approval
from shared.errors import BadField, NotEnoughApprovals, UnknownPerson
from shared.policy import Policy
from shared.review import fingerprint, printable

_TAG = b"lockgate/ownership/1\0"


@dataclass(frozen=True, slots=True)
class Question:
    """Which key of which wallet is to be proven, by which words; `digest` is what approvals name."""

    wallet: str
    network: str
    index: int
    words: Words
    payload: Payload
    address: str

    @property
    def body(self) -> dict[str, Value]:
        """Give all of it as the journal keeps it."""
        return {
            "wallet": self.wallet, "network": self.network, "key": self.index, "message": self.words.text,
            "recipient": self.words.recipient, "nonce": self.words.nonce,
        }  # fmt: skip

    @property
    def digest(self) -> bytes:
        """Give the 32 bytes that an approval names, which no request has."""
        return sha256(_TAG + encode(self.body)).digest()

    def lines(self) -> tuple[str, ...]:
        """Give what a person reads before approving."""
        lines = (
            f"proves that this signer holds key {self.index} of wallet {self.wallet} on {self.network}; moves nothing",
            f"account {self.address}",
            f"message: {self.words.text}",
            f"to recipient: {self.words.recipient}",
            f"nonce {self.words.nonce.hex()}",
            f"fingerprint {fingerprint(self.digest)}",
        )
        return tuple(map(printable, lines))


def ask(history: History, wallet: str, index: int, words: Words) -> Question:
    """Read what is asked for.

    Raises:
        BadField: for a wallet or key that was never issued. NoProof: on a ledger without such a form, and what that
        refuses of the words.
    """
    found = history.wallets.get(wallet)
    if found is None or not 0 <= index < found.count:
        raise BadField(f"no key {index} of a wallet {wallet[:40]!r} was issued", hint="Write its card first.")
    card, key = found.card, found.keys[index]
    path = chains.chain(card.network).key_path(card.network, card.curve, card.account, index, card.form)
    payload = chains.ownership(card.network).payload(words, path, key)
    return Question(wallet, card.network, index, words, payload, found.addresses[index])


def prove(box: Box, question: Question, approvals: Sequence[bytes]) -> bytes:
    """Sign a proof that enough people approved; give what is handed to whoever asked.

    Raises:
        NotEnoughApprovals, UnknownPerson, JournalBehind, WrongKey; DiskFull and its like, and then nothing was signed.
    """
    _check(box, question, approvals)
    stroke = box.pens.ready(question.payload)
    box.write("prove", {**question.body, "epoch": box.policy().epoch, "approvals": list(approvals)})
    signature = pen.sign(question.payload, stroke)
    return chains.ownership(question.network).proof(question.words, question.payload.public_key, signature)


def quorum(policy: Policy, wallet: str) -> int:
    """Say how many approvers a proof of a wallet's key needs: as its rules want, and never none."""
    return max([1, *(rule.approvals for rule in policy.rules if rule.wallet == wallet)])


def _check(box: Box, question: Question, approvals: Sequence[bytes]) -> None:
    policy = box.policy()
    approvers = {person.key for person in policy.approvers}
    people = set()
    for sealed in approvals:
        approval, opened = open_approval(sealed)
        if opened.signers[0] not in approvers:
            raise UnknownPerson("an approval is by somebody who is no approver")
        if approval.request != question.digest or approval.declined:
            raise NotEnoughApprovals("an approval is of something else than this proof")
        require_seen(box, approval.seen)
        people.add(opened.signers[0])
    need = quorum(policy, question.wallet)
    if len(people) < need:
        names = ", ".join(person.name for person in policy.approvers)
        raise NotEnoughApprovals(f"{len(people)} of {need} approvers ({names}) have approved this proof")
