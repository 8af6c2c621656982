"""NEP-413 behind `shared.chains.api.Ownership`: a key proves that somebody holds it, and nothing else happens.

What is signed begins with a number that no transaction and no delegate action can begin with (`nep413`). Words that a
screen does not show as they are are refused, and so is a callback: nothing leaves an air-gapped box by itself.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Final

from shared.chains.api import KeyPath, Ownership, Payload, Words
from shared.chains.near.keys import implicit_account, key_text
from shared.chains.near.nep413 import Message, message_hash, verify_message
from shared.errors import NearMessageRefused

_LINE: Final = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?", re.ASCII)
_NONCE_SIZE: Final = 32


class _Nep413:
    """See `shared.chains.api.Ownership` for what each function promises."""

    ledger = "near"

    def payload(self, words: Words, path: KeyPath, public_key: bytes) -> Payload:
        """Give the hash of the message. Raises NearMessageRefused."""
        return Payload(path, "ed25519", public_key, message_hash(_message(words)))

    def proof(self, words: Words, public_key: bytes, signature: bytes) -> bytes:
        """Give the fields that NEP-413's wallets answer with, and the words, as JSON. Raises NearBadSignature."""
        verify_message(_message(words), public_key, signature)
        fields = {
            "accountId": implicit_account(public_key),
            "publicKey": key_text(public_key),
            "signature": base64.b64encode(signature).decode(),
            "message": words.text,
            "recipient": words.recipient,
            "nonce": base64.b64encode(words.nonce).decode(),
        }
        return json.dumps(fields, indent=2).encode() + b"\n"


def _message(words: Words) -> Message:
    for name, text in (("message", words.text), ("recipient", words.recipient)):
        if _LINE.fullmatch(text) is None:
            raise NearMessageRefused(f"the {name} is no line of 1 to 1024 printable ASCII letters: {text[:60]!r}")
    if len(words.nonce) != _NONCE_SIZE:
        raise NearMessageRefused(f"the nonce has {len(words.nonce)} bytes and not {_NONCE_SIZE}")
    return Message(words.text, words.nonce, words.recipient)


NEP413: Ownership = _Nep413()
