"""What opens each input: the kinds that are signed here, each checked against the script that it spends."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from shared.chains.api import KeyPath
from shared.chains.bitcoin.context import Prevout
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.model import Spend, Way
from shared.chains.bitcoin.multisig import read_multisig
from shared.chains.bitcoin.script import Form, form_and_program
from shared.chains.bitcoin.taproot import output_key, point_of
from shared.chains.bitcoin.transactions import Transaction, read
from shared.errors import BitcoinDataRefused, BitcoinInputRefused, BitcoinKeyRefused, BitcoinPreviousRefused


def spend_of(prevout: Prevout, path: KeyPath) -> Spend:
    """Say how an input is signed.

    Raises:
        BitcoinInputRefused: for another script than P2WPKH, P2WSH and P2TR, and for what does not open it.
        BitcoinKeyRefused: for a key that is none, or that the script does not name.
        BitcoinMultisigRefused: for a witness script that is no sorted multisig.
    """
    form, program = form_and_program(prevout.output.script)
    match form:
        case Form.P2WPKH:
            return _key_hash(prevout, program, path)
        case Form.P2WSH:
            return _multisig(prevout, program, path)
        case Form.P2TR:
            return _taproot(prevout, program, path)
        case _:
            raise BitcoinInputRefused(f"an input of the kind {form.value}")


def check_previous(transaction: Transaction, prevouts: Sequence[Prevout], previous: Sequence[bytes]) -> None:
    """Compare what is stated of inputs with the previous transactions that are there.

    Raises:
        BitcoinPreviousRefused: for one that no input spends, that stands twice, or that says something else.
        BitcoinMalformed: for bytes that are no transaction.
    """
    known: dict[bytes, Transaction] = {}
    for raw in previous:
        found = read(raw)
        txid = bytes.fromhex(found.txid)[::-1]
        if txid in known or all(one.txid != txid for one in transaction.inputs):
            raise BitcoinPreviousRefused(f"{found.txid} is stated twice, or no input spends it")
        known[txid] = found
    for one, prevout in zip(transaction.inputs, prevouts, strict=True):
        if one.txid in known:
            outputs = known[one.txid].outputs
            if one.index >= len(outputs) or outputs[one.index] != prevout.output:
                raise BitcoinPreviousRefused(f"{one.name} has another value or script than stated")


def check_data_key(key: bytes, source: Spend) -> None:
    """Check that outputs with data could be spent again by their source.

    Raises:
        BitcoinDataRefused: for a stranger's key.
    """
    match source.way:
        case Way.MULTISIG:
            ours = key in read_multisig(source.opener).keys
        case Way.TAPROOT_KEY:
            point_of(key)
            ours = source.public_key in (key[1:], output_key(key[1:]).x_only)
        case _:
            ours = key == source.public_key
    if not ours:
        raise BitcoinDataRefused("the outputs with data belong to a key that is not the source's")


def _key_hash(prevout: Prevout, program: bytes, path: KeyPath) -> Spend:
    if prevout.public_key:
        raise BitcoinInputRefused("a P2WPKH input has one public key beside it and nothing else")
    point_of(prevout.opener)
    if hash160(prevout.opener) != program:
        raise BitcoinKeyRefused("the public key is not the one that the P2WPKH input names")
    return Spend(prevout.output, Way.KEY_HASH, path, prevout.opener)


def _multisig(prevout: Prevout, program: bytes, path: KeyPath) -> Spend:
    if sha256(prevout.opener).digest() != program:
        raise BitcoinInputRefused("the witness script is not the one that the P2WSH input names")
    if prevout.public_key not in read_multisig(prevout.opener).keys:
        raise BitcoinKeyRefused("the public key is not among those of the multisig")
    return Spend(prevout.output, Way.MULTISIG, path, prevout.public_key, prevout.opener)


def _taproot(prevout: Prevout, program: bytes, path: KeyPath) -> Spend:
    if prevout.public_key:
        raise BitcoinInputRefused("a P2TR input has at most its internal key beside it")
    if prevout.opener and output_key(prevout.opener).x_only != program:
        raise BitcoinKeyRefused("the internal key is not the one of the P2TR input")
    point_of(b"\2" + program)
    return Spend(prevout.output, Way.TAPROOT_KEY, path, program, prevout.opener, tweaked=True)
