"""PSBT version 0 (BIP174) and 2 (BIP370) with taproot fields (BIP371): strict reading, writing, the transaction inside.

A PSBT is a claim by whoever made it. Nothing in it is believed here beyond its form: `psbt_ours` turns it into what
`decode` reads, which checks it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.chains.bitcoin.psbt_fields import (
    AMOUNT,
    FALLBACK_LOCK_TIME,
    FINAL_SCRIPT,
    FINAL_WITNESS,
    GLOBAL,
    HEIGHT_LOCK,
    INPUT,
    INPUT_COUNT,
    NON_WITNESS_UTXO,
    OUTPUT,
    OUTPUT_COUNT,
    OUTPUT_INDEX,
    PARTIAL_SIG,
    PREVIOUS_TXID,
    SCRIPT,
    SEQUENCE,
    TAP_KEY_SIG,
    TAP_SCRIPT_SIG,
    TIME_LOCK,
    TX_VERSION,
    UNSIGNED_TX,
    VERSION,
    WITNESS_UTXO,
    Rule,
    check_map,
)
from shared.chains.bitcoin.sizes import Reader, sized
from shared.chains.bitcoin.transactions import (
    MOST_SATS,
    Input,
    Output,
    Transaction,
    read,
    read_inputs,
    read_output,
    read_outputs,
    write,
)
from shared.errors import BitcoinPsbtRefused, BitcoinRefusal

MAGIC: Final = b"psbt\xff"
Fields = Mapping[bytes, bytes]
_MOST_BYTES: Final = 16 * 1024 * 1024
_FINAL_SEQUENCE: Final = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Psbt:
    """A PSBT that was read: its version, the transaction it is about (without signatures), its maps."""

    version: int
    transaction: Transaction
    fields: Fields
    inputs: tuple[Fields, ...]
    outputs: tuple[Fields, ...]


def read_psbt(raw: bytes) -> Psbt:
    """Read exactly one PSBT.

    Raises:
        BitcoinPsbtRefused: for every other form of bytes, doubled keys, missing or misplaced fields.
    """
    if not raw.startswith(MAGIC) or len(raw) > _MOST_BYTES:
        raise BitcoinPsbtRefused("the bytes are no PSBT")
    try:
        return _read(Reader(raw, len(MAGIC)))
    except BitcoinPsbtRefused:
        raise
    except BitcoinRefusal as refusal:
        raise BitcoinPsbtRefused(f"the PSBT is malformed: {refusal}") from None


def write_psbt(psbt: Psbt) -> bytes:
    """Serialise a PSBT with the fields of every map in ascending order of their keys."""
    return MAGIC + b"".join(_write_map(one) for one in (psbt.fields, *psbt.inputs, *psbt.outputs))


def psbt_of(
    transaction: Transaction, inputs: tuple[Fields, ...] = (), outputs: tuple[Fields, ...] = ()
) -> Psbt:
    """Make a PSBT of version 0 about an unsigned transaction; maps that are not given are empty."""
    fields = {bytes([UNSIGNED_TX]): write(transaction, witness=False)}
    return Psbt(
        0,
        transaction,
        fields,
        inputs or tuple({} for _ in transaction.inputs),
        outputs or tuple({} for _ in transaction.outputs),
    )


def spent_output(psbt: Psbt, index: int) -> Output | None:
    """Give the output that an input spends, as far as the PSBT says it.

    Raises:
        BitcoinPsbtRefused: where the previous transaction is another one, or contradicts what stands beside it.
    """
    fields, one = psbt.inputs[index], psbt.transaction.inputs[index]
    stated, previous = fields.get(bytes([WITNESS_UTXO])), fields.get(bytes([NON_WITNESS_UTXO]))
    output = None if stated is None else read_output(Reader(stated))
    if previous is None:
        return output
    found = read(previous)
    if bytes.fromhex(found.txid)[::-1] != one.txid or one.index >= len(found.outputs):
        raise BitcoinPsbtRefused(f"input {index}: the previous transaction is not the one that is spent")
    if output is not None and output != found.outputs[one.index]:
        raise BitcoinPsbtRefused(f"input {index}: the previous transaction says another amount or script")
    return found.outputs[one.index]


def has_signature(psbt: Psbt, index: int) -> bool:
    """Tell whether an input carries any signature, partial or final. It was not verified."""
    kinds = {FINAL_SCRIPT, FINAL_WITNESS, PARTIAL_SIG, TAP_KEY_SIG, TAP_SCRIPT_SIG}
    return any(key[0] in kinds for key in psbt.inputs[index])


def number(fields: Fields, kind: int) -> int | None:
    """Give a little-endian number that stands under a bare type."""
    value = fields.get(bytes([kind]))
    return None if value is None else int.from_bytes(value, "little")


def _read(reader: Reader) -> Psbt:
    fields = _read_map(reader)
    version = number(fields, VERSION) or 0
    if version not in (0, 2):
        raise BitcoinPsbtRefused(f"a PSBT of version {version}")
    check_map(fields, GLOBAL, version, "global")
    bare = _unsigned(fields) if version == 0 else None
    if bare is not None:
        counts = len(bare.inputs), len(bare.outputs)
    else:
        counts = _count(fields, INPUT_COUNT), _count(fields, OUTPUT_COUNT)
    inputs = tuple(
        _checked(_read_map(reader), INPUT, version, f"input {n}") for n in _room(reader, counts[0])
    )
    outputs = tuple(
        _checked(_read_map(reader), OUTPUT, version, f"output {n}") for n in _room(reader, counts[1])
    )
    if reader.left:
        raise BitcoinPsbtRefused(f"{reader.left} bytes follow the PSBT")
    return Psbt(version, bare or _assembled(fields, inputs, outputs), fields, inputs, outputs)


def _room(reader: Reader, count: int) -> range:
    if count > reader.left:
        raise BitcoinPsbtRefused("maps are missing")
    return range(count)


def _checked(fields: Fields, table: Mapping[int, Rule], version: int, where: str) -> Fields:
    check_map(fields, table, version, where)
    return fields


def _read_map(reader: Reader) -> Fields:
    fields: dict[bytes, bytes] = {}
    while key := reader.sized():
        if key in fields:
            raise BitcoinPsbtRefused(f"the key {key[:20].hex()} stands twice")
        fields[key] = reader.sized()
    return fields


def _write_map(fields: Fields) -> bytes:
    return b"".join(sized(key) + sized(fields[key]) for key in sorted(fields)) + b"\0"


def _unsigned(fields: Fields) -> Transaction:
    """Read the transaction of a version 0 PSBT: without witnesses even where it has no inputs at all (BIP174)."""
    raw = fields.get(bytes([UNSIGNED_TX]))
    if raw is None:
        raise BitcoinPsbtRefused("the transaction is missing")
    reader = Reader(raw)
    version, inputs = reader.number(4), read_inputs(reader, reader.compact())
    outputs = read_outputs(reader, reader.compact())
    found = Transaction(version, inputs, outputs, reader.number(4))
    if reader.left or found.signed:
        raise BitcoinPsbtRefused("the transaction carries signatures, or more bytes")
    return found


def _count(fields: Fields, kind: int) -> int:
    return Reader(_needed(fields, kind, "global")).compact()


def _needed(fields: Fields, kind: int, where: str) -> bytes:
    value = fields.get(bytes([kind]))
    if value is None:
        raise BitcoinPsbtRefused(f"{where}: field {kind:#04x} is missing")
    return value


def _assembled(fields: Fields, inputs: tuple[Fields, ...], outputs: tuple[Fields, ...]) -> Transaction:
    version = int.from_bytes(_needed(fields, TX_VERSION, "global"), "little")
    spends = []
    for place, one in enumerate(inputs):
        where = f"input {place}"
        index = int.from_bytes(_needed(one, OUTPUT_INDEX, where), "little")
        sequence = int.from_bytes(one.get(bytes([SEQUENCE]), _FINAL_SEQUENCE), "little")
        spends.append(Input(_needed(one, PREVIOUS_TXID, where), index, sequence))
    paid = []
    for place, one in enumerate(outputs):
        value = int.from_bytes(_needed(one, AMOUNT, f"output {place}"), "little")
        if value > MOST_SATS:
            raise BitcoinPsbtRefused(f"output {place} of {value} satoshi")
        paid.append(Output(value, _needed(one, SCRIPT, f"output {place}")))
    return Transaction(version, tuple(spends), tuple(paid), _lock_time(fields, inputs))


def _lock_time(fields: Fields, inputs: tuple[Fields, ...]) -> int:
    """Determine the lock time (BIP370): a kind that suits every input that asks for any, heights before times."""
    asking = [(number(one, HEIGHT_LOCK), number(one, TIME_LOCK)) for one in inputs]
    asking = [pair for pair in asking if pair != (None, None)]
    if not asking:
        return number(fields, FALLBACK_LOCK_TIME) or 0
    for kind in (0, 1):
        wanted = [pair[kind] for pair in asking]
        if all(one is not None for one in wanted):
            return max(one for one in wanted if one is not None)
    raise BitcoinPsbtRefused("no lock time suits all inputs")
