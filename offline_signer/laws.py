"""The laws that look at one transaction and at what was signed before: at most one, sworn amounts, declined for good.

They collect objections rather than stop at the first, so that a person sees every one. The policy's judgement stands
in `shared.policy`; this module asks only the journal's memory.
"""

from __future__ import annotations

from collections.abc import Iterable

from offline_signer.history import Carried, History, Name, Record, binding_of
from shared.effects import Effects, Payment
from shared.errors import (
    AlreadyBound,
    AmountSworn,
    DeclinedBefore,
    NotExclusive,
    Refusal,
    SignedBefore,
    TransferMismatch,
)
from shared.policy import Spend


class Trial:
    """The journal's memory with the transactions of one request laid over it, in their order."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._added: dict[bytes, list[Record]] = {}
        self._bound: dict[bytes, bytes] = {}
        self._names: set[Name] = set()
        self._sworn: dict[str, int] = {}

    def fresh(self, effects: Effects, transfers: tuple[bytes, ...]) -> tuple[Payment, ...]:
        """Give the payments that no live transaction of the same transfer has counted yet."""
        pairs = zip(effects.payments, transfers, strict=True)
        return tuple(payment for payment, transfer in pairs if not any(self._live(transfer)))

    def objections(self, name: Name, effects: Effects, transfers: tuple[bytes, ...]) -> list[Refusal]:
        """Give what the laws say against signing this transaction after those before it."""
        found = self._twice(name)
        if name in self._history.declined:
            found.append(DeclinedBefore("this signer has declined this transaction in a signed answer"))
        if len(set(transfers)) != len(transfers):
            found.append(TransferMismatch("two payments of one transaction name the same transfer"))
        for payment, transfer in zip(effects.payments, transfers, strict=True):
            found.extend(self._at_most_one(name, effects, transfer, binding_of(payment)))
        found.extend(self._oaths(effects))
        found.extend(self._again(name, transfers))
        self._lay(name, effects, transfers)
        return found

    def decline(self, name: Name) -> list[Refusal]:
        """Give what the laws say against declining this transaction: a signature that exists cannot be taken back."""
        found = self._twice(name)
        if name in self._history.signed:
            found.append(SignedBefore("this transaction was signed before; declining it would be untrue"))
        return found

    def _twice(self, name: Name) -> list[Refusal]:
        """Refuse the same transaction twice, of which one could be declined and the other signed."""
        twice: list[Refusal] = []
        if name in self._names:
            twice.append(TransferMismatch("the same transaction stands twice in the request"))
        self._names.add(name)
        return twice

    def _again(self, name: Name, transfers: tuple[bytes, ...]) -> Iterable[Refusal]:
        """Look at a transaction that was signed before: it serves the same transfers, and is not declared dead."""
        before = self._history.signed.get(name)
        if before is None:
            return
        if tuple(id_ for id_, _ in before.transfers) != transfers:
            yield AlreadyBound("this transaction was signed for other transfers")
        elif any(name not in (one.name for one in self._history.transfers[id_].live) for id_ in transfers):
            yield NotExclusive("the administrators have released this transaction as dead")

    def _at_most_one(self, name: Name, effects: Effects, transfer: bytes, binding: bytes) -> Iterable[Refusal]:
        known = self._history.transfers.get(transfer)
        bound = known.binding if known else self._bound.get(transfer, binding)
        if bound != binding:
            yield AlreadyBound(f"transfer {transfer.hex()[:12]} stands for another source, destination or amount")
        claims = set(effects.claims)
        for earlier in self._live(transfer):
            if earlier.name != name and claims.isdisjoint(earlier.claims):
                text = f"transfer {transfer.hex()[:12]} was signed with {', '.join(map(str, earlier.claims))}"
                yield NotExclusive(f"{text}, which this one does not exclude")

    def _oaths(self, effects: Effects) -> Iterable[Refusal]:
        for what, units in effects.sworn:
            before = self._history.sworn.get(what, self._sworn.setdefault(what, units))
            if before != units:
                yield AmountSworn(f"{what} was {before} base units before, now {units}")

    def _live(self, transfer: bytes) -> Iterable[Record]:
        carried: Carried | None = self._history.transfers.get(transfer)
        yield from carried.live if carried else ()
        yield from self._added.get(transfer, ())

    def _lay(self, name: Name, effects: Effects, transfers: tuple[bytes, ...]) -> None:
        unspent = Spend("", (), free=False, everything=False)
        record = Record(name, (), effects.claims, (), unspent, b"")
        for payment, transfer in zip(effects.payments, transfers, strict=True):
            self._bound.setdefault(transfer, binding_of(payment))
            if name not in self._history.signed:
                self._added.setdefault(transfer, []).append(record)
