"""Bitcoin transactions as bytes: strict reading and writing, ids and sizes.

What is read is written again as the same bytes. Whether a transaction may be signed is said in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.chains.bitcoin.hashes import double_sha256
from shared.chains.bitcoin.sizes import Reader, compact, sized
from shared.errors import BitcoinAlreadySigned, BitcoinAmountRefused, BitcoinMalformed

MOST_SATS: Final = 21_000_000 * 10**8
_MOST_BYTES: Final = 4_000_000
_MOST_WITNESS: Final = 1000
_LEAST_INPUT, _LEAST_OUTPUT = 41, 9


@dataclass(frozen=True, slots=True)
class Input:
    """What a transaction spends. `txid` stands in the order of the bytes, which is shown the other way round."""

    txid: bytes
    index: int
    sequence: int
    script: bytes = b""
    witness: tuple[bytes, ...] = ()

    @property
    def outpoint(self) -> bytes:
        """Give the 36 bytes of what is spent."""
        return self.txid + self.index.to_bytes(4, "little")

    @property
    def name(self) -> str:
        """Give what is spent as people write it: "txid:n"."""
        return f"{self.txid[::-1].hex()}:{self.index}"


@dataclass(frozen=True, slots=True)
class Output:
    """What a transaction pays: satoshi, and the script that may spend them."""

    value: int
    script: bytes

    def write(self) -> bytes:
        """Serialise the output."""
        return self.value.to_bytes(8, "little") + sized(self.script)


@dataclass(frozen=True, slots=True)
class Transaction:
    """All that a transaction's bytes say."""

    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    lock_time: int

    @property
    def txid(self) -> str:
        """Give the id as it is shown; it does not cover witnesses."""
        return double_sha256(write(self, witness=False))[::-1].hex()

    @property
    def wtxid(self) -> str:
        """Give the hash over everything as it is shown."""
        return double_sha256(write(self))[::-1].hex()

    @property
    def vsize(self) -> int:
        """Give the size that fees are counted by: a quarter of the weight, rounded up (BIP141)."""
        bare, whole = len(write(self, witness=False)), len(write(self))
        return (3 * bare + whole + 3) // 4

    @property
    def signed(self) -> bool:
        """Tell whether any input carries a script or witness."""
        return any(one.script or one.witness for one in self.inputs)


def write(transaction: Transaction, *, witness: bool = True) -> bytes:
    """Serialise a transaction; with witnesses only where one is there."""
    witnessed = witness and any(one.witness for one in transaction.inputs)
    out = bytearray(transaction.version.to_bytes(4, "little"))
    out += (b"\0\1" if witnessed else b"") + compact(len(transaction.inputs))
    for one in transaction.inputs:
        out += one.outpoint + sized(one.script) + one.sequence.to_bytes(4, "little")
    out += compact(len(transaction.outputs))
    for output in transaction.outputs:
        out += output.write()
    if witnessed:
        for one in transaction.inputs:
            out += write_witness(one.witness)
    return bytes(out + transaction.lock_time.to_bytes(4, "little"))


def write_witness(items: tuple[bytes, ...]) -> bytes:
    """Serialise one input's witness."""
    return compact(len(items)) + b"".join(sized(item) for item in items)


def read(raw: bytes) -> Transaction:
    """Read exactly one transaction, with or without witnesses.

    Raises:
        BitcoinMalformed: for every other form of bytes, an empty list of inputs or outputs included.
        BitcoinAmountRefused: for values beyond the supply.
    """
    return read_all(raw, 1)[0]


def read_all(raw: bytes, most: int) -> tuple[Transaction, ...]:
    """Read some transactions that stand one behind the other, at least one. Raises as `read` does."""
    if len(raw) > _MOST_BYTES:
        raise BitcoinMalformed("a transaction beyond the size of a block")
    reader = Reader(raw)
    found = [read_from(reader)]
    while reader.left and len(found) < most:
        found.append(read_from(reader))
    if reader.left:
        raise BitcoinMalformed(f"{reader.left} bytes follow the transaction")
    return tuple(found)


def read_unsigned(raw: bytes, most: int = 1) -> tuple[Transaction, ...]:
    """Read transactions that carry no script or witness in their inputs.

    Raises:
        BitcoinAlreadySigned: for one that does.
        BitcoinMalformed, BitcoinAmountRefused: as `read` says.
    """
    found = read_all(raw, most)
    if any(one.signed for one in found):
        raise BitcoinAlreadySigned("the transaction carries a signature")
    return found


def read_from(reader: Reader) -> Transaction:
    """Read one transaction and leave what follows it. Raises as `read` does."""
    version = reader.number(4)
    count = reader.compact()
    witnessed = (
        count == 0
    )  # BIP144: where a list of no inputs would stand, the marker says that witnesses follow
    if witnessed:
        if reader.number(1) != 1:
            raise BitcoinMalformed("no inputs, or a flag that is unknown")
        count = reader.compact()
    inputs, outputs = read_inputs(reader, count), read_outputs(reader, reader.compact())
    if not inputs or not outputs:
        raise BitcoinMalformed("a transaction has at least one input and one output")
    if witnessed:
        inputs = _witnesses(reader, inputs)
    return Transaction(version, inputs, outputs, reader.number(4))


def read_inputs(reader: Reader, count: int) -> tuple[Input, ...]:
    """Read so many inputs without witnesses. Raises BitcoinMalformed."""
    _check_room(reader, count, _LEAST_INPUT)
    found = []
    for _ in range(count):
        txid, index, script = reader.take(32), reader.number(4), reader.sized()
        found.append(Input(txid, index, reader.number(4), script))
    return tuple(found)


def read_outputs(reader: Reader, count: int) -> tuple[Output, ...]:
    """Read so many outputs. Raises BitcoinMalformed, BitcoinAmountRefused."""
    _check_room(reader, count, _LEAST_OUTPUT)
    return tuple(read_output(reader) for _ in range(count))


def read_output(reader: Reader) -> Output:
    """Read one output. Raises BitcoinMalformed, BitcoinAmountRefused."""
    value = reader.number(8)
    if value > MOST_SATS:
        raise BitcoinAmountRefused(f"an output of {value} satoshi")
    return Output(value, reader.sized())


def read_witness(reader: Reader) -> tuple[bytes, ...]:
    """Read one input's witness. Raises BitcoinMalformed."""
    count = reader.compact()
    if count > _MOST_WITNESS:
        raise BitcoinMalformed(f"a witness of {count} items")
    return tuple(reader.sized() for _ in range(count))


def _witnesses(reader: Reader, inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    found = tuple(
        Input(one.txid, one.index, one.sequence, one.script, read_witness(reader)) for one in inputs
    )
    if not any(one.witness for one in found):
        raise BitcoinMalformed("witnesses are announced and none is there")
    return found


def _check_room(reader: Reader, count: int, least: int) -> None:
    if count * least > reader.left:  # before any list grows: a count costs nothing to write
        raise BitcoinMalformed("the bytes end too early")
