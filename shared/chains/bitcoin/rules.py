"""What a transaction must be to be signed at all, whatever policy says. Each rule refuses by a code of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from shared.chains.api import KeyPath
from shared.chains.bitcoin.addresses import key_script
from shared.chains.bitcoin.model import Change, Spend, Way, paid
from shared.chains.bitcoin.script import Form, dust_limit, form_of_script
from shared.chains.bitcoin.transactions import MOST_SATS, Output, Transaction
from shared.errors import (
    BitcoinAmountRefused,
    BitcoinChangeRefused,
    BitcoinDataRefused,
    BitcoinDust,
    BitcoinInputRefused,
    BitcoinLockTime,
    BitcoinScriptRefused,
    BitcoinSequence,
    BitcoinVersion,
)

REPLACEABLE: Final = 0xFFFFFFFD
FINAL: Final = 0xFFFFFFFF
MOST_DATA_SATS: Final = 1_000
"""What one bare multisig output with data may hold: what Counterparty puts there, and no more to lose."""

_MOST_CHANGE_INDEX: Final = 1_000_000
_HARD: Final = 1 << 31


def check_frame(transaction: Transaction, height: int) -> None:
    """Check version, inputs and lock time.

    Raises:
        BitcoinVersion, BitcoinInputRefused, BitcoinSequence, BitcoinLockTime.
    """
    if transaction.version != 2:
        raise BitcoinVersion(f"a transaction of version {transaction.version}")
    if len({one.outpoint for one in transaction.inputs}) != len(transaction.inputs):
        raise BitcoinInputRefused("an input stands twice")
    if any(not any(one.txid) for one in transaction.inputs):
        raise BitcoinInputRefused("an input that spends nothing")
    sequences = {one.sequence for one in transaction.inputs}
    if not sequences <= {REPLACEABLE, FINAL}:
        raise BitcoinSequence(f"a sequence is {max(sequences - {REPLACEABLE, FINAL}):08x}")
    # A lock time ahead would keep a signed transaction in store for another day; one without effect misleads.
    if transaction.lock_time > height or (transaction.lock_time and sequences == {FINAL}):
        raise BitcoinLockTime(f"lock time {transaction.lock_time} at height {height}")


def check_outputs(outputs: Sequence[Output], data: Collection[int]) -> None:
    """Check every output; `data` are the indexes of those whose data is understood.

    Raises:
        BitcoinScriptRefused: for a script that is no address and no data.
        BitcoinDataRefused: for data that is not understood, or that holds money.
        BitcoinDust: for a value below what nodes relay.
    """
    for index, output in enumerate(outputs):
        form = form_of_script(output.script)
        if form is Form.OTHER:
            raise BitcoinScriptRefused(f"output {index} has the script {output.script[:40].hex()}")
        if form in (Form.OP_RETURN, Form.BARE_MULTISIG) and index not in data:
            raise BitcoinDataRefused(f"output {index} holds data that is not understood")
        if index in data and output.value > (0 if form is Form.OP_RETURN else MOST_DATA_SATS):
            raise BitcoinDataRefused(f"output {index} holds data and {output.value} satoshi")
        if output.value < dust_limit(form):
            raise BitcoinDust(
                f"output {index} of {output.value} satoshi, {form.value} needs {dust_limit(form)}"
            )


def check_amounts(transaction: Transaction, spends: Sequence[Spend]) -> None:
    """Check that the inputs hold what the outputs pay.

    Raises:
        BitcoinAmountRefused: for a sum beyond the supply, and for outputs above the inputs.
    """
    held = sum(spend.output.value for spend in spends)
    if held > MOST_SATS or paid(transaction) > held:
        raise BitcoinAmountRefused(f"inputs of {held} satoshi pay outputs of {paid(transaction)}")


def check_change(change: Sequence[Change], outputs: Sequence[Output], spends: Sequence[Spend]) -> None:
    """Check that outputs called change pay to keys of the same account as the inputs, or to an input's own script.

    That the paths lead to the keys is for whoever holds the seed to check (`Effects.owned`).

    Raises:
        BitcoinChangeRefused: for an index that is none or stands twice, another script than the key's, another
            account, or a place on the path so far out that no recovery would find it.
        BitcoinKeyRefused: for bytes that are no compressed point.
    """
    indexes = [one.index for one in change]
    if len(set(indexes)) != len(indexes) or not all(index < len(outputs) for index in indexes):
        raise BitcoinChangeRefused("an output is called change twice, or is none")
    accounts = {spend.path[:-2] for spend in spends if len(spend.path) > 2}
    for one in change:
        script = outputs[one.index].script
        if not one.public_key:
            if script not in own_scripts(spends):
                raise BitcoinChangeRefused(f"output {one.index} pays to no script of the inputs")
            continue
        if not _near(one.path) or one.path[:-2] not in accounts:
            raise BitcoinChangeRefused(f"output {one.index} is of another account, or far out on its path")
        if script not in (key_script(one.public_key, "secp256k1", form) for form in ("p2wpkh", "p2tr")):
            raise BitcoinChangeRefused(f"output {one.index} does not pay to the key that is stated for it")


def own_scripts(spends: Sequence[Spend]) -> set[bytes]:
    """Give the scripts of inputs that may take change without a further proof.

    Those of one key are proven by the signature itself. A script of several keys only where it is that of all inputs,
    hence the source: a stranger could add a coin of our key and his, and call what he takes change.
    """
    scripts = {spend.output.script for spend in spends}
    return (
        scripts
        if len(scripts) == 1
        else {spend.output.script for spend in spends if spend.way is not Way.MULTISIG}
    )


def _near(path: KeyPath) -> bool:
    return len(path) > 2 and path[-2] in (0, 1) and path[-1] < _MOST_CHANGE_INDEX
