"""Lets a Counterparty node compose what we drafted, and judges the bytes: law 6, compose servers are not believed.

Inputs, fee and change address are always given. What comes back is decoded by the shared code, never by the node's own
words; whatever it does otherwise than planned is a refusal that names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from online.chains.bitcoin.compare import Read, differences, read_back
from online.chains.bitcoin.counterparty import Composed, CpNode
from online.chains.bitcoin.draft import Draft, Rates, change_of, state
from online.chains.bitcoin.plans import Wish
from shared.chains.bitcoin.context import write_context
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Message,
    Mpma,
    Sweep,
)
from shared.chains.bitcoin.transactions import Transaction, read_unsigned
from shared.errors import ComposeDiffers, EncodingRefused, Refusal

_INPUTS_MOST = 100
_QUERY_MOST = 60_000
"""Longer addresses of requests are turned away by servers; such a batch stands on our own decoder alone."""

_HEX_MEMO = 4
_REVEAL_TOLERANCE = 2


def composable(wish: Wish, draft: Draft) -> bool:
    """Say whether compose can make this: at most 100 inputs, no memos as text beside hex, nothing too long to ask."""
    if wish.message is None or len(draft.chosen.coins) > _INPUTS_MOST:
        return False
    if not isinstance(wish.message, Mpma):
        return True
    size = sum(len(value) for value in _mpma(wish.message).values()) if _of_one_kind(wish.message) else _QUERY_MOST
    memos = sum(2 * len(send.memo.raw) + 8 for send in wish.message.sends if send.memo is not None)
    return size + memos < _QUERY_MOST


def _of_one_kind(message: Mpma) -> bool:
    return len({send.memo.is_hex for send in message.sends if send.memo is not None}) < 2


def composed(cp: CpNode, wish: Wish, draft: Draft, rates: Rates, height: int) -> tuple[Draft, Read]:
    """Let the node compose a draft's equal, and give it, read and compared.

    Raises:
        ComposeDiffers: naming every difference. EncodingRefused: for what compose cannot make.
        NodeRefused: with the node's words, where it would not compose this.
    """
    message = wish.message
    if message is None or not composable(wish, draft):
        raise EncodingRefused("compose takes at most 100 inputs, short batches, and memos all text or all hex")
    route, said = _route(message)
    answer = cp.compose(wish.plan.source, route, {**said, **_common(wish, draft, rates)})
    try:
        theirs = _as_draft(wish, draft, answer, height)
        read = read_back(wish, theirs)
    except Refusal as refusal:
        raise ComposeDiffers(f"{cp.name} composed something else than was planned: {refusal}") from refusal
    found = [*differences(wish, draft, read), *_of_fees(draft, read)]
    if found:
        raise ComposeDiffers(f"{cp.name} composed something else than was planned: {'; '.join(found)}")
    return theirs, read


def _of_fees(draft: Draft, read: Read) -> Iterator[str]:
    if read.commit_fee != draft.chosen.fee_sats:
        yield f"it leaves {read.commit_fee} sat to the miner, and {draft.chosen.fee_sats} were asked for"
    if read.tx.reveal is not None and read.tx.reveal.spend.output.value > _REVEAL_TOLERANCE * draft.reveal_sats:
        yield f"it puts {read.tx.reveal.spend.output.value} sat into the reveal, and {draft.reveal_sats} do"


# --- what is asked --------------------------------------------------------------------------------


def _route(message: Message) -> tuple[str, dict[str, str | Sequence[str]]]:
    match message:
        case EnhancedSend(asset, quantity, address, memo):
            said: dict[str, str | Sequence[str]] = {
                "destination": address, "asset": asset, "quantity": str(quantity),
            }
            return "send", said | ({"memo": memo.hex(), "memo_is_hex": "true"} if memo else {})
        case Mpma():
            return "mpma", _mpma(message)
        case Broadcast(timestamp, _, _, _, text):
            fixed: dict[str, str | Sequence[str]] = {"value": "0", "fee_fraction": "0", "text": text.decode()}
            return "broadcast", {"timestamp": str(timestamp), **fixed}
        case Sweep(address, flags, memo):
            text_memo = memo.hex() if flags & _HEX_MEMO else memo.decode()
            said = {"destination": address, "flags": str(flags)}
            return "sweep", said | ({"memo": text_memo} if memo else {})
        case ClassicSend():
            raise EncodingRefused("classic sends are not built here")


def _mpma(message: Mpma) -> dict[str, str | Sequence[str]]:
    sends = message.sends
    said: dict[str, str | Sequence[str]] = {
        "assets": ",".join(send.asset for send in sends),
        "destinations": ",".join(send.address for send in sends),
        "quantities": ",".join(str(send.quantity) for send in sends),
    }
    memos = [send.memo for send in sends]
    if any(memos):
        is_hex = any(memo.is_hex for memo in memos if memo is not None)
        texts = ["" if memo is None else memo.raw.hex() if is_hex else memo.raw.decode() for memo in memos]
        said |= {"memos": texts, "memos_are_hex": str(is_hex).lower()}
    return said


def _common(wish: Wish, draft: Draft, rates: Rates) -> dict[str, str]:
    inputs = (
        f"{coin.outpoint}:{coin.sats}:{coin.owner.script.hex()}" for coin in draft.chosen.coins
    )
    common = {
        "encoding": draft.encoding or "auto",
        "inputs_set": ",".join(inputs),
        "use_all_inputs_set": "true",
        "exact_fee": str(draft.chosen.fee_sats),
        "change_address": wish.change.address,
        "multisig_pubkey": wish.source.public_key.hex(),
        "pubkeys": wish.source.public_key.hex(),
        "disable_utxo_locks": "true",
    }
    if wish.waiting:
        common["allow_unconfirmed_inputs"] = "true"
    if wish.outputs:
        paid = (payment for payment in wish.plan.payments if payment not in wish.sent)
        common["more_outputs"] = ",".join(f"{each.amount.units}:{each.destination.address}" for each in paid)
    if draft.encoding == "taproot":
        common["sat_per_vbyte"] = f"{rates.rate // 1000}.{rates.rate % 1000:03d}"  # for the reveal alone
    return common


# --- what came back -------------------------------------------------------------------------------


def _as_draft(wish: Wish, draft: Draft, answer: Composed, height: int) -> Draft:
    (first,) = read_unsigned(answer.raw)
    known = {str(coin.outpoint): coin for coin in draft.chosen.coins}
    strange = [each.name for each in first.inputs if each.name not in known]
    if strange:
        raise ComposeDiffers(f"it spends {strange[0]}, which was not given")
    coins = tuple(known[each.name] for each in first.inputs)
    stated = state(coins, change_of(wish, first, coins, _change(wish, first)), height, answer.leaf or b"")
    keys = tuple(coin.owner.path for coin in coins)
    if answer.reveal is None:
        return replace(draft, unsigned=answer.raw, context=write_context(stated), keys=keys)
    unsigned = answer.raw + answer.reveal
    return replace(draft, unsigned=unsigned, context=write_context(stated), keys=(*keys, wish.source.path))


def _change(wish: Wish, transaction: Transaction) -> tuple[int, ...]:
    """Find the change: the last output that pays the change address, as compose writes it behind everything else."""
    wanted = [
        index for index, output in enumerate(transaction.outputs) if output.script == wish.change.script
    ]
    return tuple(wanted[-1:])
