"""Explains a signed or unsigned transaction, a pair, or a PSBT in fields that print.

Amounts of inputs stand in no transaction, so fee and signatures are judged only where a PSBT brings them; that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.chains.bitcoin import layer
from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.networks import network
from shared.chains.bitcoin.script import Form, form_of_script
from shared.chains.bitcoin.transactions import Output, Transaction, read_all
from shared.errors import BitcoinRefusal
from shared.money import Amount

_MAGIC = b"psbt\xff"


def explain(raw: bytes, network_name: str) -> Mapping[str, Any]:
    """Explain a transaction, a commit and its reveal, or a PSBT.

    Raises:
        BitcoinRefusal: for bytes that are none of them, and for outputs that are not understood.
        UnknownChain: for a name that is no network.
    """
    network(network_name)
    if raw.startswith(_MAGIC):
        return _psbt(raw, network_name)
    found = read_all(raw, 2)
    if len(found) == 1:
        return _report(found[0], network_name)
    commit, reveal = found
    if reveal.inputs[0].name != f"{commit.txid}:0":
        raise BitcoinRefusal("two transactions that are no commit and reveal")
    return {"chain": "bitcoin", "network": network_name, "id": reveal.txid} | {
        "transactions": [_report(one, network_name) for one in found]
    }


def _report(transaction: Transaction, network_name: str) -> dict[str, Any]:
    return {
        "chain": "bitcoin",
        "network": network_name,
        "id": transaction.txid,
        "witness_id": transaction.wtxid,
        "version": transaction.version,
        "lock_time": transaction.lock_time,
        "virtual_size": transaction.vsize,
        "inputs": [f"{one.name} sequence {one.sequence:08x}" for one in transaction.inputs],
        "outputs": [_output(output, network_name) for output in transaction.outputs],
        "message": layer.explained(transaction, network_name),
        "fee": "not in the transaction",
        "signed": "yes, not verified" if transaction.signed else "no",
    }


def _output(output: Output, network_name: str) -> str:
    amount = Amount(network(network_name).native, output.value)
    form = form_of_script(output.script)
    if form in (Form.OP_RETURN, Form.BARE_MULTISIG):
        return f"{amount} in {form.value} with data {output.script.hex()}"
    return f"{amount} to {address_of(output.script, network_name)}"


def _psbt(raw: bytes, network_name: str) -> dict[str, Any]:
    from shared.chains.bitcoin import psbt

    found = psbt.read_psbt(raw)
    spent = [psbt.spent_output(found, index) for index in range(len(found.inputs))]
    report = _report(found.transaction, network_name) | {"psbt": f"version {found.version}"}
    if all(spent):
        held = sum(output.value for output in spent if output is not None)
        fee = held - sum(output.value for output in found.transaction.outputs)
        report["fee"] = str(Amount(network(network_name).native, fee))
    report["signed"] = (
        f"{sum(psbt.has_signature(found, index) for index in range(len(spent)))} of {len(spent)} inputs"
    )
    return report
