"""Says what the ledger has decided about a delegate action, which a relayer's transaction carries out under another id.

Only the key's nonce tells: while it is below the action's, the action has not happened, and above its last height
it never can. Once the nonce is reached, the block that ended it is looked for (`endings`), with the receipts that
changed the key or carried delegate actions there: either one of them holds this very action, by sender, key, nonce
and last height, and its transaction is settled; or something else used the nonce, and the action is dead. Where a
node does not show that, it stays pending. Settled is the inner receipt, from the sender to its receiver; the
relayer pays fee and deposits.
"""

from __future__ import annotations

from online.chains.api import Dead, Outcome, Pending, Watched
from online.chains.near.check import strangeness
from online.chains.near.endings import Ending, find_ending
from online.chains.near.final import final_of
from online.chains.near.node import KeyState, Node
from online.chains.near.receipts import TxStatus
from online.chains.near.settings import Settings
from online.chains.near.view import View
from online.chains.near.wire import Delegated, read_delegated
from shared.effects import Effects, Expiry
from shared.errors import NodeRefused

_CARRIED = "its nonce is reached"


def decide_delegate(node: View, archive: View | None, settings: Settings, watched: Watched) -> Outcome:
    """Say what one node's final blocks decide about a delegate action. Raises NodeUnreachable."""
    effects, delegated = watched.effects, read_delegated(watched.blob)
    if strange := strangeness(node.status(), effects.network, settings):
        return Pending(f"{node.name} is not believed: {strange}", stuck=True)
    state, expiry = node.access_key(delegated.action.signer, delegated.key_text), _expiry(effects)
    if state.key is not None and state.key.nonce < delegated.action.nonce:
        if state.height > expiry.last_height:
            why = f"final height {state.height} is above its last, {expiry.last_height}"
            nonces = f"{state.key.nonce}, below {delegated.action.nonce}"
            return Dead(state.height, f"{why}, and the key's nonce is {nonces}")
        left = expiry.last_height - state.height
        return Pending(f"no relayer carried it out yet; it can still happen in {left} heights")
    return _carried((archive or node).node, delegated, effects, state)


def _carried(prover: Node, delegated: Delegated, effects: Effects, state: KeyState) -> Outcome:
    action = delegated.action
    heights = (_expiry(effects).stated_height, state.height)
    ending = find_ending(prover, action.signer, delegated.key_text, action.nonce, heights)
    if ending is None:
        return Pending(f"{_CARRIED}, and {prover.name} does not show by what: an archive_url is needed", stuck=True)
    open_words = ""
    for receipt_id in _candidates(prover, delegated, ending):
        found = _outer(prover, receipt_id, ending.height)
        if isinstance(found, str):
            open_words = found
        elif _holds(found, receipt_id, delegated):
            return _settled(prover, found, receipt_id, delegated, effects)
    if open_words:
        return Pending(f"{_CARRIED} in block {ending.height}; {open_words}")
    return Dead(state.height, f"block {ending.height} ended its nonce{ending.by(action.nonce)}, and does not hold it")


def _candidates(prover: Node, delegated: Delegated, ending: Ending) -> tuple[str, ...]:
    try:
        causes = prover.causes(delegated.action.signer, delegated.key_text, ending.height)
    except NodeRefused:
        causes = ()  # the chunks name the receipts as well
    return tuple(dict.fromkeys((*causes, *ending.receipts)))


def _outer(prover: Node, receipt_id: str, height: int) -> TxStatus | str:
    behind = prover.transaction_of(receipt_id, height)
    if behind is None:
        return f"{prover.name} does not know the transaction behind receipt {receipt_id}"
    found = prover.find(*behind)
    return found if isinstance(found, TxStatus) else found.words


def _holds(found: TxStatus, receipt_id: str, delegated: Delegated) -> bool:
    action, receipt = delegated.action, found.receipts.get(receipt_id)
    wanted = (action.signer, delegated.key_text, action.nonce, action.max_block_height)
    outcome = found.by_id.get(receipt_id)
    # A receipt that failed took no nonce.
    failed = outcome is not None and outcome.failure is not None
    return receipt is not None and not failed and any(step.inside == wanted for step in receipt.steps or ())


def _settled(prover: Node, found: TxStatus, receipt_id: str, delegated: Delegated, effects: Effects) -> Outcome:
    if not found.final:
        return Pending(f"a relayer carried it out; {prover.name} calls that {found.level or 'nothing'}, not FINAL")
    block = prover.block(found.own.block_hash)
    inner = [
        one
        for one in found.by_id[receipt_id].receipt_ids
        if (receipt := found.receipts.get(one)) is not None
        and (receipt.sender, receipt.receiver) == (delegated.action.signer, delegated.action.receiver)
    ]
    if block is None or len(inner) != 1:
        words = f"a relayer carried it out by {found.sent.hash}, and {prover.name} does not show its receipt"
        return Pending(words, stuck=True)
    return final_of(found, effects, block.height, relayed=inner[0])


def _expiry(effects: Effects) -> Expiry:
    assert effects.expiry is not None, "every delegate action has a last height"
    return effects.expiry
