"""A small XRP Ledger in memory: submit, close, look back; with the controls that tests and drills need.

Nothing here knows of JSON-RPC. One lock guards it all. It must never be given a key of a real network: the
genesis seed is the published one, and anybody can fund anything.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from online.devnet.xrpl import grants
from online.devnet.xrpl.closing import take_all
from online.devnet.xrpl.engine import Manner, Outcome
from online.devnet.xrpl.faults import Faults, SubmitLoss
from online.devnet.xrpl.hashes import account_key
from online.devnet.xrpl.history import RIPPLE_EPOCH_SECONDS, History, first_ledger, next_ledger
from online.devnet.xrpl.pool import Pool, Submission
from online.devnet.xrpl.results import SUCCESS
from online.devnet.xrpl.signatures import local_failure
from online.devnet.xrpl.state import Rules, Sandbox, State, new_account
from online.devnet.xrpl.transaction import NotATransaction, Transaction, read_blob
from online.devnet.xrpl.work import Place

GENESIS = grants.GENESIS
GENESIS_SEED = grants.GENESIS_SEED
GENESIS_DROPS = 100_000_000_000 * 1_000_000


class XrplWorld:
    """One ledger and the node that answers for it; `clock` gives seconds since 1970."""

    def __init__(self, network_id: int = 21337, base_fee_drops: int = 10, reserve_base_drops: int = 1_000_000,
                 reserve_increment_drops: int = 200_000, *, genesis: str = GENESIS, first_index: int = 1,
                 clock: Callable[[], int] = lambda: int(time.time())) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.faults = Faults()
        rules = Rules(network_id, base_fee_drops, reserve_base_drops, reserve_increment_drops)
        state: State = {account_key(genesis): new_account(genesis, GENESIS_DROPS, 1)}
        self.history = History(first_ledger(first_index, state, self.seconds()), state)
        self.pool = Pool(state, Place(first_index + 1, rules, is_open=True))

    def second_node(self) -> XrplWorld:
        """Give another node of the same ledger, with faults and gaps in its history of its own."""
        node = copy.copy(self)
        node.faults, node.history = Faults(), self.history.of_another_node()
        return node

    # --- the ledger -------------------------------------------------------------------------------

    @property
    def rules(self) -> Rules:
        """The fees and reserves of the open ledger, and the network's number."""
        return self.pool.place.rules

    @property
    def state(self) -> State:
        """The objects of the newest validated ledger."""
        return self.history.newest_state

    @property
    def validated_index(self) -> int:
        """The index of the newest validated ledger."""
        return self.history.last.index

    @property
    def open_index(self) -> int:
        """The index of the ledger that is still open."""
        return self.validated_index + 1

    def submit(self, blob: bytes, *, fail_hard: bool = False) -> Submission:
        """Take a signed transaction as a node would.

        Raises:
            NotATransaction: it never reaches the engine: unreadable, or it fails the local checks.
        """
        with self.lock:
            tx = read_blob(blob)
            failure = local_failure(tx)
            if failure is not None:
                raise NotATransaction(f"fails local checks: {failure}")
            return self.pool.submit(tx, fail_hard=fail_hard, crowded_fee_drops=self.faults.crowded_fee_drops)

    def simulate(self, tx: Transaction) -> Outcome:
        """Say what an unsigned transaction would do in the open ledger."""
        with self.lock:
            return self.pool.try_out(tx, Manner(dry_run=True))

    def close(self) -> int:
        """Close the open ledger and give the newest validated index; a stalled ledger stays as it is."""
        with self.lock:
            if not self.faults.stalled:
                self._close()
            return self.validated_index

    def advance(self, count: int) -> int:
        """Close several ledgers."""
        for _ in range(count):
            self.close()
        return self.validated_index

    def _close(self) -> None:
        parent = self.history.last
        place = Place(parent.index + 1, self.rules, is_open=False)
        taking = take_all(self.state, self.pool.waiting(), place, parent.hash)
        # An empty ledger shares its parent's state, so that an idle world does not grow.
        state = taking.state if taking.records else self.state
        close_time = max(self.seconds(), parent.close_time + 1)
        self.history.append(next_ledger(parent, tuple(taking.records), state, close_time), state)
        self.pool.reopen(state, Place(self.open_index, self.rules, is_open=True), taking.left)

    def seconds(self) -> int:
        """Tell the time as the ledger counts it, since the Ripple epoch."""
        return max(self.clock() - RIPPLE_EPOCH_SECONDS, 0)

    def restore(self, history: History) -> None:
        """Go on from a history kept elsewhere."""
        with self.lock:
            self.history = history
            self.pool = Pool(self.state, Place(self.open_index, self.rules, is_open=True))

    # --- controls ---------------------------------------------------------------------------------

    def fund(self, address: str, drops: int) -> str:
        """Pay an address from the genesis account in a ledger of its own; give the transaction's id."""
        return self.fund_all({address: drops})[0]

    def fund_all(self, drops_of: Mapping[str, int]) -> list[str]:
        """Pay many addresses from the genesis account in one ledger.

        Raises:
            ValueError: a payment did not succeed.
        """
        with self.lock:
            ids = []
            for address, drops in drops_of.items():
                submission = self.submit(grants.payment(Sandbox(self.pool.state), self.rules, address, drops))
                if submission.result != SUCCESS:
                    raise ValueError(f"funding {address}: {submission.result}")
                ids.append(submission.tx.id)
            self.close()
            return ids

    def put_account(self, address: str, drops: int, sequence: int, **settings: Any) -> None:
        """Set an account as it shall be, without a transaction; `grants.put_account` names the settings."""
        with self.lock:
            for state in (self.state, self.pool.state):
                view = Sandbox(state)
                grants.put_account(view, address, drops, sequence, **settings)
                view.commit(state)

    def vote(self, *, base_fee_drops: int, reserve_base_drops: int, reserve_increment_drops: int) -> None:
        """Change fee and reserves from the open ledger on, as the validators' votes do."""
        with self.lock:
            rules = Rules(self.rules.network_id, base_fee_drops, reserve_base_drops, reserve_increment_drops)
            self.pool.place = Place(self.open_index, rules, is_open=True)

    def forget(self, ledgers: Iterable[int]) -> None:
        """Lose some past ledgers, as a node with a gap in its history has."""
        with self.lock:
            self.history.forget(ledgers)

    def stall(self) -> None:
        """Stop closing ledgers."""
        self.faults.stalled = True

    def resume(self) -> None:
        """Close ledgers again."""
        self.faults.stalled = False

    def drop_next_submit(self, loss: SubmitLoss = "request-lost") -> None:
        """Lose the next submit in one of three ways."""
        self.faults.next_submit = loss

    def lie_about(self, network_id: int | None) -> None:
        """Tell another network id than the true one; None tells the truth again."""
        self.faults.told_network_id = network_id

    def block_amendments(self, *, blocked: bool = True) -> None:
        """Be a node too old for its network."""
        self.faults.amendment_blocked = blocked

    def lose_sync(self, *, lost: bool = True) -> None:
        """Be a node that lost its network."""
        self.faults.out_of_sync = lost

    def crowd(self, open_ledger_fee_drops: int | None) -> None:
        """Ask for a higher fee to enter the open ledger at once; None ends the crowd."""
        self.faults.crowded_fee_drops = open_ledger_fee_drops

    def go_down(self) -> None:
        """Answer nobody."""
        self.faults.down = True

    def come_up(self) -> None:
        """Answer again."""
        self.faults.down = False
