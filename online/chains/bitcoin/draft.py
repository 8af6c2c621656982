"""Drafts with our own encoder: coins, outputs, change, or a commit with its reveal. Pure: nothing is asked here.

For attached assets that nobody knew of, change stands before every payment: they would move to the first output that is
no OP_RETURN, and that is ours then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from online.chains.bitcoin.carriers import carried, choose_encoding, leaf_of, message_bytes
from online.chains.bitcoin.coins import Chosen, Coin, Need, Owner, choose, worth
from online.chains.bitcoin.plans import Wish
from online.chains.bitcoin.purse import Purse, least_fee
from online.chains.bitcoin.sizes import RELAYED_MOST, fee_sats, reveal_vsize
from shared.chains.api import Context, KeyPath
from shared.chains.bitcoin.context import Prevout, Stated, write_context
from shared.chains.bitcoin.model import Change
from shared.chains.bitcoin.pairs import MARK
from shared.chains.bitcoin.rules import REPLACEABLE
from shared.chains.bitcoin.script import Form, dust_limit, form_of_script
from shared.chains.bitcoin.taproot import leaf_hash, output_key
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write
from shared.errors import NothingToMove, TransactionTooLarge

_DUMMY_TXID = "00" * 32
_LEAST_COINS = 2


@dataclass(frozen=True, slots=True)
class Rates:
    """What is paid for a size, and what a replacement adds, in sat per 1000 vB."""

    rate: int
    increment: int


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsigned bytes with their context and keys, and how they were made."""

    unsigned: bytes
    context: Context
    keys: tuple[KeyPath, ...]
    chosen: Chosen
    encoding: str | None
    reveal_sats: int = 0


def draft(wish: Wish, purse: Purse, rates: Rates, height: int) -> Draft:
    """Draft what a wish asks for, to be mined at a height.

    Raises:
        CoinsShort, NothingToMove, EncodingRefused, TransactionTooLarge, and what the encoders of messages refuse.
    """
    if wish.message is None:
        return _payment(wish, purse, rates, height)
    message = message_bytes(wish.message, wish.plan.network, height)
    encoding = choose_encoding(wish, message)
    if encoding == "taproot":
        return _pair(wish, purse, rates, height, message)
    return _single(wish, purse, rates, height, message, encoding)


def _payment(wish: Wish, purse: Purse, rates: Rates, height: int) -> Draft:
    chosen = _chosen(wish, purse, rates, wish.outputs) if wish.coins is None else _consolidated(wish, purse, rates)
    change = _change_output(wish, chosen)
    outputs = (*change, *_outputs(wish.outputs))
    return _draft(wish, chosen, outputs, 0 if change else None, height, None)


def _consolidated(wish: Wish, purse: Purse, rates: Rates) -> Chosen:
    """Choose the smallest coins that are worth their fee; the largest stays free, so that payments need not wait."""
    worthy = sorted((coin for coin in purse.free if worth(coin, rates.rate) > 0), key=lambda one: one.sats)
    coins = purse.forced or tuple(worthy[: min(wish.coins or 0, len(worthy) - 1)])
    if len(coins) < _LEAST_COINS:
        raise NothingToMove(f"{len(worthy)} coins of {wish.source.address} are worth their fee: nothing is gained")
    chosen = _chosen(wish, replace(purse, forced=coins, free=()), rates, ())
    if not chosen.change_sats:
        raise NothingToMove(f"the coins of {wish.source.address} are not worth their fee")
    return chosen


def _single(wish: Wish, purse: Purse, rates: Rates, height: int, message: bytes, encoding: str) -> Draft:
    def data(txid: str) -> tuple[Output, ...]:
        return carried(message, encoding, txid, wish.source.public_key)

    blank = tuple((output.value, output.script) for output in data(_DUMMY_TXID))
    chosen = _chosen(wish, purse, rates, (*blank, *wish.outputs))
    hidden, change = data(chosen.coins[0].outpoint.txid), _change_output(wish, chosen)
    outputs = (*hidden, *change, *_outputs(wish.outputs))
    return _draft(wish, chosen, outputs, len(hidden) if change else None, height, encoding)


