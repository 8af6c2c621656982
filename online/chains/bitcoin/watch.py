"""Says what the chain has decided about a transaction or a pair: final, dead, or not yet.

Final is only what stands so many blocks deep; a Counterparty message only with the node's exact "valid". Dead is only
an input spent by another transaction that stands as deep. A mempool, a timeout or an error proves nothing. An id
covers everything but witnesses, so the unsigned bytes of what nobody answered name the same transaction.

The fee is that of the effects, which the signatures commit to: inputs less outputs of both transactions of a pair, and
what bare multisig outputs with data hold, since it leaves the wallet as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from online.chains.api import Dead, Final, Outcome, Pending, Watched
from online.chains.bitcoin.answers import Found, Outpoint
from online.chains.bitcoin.broadcast import send_again
from online.chains.bitcoin.check import strangeness, strangeness_of_counterparty
from online.chains.bitcoin.counterparty import CpNode, Spoken
from online.chains.bitcoin.node import Node
from online.chains.bitcoin.settings import Settings
from online.chains.bitcoin.swept import swept
from shared.chains.bitcoin.transactions import Transaction, read_all
from shared.effects import Payment
from shared.errors import NodeAnswerUnreadable


class Post:
    """From where one look watches: a node, the Counterparty node if there is one, and the settings.

    What the node says of itself is asked once a look: that it may be believed, and the height from which blocks are
    searched back. How deep a block stands, and what a Counterparty node has read, is asked each time.
    """

    def __init__(self, node: Node, cp: CpNode | None, settings: Settings) -> None:
        self.node, self.cp, self.settings = node, cp, settings
        self.status = cache(node.status)
        self.strange = cache(self._strange)

    def _strange(self, network: str) -> str:
        return strangeness(self.node, self.status(), network, self.settings)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction stands in the best chain."""

    txid: str
    height: int
    confirmations: int


def watch(posts: Sequence[Post], watched: Watched) -> Outcome:
    """Ask the first node; what it calls dead, every other must call dead too.

    Raises:
        NodeUnreachable: when a node that is needed does not answer.
    """
    outcome = decide(posts[0], watched)
    if not isinstance(outcome, Dead):
        return outcome
    height, proof = outcome.height, outcome.proof
    for other in posts[1:]:
        opinion = decide(other, watched)
        if isinstance(opinion, Final):
            return Pending(f"the nodes disagree: one says {proof}; the other says {opinion.result}")
        if isinstance(opinion, Pending):
            return Pending(f"{proof}; the second node does not agree yet: {opinion.text}")
        height = min(height, opinion.height)
        proof = f"{proof}; the second node agrees: {opinion.proof}"
    return Dead(height, proof)


def decide(post: Post, watched: Watched) -> Outcome:
    """Say what one node's chain decides."""
    if strange := post.strange(watched.effects.network):
        return Pending(f"{post.node.name} is not believed: {strange}")
    transactions, height = read_all(watched.blob, 2), post.status().height
    last = _known(post.node.find(transactions[-1].txid))
    if last is not None:
        return _standing(post, watched, last)
    inputs = _outpoints(transactions[0])
    spender = _spender(post, inputs, height)
    if isinstance(spender, Pending):
        return spender
    if spender is None:
        return _waiting(post, transactions, watched)
    where, at = spender
    if where.txid != transactions[0].txid:
        return _taken(where, at, post.settings.confirmations, height)
    if len(transactions) == 1:
        return _standing(post, watched, where)
    return _revealed(post, watched, transactions, where, height)


def _known(found: Found | None) -> Place | None:
    return None if found is None else Place(found.txid, found.height, found.confirmations)


def _outpoints(transaction: Transaction) -> tuple[Outpoint, ...]:
    return tuple(Outpoint(each.txid[::-1].hex(), each.index) for each in transaction.inputs)


# --- it is there ----------------------------------------------------------------------------------


def _standing(post: Post, watched: Watched, place: Place) -> Outcome:
    wanted = post.settings.confirmations
    if place.confirmations == 0:
        return Pending(f"{place.txid} waits in the mempool")
    if place.confirmations < wanted:
        return Pending(f"{place.txid} is in block {place.height}: {place.confirmations} of {wanted} confirmations")
    if not watched.effects.kind.startswith("counterparty-"):
        effects = watched.effects
        return Final(place.txid, place.height, True, "confirmed", effects.fee_most, effects.payments)
    return _counterparty(post, watched, place)


def _counterparty(post: Post, watched: Watched, place: Place) -> Outcome:
    if post.cp is None:
        return Pending(f"{place.txid} is confirmed; whether Counterparty calls it valid needs a counterparty_url")
    status = post.cp.status()
    strange = strangeness_of_counterparty(status, watched.effects.network)
    if strange or status.height < place.height:
        return Pending(f"{place.txid} is confirmed; {post.cp.name} can not say yet what it did: {strange or 'behind'}")
    effects, spoken = watched.effects, post.cp.spoken(place.txid)
    bad = sorted({each.status for each in spoken if each.status != "valid"})
    if bad or not spoken:
        native = tuple(each for each in effects.payments if each.amount.asset == effects.fee_most.asset)
        reason = "; ".join(bad) if bad else "Counterparty found no valid message in it"
        return Final(place.txid, place.height, False, reason[:300], effects.fee_most, native)
    _compare(spoken, effects.payments, effects.fee_most.asset.code, place)
    if effects.kind == "counterparty-sweep":
        return swept(post.cp, effects, place.txid, place.height)
    return Final(place.txid, place.height, True, "valid", effects.fee_most, effects.payments)


