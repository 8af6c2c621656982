"""What a plain node relays: fees, dust, sizes and forms. Settings of a node, not rules of the network.

"What that node's mempool refuses is mined with generateblock": nothing here binds a block.
"""

from __future__ import annotations

from dataclasses import dataclass

from online.devnet.bitcoin.arc4 import arc4
from online.devnet.bitcoin.chain import Chain
from online.devnet.bitcoin.scripts import dust_sats, kind_of, multisig_keys, operations
from online.devnet.bitcoin.wire import Tx, TxOut

MOST_STANDARD_WEIGHT = 400_000
OLD_DATA_LIMIT = 83


@dataclass(frozen=True, slots=True)
class Policy:
    """How a node judges what is not in a block yet; the defaults are Core 30's."""

    min_relay_sats_per_kvb: int = 100
    incremental_sats_per_kvb: int = 100
    dust_sats_per_kvb: int = 3000
    data_bytes: int = 100_000
    bare_multisig: bool = True
    envelopes: bool = True
    tokens: bool = True
    bare_data: bool = True
    reduced_data: bool = False
    full_rbf: bool = True
    most_ancestors: int = 25
    most_replaced: int = 100


OLDER = Policy(1000, 1000, data_bytes=OLD_DATA_LIMIT)
"""As Core 28 is by default."""

KNOTS = Policy(
    1000, 1000, data_bytes=OLD_DATA_LIMIT, bare_multisig=False, envelopes=False, tokens=False, bare_data=False
)
"""A node that refuses data in bare multisig and envelopes, Counterparty's OP_RETURNs, and data alone: as Knots 29."""

KNOTS_OPEN = Policy(1000, 1000, data_bytes=OLD_DATA_LIMIT, reduced_data=True)
"""The same told to take all of these: it judges by BIP110 still, in words of the network's own rules."""


def fee_for(size: int, sats_per_kvb: int) -> int:
    """Give the least fee for a size, rounded up."""
    return -(-size * sats_per_kvb // 1000)


def form_fault(tx: Tx) -> str | None:
    """Name what is wrong with a transaction wherever it stands."""
    if not tx.outputs:
        return "bad-txns-vout-empty"
    if 4 * len(tx.stripped) > 4_000_000:
        return "bad-txns-oversize"
    if any(out.sats > 21_000_000 * 100_000_000 for out in tx.outputs):
        return "bad-txns-vout-toolarge"
    if len({each.outpoint for each in tx.inputs}) < len(tx.inputs):
        return "bad-txns-inputs-duplicate"
    return "coinbase" if tx.is_coinbase else None


def standard_fault(tx: Tx, policy: Policy) -> str | None:
    """Name what a node does not relay in a transaction, before it looks at what that spends."""
    if not 1 <= tx.version <= 3:
        return "version"
    if tx.weight > MOST_STANDARD_WEIGHT:
        return "tx-size"
    if any(len(each.script_sig) > 1650 for each in tx.inputs):
        return "scriptsig-size"
    if any(not _is_pushes(each.script_sig) for each in tx.inputs):
        return "scriptsig-not-pushonly"
    fault = _output_fault(tx, policy) or _data_fault(tx, policy)
    if fault is None and len(tx.stripped) < 65:
        return "tx-size-small"
    return fault


def _is_pushes(script: bytes) -> bool:
    parts = operations(script)
    return parts is not None and all(code <= 0x60 for code, _ in parts)


def _output_fault(tx: Tx, policy: Policy) -> str | None:
    data = [out for out in tx.outputs if out.script[:1] == b"\x6a"]
    old = policy.data_bytes <= OLD_DATA_LIMIT
    for out in tx.outputs:
        kind = kind_of(out.script)
        if kind == "nonstandard" or (old and out in data and len(out.script) > policy.data_bytes):
            return "scriptpubkey"
        if kind == "multisig" and not policy.bare_multisig:
            return "bare-multisig"
        if kind == "multisig" and len((multisig_keys(out.script) or (0, []))[1]) > 3:
            return "scriptpubkey"
        if out.sats < dust_sats(out.script, policy.dust_sats_per_kvb):
            return "dust"
    if sum(len(out.script) for out in data) > policy.data_bytes:
        return "datacarrier"
    return "multi-op-return" if old and len(data) > 1 else None


def _data_fault(tx: Tx, policy: Policy) -> str | None:
    data = [out.script for out in tx.outputs if out.script[:1] == b"\x6a"]
    if not policy.bare_data and len(data) == len(tx.outputs):
        return "bare-datacarrier"
    key = bytes.fromhex(tx.inputs[0].outpoint.txid)
    if not policy.tokens and any(_speaks(script, key) for script in data):
        return "tokens-counterparty"
    return None


def _speaks(script: bytes, key: bytes) -> bool:
    pushed = [found for _, found in operations(script[1:]) or () if found]
    return any(arc4(key, found).startswith(b"CNTRPRTY") for found in pushed)


def witness_fault(tx: Tx, spent: list[TxOut], policy: Policy) -> str | None:
    """Name what a node does not relay in the witnesses, or in what it takes for rules of the network."""
    if policy.reduced_data and any(len(out.script) > 34 and out.script[:1] != b"\x6a" for out in tx.outputs):
        return "bad-txns-vout-script-toolarge"
    for each, out in zip(tx.inputs, spent, strict=True):
        if kind_of(out.script) != "witness_v1_taproot" or len(each.witness) < 2:
            continue
        if each.witness[-1][:1] == b"\x50":
            return "bad-witness-nonstandard"
        if not policy.envelopes and b"\x00\x63" in each.witness[-2]:
            return "bad-witness-nonstandard"
        if policy.reduced_data and b"\x00\x63" in each.witness[-2]:
            return "mempool-script-verify-flag-failed (OP_IF/NOTIF argument must be minimal in tapscript)"
    return None


def time_fault(tx: Tx, chain: Chain, heights: list[int]) -> str | None:
    """Name a lock that keeps a transaction out of the next block; `heights` are those of what it spends."""
    next_height, median = chain.height + 1, chain.median_time(chain.tip.hash)
    limit = next_height if tx.lock_time < 500_000_000 else median
    if tx.lock_time >= limit and any(each.sequence != 0xFFFFFFFF for each in tx.inputs):
        return "non-final"
    for each, height in zip(tx.inputs, heights, strict=True):
        if tx.version < 2 or each.sequence & 1 << 31:
            continue
        count = each.sequence & 0xFFFF
        if not each.sequence & 1 << 22:
            if height + count > next_height:
                return "non-BIP68-final"
        elif median < chain.median_time(chain.active[max(height - 1, 0)]) + count * 512:
            return "non-BIP68-final"
    return None