def _pair(wish: Wish, purse: Purse, rates: Rates, height: int, message: bytes) -> Draft:
    source = wish.source
    leaf = leaf_of(message, source.public_key)
    lock = output_key(source.public_key[1:], leaf_hash(leaf)).script
    # The reveal has no output to bump it with: its whole fee is put into the commit, at the commit's rate.
    size = _relayed(reveal_vsize(leaf, [MARK.script]))
    fee = fee_sats(size, rates.rate)
    value = max(fee, dust_limit(form_of_script(lock)))
    chosen = _chosen(wish, purse, rates, ((value, lock),))
    change = _change_output(wish, chosen)
    commit = transaction_of(chosen.coins, (Output(value, lock), *change))
    spent = Input(bytes.fromhex(commit.txid)[::-1], 0, REPLACEABLE)
    reveal = Transaction(2, (spent,), (MARK,), 0)
    stated = state(chosen.coins, change_of(wish, commit, chosen.coins, (1,) if change else ()), height, leaf)
    keys = (*(coin.owner.path for coin in chosen.coins), source.path)
    return Draft(write(commit) + write(reveal), write_context(stated), keys, chosen, "taproot", value)


def _chosen(wish: Wish, purse: Purse, rates: Rates, outputs: tuple[tuple[int, bytes], ...]) -> Chosen:
    mine = wish.message is not None  # who speaks must pay first, so that no other address' coin comes first
    free = [coin for coin in purse.free if not mine or coin.owner == wish.source]
    need = Need(outputs, wish.change.script, rates.rate)
    chosen = choose(purse.forced, free, need, wish.source)
    size = _relayed(need.size(chosen.coins, change=True))
    least = least_fee(purse.replaced, size, rates.increment)
    if chosen.fee_sats >= least:
        return chosen
    return choose(purse.forced, free, Need(outputs, wish.change.script, rates.rate, least), wish.source)


def _relayed(size: int) -> int:
    if size > RELAYED_MOST:
        raise TransactionTooLarge(f"{size} vB are more than the {RELAYED_MOST} that nodes relay")
    return size


def _draft(
    wish: Wish, chosen: Chosen, outputs: Sequence[Output], change: int | None, height: int, encoding: str | None
) -> Draft:
    transaction = transaction_of(chosen.coins, outputs)
    proven = change_of(wish, transaction, chosen.coins, () if change is None else (change,))
    context = write_context(state(chosen.coins, proven, height))
    return Draft(write(transaction), context, tuple(coin.owner.path for coin in chosen.coins), chosen, encoding)


# --- parts ----------------------------------------------------------------------------------------


def transaction_of(coins: Sequence[Coin], outputs: Sequence[Output]) -> Transaction:
    """Put a transaction together, replaceable and without a lock time."""
    inputs = (Input(bytes.fromhex(coin.outpoint.txid)[::-1], coin.outpoint.vout, REPLACEABLE) for coin in coins)
    return Transaction(2, tuple(inputs), tuple(outputs), 0)


def state(coins: Sequence[Coin], change: Sequence[Change], height: int, leaf: bytes = b"") -> Stated:
    """Say what stands beside the bytes: for each input its value, script, and the key of a P2WPKH one."""
    return Stated(height, tuple(map(_prevout, coins)), tuple(change), (), leaf)


def change_of(
    wish: Wish, transaction: Transaction, coins: Sequence[Coin], indexes: Sequence[int]
) -> tuple[Change, ...]:
    """Prove outputs ours: by an input's script where there is one, else by key and path."""
    spent, owner = {coin.owner.script for coin in coins}, wish.change
    return tuple(_proof(index, transaction.outputs[index].script in spent, owner) for index in indexes)


def _proof(index: int, same: bool, owner: Owner) -> Change:  # noqa: FBT001 - it is the answer itself
    return Change(index) if same else Change(index, owner.public_key, owner.path)


def _prevout(coin: Coin) -> Prevout:
    opener = coin.owner.public_key if form_of_script(coin.owner.script) is Form.P2WPKH else b""
    return Prevout(Output(coin.sats, coin.owner.script), opener)


def _change_output(wish: Wish, chosen: Chosen) -> tuple[Output, ...]:
    return (Output(chosen.change_sats, wish.change.script),) if chosen.change_sats else ()


def _outputs(pairs: Sequence[tuple[int, bytes]]) -> tuple[Output, ...]:
    return tuple(Output(sats, script) for sats, script in pairs)
