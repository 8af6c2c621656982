"""What this signer has done, folded from its journal: the memory behind the laws of "at most one" and of the budgets.

Nothing is remembered that the journal does not say, so that a restart, or a new box with the same journal, knows the
same. Reading is pure; the journal's own signatures and chain were verified before its entries come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from shared.chains.api import Payload
from shared.effects import Claim, Effects, Payment
from shared.encoding import Fields, Value, units_from_bytes, units_to_bytes
from shared.envelope import MOST_CARD_KEYS, Declined, WalletCard, card_addresses, card_keys, open_card
from shared.errors import BadField, JournalDamaged, Refusal
from shared.journal import Entry
from shared.policy import Policy, Spend, Usage
from shared.policy_document import read_policy

DAY_SECONDS: Final = 86_400

Name = tuple[str, bytes]
"""Which transaction: its network and the SHA-256 of its unsigned bytes."""


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction that was signed: what it carries out, what it claims, what it swears, and what it spent.

    `strokes` is the digest of everything that was signed for it, by which key: the same bytes with another context
    or another key are not the same signature, and are judged anew.
    """

    name: Name
    transfers: tuple[tuple[bytes, bytes], ...]
    claims: tuple[Claim, ...]
    sworn: tuple[tuple[str, int], ...]
    spend: Spend
    strokes: bytes


@dataclass(slots=True)
class Carried:
    """A transfer's id: what it is bound to for ever, and the transactions for it that may still happen."""

    binding: bytes
    live: list[Record]


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered: the entry's number and what was declined."""

    number: int
    declined: tuple[Declined, ...]


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet of this vault: its card, the public keys that were issued on it, and their addresses."""

    card: WalletCard
    keys: tuple[bytes, ...]
    addresses: tuple[str, ...]

    @property
    def count(self) -> int:
        """Say how many keys were issued."""
        return len(self.keys)


@dataclass(slots=True)
class History:
    """The journal's meaning. `spends` holds time, epoch and spend of every signed transaction.

    `heights` are the highest that signed requests stated, by network. `floor` is the newest policy's epoch when the
    journal before this one was lost.
    """

    signed: dict[Name, Record] = field(default_factory=dict)
    strokes: set[bytes] = field(default_factory=set)
    declined: set[Name] = field(default_factory=set)
    transfers: dict[bytes, Carried] = field(default_factory=dict)
    sworn: dict[str, int] = field(default_factory=dict)
    requests: dict[bytes, Answered] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    spends: list[tuple[int, int, Spend]] = field(default_factory=list)
    policy: Policy | None = None
    heights: dict[str, int] = field(default_factory=dict)
    floor: int = 0
    last_time: int = 0
    size: int = 0

    def usage(self, now: int) -> Usage:
        """Sum what counts now (Unix seconds): the last 24 hours for the day, the present policy's epoch beside it."""
        usage = Usage()
        epoch = self.policy.epoch if self.policy else 0
        for _, of_epoch, spend in self.spends:
            if of_epoch == epoch:
                usage.add(spend)
        usage.day.clear()
        for time, _, spend in reversed(self.spends):
            if time <= now - DAY_SECONDS:
                break
            for bucket, units in spend.sums:
                usage.day[bucket] = usage.day.get(bucket, 0) + units
        return usage

    def take(self, record: Record) -> None:
        """Remember a signed transaction (its spending apart)."""
        self.signed[record.name] = record
        self.strokes.add(record.strokes)
        for transfer, binding in record.transfers:
            self.transfers.setdefault(transfer, Carried(binding, [])).live.append(record)
        self.sworn.update(record.sworn)

    def read(self, entry: Entry) -> None:
        """Fold one entry in.

        Raises:
            JournalDamaged: if a well signed entry is not understood, which another version must have written.
        """
        try:
            reader = _READERS.get(entry.kind)
            if reader is None:
                raise BadField("no such kind")
            reader(self, entry)
        except Refusal as refusal:
            raise JournalDamaged(f"entry {entry.number} ({entry.kind}) is not understood: {refusal}") from None
        self.last_time = entry.time
        self.size = entry.number + 1


def fold(entries: Iterable[Entry]) -> History:
    """Read a whole journal's entries."""
    history = History()
    for entry in entries:
        history.read(entry)
    return history


def name_of(network: str, unsigned: bytes) -> Name:
    """Name a transaction."""
    return network, hashlib.sha256(unsigned).digest()


@lru_cache(maxsize=4096)  # the laws, the fresh payments and the record ask for the same ones
def binding_of(payment: Payment) -> bytes:
    """Give the digest of all that a transfer's id is bound to: source, destination with tag and memo, asset, amount."""
    amount = payment.amount
    parts = (amount.asset.network, amount.asset.code, str(amount.units), payment.source, str(payment.destination))
    return hashlib.sha256("\0".join(parts).encode()).digest()


