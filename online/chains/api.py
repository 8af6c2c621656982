"""The coordinator's half of a chain's contract: build, submit, watch, and what the node must be.

Only the ledger decides: `Look.watch` says final or dead from validated facts alone; a timeout or an error string is
pending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from shared.chains.api import Context, KeyPath
from shared.effects import Claim, Destination, Effects, Payment
from shared.errors import WrongNetwork
from shared.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Plan:
    """One transaction to build: its kind, who pays, with which key, and what it moves or changes.

    `params` holds whole numbers and texts that the kind names, such as {"count": 250} for tickets. `again` are claims
    of earlier transactions for the same transfers: building on one of them, where it is still free, makes a transaction
    that excludes the earlier one, which a signer signs without anybody's release. `inputs` are further keys of the
    wallet, each as the address that it controls, its path and public key: addresses that pay as well on ledgers where
    one transaction spends from many, keys that may sign for the source on ledgers where an account has several.
    `waiting` are our own transactions that no block has yet, whose outputs may be spent where the plan asks for it.
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
    waiting: tuple[str, ...] = ()


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
    """What the node said of itself when it was checked, for `lockgate doctor` and the journal.

    `warnings` say what it would not do although orders may need it, each with the way out.
    """

    url: str
    network: str
    version: str
    height: int
    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()


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
    """Not decided yet; `text` says what is known, for people. What is `stuck` will not go on without them."""

    text: str
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Final:
    """Happened, irreversibly, at a height. `success` is false where only the fee was taken (an XRPL tec).

    `costs` are what the ledger took from the source beside the fee, such as other assets or a deposit for storage.
    `delivered` holds what really moved, which for a transaction that moves everything only the ledger knows. `refunds`
    are what left the source and came back by the ledger's own hand: prepaid fees, and amounts that did not arrive.
    """

    tx_id: str
    height: int
    success: bool
    result: str
    fee: Amount
    delivered: tuple[Payment, ...]
    costs: tuple[Amount, ...] = ()
    refunds: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Dead:
    """Proven by the ledger: it can never happen. `proof` says which facts prove it, for the journal."""

    height: int
    proof: str


Outcome = Pending | Final | Dead


class Look:
    """One look at a ledger, for all the transactions of a turn: what they have in common is asked once.

    It is made for one turn and dropped with it. `height` is the newest validated height when it began. `begin` gives
    what decides about a transaction, with nothing known yet; what that keeps between transactions must be true of
    validated blocks for ever, or be no more than a reason to wait. A death is asked for anew, with nothing kept.
    """

    def __init__(self, network: str, height: int, begin: Callable[[], Callable[[Watched], Outcome]]) -> None:
        self.height = height
        self._network, self._begin, self._decide = network, begin, begin()

    def watch(self, watched: Watched) -> Outcome:
        """Say what the ledger has decided. Raises NodeUnreachable, WrongNetwork."""
        if watched.effects.network != self._network:
            raise WrongNetwork(f"a transaction of {watched.effects.network} at a gateway of {self._network}")
        outcome = self._decide(watched)
        return self._begin()(watched) if isinstance(outcome, Dead) else outcome


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

    def look(self) -> Look:
        """Begin to ask what the ledger has decided of transactions. Raises NodeUnreachable."""


@runtime_checkable
class Purser(Protocol):
    """What a gateway offers besides where wallets have many addresses, or assets beside the native one."""

    network: str

    def accounts(self, addresses: Sequence[str]) -> tuple[AccountState, ...]:
        """Give what the validated ledger says of many addresses, at once."""

    def filled(self, plan: Plan, taken: Collection[Claim]) -> Plan:
        """Give a plan whose one payment takes all that its addresses can pay, with terms that keep it so."""

    def asset_balance(self, address: str, asset: Asset) -> Amount:
        """Give what an address holds of an asset beside the native one."""


@runtime_checkable
class Appraiser(Protocol):
    """What a gateway offers besides where its ledger says how assets are divided."""

    def decimals(self, code: str) -> int | None:
        """Give the decimals of an asset beside the native one, None where the ledger has no such asset."""


@runtime_checkable
class FeeTeller(Protocol):
    """What a gateway offers besides, so that what can wait does while its ledger is dear."""

    network: str

    def fee_now(self) -> Amount:
        """Give what one plain payment would cost now, from one address to one other.

        Raises:
            NodeUnreachable: of the node. FeeRateUnknown: where nobody can tell.
        """


@runtime_checkable
class Doorkeeper(Protocol):
    """What a gateway offers besides where addresses can take payments with a tag or memo alone."""

    network: str

    def demands(self, address: str) -> bool:
        """Say whether an address takes payments with a tag, or assets with a memo, and no others."""


@runtime_checkable
class TicketCounter(Protocol):
    """What a gateway offers besides where an address holds tickets for transactions in parallel."""

    network: str

    def free_tickets(self, address: str, taken: Collection[Claim]) -> int:
        """Count an address's tickets on the validated ledger that no claim holds."""


