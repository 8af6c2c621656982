"""The coordinator's half of a chain's contract: build, submit, watch, and what the node must be.

Only the ledger decides: `watch` says final or dead from validated facts alone; a timeout or an error string is pending.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from shared.chains.api import Context, KeyPath
from shared.effects import Claim, Effects, Payment
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Plan:
    """One transaction to build: its kind, who pays, with which key, and what it moves or changes.

    `params` holds whole numbers and texts that the kind names, such as {"count": 250} for tickets. `again` are claims
    of earlier transactions for the same transfers: building on one of them, where it is still free, makes a transaction
    that excludes the earlier one, which a signer signs without anybody's release. `inputs` are further addresses of the
    wallet that may pay, each with its key's path and public key, on ledgers where one transaction spends from many.
    """

    kind: str
    network: str
    source: str
    key: KeyPath
    public_key: bytes
    payments: tuple[Payment, ...] = ()
    params: Mapping[str, int | str] = field(default_factory=dict)
    again: tuple[Claim, ...] = ()
    inputs: tuple[tuple[str, KeyPath, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """An unsigned transaction with its context, and the effects that `shared` decoded from exactly these bytes."""

    unsigned: bytes
    context: Context
    keys: tuple[KeyPath, ...]
    effects: Effects


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the validated ledger says of an address at a height; amounts in base units of the native asset."""

    address: str
    exists: bool
    height: int
    balance: Amount
    reserved: Amount


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What the node said of itself when it was checked, for `lockgate doctor` and the journal."""

    url: str
    network: str
    version: str
    height: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The node's answer to a submission. Nothing but "refused" is more than a hint, and even that only ends a try."""

    kind: Literal["accepted", "known", "refused", "later"]
    text: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A transaction whose fate is asked for: its id, bytes, what it claims, and the heights within which it can happen.

    Without an id no signature ever came back, and `blob` is the unsigned bytes: only the claims can tell.
    """

    tx_id: str
    blob: bytes
    effects: Effects
    submitted_height: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Not decided yet; `text` says what is known, for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """Happened, irreversibly, at a height. `success` is false where only the fee was taken (an XRPL tec).

    `costs` are what the ledger took from the source beside the fee, in other assets. `delivered` holds what really
    moved, which for a transaction that moves everything only the ledger knows.
    """

    tx_id: str
    height: int
    success: bool
    result: str
    fee: Amount
    delivered: tuple[Payment, ...]
    costs: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Dead:
    """Proven by the ledger: it can never happen. `proof` says which facts prove it, for the journal."""

    height: int
    proof: str


Outcome = Pending | Final | Dead


class Gateway(Protocol):
    """A connection to one node of one network. Errors of transport are `NodeUnreachable`, and decide nothing."""

    network: str

    def check(self) -> NodeReport:
        """Check that the node is on the right network, synced and new enough. Raises NodeUnfit."""

    def height(self) -> int:
        """Give the newest validated height."""

    def account(self, address: str) -> AccountState:
        """Give what the validated ledger says of an address."""

    def build(self, plan: Plan, taken: Collection[Claim]) -> Built:
        """Build a plan's transaction against the newest validated state, with no claim that is already taken.

        Checks reserve, destination and (where the server can) a dry run. Raises a Refusal that says what is wrong.
        """

    def submit(self, blob: bytes) -> Verdict:
        """Hand the bytes to the node. Safe to repeat: the same bytes have the same id."""

    def watch(self, watched: Watched) -> Outcome:
        """Say what the ledger has decided."""


@runtime_checkable
class Purser(Protocol):
    """What the gateway of a ledger offers besides, where one transaction spends from many addresses of a wallet."""

    network: str

    def accounts(self, addresses: Sequence[str]) -> tuple[AccountState, ...]:
        """Give what the validated ledger says of many addresses, at once."""

    def filled(self, plan: Plan, taken: Collection[Claim]) -> Plan:
        """Give a plan whose one payment takes all that its addresses can pay, with terms that keep it so."""

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        """Give what an address holds of an asset beside the native one."""
