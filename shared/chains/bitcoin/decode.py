"""Unsigned bytes and their context to a `Tx`. The only door to signing.

The bytes are one transaction, or the commit and the reveal of a pair, one behind the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.chains.api import Context, KeyPath
from shared.chains.bitcoin import layer
from shared.chains.bitcoin.context import Stated, read_context
from shared.chains.bitcoin.inputs import check_data_key, check_previous, spend_of
from shared.chains.bitcoin.model import Spend, Tx
from shared.chains.bitcoin.networks import network
from shared.chains.bitcoin.pairs import check_commit, reveal_of
from shared.chains.bitcoin.rules import check_amounts, check_change, check_frame, check_outputs, own_scripts
from shared.chains.bitcoin.transactions import Transaction, read_unsigned
from shared.errors import BitcoinContextRefused, BitcoinKeyRefused


def decode(unsigned: bytes, context: Context, keys: Sequence[KeyPath], network_name: str) -> Tx:
    """Read an unsigned transaction or pair that our keys are to sign, one path for every signature.

    Raises:
        BitcoinRefusal: for everything that is not fully understood; the modules that are called say which.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    transaction, *rest = read_unsigned(unsigned, 2)
    stated = read_context(context, pair=bool(rest))
    spends = _spends(transaction, stated, keys, len(rest))
    check_frame(transaction, stated.height)
    check_amounts(transaction, spends)
    check_change(stated.change, transaction.outputs, spends)
    if rest:
        return _pair(transaction, rest[0], stated, spends, keys[-1], network_name)
    found = layer.read(transaction, network_name, stated.height)
    if found is not None and found.key:
        check_data_key(found.key, spends[0])
    check_outputs(transaction.outputs, () if found is None else found.outputs)
    return Tx(network_name, transaction, spends, stated.height, stated.change, found)


def _spends(
    transaction: Transaction, stated: Stated, keys: Sequence[KeyPath], reveals: int
) -> tuple[Spend, ...]:
    count = len(transaction.inputs)
    if len(stated.prevouts) != count:
        raise BitcoinContextRefused(f"{len(stated.prevouts)} previous outputs for {count} inputs")
    if len(keys) != count + reveals:
        raise BitcoinKeyRefused(f"{len(keys)} key paths for {count + reveals} signatures")
    check_previous(transaction, stated.prevouts, stated.previous)
    return tuple(spend_of(one, path) for one, path in zip(stated.prevouts, keys, strict=False))


def _pair(
    commit: Transaction,
    second: Transaction,
    stated: Stated,
    spends: tuple[Spend, ...],
    path: KeyPath,
    network_name: str,
) -> Tx:
    check_frame(second, stated.height)
    check_commit(commit, stated.change)
    ours = own_scripts(spends) | {commit.outputs[one.index].script for one in stated.change}
    key, message = layer.read_leaf(stated.envelope, network_name, stated.height)
    reveal = reveal_of(commit, second, (key, stated.envelope), spends[0], path, ours)
    check_outputs(commit.outputs, ())
    check_outputs(second.outputs, (0,))
    check_amounts(second, (reveal.spend,))
    return Tx(network_name, commit, spends, stated.height, stated.change, message, reveal)