@runtime_checkable
class CoinCounter(Protocol):
    """What a gateway offers besides where what an address holds lies in coins, each of which costs a fee to spend."""

    network: str

    def fee_rate(self) -> int:
        """Give what a transaction would offer now, in thousandths of base units a virtual byte.

        Raises:
            NodeUnreachable: of the node. FeeRateUnknown: where nobody can tell.
        """

    def free_coins(self, addresses: Sequence[str], taken: Collection[Claim], rate: int) -> tuple[int, ...]:
        """Count each address's coins that no claim holds and that are worth their fee at a rate."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that reached one of our addresses, irreversibly as the settings say. `key` names it once and for ever.

    `destination` has the tag or memo that came with it; `source_tag` is the sender's own, with which money goes back to
    one of many who share an address. A `refund` is the ledger's own giving back, and no deposit.
    What waits `until_swept` is credited, at an address of a customer's own, once it was taken from there (`Collector`).
    """

    key: str
    tx_id: str
    height: int
    sender: str
    destination: Destination
    amount: Amount
    refund: bool = False
    until_swept: bool = False
    source_tag: int | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived since a cursor, and the cursor for the next look: the ledger is read up to `height`.

    Where a reorganisation was deeper than final, the ledger was read anew above the height `rewound`: what was given
    above it before, and is not among what is found now, is gone.
    `notices` are what people should know, such as an account that was deleted. While something that was seen is
    `undecided`, a later reading may still tell of what came up to there.
    """

    found: tuple[Arrival, ...]
    cursor: str
    height: int
    rewound: int | None = None
    notices: tuple[str, ...] = ()
    undecided: bool = False


@runtime_checkable
class Receiver(Protocol):
    """What a gateway offers besides, so that deposits are seen: everything that arrives at some addresses."""

    network: str

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        """Read the ledger on from a cursor of this gateway. Nothing is missed.

        Where the cursor is empty, everything above the height `since` is read, or what comes from now on without one.
        What is at or below it may be told of as well.

        Raises:
            HistoryMissing: where the node does not have what comes next. NodeUnreachable: of the node.
            DeepReorganisation: while a new chain is not as deep as what was read before.
        """


@runtime_checkable
class Collector(Protocol):
    """What a gateway offers besides where deposits at customers' own addresses count only once we have moved them."""

    network: str

    @property
    def collects(self) -> bool:
        """Say whether the settings want that; where they do not, whatever waits for it is credited."""

    def collected(self, watched: Watched) -> Outcome:
        """Say what the ledger has decided of a transaction of ours, at the depth at which a sweep counts."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What one transaction changed at one address: `units` of an asset that came (above 0) or went, the fee included.

    `fee_units` is the part that the ledger took as the fee, which the address paid; None where it is not told apart.
    """

    tx_id: str
    height: int
    address: str
    asset: Asset
    units: int
    fee_units: int | None


@dataclass(frozen=True, slots=True)
class Movements:
    """Everything that moved, read up to `height`; up to `settled` nothing of it can change any more.

    `more` says that the ledger goes on above `height`: no more is read at once than fits in memory.
    """

    found: tuple[Movement, ...]
    height: int
    settled: int
    more: bool = False


@runtime_checkable
class Historian(Protocol):
    """What a gateway offers besides, so that books are held against the ledger transaction by transaction."""

    network: str

    def movements(self, addresses: Collection[str], assets: Collection[Asset], since: int) -> Movements:
        """Give the changes of the native asset, and of these besides, at some addresses above a height, in a span.

        Raises:
            HistoryMissing: where the node does not have all of it. NodeUnreachable: of the node.
        """

    def block(self, height: int) -> str:
        """Give the hash of the ledger's block at a height. Raises HistoryMissing, NodeUnreachable."""


@dataclass(frozen=True, slots=True)
class Customs:
    """What orders must know of a ledger before any node is asked: which transactions it has, and how much fits in one.

    The kinds go by what they are for, and are empty where the ledger has none: `send` is one payment of an asset
    beside the native one, `batch` several at once, `everything` whatever an address holds, `consolidation` one coin of
    many that an address holds (of `coins` at most, a parameter), `lanes` further keys for the wallet's first address,
    `rotation` another key in the place of one, `options` that an address takes payments with a tag or a memo alone (by
    the plan's parameters `demands[True]`) or all again (`demands[False]`). `payees` is the most payments of the native
    asset in one transaction, `payers` the most addresses that one spends from; a batch holds at most `batch_most`
    payments, of one asset where `batch_of_one_asset` says so. `lanes_most` is how many of the wallet's first keys can
    be made to sign for its first address. `tags` says that customers share an address and are told apart by tags.
    `transactions` gives ids and bytes of what one job's signed bytes hold, where that may be several. `can_have` says
    whether there can be an asset of a code and so many decimals beside the native one. `require` refuses a plan that
    nothing later could make good, so that nobody signs it. `turn` gives a claim's place among those of its scope where
    the ledger takes them in that order alone. `memo_bytes` makes a memo of random bytes where assets beside the native
    one come with memos: customers may then share an address and be told apart by them. `packed` writes an address with
    its tag as one text, for a network. `settings` are the lines of its section in config.toml; `least` is what
    addresses shall hold, by the name of the setting. `fee_room` is what a proposal leaves at an address for fees, and
    `sweep_least` what is worth a sweep, both in whole coins.
    """

    payees: int
    payers: int
    send: str = ""
    batch: str = ""
    batch_most: int = 0
    batch_of_one_asset: bool = False
    options: str = ""
    demands: Mapping[bool, Mapping[str, int | str]] = field(default_factory=dict)
    everything: str = ""
    consolidation: str = ""
    tickets: str = ""
    lanes: str = ""
    rotation: str = ""
    lanes_most: int = 0
    tags: bool = False
    memo_bytes: Callable[[bytes], bytes] | None = None
    packed: Callable[[Destination, str], str] | None = None
    transactions: Callable[[bytes], tuple[tuple[str, bytes], ...]] | None = None
    require: Callable[[Plan], object] | None = None
    can_have: Callable[[str, int], bool] | None = None
    turn: Callable[[Claim], int] | None = None
    settings: str = ""
    least: Mapping[str, str] = field(default_factory=dict)
    fee_room: str = "0"
    sweep_least: Mapping[str, str] = field(default_factory=dict)
