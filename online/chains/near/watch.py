"""Says what the ledger has decided about a transaction: final, dead, or not yet.

Final is what a node calls FINAL, whole, in a block of its final chain, and the same as was signed.

Dead needs these facts together:

- It can not happen any more. Either a final block stands above base height + validity while the key's nonce there
  is still below the transaction's; or the key's nonce has reached it; or the account has no such key, be it rotated
  away or the account deleted. A key that is added again later starts at (height - 1) x 10^6, above every nonce that
  was allowed before, so that a key that is gone proves as much as a nonce that was overtaken: something final ended
  it.
- It has not happened. A node that remembers everything since the base block, on the chain of that very block, and
  is as far as the facts above, knows of no transaction by this hash.
- Every other node says the same. A nonce below the transaction's is a proof by itself, and what is built anew then
  takes the same nonce, so that the ledger itself lets only one of the two happen. For a nonce that was reached, or a
  key that is gone, the block that ended it is looked for (`endings`): the nonce was free before it, and its own
  chunks do not hold the transaction. Where a node no longer shows that, two nodes must not know the hash.

The node that must remember is the `archive_url` where there is one; else the node itself, while its earliest block
is not above the base block: about a day after an expiry, since ordinary nodes keep five epochs. Where such a node,
or the second one, is missing it stays pending and says so. The id is the SHA-256 of the unsigned bytes, so that a
transaction whose answer never came back is found all the same. A submission's answer, a timeout, InvalidNonce or
Expired prove nothing and are never looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from online.chains.api import Dead, Final, Outcome, Pending, Watched
from online.chains.near.check import strangeness
from online.chains.near.delegated import decide_delegate
from online.chains.near.endings import find_ending
from online.chains.near.final import final_of
from online.chains.near.node import KeyState
from online.chains.near.receipts import TxStatus
from online.chains.near.settings import Settings
from online.chains.near.view import View
from online.chains.near.wire import Signed, read_blob
from shared.chains.near.delegates import is_delegate
from shared.effects import Effects, Expiry
from shared.errors import NodeAnswerUnreadable


@dataclass(frozen=True, slots=True)
class Post:
    """A node to ask, the one that remembers everything if there is another, and whether any other looks on."""

    node: View
    archive: View | None
    settings: Settings
    alone: bool = False


def watch(posts: Sequence[Post], watched: Watched) -> Outcome:
    """Ask the first node; what it calls final or dead, every other must call so too.

    Raises:
        NodeUnreachable: when a node that is needed does not answer.
    """
    outcome = decide(posts[0], watched)
    for other in posts[1:]:
        if isinstance(outcome, Pending):
            break
        outcome = _agreed(outcome, decide(other, watched))
    return outcome


def decide(post: Post, watched: Watched) -> Outcome:
    """Say what one node's final blocks decide."""
    effects = watched.effects
    if is_delegate(watched.blob):
        return decide_delegate(post.node, post.archive, post.settings, watched)
    signed = read_blob(watched.blob)
    status = post.node.status()
    if strange := strangeness(status, effects.network, post.settings):
        return Pending(f"{post.node.name} is not believed: {strange}", stuck=True)
    state, expiry = post.node.access_key(signed.signer, signed.key_text), _expiry(effects)
    why = _ended(state, signed, expiry)
    if not why:  # nor has it happened: a final block that has it leaves the key with its nonce or a higher one
        left = expiry.last_height - state.height
        return Pending(f"no final block has it by height {state.height}; it can still happen in {left} heights")
    found = post.node.find(signed.tx_hash, signed.signer)
    if isinstance(found, TxStatus):
        return _known(post.node, found, signed, effects)
    if not found.absent:
        return Pending(f"{why}; {found.words}, which proves nothing")
    base = post.node.block(expiry.stated_height)
    if base is not None and base.hash != signed.block_hash:
        return Pending(_elsewhere(post.node, signed, expiry.stated_height), stuck=True)
    return _remembered(post, signed, effects, state, why)


# --- final ----------------------------------------------------------------------------------------


def _known(node: View, found: TxStatus, signed: Signed, effects: Effects) -> Outcome:
    shown = (found.sent.signer, found.sent.receiver, found.sent.nonce, found.sent.public_key)
    if shown != (signed.signer, signed.tx.receiver, signed.tx.nonce, signed.key_text):
        raise NodeAnswerUnreadable(f"{node.name} shows other contents of {signed.tx_hash} than were signed")
    if not found.final:
        return Pending(f"a block has it; {node.name} calls it {found.level or 'nothing'}, not FINAL")
    block = node.block(found.own.block_hash)
    if block is None:
        return Pending(f"{node.name} calls it FINAL and does not show its block")
    there = node.block(block.height) if block.height <= node.final_block(block.height).height else None
    if there is None or there.hash != block.hash:
        return Pending(f"{node.name} calls it FINAL in block {block.hash}, which is not on its final chain", stuck=True)
    return final_of(found, effects, block.height)


