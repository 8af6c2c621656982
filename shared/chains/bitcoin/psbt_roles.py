"""What is done with PSBTs besides signing: combining, finalizing, extracting (BIP174).

Nothing here judges signatures; whoever broadcasts has the node as judge, and `explain` says what was verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.chains.bitcoin.psbt import Fields, Psbt, spent_output
from shared.chains.bitcoin.psbt_fields import (
    FINAL_SCRIPT,
    FINAL_WITNESS,
    HEIGHT_LOCK,
    NON_WITNESS_UTXO,
    OUTPUT_INDEX,
    PARTIAL_SIG,
    PREVIOUS_TXID,
    REDEEM_SCRIPT,
    SEQUENCE,
    TAP_KEY_SIG,
    TIME_LOCK,
    WITNESS_SCRIPT,
    WITNESS_UTXO,
)
from shared.chains.bitcoin.script import Form, bare_multisig, form_of_script, push
from shared.chains.bitcoin.sizes import Reader
from shared.chains.bitcoin.transactions import Input, Transaction, read_witness, write_witness
from shared.errors import BitcoinPsbtRefused

_LAST_KNOWN: Final = 0x1F
_NO_WITNESS: tuple[bytes, ...] = ()
_KEPT: Final = {
    NON_WITNESS_UTXO,
    WITNESS_UTXO,
    PREVIOUS_TXID,  # version 2 says with these what is spent
    OUTPUT_INDEX,
    SEQUENCE,
    TIME_LOCK,
    HEIGHT_LOCK,
}


def combine(parts: Sequence[Psbt]) -> Psbt:
    """Unite PSBTs about the same transaction.

    Raises:
        BitcoinPsbtRefused: for none, for other transactions, and for fields that contradict each other.
    """
    if not parts or len({(part.version, part.transaction) for part in parts}) != 1:
        raise BitcoinPsbtRefused("the PSBTs are none, or about different transactions")
    return Psbt(
        parts[0].version,
        parts[0].transaction,
        _united([part.fields for part in parts]),
        tuple(_united(maps) for maps in zip(*(part.inputs for part in parts), strict=True)),
        tuple(_united(maps) for maps in zip(*(part.outputs for part in parts), strict=True)),
    )


def finalize(psbt: Psbt) -> Psbt:
    """Turn the signatures of every input into what the transaction will carry.

    Raises:
        BitcoinPsbtRefused: for an input without exactly the signatures that it needs, or of an unknown kind.
    """
    return replace(psbt, inputs=tuple(_final(psbt, index) for index in range(len(psbt.inputs))))


def extract(psbt: Psbt) -> Transaction:
    """Give the signed transaction of a finalized PSBT.

    Raises:
        BitcoinPsbtRefused: where an input is not final.
    """
    spends = []
    for one, fields in zip(psbt.transaction.inputs, psbt.inputs, strict=True):
        script, witness = fields.get(bytes([FINAL_SCRIPT]), b""), fields.get(bytes([FINAL_WITNESS]))
        if not script and witness is None:
            raise BitcoinPsbtRefused(f"the input {one.name} is not final")
        items = () if witness is None else read_witness(Reader(witness))
        spends.append(Input(one.txid, one.index, one.sequence, script, items))
    return replace(psbt.transaction, inputs=tuple(spends))


def _united(maps: Sequence[Fields]) -> Fields:
    whole: dict[bytes, bytes] = {}
    for fields in maps:
        for key, value in fields.items():
            if whole.setdefault(key, value) != value:
                raise BitcoinPsbtRefused(f"the PSBTs contradict each other in field {key[:20].hex()}")
    return whole


def _final(psbt: Psbt, index: int) -> Fields:
    fields, output = psbt.inputs[index], spent_output(psbt, index)
    if bytes([FINAL_SCRIPT]) in fields or bytes([FINAL_WITNESS]) in fields:
        return fields
    if output is None:
        raise BitcoinPsbtRefused(f"input {index}: the output that is spent is not stated")
    signatures = {key[1:]: value for key, value in fields.items() if key[0] == PARTIAL_SIG}
    outer = redeem = fields.get(bytes([REDEEM_SCRIPT]), b"")
    form = form_of_script(output.script if form_of_script(output.script) is not Form.P2SH else redeem)
    script, witness = b"", _NO_WITNESS
    match form:
        case Form.P2TR if bytes([TAP_KEY_SIG]) in fields:
            witness = (fields[bytes([TAP_KEY_SIG])],)
        case Form.P2WPKH:
            witness, script = _one(signatures, index), push(outer) if outer else b""
        case Form.P2WSH:
            inner = fields.get(bytes([WITNESS_SCRIPT]), b"")
            witness = (b"", *_several(signatures, inner, index), inner)
            script = push(outer) if outer else b""
        case Form.BARE_MULTISIG:
            items = _several(signatures, redeem, index)
            script = b"\0" + b"".join(push(item) for item in (*items, redeem))
        case Form.P2PKH:
            script = b"".join(push(item) for item in _one(signatures, index))
        case _:
            raise BitcoinPsbtRefused(f"input {index} cannot be finalized here")
    kept = {key: value for key, value in fields.items() if key[0] in _KEPT or key[0] > _LAST_KNOWN}
    kept |= {bytes([FINAL_SCRIPT]): script} if script else {}
    return kept | ({bytes([FINAL_WITNESS]): write_witness(witness)} if witness else {})


def _one(signatures: dict[bytes, bytes], index: int) -> tuple[bytes, bytes]:
    if len(signatures) != 1:
        raise BitcoinPsbtRefused(f"input {index} has {len(signatures)} signatures and needs one")
    ((key, signature),) = signatures.items()
    return signature, key


def _several(signatures: dict[bytes, bytes], script: bytes, index: int) -> list[bytes]:
    read = bare_multisig(script)
    if read is None:
        raise BitcoinPsbtRefused(f"input {index} has a script that is no multisig")
    quorum, keys = read
    found = [signatures[key] for key in keys if key in signatures]
    if len(found) != quorum or len(signatures) != quorum:
        raise BitcoinPsbtRefused(f"input {index} has {len(signatures)} signatures and needs {quorum}")
    return found
