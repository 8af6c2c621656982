"""Whether a node may be believed.

It must be on the right network, in step, whole and new enough, and of one mind with the second. This
looks once and remembers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from online.chains.api import NodeReport
from online.chains.xrpl.answers import Ledgers, Status
from online.chains.xrpl.node import Node
from online.chains.xrpl.settings import Settings
from shared.chains.xrpl.networks import network_id
from shared.errors import NodeUnfit

_GOOD_STATES = ("full", "validating", "proposing")
_OLDEST_MAJOR = 2  # XRPL: API version 2 came with 2.0.0
_MAJOR = re.compile(r"(?:[a-z]+-)?([0-9]{1,4})\.", re.ASCII)


def check(nodes: Sequence[Node], network: str, settings: Settings) -> NodeReport:
    """Check every node and compare them.

    Raises:
        NodeUnfit: with everything that is wrong. NodeUnreachable: when one does not answer.
    """
    statuses = [node.status() for node in nodes]
    for node, status in zip(nodes, statuses, strict=True):
        problems = list(_problems(node, status, network, settings))
        if problems:
            raise NodeUnfit(f"{node.name}: {'; '.join(problems)}")
    pairs = zip(nodes, statuses, strict=True)
    lines = [line for node, status in pairs for line in _lines(node, status, settings)]
    if len(nodes) > 1:
        lines.append(_compare(nodes, min(status.height for status in statuses)))
    return NodeReport(nodes[0].name, network, statuses[0].version, statuses[0].height, tuple(lines))


def strangeness(status: Status, network: str) -> str:
    """Say why nothing that the node says may be believed, nothing where it may: asked before each decision.

    A node of another network never saw our transactions, and would prove all of them dead.
    """
    return "; ".join(_faults(status, network))


def _faults(status: Status, network: str) -> Iterator[str]:
    wanted = network_id(network)
    if status.network_id != wanted:
        yield f"it says that its network is {status.network_id}, and {network} is {wanted}"
    if status.state not in _GOOD_STATES:
        yield f"its state is {status.state!r}, not full"
    if status.amendment_blocked:
        yield "it is amendment blocked: too old for its network"


def _problems(node: Node, status: Status, network: str, settings: Settings) -> Iterator[str]:
    yield from _faults(status, network)
    major = _MAJOR.match(status.version)
    if major is None or int(major[1]) < _OLDEST_MAJOR:
        yield f"its version {status.version!r} is below {_OLDEST_MAJOR}.0.0"
    age = node.age_seconds()
    if age > settings.oldest_seconds:
        yield f"its newest validated ledger is {age} seconds old"
    if _has_gap(status.ledgers, status.height, settings.expiry_ledgers):
        yield f"it misses some of the last {settings.expiry_ledgers} ledgers, so that it could prove no death"


def _has_gap(ledgers: Ledgers, height: int, depth: int) -> bool:
    """Say whether ledgers are missing between those that a node holds; one that began lately has no gap."""
    newest = [pair for pair in ledgers.ranges if pair[0] <= height <= pair[1]]
    if not newest:
        return True
    older = any(high < newest[0][0] for _, high in ledgers.ranges)
    return older and newest[0][0] > height - depth


def _lines(node: Node, status: Status, settings: Settings) -> Iterator[str]:
    yield f"{node.name}: version {status.version}, {status.state}, validated ledger {status.height}"
    base, more = status.reserve_base_drops, status.reserve_increment_drops
    yield f"reserve {base} + {more} drops for each owned object"
    first = max(1, status.height - settings.expiry_ledgers)
    if not status.ledgers.covers(first, status.height):
        yield f"it holds less history than a transaction lives ({settings.expiry_ledgers} ledgers)"
    if not node.offers_dry_run():
        yield "it offers no dry run (simulate): transactions are exported without one"


def _compare(nodes: Sequence[Node], height: int) -> str:
    hashes = {node.ledger_hash(height) for node in nodes}
    if None in hashes:
        raise NodeUnfit(f"a node does not hold ledger {height}, so the nodes cannot be compared")
    if len(hashes) != 1:
        raise NodeUnfit(f"the nodes have different ledgers {height}: they do not share one history")
    return f"the second node has the same ledger {height}"
