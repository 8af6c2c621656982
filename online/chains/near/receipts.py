"""A transaction's status as a node gives it: the transaction, its receipts, and the outcome of each.

Nothing is decided here. Where `receipts` lacks the first receipt, it is made of the transaction's own actions,
which is what it consists of. Answers of old nodes have no `final_execution_status`: those are not final.
(near/docs, docs/api/rpc/transactions.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from online.chains.near.document import Document, from_base64
from online.chains.near.faults import Failure, failure_of

SYSTEM = "system"
FINAL = "FINAL"
INCLUDED = frozenset({"INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED", FINAL})
"""What `final_execution_status` says once a block has the transaction; "NONE" says that none has it yet."""


@dataclass(frozen=True, slots=True)
class Step:
    """An action of a receipt: its kind, the yoctoNEAR that it carries, and a call's method and arguments.

    `inside` names a delegate action by its sender, key, nonce and last height.
    """

    kind: str
    deposit: int = 0
    method: str = ""
    args: bytes | None = None
    inside: tuple[str, str, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: from whom, to whom, and what it does; `steps` is None for a kind that carries no actions."""

    id: str
    sender: str
    receiver: str
    steps: tuple[Step, ...] | None

    def moves(self) -> tuple[tuple[int, int], ...]:
        """Give the index and the yoctoNEAR of each Transfer; none stays where the account is deleted in one go."""
        if any(step.kind == "DeleteAccount" for step in self.steps or ()):
            return ()
        return tuple((at, step.deposit) for at, step in enumerate(self.steps or ()) if step.kind == "Transfer")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a receipt or of the transaction itself; `burnt` is in yoctoNEAR.

    `value` is what a call returned, `follow` the receipt whose outcome is this one's.
    """

    id: str
    block_hash: str
    executor: str
    kind: Literal["value", "receipt", "failure", "unknown"]
    receipt_ids: tuple[str, ...]
    logs: tuple[str, ...]
    burnt: int
    value: bytes = b""
    follow: str = ""
    failure: Failure | None = None

    @property
    def success(self) -> bool:
        """Say whether it did what it was to do."""
        return self.kind in ("value", "receipt")


@dataclass(frozen=True, slots=True)
class Sent:
    """The transaction as the node shows it."""

    hash: str
    signer: str
    public_key: str
    nonce: int
    receiver: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class TxStatus:
    """A transaction that a block has, with everything that is known to follow from it."""

    level: str | None
    top: str
    sent: Sent
    own: Outcome
    outcomes: tuple[Outcome, ...]
    shown: tuple[Receipt, ...]

    @property
    def final(self) -> bool:
        """Say whether the node calls all of it irreversible, refunds included."""
        return self.level == FINAL

    @cached_property
    def by_id(self) -> dict[str, Outcome]:
        """Give the receipts' outcomes by their ids."""
        return {outcome.id: outcome for outcome in self.outcomes}

    @cached_property
    def receipts(self) -> dict[str, Receipt]:
        """Give the receipts by their ids, the first made of the transaction's actions where it is not shown."""
        found = {receipt.id: receipt for receipt in self.shown}
        for first in self.own.receipt_ids:
            found.setdefault(first, Receipt(first, self.sent.signer, self.sent.receiver, self.sent.steps))
        return found

    @property
    def missing(self) -> tuple[str, ...]:
        """Name the receipts that must have an outcome and have none shown."""
        wanted = [*self.own.receipt_ids, *(one for outcome in self.outcomes for one in outcome.receipt_ids)]
        wanted += [receipt.id for receipt in self.shown if receipt.steps is not None]
        return tuple(dict.fromkeys(one for one in wanted if one not in self.by_id))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Name the outcomes whose receipt is not shown, so that nobody can say who sent what by them."""
        return tuple(outcome.id for outcome in self.outcomes if outcome.id not in self.receipts)

    def returned(self, outcome: Outcome) -> bytes | None:
        """Give what an outcome's chain of receipts returned at last; None where it failed or is not shown."""
        for _ in self.outcomes:
            if outcome.kind != "receipt":
                break
            if outcome.follow not in self.by_id:
                return None
            outcome = self.by_id[outcome.follow]
        return outcome.value if outcome.kind == "value" else None

    @property
    def open(self) -> tuple[str, ...]:
        """Name the outcomes that say neither success nor failure."""
        return tuple(outcome.id for outcome in (self.own, *self.outcomes) if outcome.kind == "unknown")


