"""One turn of the coordinator: take in deposits, pay what is due, carry to spools, submit what is answered, watch.

Calling it again is always safe. It builds nothing but what two people's mandate lets the station pay, and what
was approved for a signer with a spool: all else begins with people. A silent node is reported and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from online.chains.api import Gateway
from online.courier.carry import carry, look_back
from online.deposits.intake import take_in
from online.jobs.submit import Submitted, submit_answered
from online.jobs.watch import Moved, watch_submitted
from online.ledger.books import wrong_sides
from online.store.database import Store
from online.store.signers import signers
from online.telling import Passing, in_the_way
from online.withdrawals.paying import pay_out
from shared.errors import Refusal


@dataclass(frozen=True, slots=True)
class Report:
    """What one turn did, how many submitted jobs the ledger has not decided, and what a person must look into.

    `waits` is what stands in the way and passes by itself.
    """

    submitted: tuple[Submitted, ...]
    moved: tuple[Moved, ...]
    pending: int
    troubles: tuple[str, ...]
    waits: tuple[str, ...] = ()


def tick(
    store: Store, gateways: Mapping[str, Gateway], now: int, spools: Mapping[str, Path] | None = None
) -> Report:
    """Do one turn for every gateway and every signer's spool; a refusal of one does not stop the others."""
    submitted: list[Submitted] = []
    moved: list[Moved] = []
    troubles = [*look_back(store, spools or {}, now), *(behind := _behind(store)), *wrong_sides(store)]
    if not behind:  # what came of a forgotten transaction of ours would pass for a deposit
        troubles += take_in(store, gateways, now).troubles
    troubles += pay_out(store, gateways, now)
    carried = carry(store, gateways, spools or {}, now)
    pending = carried.waiting
    troubles += carried.troubles
    for network, gateway in sorted(gateways.items()):
        try:
            submitted += submit_answered(store, gateway, now)
            seen = watch_submitted(store, gateway, now)
        except Refusal as refusal:
            troubles.append(in_the_way(network, refusal))
            continue
        moved += seen.moved
        pending += seen.pending
        troubles += seen.incidents
    waits = tuple(one for one in troubles if isinstance(one, Passing))
    people = tuple(one for one in troubles if not isinstance(one, Passing))
    return Report(tuple(submitted), tuple(moved), pending, people, waits)


def _behind(store: Store) -> list[str]:
    return [
        f"behind the journal of {one.name}: {one.seen.size} of {one.wanted.size} entries are known [entries-missing]"
        for one in signers(store)
        if one.needs_entries
    ]
