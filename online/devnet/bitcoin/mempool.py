"""The transactions that wait: who conflicts with whom, who may replace whom, who descends from whom.

Scripts are judged by the kernel against the exact outputs that a transaction spends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from online.devnet.bitcoin.chain import COINBASE_MATURITY, Chain, Coin
from online.devnet.bitcoin.kernel import all_hold
from online.devnet.bitcoin.policy import (
    Policy,
    fee_for,
    form_fault,
    standard_fault,
    time_fault,
    witness_fault,
)
from online.devnet.bitcoin.wire import Outpoint, Tx

_SCRIPT_FAULT = ("mandatory-script-verify-flag-failed",
                 "Script evaluated without error but finished with a false/empty top stack element")


class Rejected(Exception):
    """A node does not take the transaction; `reason` is its short word, `detail` what it adds."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}, {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction that waits."""

    tx: Tx
    fee_sats: int
    time: int
    height: int


class Mempool:
    """What waits for the next block on one chain."""

    def __init__(self, chain: Chain, policy: Policy) -> None:
        self.chain, self.policy = chain, policy
        self.entries: dict[str, Entry] = {}
        self.spenders: dict[Outpoint, str] = {}

    # --- looking ----------------------------------------------------------------------------------

    def coin(self, outpoint: Outpoint) -> Coin | None:
        """Give an output that is confirmed or waits, whether or not somebody waits to spend it."""
        entry = self.entries.get(outpoint.txid)
        if entry is None:
            return self.chain.coins.get(outpoint)
        if outpoint.vout >= len(entry.tx.outputs):
            return None
        out = entry.tx.outputs[outpoint.vout]
        return Coin(out.sats, out.script, self.chain.height + 1, coinbase=False)

    def parents(self, tx: Tx) -> list[str]:
        """Name the waiting transactions that this one spends from."""
        return list(dict.fromkeys(each.outpoint.txid for each in tx.inputs if each.outpoint.txid in self.entries))

    def children(self, txid: str) -> list[str]:
        """Name the waiting transactions that spend from this one."""
        count = len(self.entries[txid].tx.outputs)
        found = (self.spenders.get(Outpoint(txid, vout)) for vout in range(count))
        return list(dict.fromkeys(child for child in found if child is not None))

    def ancestors(self, tx: Tx) -> list[str]:
        """Name all waiting transactions below this one, itself not among them."""
        found: dict[str, None] = {}
        ahead = self.parents(tx)
        while ahead:
            txid = ahead.pop()
            if txid not in found:
                found[txid] = None
                ahead += self.parents(self.entries[txid].tx)
        return list(found)

    def family(self, txids: Iterable[str]) -> list[str]:
        """Name some waiting transactions and all that descend from them."""
        found: dict[str, None] = {}
        ahead = list(txids)
        while ahead:
            txid = ahead.pop()
            if txid not in found:
                found[txid] = None
                ahead += self.children(txid)
        return list(found)

    def in_order(self) -> list[Entry]:
        """Give all entries, parents first, the dearer first where nothing else decides."""
        left = sorted(self.entries.values(), key=lambda entry: -entry.fee_sats * 1_000_000 // entry.tx.vsize)
        done: dict[str, Entry] = {}
        while left:
            ready = [entry for entry in left if all(parent in done for parent in self.parents(entry.tx))]
            done.update((entry.tx.txid, entry) for entry in ready)
            left = [entry for entry in left if entry.tx.txid not in done]
        return list(done.values())

    # --- taking -----------------------------------------------------------------------------------

    def judge(self, tx: Tx, *, lifted_sats: int = 0, relay: bool = True) -> tuple[int, list[str]]:
        """Give the fee of a transaction that may enter, and the entries that it replaces.

        `lifted_sats` is what a child in the same package pays for it; without `relay` only consensus counts.

        Raises:
            Rejected: it may not enter.
        """
        _refuse(form_fault(tx))
        if relay:
            _refuse(standard_fault(tx, self.policy))
        if tx.txid in self.entries:
            same = self.entries[tx.txid].tx.wtxid == tx.wtxid
            raise Rejected("txn-already-in-mempool" if same else "txn-same-nonwitness-data-in-mempool")
        conflicts = self._conflicts(tx)
        coins = self._spent(tx)
        spent = [coin.out for coin in coins]
        _refuse(time_fault(tx, self.chain, [coin.height for coin in coins]))
        fee = self._fee(tx, coins)
        if relay:
            _refuse(witness_fault(tx, spent, self.policy))
            self._pays_enough(tx, fee + lifted_sats)
        replaced = self._replaced(tx, fee, conflicts)
        if not all_hold(tx, spent):
            raise Rejected(f"{_SCRIPT_FAULT[0]} ({_SCRIPT_FAULT[1]})")
        return fee, replaced

    def take(self, tx: Tx, seconds: int, *, lifted_sats: int = 0, relay: bool = True) -> list[Entry]:
        """Let a transaction in; give the entries that it replaced.

        Raises:
            Rejected: it may not enter.
        """
        fee, replaced = self.judge(tx, lifted_sats=lifted_sats, relay=relay)
        gone = [self.entries[txid] for txid in replaced]
        for txid in replaced:
            self._drop(txid)
        self._put(Entry(tx, fee, seconds, self.chain.height))
        return gone

    def _put(self, entry: Entry) -> None:
        self.entries[entry.tx.txid] = entry
        self.spenders.update((each.outpoint, entry.tx.txid) for each in entry.tx.inputs)

    def _drop(self, txid: str) -> None:
        entry = self.entries.pop(txid)
        for each in entry.tx.inputs:
            if self.spenders.get(each.outpoint) == txid:
                del self.spenders[each.outpoint]

    def _conflicts(self, tx: Tx) -> list[str]:
        found = (self.spenders.get(each.outpoint) for each in tx.inputs)
        conflicts = list(dict.fromkeys(txid for txid in found if txid is not None))
        for txid in conflicts:
            signals = any(each.sequence < 0xFFFFFFFE for each in self.entries[txid].tx.inputs)
            if not (self.policy.full_rbf or signals):
                raise Rejected("txn-mempool-conflict")
        return conflicts

    def _spent(self, tx: Tx) -> list[Coin]:
        coins = [self.coin(each.outpoint) for each in tx.inputs]
        if None in coins:
            if any(Outpoint(tx.txid, vout) in self.chain.coins for vout in range(len(tx.outputs))):
                raise Rejected("txn-already-known")
            raise Rejected("bad-txns-inputs-missingorspent")
        return [coin for coin in coins if coin is not None]

    def _fee(self, tx: Tx, coins: Sequence[Coin]) -> int:
        next_height = self.chain.height + 1
        for coin in coins:
            age = next_height - coin.height
            if coin.coinbase and age < COINBASE_MATURITY:
                raise Rejected("bad-txns-premature-spend-of-coinbase",
                               f"tried to spend coinbase at depth {age}")
        given, paid = sum(coin.sats for coin in coins), sum(out.sats for out in tx.outputs)
        if given < paid:
            raise Rejected("bad-txns-in-belowout", f"value in ({_btc(given)}) < value out ({_btc(paid)})")
        return given - paid

    def _pays_enough(self, tx: Tx, fee: int) -> None:
        least = fee_for(tx.vsize, self.policy.min_relay_sats_per_kvb)
        if fee < least:
            raise Rejected("min relay fee not met", f"{fee} < {least}")
        ancestors = self.ancestors(tx)
        if len(ancestors) + 1 > self.policy.most_ancestors:
            raise Rejected("too-long-mempool-chain",
                           f"too many unconfirmed ancestors [limit: {self.policy.most_ancestors}]")

    def _replaced(self, tx: Tx, fee: int, conflicts: list[str]) -> list[str]:
        gone = self.family(conflicts)
        name = f"rejecting replacement {tx.txid}"
        if set(gone) & set(self.ancestors(tx)):
            raise Rejected("bad-txns-spends-conflicting-tx", f"{tx.txid} spends conflicting transaction")
        for txid in conflicts:
            old = self.entries[txid]
            if fee * old.tx.vsize <= old.fee_sats * tx.vsize:
                rates = [_btc(sats * 1000 // size) for sats, size in
                         ((fee, tx.vsize), (old.fee_sats, old.tx.vsize))]
                raise Rejected("insufficient fee",
                               f"{name}; new feerate {rates[0]} BTC/kvB <= old feerate {rates[1]} BTC/kvB")
        if len(gone) > self.policy.most_replaced:
            raise Rejected("too many potential replacements", name)
        before = sum(self.entries[txid].fee_sats for txid in gone)
        if gone and fee < before:
            raise Rejected("insufficient fee", f"{name}, less fees than conflicting txs; "
                                               f"{_btc(fee)} < {_btc(before)}")
        more = fee_for(tx.vsize, self.policy.incremental_sats_per_kvb)
        if gone and fee - before < more:
            raise Rejected("insufficient fee", f"{name}, not enough additional fees to relay; "
                                               f"{_btc(fee - before)} < {_btc(more)}")
        return gone

    # --- following the chain ----------------------------------------------------------------------

    def confirm(self, txs: Iterable[Tx]) -> None:
        """Take out what a block confirmed, and what that made impossible."""
        for tx in txs:
            if tx.txid in self.entries:
                self._drop(tx.txid)
            conflicts = {self.spenders[each.outpoint] for each in tx.inputs if each.outpoint in self.spenders}
            self.evict(conflicts)

    def evict(self, txids: Iterable[str]) -> None:
        """Forget some transactions and all that descend from them."""
        for txid in self.family(txid for txid in txids if txid in self.entries):
            self._drop(txid)

    def rebuild(self, returned: Sequence[Tx], seconds: int) -> None:
        """After a reorganisation: take back what lost its block, then keep what is still possible."""
        kept = [*((tx, seconds) for tx in returned),
                *((entry.tx, entry.time) for entry in self.in_order())]
        self.entries, self.spenders = {}, {}
        for tx, time in kept:
            try:
                self.take(tx, time, relay=False)
            except Rejected:
                continue


def _refuse(fault: str | None) -> None:
    if fault is not None:
        raise Rejected(fault)


def _btc(sats: int) -> str:
    return f"{sats // 100_000_000}.{sats % 100_000_000:08d}".rstrip("0")
