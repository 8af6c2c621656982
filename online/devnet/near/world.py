"""A small NEAR network and a node that answers for it; with the controls that tests and drills need.

Nothing here knows of JSON-RPC. One lock guards it all. The faucet's key is public: never point
this world at keys or money of a real network.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from online.devnet.near import faucet, fees, token
from online.devnet.near.actions import AccessKey, SignedTx
from online.devnet.near.blocks import Block
from online.devnet.near.chain import Chain
from online.devnet.near.contracts import CONTRACTS
from online.devnet.near.faucet import FAUCET
from online.devnet.near.faults import Faults
from online.devnet.near.hosting import Answer, Call, run
from online.devnet.near.production import (
    Plan,
    genesis,
    held_by_accounts,
    held_under_way,
    next_block,
)
from online.devnet.near.seen import Seen
from online.devnet.near.state import BURNT, Account, Sandbox, State
from online.devnet.near.texts import is_account, is_key
from online.devnet.near.verify import InvalidTx, charge, check_form
from online.devnet.near.wire import BadSignature, OtherVersion, read_signed

PROTOCOL_VERSION = 86
VALIDITY_BLOCKS = 86_400
VIEW_GAS = 300_000_000_000_000
BLOCKS_TO_SETTLE = 5
"""Included, run, refunded, and two more until that is final."""


@dataclass(slots=True)
class Pace:
    """What all nodes of a network share beside the chain: the gas price in yoctoNEAR, and how long an answer may take.

    A question about a transaction waits so long for what it asks: not at all unless blocks come by themselves.
    """

    gas_price: int = fees.GAS_PRICE_LEAST
    patience_seconds: float = 0.0


class NearWorld:
    """One network and a node on it; `clock` gives nanoseconds since 1970, `salt` makes the hashes of another chain."""

    def __init__(self, *, chain_id: str = "localnet", first_height: int = 100_000_000, shards: int = 2,
                 validity: int = VALIDITY_BLOCKS, salt: str = "", clock: Callable[[], int] = time.time_ns) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.chain_id, self.validity, self.salt = chain_id, validity, salt
        self.faults = Faults()
        self.pace = Pace()
        self.pool: dict[str, SignedTx] = {}
        self.missing: set[int] = set()
        self.chain = Chain(genesis(first_height, clock(), shards, faucet.first_state(first_height), salt))
        self.advance(2)

    def second_node(self) -> NearWorld:
        """Give another node of the same network, with faults of its own."""
        node = copy.copy(self)
        node.faults = Faults()
        return node

    # --- the network ------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """The height of the newest block, which may yet be given up."""
        return self.chain.head.height

    @property
    def final_height(self) -> int:
        """The height of the newest final block."""
        return self.chain.final.height

    @property
    def seen(self) -> Seen:
        """The chain as this node shows it."""
        return Seen(self.chain, self.faults)

    def check(self, raw: bytes) -> SignedTx:
        """Read a signed transaction and judge it as a node does before it passes it on.

        Raises:
            Unreadable: it is none.
            InvalidTx: it cannot be included.
        """
        try:
            tx = read_signed(raw)
        except OtherVersion:
            raise InvalidTx("InvalidTransactionVersion") from None
        except BadSignature:
            raise InvalidTx("InvalidSignature") from None
        with self.lock:
            check_form(tx)
            self._check_base(tx)
            if tx.id not in self.pool:
                charge(tx, Sandbox(self.chain.head.ledger.state), self.height + 1, self.pace.gas_price)
            return tx

    def submit(self, raw: bytes) -> SignedTx:
        """Take a signed transaction as a node would; it waits for the next block.

        Raises:
            Unreadable: it is none.
            InvalidTx: it cannot be included.
        """
        with self.lock:
            tx = self.check(raw)
            self.pool[tx.id] = tx
            return tx

    def advance(self, blocks: int = 1) -> int:
        """Make blocks and give the newest height; a stalled network makes none."""
        with self.lock:
            for _ in range(0 if self.faults.stalled else blocks):
                self._produce(self.height + 1)
            return self.height

    def _produce(self, height: int, by_hand: Sandbox | None = None) -> None:
        valid = [tx for tx in self._in_order() if self._is_timely(tx)]
        plan = Plan(height, max(self.clock(), self.chain.head.time_ns + 1), valid, self.pace.gas_price,
                    tuple(self.missing), self.salt, by_hand)
        block, left = next_block(self.chain.head, plan)
        self.missing.clear()
        self.pool.clear()
        self.pool.update((tx.id, tx) for tx in left)
        self.chain.extend(block)

    def _in_order(self) -> list[SignedTx]:
        # A key's transactions go by their nonces, whichever came first.
        return sorted(self.pool.values(), key=lambda tx: (tx.signer, tx.key, tx.nonce))

    def _is_timely(self, tx: SignedTx) -> bool:
        try:
            self._check_base(tx)
        except InvalidTx:
            return False
        return True

    def _check_base(self, tx: SignedTx) -> None:
        base = self.chain.blocks.get(tx.base)
        if base is None or self.height > base.height + self.validity:
            raise InvalidTx("Expired")
        if not self.chain.holds(base):
            raise InvalidTx("InvalidChain")

    # --- what is there ----------------------------------------------------------------------------

    def balance(self, account: str, *, final: bool = False) -> int:
        """Give an account's yoctoNEAR, zero where there is none."""
        found = self._state(final=final).get(("account", account))
        return found.amount if isinstance(found, Account) else 0

    def exists(self, account: str) -> bool:
        """Say whether there is such an account."""
        return ("account", account) in self._state()

    def keys(self, account: str) -> dict[str, AccessKey]:
        """Give an account's access keys by their text."""
        return {key[2]: access for key, access in self._state().items() if key[:2] == ("key", account)}

    def token_balance(self, contract: str, account: str) -> int:
        """Give the units of a token that an account holds, zero where it is not registered."""
        return int(self._state().get(("data", contract, f"balance/{account}")) or 0)

    def is_registered(self, contract: str, account: str) -> bool:
        """Say whether a token's contract knows an account."""
        return ("data", contract, f"balance/{account}") in self._state()

    def supply(self) -> tuple[int, int, int]:
        """Give the yoctoNEAR on accounts, under way in receipts, and burnt: together always the same."""
        with self.lock:
            ledger = self.chain.head.ledger
            return held_by_accounts(ledger.state), held_under_way(ledger), ledger.state.get(BURNT, 0)

    def look(self, block: Block, contract: str, method: str, args: bytes) -> Answer:
        """Call a method that only looks, in the state after a block."""
        view = Sandbox(block.ledger.state)
        account = view.account(contract)
        code = None if account is None else account.code
        call = Call(view, contract, contract, contract, 0, VIEW_GAS, {}, read_only=True)
        return run(CONTRACTS.get(code) if code else None, contract, method, args, call)

    def _state(self, *, final: bool = False) -> State:
        return (self.chain.final if final else self.chain.head).ledger.state

    # --- controls ---------------------------------------------------------------------------------

    def fund(self, account: str, yocto: int) -> str:
        """Transfer from the faucet and make blocks until that is final; give the transaction's id.

        Raises:
            ValueError: it did not arrive, as with a named account that is missing.
        """
        return self.fund_all({account: yocto})[0]

    def fund_all(self, yocto_of: dict[str, int]) -> list[str]:
        """Transfer from the faucet to many at once.

        Raises:
            ValueError: one did not arrive.
        """
        with self.lock:
            nonce, base = self.keys(FAUCET)[faucet.KEY].nonce, self.chain.head.hash
            ids = [self.submit(faucet.pays(account, yocto, nonce + 1 + index, base)).id
                   for index, (account, yocto) in enumerate(yocto_of.items())]
            self.advance(BLOCKS_TO_SETTLE)
            for tx_id in ids:
                tree = list(self.seen.tree(tx_id))
                if not tree or any(found is None or found[1].returned.error for _, found in tree):
                    raise ValueError(f"funding by {tx_id} did not arrive")
            return ids

    def create(self, account: str, public_key: str | Iterable[str] = (), yocto: int = 0) -> None:
        """Put an account with full-access keys there by the owner's hand, and make that final; the faucet pays.

        Raises:
            ValueError: the name or a key is none, or the account is there already.
        """
        keys = [public_key] if isinstance(public_key, str) else list(public_key)
        if not is_account(account) or self.exists(account) or not all(map(is_key, keys)):
            raise ValueError(f"no new account: {account!r} {keys!r}")

        def edit(view: Sandbox) -> None:
            view.write(("account", account), Account(yocto))
            view.add(FAUCET, -yocto)
            for key in keys:
                view.put_key(account, key, AccessKey(self.height * 10**6))

        self._write(edit)

    def remove(self, account: str) -> None:
        """Delete an account by the owner's hand; the faucet takes what it held."""
        def edit(view: Sandbox) -> None:
            found = view.account(account)
            if found is None:
                raise ValueError(f"no account {account!r}")
            view.add(FAUCET, found.amount)
            view.drop_account(account)

        self._write(edit)

    def deploy(self, account: str, code: str, yocto: int = 10 * 10**24) -> None:
        """Put a contract of `contracts.CONTRACTS` on an account, which is made where it is missing."""
        if code not in CONTRACTS:
            raise ValueError(f"no such contract: {code}")
        if not self.exists(account):
            self.create(account, (), yocto)
        self._write(lambda view: view.update(account, code=code))

    def deploy_token(self, contract: str, decimals: int, owner: str, supply: int, *, symbol: str = "TOK") -> None:
        """Put a NEP-141 token there, all of it in the hands of an owner."""
        self.deploy(contract, "nep141")

        def edit(view: Sandbox) -> None:
            view.put_data(contract, "metadata", token.metadata(symbol, decimals))
            view.put_data(contract, "supply", supply)
            view.put_data(contract, f"balance/{owner}", supply)

        self._write(edit)

    def register(self, contract: str, *accounts: str) -> None:
        """Register accounts with a token by the owner's hand."""
        self.give(contract, dict.fromkeys(accounts, 0))

    def give(self, contract: str, units_of: dict[str, int]) -> None:
        """Make new units of a token for accounts, which are registered where they were not, by the owner's hand."""
        def edit(view: Sandbox) -> None:
            for account, units in units_of.items():
                for entry in (f"balance/{account}", "supply"):
                    view.put_data(contract, entry, (view.data(contract, entry) or 0) + units)

        self._write(edit)

    def _write(self, edit: Callable[[Sandbox], None]) -> None:
        # What the owner writes by hand stands in a block of its own, and is made final at once.
        with self.lock:
            view = Sandbox(self._state())
            edit(view)
            self._produce(self.height + 1, view)
            self.advance(2)

    def skip_heights(self, count: int) -> int:
        """Let so many heights pass without a block, then make one; give the newest height."""
        with self.lock:
            if not self.faults.stalled:
                self._produce(self.height + 1 + count)
            return self.height

    def fork(self, depth: int = 1, *, lose: bool = False) -> list[str]:
        """Give up the newest blocks, none of them final, for one at a later height; give the ids of what was in them.

        The transactions wait again, unless they are lost with their blocks.

        Raises:
            ValueError: one of the blocks is final.
        """
        with self.lock:
            top = self.height
            lost = self.chain.leave(depth)
            if not lose:
                self.pool.update((tx.id, tx) for tx in lost)
            self._produce(top + 1)
            return [tx.id for tx in lost]

    def miss_chunk(self, shard: int) -> None:
        """Let the next block bring no new chunk of a shard: what is there waits."""
        self.missing.add(shard)

    def forget(self, *tx_ids: str) -> None:
        """Be a node that never saw some transactions; those that wait are gone."""
        with self.lock:
            self.faults.forgotten |= set(tx_ids)
            for tx_id in tx_ids:
                self.pool.pop(tx_id, None)
