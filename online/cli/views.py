"""How orders, jobs, wallets and the rest look as fields, for screen and JSON alike; and how ids are found.

Nothing here decides or changes anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from online.cli.output import amount_value, moment
from shared.errors import NoSuchName
from shared.money import Amount

if TYPE_CHECKING:
    from online.jobs.export import RequestRow
    from online.jobs.model import Job
    from online.ledger.books import Balance
    from online.orders.model import Order, Step
    from online.store.database import Store
    from online.store.signers import Signer
    from online.store.wallets import Key, Wallet

LEAST_ID = 4
Found = TypeVar("Found")


def by_prefix(candidates: Iterable[tuple[str, Found]], text: str, what: str) -> Found:
    """Find the one thing whose id begins with a text of at least four letters.

    Raises:
        NoSuchName: if it fits none, or more than one.
    """
    fitting = [one for name, one in candidates if len(text) >= LEAST_ID and name.startswith(text.lower())]
    if len(fitting) != 1:
        short = f" (give {LEAST_ID} letters or more)" if len(text) < LEAST_ID else ""
        raise NoSuchName(f"{len(fitting) or 'no'} {what}s are called or begin with {text[:64]!r}{short}")
    return fitting[0]


def find_order(store: Store, text: str) -> Order:
    """Find an order by its key, its id, or the beginning of its id."""
    from online.orders.model import orders

    known = orders(store)
    keyed = [one for one in known if one.idempotency_key == text]
    return keyed[0] if keyed else by_prefix(((one.id.hex(), one) for one in known), text, "order")


def find_request(store: Store, text: str) -> RequestRow:
    """Find a request by its digest, the beginning of it, or its fingerprint."""
    from online.jobs.export import requests

    plain = text.replace("-", "")
    return by_prefix(((one.digest.hex(), one) for one in requests(store)), plain, "request")


def order_value(store: Store, order: Order) -> dict[str, Any]:
    """Show an order with the states of its jobs."""
    from online.jobs.model import jobs

    its_jobs = jobs(store, order=order.id)
    return {
        "order": order.id.hex(),
        "key": order.idempotency_key,
        "kind": order.kind,
        "network": order.network,
        "wallet": order.wallet,
        "lines": [_line(order, at) for at in range(len(order.lines))] or [_step(step) for step in order.steps],
        "drafted_by": order.drafted_by,
        "approved_by": order.approved_by,
        "created": moment(order.created),
        "states": _states([one.state for one in its_jobs]),
    }


def job_value(job: Job, said: str = "") -> dict[str, Any]:
    """Show a job; `said` is the last word about its bytes while the ledger has not decided."""
    return {
        "job": job.id,
        "order": job.order.hex(),
        "state": str(job.state),
        "kind": job.kind,
        "network": job.network,
        "wallet": job.wallet,
        "tx_id": job.tx_id,
        "until_ledger": job.expiry_height,
        "result": job.result,
        "said": said,
        "replaces": job.replaces,
    }


def wallet_value(wallet: Wallet, keys: Sequence[Key]) -> dict[str, Any]:
    """Show a wallet with its addresses."""
    return {
        "name": wallet.name,
        "network": wallet.network,
        "tier": wallet.tier,
        "curve": wallet.curve,
        "account": wallet.account,
        "signer": wallet.signer.hex(),
        "addresses": [key.address for key in keys],
    }


def signer_value(signer: Signer) -> dict[str, Any]:
    """Show a paired signer, and how much of its journal was seen; a device of another maker has none."""
    return {
        "name": signer.name,
        "key": f"device {signer.fingerprint.hex()}" if signer.fingerprint else f"ed25519:{signer.public_key.hex()}",
        "entries": signer.seen.size,
        "entries_missing": signer.needs_entries,
    }


def request_value(row: RequestRow) -> dict[str, Any]:
    """Show an exported request."""
    from shared.review import fingerprint

    return {
        "request": row.digest.hex(),
        "fingerprint": fingerprint(row.digest),
        "signer": row.signer.hex(),
        "created": moment(row.created),
        "jobs": list(row.jobs),
        "answered": row.answered,
        "open": row.open,
    }


def opening_value(opened: Balance) -> dict[str, Any]:
    """Show with what a wallet's books were opened."""
    return amount_value(Amount(opened.asset, opened.posted))


def _line(order: Order, at: int) -> str:
    line = order.lines[at]
    return f"{line.amount} from {line.source} to {line.destination}"


def _step(step: Step) -> str:
    said = ", ".join(f"{name} {value}" for name, value in step.params.items())
    return f"{step.kind} of {step.source}" + (f": {said}" if said else "")


def _states(states: Sequence[object]) -> list[str]:
    counts = Counter(map(str, states))
    return [state if count == 1 else f"{count} {state}" for state, count in counts.items()]