def _agreed(outcome: Dead | Final, opinion: Outcome) -> Outcome:
    if isinstance(opinion, Pending):
        said = outcome.proof if isinstance(outcome, Dead) else f"{outcome.result} at {outcome.height}"
        return Pending(f"{said}; the second node does not agree yet: {opinion.text}")
    if isinstance(outcome, Dead) and isinstance(opinion, Dead):
        height = min(outcome.height, opinion.height)
        return Dead(height, f"{outcome.proof}; the second node agrees: {opinion.proof}")
    if outcome == opinion:
        return outcome
    return Pending("the nodes disagree about it: one of them lies or is on another chain", stuck=True)


# --- dead -----------------------------------------------------------------------------------------


def _ended(state: KeyState, signed: Signed, expiry: Expiry) -> str:
    """Say why it can not happen after a height any more, nothing where it still can."""
    where = f"of {signed.signer} at final height {state.height}"
    if state.key is None:
        return f"there is no key {signed.key_text} {where}"
    if not _below(state, signed):
        return f"the key's nonce {where} is {state.key.nonce}, and the transaction's {signed.tx.nonce}"
    if state.height > expiry.last_height:
        return (
            f"final height {state.height} is above its last, {expiry.last_height}, and the key's nonce "
            f"{where} is {state.key.nonce}, below {signed.tx.nonce}"
        )
    return ""


def _below(state: KeyState, signed: Signed) -> bool:
    return state.key is not None and state.key.nonce < signed.tx.nonce


def _remembered(post: Post, signed: Signed, effects: Effects, state: KeyState, why: str) -> Outcome:
    """Ask the node that remembers everything; it may know what the other forgot."""
    prover = post.archive or post.node
    gap = _gap(prover, post.settings, signed, effects)
    if gap:
        return Pending(f"{why}; {gap}, so that it is not proven that it did not happen", stuck=True)
    if prover.final_block(state.height).height < state.height:
        return Pending(f"{why}; {prover.name} is behind, which proves nothing")
    found = prover.find(signed.tx_hash, signed.signer)
    if isinstance(found, TxStatus):
        return _known(prover, found, signed, effects)
    if not found.absent:
        return Pending(f"{why}; {found.words}, which proves nothing")
    base = _expiry(effects).stated_height
    proof = f"{why}; {prover.name} holds all blocks since {base} and knows no {signed.tx_hash}"
    if _below(state, signed):
        return Dead(state.height, proof)
    return _overtaken(post, prover, signed, (base, state), proof)


def _overtaken(post: Post, prover: View, signed: Signed, span: tuple[int, KeyState], proof: str) -> Outcome:
    """Look for the block that ended the nonce, and whether the transaction itself is in it."""
    base, state = span
    ending = find_ending(prover.node, signed.signer, signed.key_text, signed.tx.nonce, (base, state.height))
    if ending is None and post.alone:
        missing = "one node alone does not prove this: a second_url or archive_url must agree"
        return Pending(f"{proof}; {missing}", stuck=True)
    if ending is None:
        return Dead(state.height, proof)
    if signed.tx_hash in {one.hash for one in ending.taken}:
        where = f"block {ending.height} or one beside it has it"
        return Pending(f"{where}, and {prover.name} does not show what became of it", stuck=True)
    return Dead(state.height, f"{proof}; block {ending.height} ended the nonce{ending.by(signed.tx.nonce)}")


def _gap(prover: View, settings: Settings, signed: Signed, effects: Effects) -> str:
    """Say why a node's not knowing a hash proves nothing, nothing where it proves that it did not happen."""
    status, base = prover.status(), _expiry(effects).stated_height
    if strange := strangeness(status, effects.network, settings):
        return f"{prover.name} is not believed: {strange}"
    if status.earliest_height is None or status.earliest_height > base:
        since = "a block that it does not name" if status.earliest_height is None else str(status.earliest_height)
        return f"{prover.name} remembers blocks since {since}, not since {base}: an archive_url is needed"
    block = prover.block(base)
    if block is None or block.hash != signed.block_hash:
        return _elsewhere(prover, signed, base)
    return ""


def _elsewhere(node: View, signed: Signed, base: int) -> str:
    return f"{node.name} has not block {signed.block_hash} at {base}: it is on another chain"


def _expiry(effects: Effects) -> Expiry:
    assert effects.expiry is not None, "every NEAR transaction has an expiry"
    return effects.expiry

