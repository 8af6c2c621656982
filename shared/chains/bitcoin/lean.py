"""What need not be stated: the script and the key of an input that the wallet's own public key opens.

Both machines derive the public keys of a wallet's paths from its card, so that only an input's value has to cross.
What a row leaves out is put back before anything is decoded; the decoder checks it like everything that was stated.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.chains.api import Context, KeyPath
from shared.chains.bitcoin.addresses import key_script
from shared.chains.bitcoin.networks import FORMS
from shared.encoding import Value, decode, encode
from shared.errors import BadEncoding

_FORM_OF_PURPOSE = {purpose | 1 << 31: form for form, purpose in FORMS.items()}


def lean(context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
    """Leave out of a context what `full` puts back."""
    rows = _rows(context)
    short = [
        [row[0]] if isinstance(row, list) and len(row) > 1 and row == _row(row[0], path, key) else row
        for row, path, key in zip(rows, keys, public_keys, strict=False)
    ]
    return context if not rows else {**context, "prevouts": encode([*short, *rows[len(short) :]])}


def full(context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
    """Put back what follows from the public keys (33 bytes) of the key paths; whatever is stated stays as it is."""
    rows = _rows(context)
    whole = [
        _row(row[0], path, key) if isinstance(row, list) and len(row) == 1 else row
        for row, path, key in zip(rows, keys, public_keys, strict=False)
    ]
    return context if not rows else {**context, "prevouts": encode([*whole, *rows[len(whole) :]])}


def _row(value: Value, path: KeyPath, public_key: bytes) -> list[Value]:
    form = _FORM_OF_PURPOSE.get(path[0]) if path and public_key else None
    if form is None:
        return [value]
    script = key_script(public_key, "secp256k1", form)
    return [value, script, public_key] if form == "p2wpkh" else [value, script]


def _rows(context: Context) -> list[Value]:
    """Read the rows as far as they are any; what is wrong with them is the decoder's to say."""
    blob = context.get("prevouts")
    try:
        rows = decode(blob, depth=2) if isinstance(blob, bytes) else None
    except BadEncoding:
        return []
    return rows if isinstance(rows, list) else []
