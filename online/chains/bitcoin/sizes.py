"""How large a transaction is once it is signed, before it is: weights of inputs and outputs (BIP141).

Relays count signature operations too: bare multisig outputs with data weigh 400 vB each whatever their length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from shared.chains.bitcoin.script import Form, form_of_script
from shared.errors import KeyMayNotSign

_OUTPOINT_SEQUENCE = 4 * 41  # outpoint 36, empty script 1, sequence 4
_VBYTES_PER_SIGNATURE = 5  # Bitcoin Core's -bytespersigop of 20, in virtual bytes
# Witness bytes count once: number of items, signature with its length, public key with its length. A DER signature
# with low s has at most 71 bytes, and one for the type.
_WITNESS = {Form.P2WPKH: 1 + 1 + 72 + 1 + 33, Form.P2TR: 1 + 1 + 64}


PAYMENT_VSIZE = 141
"""The virtual size of a payment from one P2WPKH coin to two P2WPKH outputs, one of them change."""

RELAYED_MOST = 100_000
"""The largest virtual size that nodes relay."""


def compact_size(number: int) -> int:
    """Give how many bytes a compact size takes."""
    return 1 if number < 0xFD else 3 if number <= 0xFFFF else 5


def input_weight(script: bytes) -> int:
    """Give the weight of an input that spends a script of the wallet. Raises KeyMayNotSign for other scripts."""
    try:
        return _OUTPOINT_SEQUENCE + _WITNESS[_form(script)]
    except KeyError:
        raise KeyMayNotSign("one key alone signs only for P2WPKH and P2TR") from None


def vsize(spent: Sequence[bytes], scripts: Sequence[bytes]) -> int:
    """Give the virtual size of a signed transaction by the scripts that it spends and pays, as relays count it."""
    weight = sum(map(input_weight, spent)) + 2  # marker and flag
    weight += 4 * (8 + compact_size(len(spent)) + compact_size(len(scripts)))  # version, lock time, counts
    weight += sum(4 * (8 + compact_size(len(script)) + len(script)) for script in scripts)
    return max(-(-weight // 4), _VBYTES_PER_SIGNATURE * _signatures(spent, scripts))


def _signatures(spent: Sequence[bytes], scripts: Sequence[bytes]) -> int:
    # BIP141: an operation in a witness costs 1, elsewhere 4; a bare multisig counts as 20 of them.
    many = sum(_form(script) is Form.BARE_MULTISIG for script in scripts)
    return 80 * many + sum(_form(script) is Form.P2WPKH for script in spent)


@lru_cache(maxsize=4096)
def _form(script: bytes) -> Form:
    return form_of_script(script)  # choosing coins asks for the same few again and again


def reveal_vsize(leaf: bytes, scripts: Sequence[bytes]) -> int:
    """Give the virtual size of a reveal: one input, its witness a signature, the leaf and a control block of 33."""
    witness = 1 + 1 + 64 + compact_size(len(leaf)) + len(leaf) + 1 + 33
    base = 8 + 1 + 41 + 1 + sum(8 + compact_size(len(script)) + len(script) for script in scripts)
    return -(-(4 * base + 2 + witness) // 4)


def fee_sats(size: int, rate: int) -> int:
    """Give the fee of a size at a rate in sat per 1000 vB, rounded up."""
    return -(-size * rate // 1000)
