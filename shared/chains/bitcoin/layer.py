"""The layer of meaning on Bitcoin transactions: Counterparty, asked from one place.

What the package gives is passed on; nothing here understands a message itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.chains.api import Register
from shared.chains.bitcoin.counterparty import envelope, messages, reading
from shared.chains.bitcoin.counterparty.history import HistoryInput, read_history
from shared.chains.bitcoin.counterparty.meaning import Meaning, payments
from shared.chains.bitcoin.counterparty.model import Message
from shared.chains.bitcoin.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Layer:
    """A message, and the outputs of the transaction that carry it (none where a reveal shows it).

    `key` can spend those outputs again where they are multisig; `inputs.check_data_key` compares it with the source.
    """

    message: Message
    outputs: tuple[int, ...] = ()
    key: bytes = b""


def read(transaction: Transaction, network: str, height: int) -> Layer | None:
    """Read the message in a transaction's outputs; None where no output carries data.

    Raises:
        CounterpartyRefusal: for data that is not understood or not signed, by its own code.
    """
    outputs = [(output.value, output.script) for output in transaction.outputs]
    found = reading.read(transaction.inputs[0].txid[::-1], outputs, network, height)
    if found is None:
        return None
    return Layer(found.message, found.data_outputs, found.multisig_key)


def read_leaf(leaf: bytes, network: str, height: int) -> tuple[bytes, Layer]:
    """Read the key that closes an envelope, and the message in it. Raises CounterpartyRefusal."""
    found = envelope.read_envelope(leaf)
    return found.x_only_key, Layer(messages.signable(found.message, network, height))


def meaning(layer: Layer | None, source: str, network: str, register: Register) -> Meaning:
    """Say what a message does when its source signs it; nothing is a plain payment. Raises AssetUnknown."""
    if layer is None:
        return Meaning("payment", ())
    return payments(layer.message, source, network, register)


def explained(transaction: Transaction, network: str) -> str | None:
    """Give the message of any transaction as text that prints, as nodes have ever read it; None for none.

    Raises:
        CounterpartyRefusal: for a message that not even nodes understand.
    """
    inputs = [HistoryInput(one.txid[::-1], one.script, one.witness) for one in transaction.inputs]
    outputs = [(output.value, output.script) for output in transaction.outputs]
    found = read_history(inputs, outputs, network)
    return None if found is None else f"{found.encoding}: {found.message}"
