"""Whether the nodes may be believed.

A node must be on the right network, in step, under a protocol that is known here, with a final block of now, and on
the same chain as the second. How long a transaction lives is read live: the period in heights, and the time that a
height takes. This looks once and remembers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import time

from online.chains.api import NodeReport
from online.chains.near.answers import Block, Protocol, Status
from online.chains.near.node import Node
from online.chains.near.settings import Settings
from shared.errors import NodeUnfit

OLDEST_PROTOCOL = 84
"""nearcore 2.13 begins with it; below it fees and refunds followed other rules."""

_LOOKS_BACK = (1_000, 300, 100, 30, 10)
_TRIES = 20
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How long a transaction lives: its period in heights, and the time of one, measured between two final blocks."""

    validity: int
    height_ms: int

    @property
    def seconds(self) -> int:
        """Give the life in whole seconds."""
        return self.validity * self.height_ms // 1000

    def __str__(self) -> str:
        life = f"{self.seconds // 3600} h {self.seconds % 3600 // 60} min"
        return f"a transaction lives {self.validity} heights, about {life} at {self.height_ms} ms a height"


def check(nodes: Sequence[Node], archive: Node | None, network: str, settings: Settings) -> NodeReport:
    """Check every node and compare them.

    Raises:
        NodeUnfit: with everything that is wrong. NodeUnreachable: when one does not answer.
    """
    everyone = [*nodes, *([archive] if archive is not None else [])]
    statuses = [believed(node, network, settings) for node in everyone]
    finals = [node.final_block() for node in everyone]
    for node, final in zip(everyone, finals, strict=True):
        require_fresh(node, final, settings)
    first, final = nodes[0], finals[0]
    clockwork = measure(first, final, first.protocol(final.height))
    lines = [_line(*row) for row in zip(everyone, statuses, finals, strict=True)]
    # One node named twice is no second word.
    several = nodes if settings.archive_url in (settings.url, settings.second_url) else everyone
    lines += [str(clockwork), *_compared(several, min(block.height for block in finals))]
    # The archive stands last; without one the first node must remember what happened.
    prover = statuses[-1 if archive is not None else 0]
    back = _back(prover, final)
    if back > clockwork.validity:
        spare_ms = (back - clockwork.validity) * clockwork.height_ms
        lines.append(f"deaths can be proven for {spare_ms // 3_600_000} h after an expiry")
    forgets = not prover.from_genesis and back <= clockwork.validity
    warnings = tuple(_warnings(back, clockwork, settings, forgets=forgets))
    return NodeReport(first.name, network, statuses[0].version, final.height, tuple(lines), warnings)


def believed(node: Node, network: str, settings: Settings) -> Status:
    """Give a node's status where it may be believed: asked before every build. Raises NodeUnfit."""
    status = node.status()
    if strange := strangeness(status, network, settings):
        raise NodeUnfit(f"{node.name}: {strange}")
    return status


def strangeness(status: Status, network: str, settings: Settings) -> str:
    """Say why nothing that the node says may be believed, nothing where it may: asked before each decision.

    A node of another network never saw our transactions, and would prove all of them dead.
    """
    return "; ".join(_faults(status, network, settings))


def _faults(status: Status, network: str, settings: Settings) -> Iterator[str]:
    wanted = network.partition(":")[2]
    if status.chain_id != wanted:
        yield f"it says that its network is {status.chain_id[:40]!r}, and {network} is {wanted!r}"
    if status.syncing:
        yield "it is still syncing"
    if not OLDEST_PROTOCOL <= status.protocol <= settings.protocol_most:
        known = f"{OLDEST_PROTOCOL} to {settings.protocol_most}"
        yield f"its protocol is version {status.protocol}, and known here are {known} (setting protocol_most)"


def require_fresh(node: Node, final: Block, settings: Settings) -> None:
    """Check the age of a final block: a stalled node knows nothing of now. Raises NodeUnfit."""
    age_seconds = int(time()) - final.time_ns // _NS
    if age_seconds > settings.oldest_seconds:
        raise NodeUnfit(f"{node.name}: its final block {final.height} is {age_seconds} seconds old")


def measure(node: Node, final: Block, protocol: Protocol) -> Clockwork:
    """Measure the time of a height back from a final block. Raises NodeUnfit where the node shows no earlier block."""
    earlier = _earlier(node, final)
    if earlier is None or earlier.time_ns >= final.time_ns:
        raise NodeUnfit(f"{node.name}: it shows no block before {final.height} by which time could be measured")
    taken_ms = (final.time_ns - earlier.time_ns) // 10**6
    return Clockwork(protocol.validity, max(1, taken_ms // (final.height - earlier.height)))


def _earlier(node: Node, final: Block) -> Block | None:
    # Heights are skipped now and then, and a young chain has few: the farthest of these that is there will do.
    for height in (final.height - back for back in _LOOKS_BACK if back < final.height):
        found = node.block(height)
        if found is not None:
            return found
    return _some_before(node, final)


def _some_before(node: Node, final: Block) -> Block | None:
    """Go a few blocks back, so that two made at one moment do not pass for the pace of all."""
    earlier, found = None, node.block(final.prev_hash)
    for _ in range(_TRIES):
        if found is None:
            break
        earlier, found = found, node.block(found.prev_hash)
    return earlier


def _line(node: Node, status: Status, final: Block) -> str:
    name = "".join(letter for letter in status.version if letter.isprintable())
    return f"{node.name}: {name} on {status.chain_id}, protocol {status.protocol}, final block {final.height}"


def _compared(nodes: Sequence[Node], height: int) -> Iterator[str]:
    if len(nodes) < 2:
        yield "there is no second node: this one's word for the chain stands alone"
        return
    for back in range(_TRIES):
        hashes = [block.hash for block in (node.block(height - back) for node in nodes) if block is not None]
        if len(hashes) == len(nodes):
            if len(set(hashes)) != 1:
                raise NodeUnfit(f"the nodes have different blocks {height - back}: they do not share one chain")
            yield f"{len(nodes)} nodes have the same block {height - back}"
            return
    raise NodeUnfit(f"a node does not hold the blocks up to {height}, so the nodes cannot be compared")


def _back(status: Status, final: Block) -> int:
    """Give for how many heights a node remembers what happened, none where it does not say."""
    return 0 if status.earliest_height is None else max(0, final.height - status.earliest_height)


def _warnings(back: int, clockwork: Clockwork, settings: Settings, *, forgets: bool) -> Iterator[str]:
    if clockwork.seconds < settings.crossing_seconds:
        yield f"nothing is built: {clockwork}, and crossing_seconds is {settings.crossing_seconds}"
    if forgets:
        yield f"no death can be proven: the node remembers {back} heights; name an archive_url"
