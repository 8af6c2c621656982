"""What signing a Bitcoin transaction would do, from its bytes. Every output shows up somewhere here.

An output is a payment, proven change, or data; a Counterparty message adds its own payments. What data outputs
hold counts as fee: it is lost like one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.chains.api import NO_ASSETS, Register
from shared.chains.bitcoin import layer
from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.model import Spend, Tx, Way
from shared.chains.bitcoin.multisig import read_multisig
from shared.chains.bitcoin.networks import network
from shared.chains.bitcoin.rules import REPLACEABLE
from shared.chains.bitcoin.script import Form, form_of_script
from shared.chains.bitcoin.sizes import compact
from shared.chains.bitcoin.transactions import Output, Transaction, write
from shared.effects import Claim, Destination, Effects, OwnedKey, Payment
from shared.money import Amount, format_units

MOVES_ASSETS: Final = "moves-attached-assets"
"""Danger: assets attached to the inputs would move to the first output that is not OP_RETURN, which is not ours."""

FOREIGN_SCRIPT: Final = "foreign-script-from-asset-address"
"""Danger: paying such a script from an address with assets let its owner act in our name before block 969,320."""

_SCRIPTS: Final = (Form.P2TR, Form.P2WSH, Form.P2SH)
_ECDSA_MOST: Final = 72  # DER with low s has 71 bytes at most, and one for the type


def effects(tx: Tx, register: Register = NO_ASSETS) -> Effects:
    """Say what the transaction or pair does; `register` gives the decimals of assets by their names.

    Raises:
        Refusal: for an asset that the register does not have.
    """
    source = address_of(tx.spends[0].output.script, tx.network)
    paid = tuple(_payments(tx, source))
    message = layer.meaning(tx.layer, source, tx.network, register)
    return Effects(
        kind=message.kind,
        network=tx.network,
        source=source,
        payments=message.payments + paid,
        fee_payer=source,
        fee_most=_amount(tx, tx.fee + _held_by_data(tx)),
        settings=message.settings,
        claims=tuple(Claim(tx.network, one.name) for one in tx.transaction.inputs),
        expiry=None,
        facts=message.facts + tuple(_facts(tx)),
        sworn=tuple(
            (one.name, spend.output.value)
            for one, spend in zip(tx.transaction.inputs, tx.spends, strict=True)
        ),
        owned=tuple(OwnedKey(one.path, "secp256k1", one.public_key) for one in tx.change if one.public_key),
        dangers=tuple(_dangers(tx)),
        vbytes=vsize(tx),
    )


def vsize(tx: Tx) -> int:
    """Give the greatest size that the signed transaction can have, of a pair that of both."""
    most = _vsize(tx.transaction, tx.spends)
    return most if tx.reveal is None else most + _vsize(tx.reveal.transaction, (tx.reveal.spend,))


def _payments(tx: Tx, source: str) -> Iterator[Payment]:
    for output in _paying(tx):
        destination = Destination(address_of(output.script, tx.network))
        yield Payment(source, destination, _amount(tx, output.value))


def _paying(tx: Tx) -> list[Output]:
    """Give the outputs that are neither change, data nor the anchor of a reveal."""
    if tx.reveal is not None:  # all of a commit's outputs are its anchor and change
        return []
    data = () if tx.layer is None else tx.layer.outputs
    aside = {one.index for one in tx.change} | set(data)
    return [output for index, output in enumerate(tx.transaction.outputs) if index not in aside]


def _held_by_data(tx: Tx) -> int:
    if tx.layer is None:
        return 0
    return sum(tx.transaction.outputs[index].value for index in tx.layer.outputs)


def _facts(tx: Tx) -> Iterator[str]:
    for one in tx.change:
        output = tx.transaction.outputs[one.index]
        yield f"change {_amount(tx, output.value)} back to {address_of(output.script, tx.network)}"
    if tx.reveal is not None:
        yield f"two transactions: the second, {tx.reveal.transaction.txid}, shows the message"
        for output in tx.reveal.transaction.outputs[1:]:
            yield f"change {_amount(tx, output.value)} back to {address_of(output.script, tx.network)}"
    held = _held_by_data(tx)
    if held:
        yield f"{held} satoshi in outputs with data, counted in the fee"
    size = vsize(tx)
    yield f"miners get {tx.fee} satoshi for {size} vB: {format_units(tx.fee * 100 // size, 2)} sat/vB"
    if any(one.sequence == REPLACEABLE for one in tx.transaction.inputs):
        yield "replaceable until it is confirmed"
    if tx.transaction.lock_time:
        yield f"not before block {tx.transaction.lock_time}"


def _dangers(tx: Tx) -> Iterator[str]:
    if any(form_of_script(output.script) in _SCRIPTS for output in _paying(tx)):
        yield FOREIGN_SCRIPT
    if _moves_assets(tx):
        yield MOVES_ASSETS


def _moves_assets(tx: Tx) -> bool:
    if tx.reveal is not None:  # they would move to the anchor, and on to the reveal's output behind its mark
        return len(tx.reveal.transaction.outputs) == 1
    ours = {one.index for one in tx.change}
    for index, output in enumerate(tx.transaction.outputs):
        if form_of_script(output.script) is not Form.OP_RETURN:
            return index not in ours
    return True


def _vsize(transaction: Transaction, spends: tuple[Spend, ...]) -> int:
    witnesses = 2 + sum(_witness_most(spend) for spend in spends)
    return (4 * len(write(transaction)) + witnesses + 3) // 4


def _witness_most(spend: Spend) -> int:
    match spend.way:
        case Way.KEY_HASH:
            return 1 + 1 + _ECDSA_MOST + 1 + 33
        case Way.TAPROOT_KEY:
            return 1 + 1 + 64
        case Way.LEAF:
            return 1 + 1 + 64 + _sized(len(spend.opener)) + _sized(33)
        case _:
            signatures = read_multisig(spend.opener).quorum * (1 + _ECDSA_MOST)
            return 1 + 1 + signatures + _sized(len(spend.opener))


def _sized(length: int) -> int:
    return len(compact(length)) + length


def _amount(tx: Tx, sats: int) -> Amount:
    return Amount(network(tx.network).native, sats)