def _compare(spoken: Sequence[Spoken], payments: Sequence[Payment], native: str, place: Place) -> None:
    if any(each.height != place.height for each in spoken):
        raise NodeAnswerUnreadable(f"the Counterparty node sees {place.txid} in another block")
    told = Counter((each.destination, each.asset, each.quantity) for each in spoken if "SEND" in each.event)
    wanted = Counter(
        (each.destination.address, each.amount.asset.code, each.amount.units)
        for each in payments
        if each.amount.asset.code != native
    )
    if told != wanted:
        raise NodeAnswerUnreadable(f"the Counterparty node shows other sends in {place.txid} than were signed")


# --- it is not there ------------------------------------------------------------------------------


def _waiting(post: Post, transactions: Sequence[Transaction], watched: Watched) -> Outcome:
    first = transactions[0]
    if len(transactions) > 1 and post.node.find(first.txid) is not None:
        return _stuck(post, watched, transactions[1], f"the commit {first.txid} waits in the mempool")
    rivals = {spender for spender in post.node.waiting_spenders(_outpoints(first)).values() if spender != first.txid}
    if rivals:
        return Pending(f"{min(rivals)} waits in the mempool and spends the same outputs; no block has decided")
    return Pending("no block holds it, and its inputs are unspent: it can still happen")


def _taken(where: Place, at: Outpoint, wanted: int, height: int) -> Outcome:
    words = f"its input {at} was spent by {where.txid} in block {where.height}"
    if where.confirmations < wanted:
        return Pending(f"{words}: {where.confirmations} of {wanted} confirmations")
    return Dead(height, f"{words}, which has {where.confirmations} confirmations")


def _revealed(
    post: Post, watched: Watched, transactions: Sequence[Transaction], commit: Place, height: int
) -> Outcome:
    """Look for the reveal of a confirmed commit, which a node without an index finds only by what it spends."""
    reveal = transactions[1]
    spender = _spender(post, _outpoints(reveal), height)
    if isinstance(spender, Pending):
        return spender
    if spender is not None and spender[0].txid == reveal.txid:
        return _standing(post, watched, spender[0])
    if spender is not None:
        return Pending(
            f"STUCK: the commit {commit.txid} is confirmed, and {spender[0].txid} spent its output instead of the "
            f"reveal {reveal.txid}: only a key of ours can have signed that; look into it",
            stuck=True,
        )
    return _stuck(post, watched, reveal, f"the commit {commit.txid} is confirmed in block {commit.height}")


def _stuck(post: Post, watched: Watched, reveal: Transaction, state: str) -> Pending:
    if not reveal.signed:
        return Pending(
            f"STUCK: {state} and the reveal {reveal.txid} is missing: nothing was sent by Counterparty yet; its "
            "signature never came here: import the answer, and it is sent",
            stuck=True,
        )
    said = send_again(post.node, reveal)
    if said.kind in ("accepted", "known"):
        return Pending(f"{state} and the reveal {reveal.txid} was missing; it was handed over again, and taken")
    return Pending(
        f"STUCK: {state} and the node does not take the reveal {reveal.txid} ({said.kind}: {said.text}): nothing was "
        "sent by Counterparty yet. Hand its bytes (`lockgate order raw`) to another node or a miner; its fee is fixed",
        stuck=True,
    )


# --- who spent an output --------------------------------------------------------------------------


def _spender(post: Post, inputs: Sequence[Outpoint], height: int) -> tuple[Place, Outpoint] | Pending | None:
    """Find who spent any of some outputs in a block; None where all of them are unspent."""
    spent = [at for at, there in zip(inputs, post.node.unspent(inputs), strict=True) if not there]
    made = {at: _made_at(post.node, at) for at in spent}
    gone = [at for at in spent if made[at] is not None]
    if not gone:
        return None
    first = max(0, height - post.settings.search_blocks, min(made[at] or 0 for at in gone))
    for _, block, raw in post.node.blocks_back(first, height):
        for at in gone:
            spender = post.node.spender_in(block, at) if at.wire in raw else None
            if spender is not None:
                depth, where = post.node.place(block)
                return Place(spender, where, depth), at
    return Pending(f"{gone[0]} is spent, and by what was not found in the blocks from {first} on")


def _made_at(node: Node, at: Outpoint) -> int | None:
    """Give from which height on an output was there: 0 where the node can not tell, None where it only waits."""
    found = node.find(at.txid)
    if found is None:
        return 0
    return found.height if found.confirmations else None
