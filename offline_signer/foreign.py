"""What another maker's wallet asks to be signed, turned into the one form in which the ceremony takes everything.

It carries no station's signature, names no transfers and serves no order. So its kind is one that a rule must name, the
ids of its transfers come from what it spends and pays, and its digest covers all that was read. Nothing here judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from offline_signer.history import History, Wallet, binding_of
from offline_signer.issued import change_addresses, own_keys
from shared import chains
from shared.chains.api import Foreign, Interchange
from shared.effects import Effects
from shared.encoding import encode
from shared.envelope import (
    NOTHING_SEEN,
    Item,
    Lot,
    SigningRequest,
    TransferRef,
)
from shared.foreign import foreign_document
from shared.policy import FOREIGN, Policy

_TOLD: Final = "asked for by another maker's wallet: no coordinator of ours has signed this"


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """Bytes of another maker's wallet that were read: our form of them, the document that is kept, and its digest."""

    raw: bytes
    interchange: Interchange
    request: SigningRequest
    document: bytes
    digest: bytes
    height: int | None

    def effects(self, effects: Effects) -> Effects:
        """Give effects the kind that a rule must name, and the lines that say who asks."""
        stated = () if self.height is None else (f"height {self.height}, as stated at the signer",)
        return replace(effects, kind=FOREIGN + effects.kind, facts=(_TOLD, *stated, *effects.facts))


def read_foreign(
    raw: bytes, interchange: Interchange, height: int | None, history: History, policy: Policy, station: bytes
) -> ForeignRequest:
    """Read what another maker's wallet asks for, by the keys that this signer has issued.

    `height` is the newest block's as a person states it. Nobody asks, so `request.station` is empty.

    Raises:
        Refusal: of the chain, for what cannot be read completely or names no key of ours.
    """
    found = interchange.read(raw, own_keys(history, interchange.ledger), height)
    item = Item(found.unsigned, found.keys, _transfers(found, policy), found.context)
    request = SigningRequest(b"", station, 0, NOTHING_SEEN, (Lot(found.network, {}, (item,)),))
    return ForeignRequest(raw, interchange, request, *foreign_document(found.network, height, raw), height)


def rivals(effects: Effects, wallet: Wallet, history: History) -> Iterator[str]:
    """Say which payments the same wallet was to make before, by what this transaction does not exclude.

    Whoever asks knows no ids, so nothing but a person can tell a second payment from the first one made again.
    """
    claims, sources = set(effects.claims), {*wallet.addresses, *change_addresses(wallet)}
    live = {one.binding for one in history.transfers.values()
            if any(claims.isdisjoint(record.claims) for record in one.live)}
    for payment in effects.payments:
        if not live.isdisjoint(binding_of(replace(payment, source=source)) for source in sources):
            yield f"{payment.amount} to {payment.destination} was signed before: this pays it again"


def _transfers(found: Foreign, policy: Policy) -> tuple[TransferRef, ...]:
    """Name each payment by what the transaction spends, what it pays to whom, and which of equal ones it is.

    The same payments out of the same inputs are the same transfers, whatever the fee and change. Anything else is
    another transfer, with budgets and approvals of its own.
    """
    chain = chains.chain(found.network)
    tx = chain.decode(found.unsigned, found.context, found.keys, found.network)
    effects = chain.effects(tx, policy.register(found.network))
    spent = sorted(str(claim) for claim in effects.claims)
    counts: dict[bytes, int] = {}
    refs = []
    for payment in effects.payments:
        binding = binding_of(payment)
        order = hashlib.sha256(b"lockgate/foreign\0" + encode([found.network, list(spent), binding])).digest()[:16]
        refs.append(TransferRef(order, counts.setdefault(binding, 0)))
        counts[binding] += 1
    return tuple(refs)
