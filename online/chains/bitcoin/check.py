"""Whether the nodes may be believed.

A bitcoind must be on the right chain, in step, new enough, and hold the pinned block; a Counterparty node must be
ready, of the same network, new enough, and as far as its backend. This looks once and remembers nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from online.chains.api import NodeReport
from online.chains.bitcoin.answers import Status
from online.chains.bitcoin.counterparty import CpNode, CpStatus
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.relay import relay_of
from online.chains.bitcoin.settings import Settings
from shared.errors import NodeUnfit

_CHAINS = {
    "bitcoin:mainnet": ("main", "mainnet"),
    "bitcoin:testnet4": ("testnet4", "testnet4"),
    "bitcoin:signet": ("signet", "signet"),
    "bitcoin:regtest": ("regtest", "regtest"),
}
_OLDEST = 280_000
# Counterparty: a node older than 11.5.0 is on another ledger from block 969,320 on.
_OLDEST_COUNTERPARTY = (11, 5, 0)
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
_BLOCKS_APART = 2
_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})", re.ASCII)


def check(
    nodes: Sequence[Node], cps: tuple[CpNode | None, CpNode | None], network: str, settings: Settings
) -> NodeReport:
    """Check every node, the first one's and the last one's Counterparty nodes with them, and compare them.

    Raises:
        NodeUnfit: with everything that is wrong. NodeUnreachable: when one does not answer.
    """
    statuses = [believed(node, network, settings) for node in nodes]
    for node, status in zip(nodes, statuses, strict=True):
        if status.version < _OLDEST:
            raise NodeUnfit(f"{node.name}: its version {_shown(status.version)} is below 28.0")
    lines = [_line(node, status) for node, status in zip(nodes, statuses, strict=True)]
    if settings.pinned_height is None:
        lines.append("no block is pinned: a node on another branch would not be noticed")
    if len(nodes) > 1:
        lines.append(_compare(nodes, min(status.height for status in statuses)))
    relayed, warnings = relay_of(nodes) if cps[0] is not None else ((), ())
    for node, cp in zip((nodes[0], nodes[-1]), cps, strict=True):
        if cp is not None:
            told = in_step(node, cp, network, settings)[1]
            lines.append(f"{cp.name}: counterparty-core {told.version[:20]}, ready, height {told.height}")
    lines += relayed
    first = statuses[0]
    return NodeReport(nodes[0].name, network, _shown(first.version), first.height, tuple(lines), warnings)


def believed(node: Node, network: str, settings: Settings) -> Status:
    """Give a node's status where it may be believed: asked before every build.

    Raises:
        NodeUnfit: with everything that is wrong.
    """
    status = node.status()
    strange = strangeness(node, status, network, settings)
    if strange:
        raise NodeUnfit(f"{node.name}: {strange}")
    return status


def strangeness(node: Node, status: Status, network: str, settings: Settings) -> str:
    """Say why nothing that the node says may be believed, nothing where it may: asked before each decision.

    A node of another chain never saw our transactions, and could prove some of them dead.
    """
    return "; ".join(_faults(node, status, network, settings))


def _faults(node: Node, status: Status, network: str, settings: Settings) -> Iterator[str]:
    wanted = _CHAINS[network][0]
    if status.chain != wanted:
        yield f"it says that its chain is {status.chain[:40]!r}, and {network} is {wanted!r}"
        return
    if status.in_download:
        yield "it is still in its initial download"
    if status.headers != status.height:
        yield f"it knows {status.headers} headers and {status.height} blocks"
    if settings.pinned_height is None or status.in_download:
        return
    found = node.block_hash(settings.pinned_height)
    if found != settings.pinned_hash:
        yield f"its block {settings.pinned_height} is {found or 'missing'}, and {settings.pinned_hash} is pinned"


def strangeness_of_counterparty(status: CpStatus, network: str) -> str:
    """Say why a Counterparty node may not be believed, nothing where it may."""
    return "; ".join(_counterparty_faults(status, network))


def standing(node: Node, cp: CpNode | None, network: str, settings: Settings) -> Status:
    """Give the status of a bitcoind that may be built on, with its Counterparty node, if there is one, in step.

    Raises:
        NodeUnfit: with everything that is wrong.
    """
    return believed(node, network, settings) if cp is None else in_step(node, cp, network, settings)[0]


def in_step(node: Node, cp: CpNode, network: str, settings: Settings) -> tuple[Status, CpStatus]:
    """Give the statuses of a bitcoind and a Counterparty node at the same height: one that lags misses attached assets.

    A block may come between the two questions, and reading it takes a moment: both are asked again for a second or two.

    Raises:
        NodeUnfit: with everything that is wrong.
    """
    strange, lags = "", False
    for pause in (0, *_PAUSES):
        time.sleep(pause)
        status, told = believed(node, network, settings), cp.status()
        strange = strangeness_of_counterparty(told, network)
        lags = not strange and abs(told.height - status.height) <= _BLOCKS_APART
        if not strange and told.height != status.height:
            strange = f"it is at height {told.height}, and bitcoind at {status.height}"
        if not strange:
            return status, told
        if abs(told.height - status.height) > _BLOCKS_APART:
            break
    raise NodeUnfit(f"{cp.name}: {strange}", passes=lags)


def _counterparty_faults(status: CpStatus, network: str) -> Iterator[str]:
    wanted = _CHAINS[network][1]
    if status.network != wanted:
        yield f"it says that its network is {status.network[:40]!r}, and {network} is {wanted!r}"
    if not status.ready:
        yield "it is not ready"
    if status.height != status.backend_height:
        yield f"it has read {status.height} of {status.backend_height} blocks"
    if wanted == "mainnet" and _version(status.version) < _OLDEST_COUNTERPARTY:
        yield f"its version {status.version[:20]!r} is below 11.5.0: it keeps another ledger"


def _version(text: str) -> tuple[int, ...]:
    match = _VERSION.match(text)
    return (0,) if match is None else tuple(int(part) for part in match.groups())


def _shown(version: int) -> str:
    return f"{version // 10_000}.{version // 100 % 100}.{version % 100}"


def _line(node: Node, status: Status) -> str:
    name = "".join(letter for letter in status.name if letter.isprintable())
    return f"{node.name}: {name} on {status.chain}, height {status.height}"


def _compare(nodes: Sequence[Node], height: int) -> str:
    hashes = {node.block_hash(height) for node in nodes}
    if None in hashes or len(hashes) != 1:
        raise NodeUnfit(f"the nodes have different blocks {height}: they do not share one history")
    return f"the second node has the same block {height}"
