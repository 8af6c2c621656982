"""The Counterparty message of a transaction that is to be signed: exactly as it is written here, or refused.

Whatever carries data is looked at, also where nodes would have stopped reading. The Bitcoin layer explains every
other output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.counterparty.carriers import (
    PREFIX,
    encode_outputs,
    key_hash_data,
    multisig_data,
    op_return_plain,
)
from shared.chains.bitcoin.counterparty.envelope import read_envelope
from shared.chains.bitcoin.counterparty.gates import gates
from shared.chains.bitcoin.counterparty.messages import signable
from shared.chains.bitcoin.counterparty.model import ClassicSend, Message, Mpma
from shared.chains.bitcoin.script import Form, bare_multisig, data_pushes, form_of_script
from shared.errors import CounterpartyCarrierRefused, CounterpartyNotUnderstood, CounterpartyP2shDead

Output = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message, the outputs that carry it, and for a classic send the output that it goes to.

    `multisig_key` is the key that can spend multisig outputs again: somebody must show that it is the source's.
    `facts` are lines that a person must read beside the message's meaning.
    """

    message: Message
    data_outputs: tuple[int, ...]
    destination_output: int | None
    encoding: str
    multisig_key: bytes = b""
    facts: tuple[str, ...] = ()


def read(
    first_input_txid_display: bytes,
    outputs: Sequence[Output],
    network: str,
    height: int,
    *,
    classic: bool = False,
) -> Reading | None:
    """Read the message of a transaction meant for a block of some height; None where no output carries data.

    Raises:
        CounterpartyP2shDead: for the P2SH encoding.
        CounterpartyCarrierRefused: for data in another form or place than it is written here, payment-shaped data
            and the mark of a reveal included.
        CounterpartyNotUnderstood: for data that is not Counterparty's.
        CounterpartyRefusal: for a message that is not signed, by its own code.
    """
    data = _data_outputs(first_input_txid_display, outputs)
    if not data:
        return None
    encoding, key, blob = _extract(first_input_txid_display, [outputs[index] for index in data])
    again = encode_outputs(blob, first_input_txid_display, encoding, key)
    if again != tuple(outputs[index] for index in data):
        raise CounterpartyCarrierRefused(
            "the data stands in the outputs in another way than it is written here"
        )
    message = signable(blob, network, height, classic=classic)
    if not isinstance(message, ClassicSend):
        return Reading(message, data, None, encoding, key, _facts(message, network, height))
    if data[0] != 1:  # nodes join several destinations into one name that nobody has
        raise CounterpartyCarrierRefused("a classic send has exactly one output before its data")
    message = replace(message, address=address_of(outputs[0][1], network))
    return Reading(message, data, 0, encoding, key)


def read_leaf(leaf_script: bytes, network: str, height: int) -> Reading:
    """Read the message of a taproot envelope that is to be signed; a reveal has no other data.

    Raises:
        CounterpartyEnvelopeRefused: for a script that is no envelope in its one form.
        CounterpartyRefusal: for a message that is not signed, by its own code.
    """
    message = signable(read_envelope(leaf_script).message, network, height)
    return Reading(message, (), None, "taproot", facts=_facts(message, network, height))


def _facts(message: Message, network: str, height: int) -> tuple[str, ...]:
    gate = gates(network).mpma_table
    if not isinstance(message, Mpma) or height >= gate:
        return ()
    return (f"the batch must be mined before block {gate}: later, nodes refuse it and its fee is lost",)


def _data_outputs(txid: bytes, outputs: Sequence[Output]) -> tuple[int, ...]:
    found = []
    for index, (_, script) in enumerate(outputs):
        if key_hash_data(script, txid) is not None:
            raise CounterpartyCarrierRefused(f"output {index} looks like a payment and is data")
        if form_of_script(script) in (Form.OP_RETURN, Form.BARE_MULTISIG):
            found.append(index)
    if found and found[-1] - found[0] != len(found) - 1:
        raise CounterpartyCarrierRefused("outputs with data do not follow one another")
    return tuple(found)


def _extract(txid: bytes, outputs: Sequence[Output]) -> tuple[str, bytes, bytes]:
    """Give the encoding, the multisig key and the message."""
    scripts = [script for _, script in outputs]
    if len(scripts) == 1 and form_of_script(scripts[0]) is Form.OP_RETURN:
        return "opreturn", b"", _of_op_return(scripts[0], txid)
    parts = [multisig_data(script, txid) for script in scripts]
    known = bare_multisig(scripts[0])
    if known is None or None in parts:
        raise CounterpartyNotUnderstood("outputs carry data that is no Counterparty message")
    return "multisig", known[1][-1], b"".join(part for part in parts if part is not None)


def _of_op_return(script: bytes, txid: bytes) -> bytes:
    if data_pushes(script) == (PREFIX,):
        raise CounterpartyCarrierRefused(
            "the mark of a reveal, in a transaction that was not handed over as one"
        )
    plain = op_return_plain(script, txid)
    if plain == PREFIX + b"P2SH":
        raise CounterpartyP2shDead("the data stands in P2SH inputs")
    if plain is None or not plain.startswith(PREFIX):
        raise CounterpartyNotUnderstood("an OP_RETURN output that is no Counterparty message")
    return plain[len(PREFIX) :]
