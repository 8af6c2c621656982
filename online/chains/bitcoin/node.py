"""The questions that a gateway asks one bitcoind, each with its typed answer. It decides nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from online.chains.bitcoin.answers import (
    Found,
    Outpoint,
    Scan,
    Status,
    Waiting,
    a_hash,
    hexed,
    mapping,
    sats,
    scan_of,
    status_of,
    txid,
    unhex,
    waiting_of,
    whole,
)
from online.chains.bitcoin.client import Rpc, RpcFault
from shared.errors import NodeAnswerUnreadable, NodeBusy

_NOT_FOUND, _OUT_OF_RANGE = -5, -8
_BLOCKS_AT_ONCE = 8
_SCANNING = "Scan already in progress"
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0


class Node:
    """One bitcoind, asked over one connection. It needs no wallet; a transaction index makes it quicker."""

    def __init__(self, url: str, timeout_seconds: int, scan_seconds: int, cookie_file: str | None = None) -> None:
        self._rpc = Rpc(url, timeout_seconds, cookie_file)
        self._scan_seconds = scan_seconds
        self.name = self._rpc.name

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    # --- the chain --------------------------------------------------------------------------------

    def status(self) -> Status:
        """Give what the node says of its chain and of itself."""
        chain, network = self._all(("getblockchaininfo", ()), ("getnetworkinfo", ()))
        return status_of(chain, network)

    def block_hash(self, height: int) -> str | None:
        """Give the hash of the best chain's block at a height, None where there is none yet."""
        answer = self._rpc.ask("getblockhash", height)
        if isinstance(answer, RpcFault) and answer.code == _OUT_OF_RANGE:
            return None
        return a_hash(self._rpc.good(answer))

    def block_hashes(self, heights: Sequence[int]) -> list[str]:
        """Give the hashes of the best chain's blocks at some heights. Raises NodeRefused where there is none yet."""
        return [a_hash(each) for each in self._all(*(("getblockhash", (height,)) for height in heights))]

    def blocks_back(self, first: int, last: int) -> Iterator[tuple[int, str, bytes]]:
        """Give height, hash and bytes of the blocks from the last to the first, ending early where bytes are gone."""
        for top in range(last, first - 1, -_BLOCKS_AT_ONCE):
            heights = range(top, max(top - _BLOCKS_AT_ONCE, first - 1), -1)
            for height, block in zip(heights, self.block_hashes(heights), strict=True):
                raw = self._rpc.ask("getblock", block, 0)
                if isinstance(raw, RpcFault):
                    return  # pruned, or gone with a reorganisation
                yield height, block, unhex(raw)

    def block_with_spent(self, height: int) -> Mapping[str, Any] | None:
        """Give the best chain's block at a height with all that it spends, None where the node has it not."""
        block = self.block_hash(height)
        answer = None if block is None else self._rpc.ask("getblock", block, 3)
        return None if answer is None or isinstance(answer, RpcFault) else mapping(answer)

    def spender_in(self, block: str, outpoint: Outpoint) -> str | None:
        """Name the transaction of a block that spends an output."""
        for tx in mapping(self._rpc.call("getblock", block, 2)).get("tx", ()):
            for each in mapping(tx).get("vin", ()):
                if each.get("txid") == outpoint.txid and each.get("vout") == outpoint.vout:
                    return txid(tx, "txid")
        return None

    def block_time(self, block: str) -> int:
        """Give a block's time in seconds since 1970."""
        return whole(self._rpc.call("getblockheader", block, True), "time")

    # --- coins ------------------------------------------------------------------------------------

    def scan(self, scripts: Sequence[bytes]) -> Scan:
        """Find the confirmed unspent outputs of some scripts; on the main network this takes a minute or more.

        A node makes one scan at a time: while it makes another one, this waits, as long as a scan may take.

        Raises:
            NodeBusy: if it was making others all the while.
        """
        wanted = [f"raw({script.hex()})" for script in scripts]
        end, pause = time.monotonic() + self._scan_seconds, _FIRST_PAUSE_SECONDS
        while True:
            answer = self._rpc.ask("scantxoutset", "start", wanted, timeout_seconds=self._scan_seconds)
            if not (isinstance(answer, RpcFault) and answer.words.startswith(_SCANNING)):
                return scan_of(self._rpc.good(answer))
            if time.monotonic() + pause > end:
                raise NodeBusy(f"{self.name} was scanning coins for others for {self._scan_seconds} seconds")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def unspent(self, outpoints: Sequence[Outpoint]) -> tuple[bool, ...]:
        """Say of each output whether no block has spent it; false too where it never was."""
        asked = [("gettxout", (each.txid, each.vout, False)) for each in outpoints]
        return tuple(answer is not None for answer in self._all(*asked))

    def waiting_spenders(self, outpoints: Sequence[Outpoint]) -> dict[Outpoint, str]:
        """Name the waiting transactions that spend some outputs."""
        if not outpoints:
            return {}
        rows = self._rpc.call("gettxspendingprevout", [{"txid": at.txid, "vout": at.vout} for at in outpoints])
        if not isinstance(rows, list):
            raise NodeAnswerUnreadable("the node does not say who spends the outputs")
        found = ((Outpoint(txid(row, "txid"), whole(row, "vout")), row.get("spendingtxid")) for row in rows)
        return {at: a_hash(spender) for at, spender in found if spender is not None}

    # --- transactions -----------------------------------------------------------------------------

    def find(self, tx_id: str) -> Found | None:
        """Look a transaction up by its id; without a transaction index only waiting ones are found."""
        answer = self._rpc.ask("getrawtransaction", tx_id, 1)
        if isinstance(answer, RpcFault) and answer.code == _NOT_FOUND:
            return None
        form = self._rpc.good(answer)
        if txid(form, "txid") != tx_id:
            raise NodeAnswerUnreadable("the node answers with another transaction than the one asked for")
        depth, raw = form.get("confirmations", 0), hexed(form, "hex")
        if type(depth) is not int or depth <= 0 or "blockhash" not in form:
            return Found(tx_id, raw, None, 0, 0)
        block = txid(form, "blockhash")
        return Found(tx_id, raw, block, *self.place(block))

    def place(self, block: str) -> tuple[int, int]:
        """Give a block's confirmations (none where it left the best chain) and its height."""
        header = self._rpc.call("getblockheader", block, True)
        depth = mapping(header).get("confirmations")
        if type(depth) is not int:
            raise NodeAnswerUnreadable("the node does not say how deep a block stands")
        return max(depth, 0), whole(header, "height")

    def waiting(self, tx_id: str) -> Waiting | None:
        """Give what the mempool says of a transaction, None where it does not wait."""
        answer = self._rpc.ask("getmempoolentry", tx_id)
        if isinstance(answer, RpcFault) and answer.code == _NOT_FOUND:
            return None
        return waiting_of(self._rpc.good(answer))

    def send(self, raw: bytes) -> RpcFault | None:
        """Hand over a signed transaction; a fault says why it was not taken."""
        # The rate was judged when it was built, and again by whoever signed: no third limit here.
        answer = self._rpc.ask("sendrawtransaction", raw.hex(), 0)
        return answer if isinstance(answer, RpcFault) else None

    def objections(self, raws: Sequence[bytes]) -> tuple[str, ...]:
        """Say why the mempool would not take some transactions that build on each other; nothing where it would."""
        rows = self._rpc.call("testmempoolaccept", [raw.hex() for raw in raws], 0)
        if not isinstance(rows, list):
            raise NodeAnswerUnreadable("the node does not say what it thinks of the transactions")
        # A row without "allowed" was not judged: what came before it has its reason.
        given = (mapping(row).get("package-error") or mapping(row).get("reject-reason") for row in rows)
        return tuple(str(reason)[:200] for reason in given if reason is not None)

    # --- fees -------------------------------------------------------------------------------------

    def estimate(self, blocks: int) -> int | None:
        """Give the node's estimate in sat per 1000 vB, None where it has none."""
        answer = mapping(self._rpc.call("estimatesmartfee", blocks))
        return sats(answer, "feerate") if "feerate" in answer else None

    def least_rates(self) -> tuple[int, int]:
        """Give what enters the mempool now, and what a replacement adds, in sat per 1000 vB."""
        pool = self._rpc.call("getmempoolinfo")
        least = max(sats(pool, "mempoolminfee"), sats(pool, "minrelaytxfee"))
        # Core before 24 does not name the increment: it was 1 sat/vB.
        return least, sats(pool, "incrementalrelayfee") if "incrementalrelayfee" in pool else 1000

    def _all(self, *calls: tuple[str, Sequence[Any]]) -> list[Any]:
        return [self._rpc.good(answer) for answer in self._rpc.batch(calls)]
