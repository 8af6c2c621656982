"""Between PSBTs and our own form: a foreign PSBT to what `decode` reads, our signatures to a PSBT.

Derivations in a PSBT only say where to look for a key; `decode` and the holder of the seed prove that it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.chains.api import KeyPath
from shared.chains.bitcoin.addresses import key_script
from shared.chains.bitcoin.context import Prevout, Stated, write_context
from shared.chains.bitcoin.hashes import hash160
from shared.chains.bitcoin.model import Change, Spend, Tx, Way
from shared.chains.bitcoin.psbt import Fields, Psbt, has_signature, number, psbt_of, spent_output, write_psbt
from shared.chains.bitcoin.psbt_fields import (
    DERIVATION,
    MODIFIABLE,
    NON_WITNESS_UTXO,
    OUT_DERIVATION,
    OUT_TAP_DERIVATION,
    OUT_TAP_INTERNAL,
    PARTIAL_SIG,
    SIGHASH,
    TAP_DERIVATION,
    TAP_INTERNAL,
    TAP_KEY_SIG,
    WITNESS_SCRIPT,
    WITNESS_UTXO,
)
from shared.chains.bitcoin.script import Form, form_and_program
from shared.chains.bitcoin.signing import verified
from shared.chains.bitcoin.transactions import Output, write
from shared.errors import BitcoinPsbtRefused, BitcoinSighash

_MAY_GROW: Final = 3
_ALLOWED: Final = {Form.P2TR: (None, 0), Form.P2WPKH: (None, 1), Form.P2WSH: (None, 1)}


@dataclass(frozen=True, slots=True)
class Ours:
    """What `decode` takes: the unsigned bytes, the context, and a key path for every signature."""

    unsigned: bytes
    context: dict[str, int | str | bytes | bool | None]
    keys: tuple[KeyPath, ...]


def keys_named(psbt: Psbt) -> set[bytes]:
    """Give the public keys (33 bytes, of taproot's either half) for which an input says where they are derived."""
    named = {key for fields in psbt.inputs for key in fields if key[0] in (DERIVATION, TAP_DERIVATION)}
    return {one for key in named for one in _halves(key[1:])}


def ours_from_psbt(psbt: Psbt, mine: Mapping[bytes, KeyPath], height: int) -> Ours:
    """Turn an unsigned PSBT into our form; `mine` are our public keys (33 bytes) with their paths.

    What the PSBT says of a key's path and master is not read: the key itself is ours, or it is not.

    Raises:
        BitcoinPsbtRefused: for an input without amount, without exactly one key of ours, or signed already.
        BitcoinSighash: for an input that asks for another signature type.
    """
    found = [_prevout(psbt, index, mine) for index in range(len(psbt.inputs))]
    if not found:
        raise BitcoinPsbtRefused("the PSBT has no inputs")
    keys = tuple(path for _, path in found)
    accounts = {path[:-2] for path in keys}
    change = tuple(
        one for index in range(len(psbt.outputs)) for one in _change(psbt, index, mine, accounts)
    )
    previous = {
        one[bytes([NON_WITNESS_UTXO])]: None for one in psbt.inputs if bytes([NON_WITNESS_UTXO]) in one
    }
    stated = Stated(height, tuple(prevout for prevout, _ in found), change, tuple(previous))
    return Ours(write(psbt.transaction, witness=False), write_context(stated), keys)


def explicit(tx: Tx, public_keys: Sequence[bytes]) -> Tx:
    """Say also what both our machines know and a device does not: taproot's internal keys, and the keys of change.

    `public_keys` (33 bytes) are those of the inputs' paths.
    """
    spends = tuple(
        replace(spend, opener=key[1:]) if spend.way is Way.TAPROOT_KEY and not spend.opener else spend
        for spend, key in zip(tx.spends, public_keys, strict=False)
    )
    owners = {spend.output.script: (key, spend.path) for spend, key in zip(spends, public_keys, strict=False)}
    change = tuple(
        one if one.public_key else Change(one.index, *owners[tx.transaction.outputs[one.index].script])
        for one in tx.change
    )
    return replace(tx, spends=spends, change=change)


def unsigned_psbt(tx: Tx, fingerprint: bytes | None = None) -> Psbt:
    """Write a transaction to be signed as a PSBT of version 0; with a fingerprint also where the keys are.

    Raises:
        BitcoinPsbtRefused: for a pair, whose second transaction spends the first before it is signed.
    """
    if tx.reveal is not None:
        raise BitcoinPsbtRefused("a commit and its reveal are two transactions, and no PSBT")
    inputs = tuple(_input_fields(spend, fingerprint) for spend in tx.spends)
    known = {one.index: one for one in tx.change if one.public_key}
    outputs = tuple(
        _output_fields(output, known.get(index), fingerprint)
        for index, output in enumerate(tx.transaction.outputs)
    )
    return psbt_of(tx.transaction, inputs, outputs)


def with_signatures(psbt: Psbt, tx: Tx, signatures: Sequence[bytes]) -> Psbt:
    """Put our raw signatures into the PSBT that they answer, each after it has verified.

    Raises:
        BitcoinPsbtRefused: for a PSBT about another transaction.
        BitcoinBadSignature: for a signature that does not verify.
    """
    if psbt.transaction != tx.transaction or tx.reveal is not None:
        raise BitcoinPsbtRefused("the PSBT is about another transaction")
    return _with(psbt, tx, verified(tx, signatures))


def partly_signed(tx: Tx, checked: Sequence[bytes]) -> bytes:
    """Write verified signatures, in the form of witnesses, as a PSBT of their own. Raises BitcoinPsbtRefused."""
    return write_psbt(_with(unsigned_psbt(tx), tx, checked))


def _with(psbt: Psbt, tx: Tx, checked: Sequence[bytes]) -> Psbt:
    inputs = []
    for fields, spend, signature in zip(psbt.inputs, tx.spends, checked, strict=True):
        key = (
            bytes([TAP_KEY_SIG]) if spend.way is Way.TAPROOT_KEY else bytes([PARTIAL_SIG]) + spend.public_key
        )
        inputs.append({**fields, key: signature})
    whole = dict(psbt.fields)
    if bytes([MODIFIABLE]) in whole:  # BIP370: what is signed wholly may grow no further inputs or outputs
        whole[bytes([MODIFIABLE])] = bytes([whole[bytes([MODIFIABLE])][0] & ~_MAY_GROW])
    return replace(psbt, fields=whole, inputs=tuple(inputs))


def _prevout(psbt: Psbt, index: int, mine: Mapping[bytes, KeyPath]) -> tuple[Prevout, KeyPath]:
    fields, output = psbt.inputs[index], spent_output(psbt, index)
    if output is None:
        raise BitcoinPsbtRefused(f"input {index}: the output that is spent is not stated")
    form, program = form_and_program(output.script)
    if form not in _ALLOWED:
        raise BitcoinPsbtRefused(f"input {index}: an input of the kind {form.value}")
    sighash = number(fields, SIGHASH)
    if sighash not in _ALLOWED[form]:
        raise BitcoinSighash(f"input {index} asks for signature type {sighash:#x}")
    if form is Form.P2WSH:
        return _multisig(fields, output, index, mine)
    if has_signature(psbt, index):
        raise BitcoinPsbtRefused(f"input {index} is signed already")
    kind = TAP_DERIVATION if form is Form.P2TR else DERIVATION
    for key, path in _derivations(fields, kind, mine):
        if form is Form.P2TR and key_script(key, "secp256k1", "p2tr") == output.script:
            return Prevout(output), path
        if form is Form.P2WPKH and hash160(key) == program:
            return Prevout(output, key), path
    raise BitcoinPsbtRefused(f"input {index}: no key of ours opens it")


def _multisig(
    fields: Fields, output: Output, index: int, mine: Mapping[bytes, KeyPath]) -> tuple[Prevout, KeyPath]:
    ours = list(_derivations(fields, DERIVATION, mine))
    script = fields.get(bytes([WITNESS_SCRIPT]), b"")
    if len(ours) != 1 or not script:
        raise BitcoinPsbtRefused(
            f"input {index}: the script is missing, or not exactly one of its keys is ours"
        )
    ((key, path),) = ours
    if bytes([PARTIAL_SIG]) + key in fields:
        raise BitcoinPsbtRefused(f"input {index} is signed by us already")
    return Prevout(output, script, key), path


def _change(
    psbt: Psbt, index: int, mine: Mapping[bytes, KeyPath], accounts: set[KeyPath]
) -> Iterator[Change]:
    """Give an output as change if a key of ours in the account of an input says so; else it stays a payment."""
    script, fields = psbt.transaction.outputs[index].script, psbt.outputs[index]
    for kind, form in ((OUT_DERIVATION, "p2wpkh"), (OUT_TAP_DERIVATION, "p2tr")):
        for key, path in _derivations(fields, kind, mine):
            if path[:-2] in accounts and key_script(key, "secp256k1", form) == script:
                yield Change(index, key, path)
                return


def _derivations(
    fields: Fields, kind: int, mine: Mapping[bytes, KeyPath]
) -> Iterator[tuple[bytes, KeyPath]]:
    """Give those keys of ours, with their paths, of which fields of a kind speak, in the order of the fields."""
    for key in sorted(fields):
        if key[0] == kind:
            yield from ((one, mine[one]) for one in _halves(key[1:]) if one in mine)


def _halves(key: bytes) -> tuple[bytes, ...]:
    """Give the public keys that a field may mean: taproot's leave out on which half of the curve they are."""
    return (b"\2" + key, b"\3" + key) if len(key) == 32 else (key,)


def _input_fields(spend: Spend, fingerprint: bytes | None) -> Fields:
    fields = {bytes([WITNESS_UTXO]): spend.output.write()}
    if spend.way is Way.MULTISIG:
        fields[bytes([WITNESS_SCRIPT])] = spend.opener
    if spend.way is Way.TAPROOT_KEY and spend.opener:
        fields[bytes([TAP_INTERNAL])] = spend.opener
        if fingerprint is not None:
            fields[bytes([TAP_DERIVATION]) + spend.opener] = b"\0" + _place(fingerprint, spend.path)
    elif spend.way is not Way.TAPROOT_KEY and fingerprint is not None:
        fields[bytes([DERIVATION]) + spend.public_key] = _place(fingerprint, spend.path)
    return fields


def _output_fields(output: Output, change: Change | None, fingerprint: bytes | None) -> Fields:
    if change is None or fingerprint is None:
        return {}
    place = _place(fingerprint, change.path)
    if form_and_program(output.script)[0] is Form.P2TR:
        key = change.public_key[1:]
        return {bytes([OUT_TAP_INTERNAL]): key, bytes([OUT_TAP_DERIVATION]) + key: b"\0" + place}
    return {bytes([OUT_DERIVATION]) + change.public_key: place}


def _place(fingerprint: bytes, path: KeyPath) -> bytes:
    return fingerprint + b"".join(step.to_bytes(4, "little") for step in path)