def tx_status_of(result: Any) -> TxStatus | None:
    """Read the result of `tx_status`; None where it tells no more than a level, which says nothing."""
    top = Document(result, "status of a transaction")
    if "transaction_outcome" not in top:
        return None
    level = top.fields.get("final_execution_status")
    return TxStatus(
        level=level if isinstance(level, str) else None,
        top=_top(top.fields.get("status")),
        sent=_sent(top.part("transaction")),
        own=outcome_of(top.fields.get("transaction_outcome")),
        outcomes=tuple(outcome_of(row) for row in top.rows("receipts_outcome")),
        shown=tuple(receipt_of(row) for row in top.rows("receipts")) if "receipts" in top else (),
    )


def outcome_of(value: Any) -> Outcome:
    """Read an outcome with its id."""
    top = Document(value, "outcome")
    body = top.part("outcome")
    kind, inside = _status(body.fields.get("status"))
    return Outcome(
        id=top.hash("id"),
        block_hash=top.hash("block_hash"),
        executor=body.text("executor_id"),
        kind=kind,
        receipt_ids=body.texts("receipt_ids"),
        logs=body.texts("logs"),
        burnt=body.units("tokens_burnt"),
        value=(from_base64(inside) or b"") if kind == "value" else b"",
        follow=str(inside) if kind == "receipt" else "",
        failure=failure_of(inside) if kind == "failure" else None,
    )


def receipt_of(value: Any) -> Receipt:
    """Read a receipt; one of a kind that is not known here carries no actions."""
    top = Document(value, "receipt")
    action = top.part("receipt").fields.get("Action")
    steps = None
    if isinstance(action, dict):
        steps = tuple(step_of(row) for row in Document(action, "receipt").rows("actions"))
    return Receipt(top.hash("receipt_id"), top.text("predecessor_id"), top.text("receiver_id"), steps)


def step_of(value: Any) -> Step:
    """Read an action; one that is not known here keeps its name, and its deposit if it has one."""
    if isinstance(value, str):
        return Step(value[:40])
    if not isinstance(value, dict) or len(value) != 1:
        return Step("Unknown")
    kind, body = next(iter(value.items()))
    if not isinstance(body, dict):
        return Step(str(kind)[:40])
    inside = Document(body, "action")
    deposit = inside.units("deposit") if "deposit" in inside else 0
    if kind == "Delegate":
        return Step("Delegate", inside=_delegate(inside))
    method = str(inside.fields.get("method_name", ""))[:256]
    return Step(str(kind)[:40], deposit, method, from_base64(inside.fields.get("args")))


def _delegate(top: Document) -> tuple[str, str, int, int]:
    inner = top.part("delegate_action")
    who = inner.text("sender_id"), inner.text("public_key")
    return (*who, inner.number("nonce"), inner.number("max_block_height"))


def _sent(top: Document) -> Sent:
    return Sent(
        hash=top.hash("hash"),
        signer=top.text("signer_id"),
        public_key=top.text("public_key"),
        nonce=top.number("nonce"),
        receiver=top.text("receiver_id"),
        steps=tuple(step_of(row) for row in top.rows("actions")),
    )


def _status(value: Any) -> tuple[Literal["value", "receipt", "failure", "unknown"], Any]:
    if isinstance(value, dict) and len(value) == 1:
        name, inside = next(iter(value.items()))
        if name == "SuccessValue":
            return "value", inside
        if name == "SuccessReceiptId":
            return "receipt", inside
        if name == "Failure":
            return "failure", inside
    return "unknown", None


def _top(value: Any) -> str:
    """Name the status that stands above everything, which is believed for nothing."""
    if isinstance(value, dict) and len(value) == 1:
        return str(next(iter(value)))[:40]
    return str(value)[:40]
