"""A coordinator and a real signer over some ledger, for tests of whole orders; it is no test.

The signer is the real one with its vault, journal, policy and laws; the coordinator is the real one with its store and
gateway. Only passphrases are short. A ledger's own house adds its world and how its blocks come.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from offline_signer import ceremony, setup
from offline_signer.box import opened
from online.chains.api import Gateway
from online.jobs.answers import Answered, import_answer
from online.jobs.build import build_approved
from online.jobs.export import Exported, export_request
from online.jobs.loop import Report, tick
from online.jobs.model import Job, jobs
from online.ledger.books import check, prove_balances
from online.ledger.reconcile import reconcile
from online.orders.approval import approve
from online.orders.model import Order
from online.orders.writing import Asking
from online.store.database import Store
from online.store.people import add_person
from online.store.signers import pair_signer
from online.store.wallets import import_card, keys
from shared.envelope import Approval, Declined, seal_approval
from shared.lockbox import LIGHT
from shared.policy import Person
from shared.policy_document import seal_policy
from shared.words import words_from_entropy
from tests.growth import no_whole_reads
from tests.signing_world import Somebody

NOW = 1_800_000_000
PASSPHRASE = "correct horse battery"
PEOPLE = ("ann", "carol", "alice", "bob", "station")


@dataclass
class BothMachines:
    """Both machines with one ledger between them."""

    folder: Path
    network: str
    store: Store
    gateway: Gateway
    people: Mapping[str, Somebody]
    signer: bytes = b""
    now: int = NOW
    asked: int = field(default=0)

    @property
    def gateways(self) -> dict[str, Gateway]:
        return {self.network: self.gateway}

    # --- the set-up -------------------------------------------------------------------------------

    def meet(self, wallets: Mapping[str, int], form: str = "") -> None:
        """Make the signer, pair it, and take in the cards of wallets with so many keys each."""
        for name in ("alice", "bob"):
            add_person(self.store, name, self.people[name].public, NOW)
        self.signer = setup.make(
            self.folder / "signer", words_from_entropy(os.urandom(32)), PASSPHRASE, network_class="test",
            administrators=[Person("ann", self.people["ann"].public)], quorum=1, kdf=LIGHT, clock=lambda: NOW,
        )  # fmt: skip
        pair_signer(self.store, self.signer, "box", NOW)
        with opened(self.folder / "signer", PASSPHRASE, lambda: NOW) as box:
            for account, (wallet, count) in enumerate(wallets.items()):
                sealed = setup.issue_card(
                    box, wallet, network=self.network, tier="cold", account=account, count=count, form=form
                )
                import_card(self.store, sealed, NOW, addresses=count)

    def install(self, policy: str) -> None:
        """Put a policy in force, in which people stand by their names in braces."""
        ann, text = self.people["ann"], policy
        for name, one in self.people.items():
            text = text.replace("{" + name + "}", one.line)
        with opened(self.folder / "signer", PASSPHRASE, lambda: self.now) as box:
            setup.install_policy(box, seal_policy(text, ann.public, ann.sign))

    # --- orders -----------------------------------------------------------------------------------

    def asking(self, key: str = "") -> Asking:
        """Give a question of alice's, under a new key unless one is named."""
        self.asked += 1
        alice = self.people["alice"]
        return Asking(key or f"order {self.asked}", Person("alice", alice.public), alice.sign, self.now)

    def approved(self, order: Order) -> Order:
        bob = self.people["bob"]
        with no_whole_reads(self.store):
            return approve(self.store, order.id, person=Person("bob", bob.public), sign=bob.sign, now=self.now)

    def address(self, wallet: str, index: int = 0) -> str:
        return keys(self.store, wallet)[index].address

    # --- the crossing -----------------------------------------------------------------------------

    def build(self) -> tuple[Job, ...]:
        with no_whole_reads(self.store):
            return build_approved(self.store, self.gateways, self.now)

    def export(self) -> Exported:
        self.build()
        with no_whole_reads(self.store):
            return export_request(self.store, self.signer, self.now)

    def sign(
        self, sealed: bytes, declined: Sequence[Declined] = (), people: Sequence[str] = ("carol",)
    ) -> bytes:
        """Take a request through the whole signer, carol or others approving."""
        with opened(self.folder / "signer", PASSPHRASE, lambda: self.now) as box:
            seen = ceremony.examine(sealed, box.history, box.policy(), self.signer, box.now(), declined)
            assert seen.objections == (), seen.lines()
            approval = Approval(seen.digest, seen.declined, box.seen())
            pens = [self.people[name] for name in people]
            return ceremony.sign(box, seen, [seal_approval(approval, pen.public, pen.sign) for pen in pens])

    def cross(self, declined: Sequence[Declined] = (), people: Sequence[str] = ("carol",)) -> Answered:
        """Build, export, sign and import: one crossing."""
        answer = self.sign(self.export().blob, declined, people)
        with no_whole_reads(self.store):
            return import_answer(self.store, answer, self.now)

    # --- the ledger -------------------------------------------------------------------------------

    def tick(self) -> Report:
        with no_whole_reads(self.store):
            report = tick(self.store, self.gateways, self.now)
        assert report.troubles == (), report.troubles
        return report

    def states(self) -> list[str]:
        return [job.state.value for job in jobs(self.store)]

    def require_books(self) -> None:
        """Assert that the books add up and agree with the ledger."""
        assert prove_balances(self.store) == ()
        found = check(self.store, self.gateways)
        assert [(one.wallet, one.asset.code, one.difference) for one in found if one.difference] == []
        assert [one.pending for one in found if one.pending] == []
        assert reconcile(self.store, self.gateways).findings == ()