def strokes_of(name: Name, payloads: Sequence[Payload]) -> bytes:
    """Give the digest of all that is signed for a transaction: which bytes, by which keys."""
    whole = hashlib.sha256(name[0].encode() + b"\0" + name[1])
    for one in payloads:
        path = b"".join(step.to_bytes(4, "big") for step in one.path)
        parts = (path, one.algorithm.encode(), one.public_key, one.message)
        whole.update(b"".join(len(part).to_bytes(4, "big") + part for part in parts))
    return whole.digest()


def record_of(
    name: Name, effects: Effects, transfers: tuple[bytes, ...], spend: Spend, strokes: bytes
) -> Record:
    """Make the record of a transaction that is about to be signed."""
    bound = tuple((id_, binding_of(payment)) for id_, payment in zip(transfers, effects.payments, strict=True))
    return Record(name, bound, effects.claims, effects.sworn, spend, strokes)


# --- the entries' bodies ---------------------------------------------------------------------------


def record_value(record: Record) -> Value:
    """Write a record as a row of a "sign" entry."""
    spend = record.spend
    return [
        record.name[1],
        record.name[0],
        [[id_, binding] for id_, binding in record.transfers],
        [[claim.scope, claim.name] for claim in record.claims],
        [[what, units_to_bytes(units)] for what, units in record.sworn],
        [spend.wallet, [[*bucket, units_to_bytes(units)] for bucket, units in spend.sums], spend.free,
         spend.everything],
        record.strokes,
    ]


def _read_record(row: Any) -> Record:
    """Read a row. Shapes are trusted as far as this signer's own signature goes; a wrong one is damage."""
    try:
        digest, network, transfers, claims, sworn, spent, strokes = row
        wallet, sums, free, everything = spent
        spend = Spend(wallet, tuple((tuple(one[:4]), units_from_bytes(one[4])) for one in sums), free, everything)
        return Record(
            (network, digest),
            tuple((id_, binding) for id_, binding in transfers),
            tuple(Claim(scope, name) for scope, name in claims),
            tuple((what, units_from_bytes(units)) for what, units in sworn),
            spend,
            strokes,
        )
    except (TypeError, ValueError, IndexError) as error:
        raise BadField(f"a row of a signed transaction: {error}") from None


def _read_sign(history: History, entry: Entry) -> None:
    fields = Fields(entry.body, "sign")
    epoch = fields.number("epoch")
    for row in fields.list("txs"):
        record = _read_record(row)
        history.take(record)
        history.spends.append((entry.time, epoch, record.spend))
    for network, height in _pairs(fields.list("heights")):
        if not (isinstance(network, str) and isinstance(height, int)):
            raise BadField("a stated height is no number of a network")
        history.heights[network] = max(height, history.heights.get(network, 0))
    history.declined.update(_pairs(fields.list("refused")))
    declined = tuple(Declined(position, reason) for position, reason in _pairs(fields.list("declined")))
    history.requests[fields.bytes("request", exactly=32)] = Answered(entry.number, declined)


def _pairs(rows: Any) -> list[tuple[Any, Any]]:
    try:
        return [(first, second) for first, second in rows]
    except (TypeError, ValueError) as error:
        raise BadField(f"a pair: {error}") from None


def _read_policy(history: History, entry: Entry) -> None:
    history.policy = read_policy(Fields(entry.body, "policy").bytes("sealed"))[0]


def _read_wallet(history: History, entry: Entry) -> None:
    fields = Fields(entry.body, "wallet")
    card, _ = open_card(fields.bytes("card"))
    count = fields.number("count", 1, MOST_CARD_KEYS)
    history.wallets[card.wallet] = Wallet(card, card_keys(card, count), card_addresses(card, count))


def _read_release(history: History, entry: Entry) -> None:
    fields = Fields(entry.body, "release")
    what = fields.text("what")
    if what == "journal-lost":
        history.floor = fields.number("epoch")
    if what == "transfer":
        carried = history.transfers.get(fields.bytes("transfer", exactly=16))
        gone = fields.list("transactions")
        if carried is None:
            raise BadField("nothing was signed for the transfer that it releases")
        carried.live = [record for record in carried.live if record.name[1] not in gone]


def _read_nothing(history: History, entry: Entry) -> None:
    """An entry that people read and no law asks for."""


_READERS: Mapping[str, Callable[[History, Entry], None]] = {
    "init": _read_nothing,
    "takeover": _read_nothing,
    "sign": _read_sign,
    "policy": _read_policy,
    "wallet": _read_wallet,
    "release": _read_release,
    "prove": _read_nothing,
}
