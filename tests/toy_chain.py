"""A ledger that exists in tests alone, to show that the signer knows no chain by name.

Its transactions have any number of payments and claims, sign with any algorithm, and swear to values that its context
states: what XRPL has not, and other ledgers have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.chains import chain as real_chain
from shared.chains.api import (
    NO_ASSETS,
    Algorithm,
    Chain,
    Context,
    Curve,
    KeyPath,
    Network,
    Payload,
    Register,
    Signed,
)
from shared.effects import Claim, Destination, Effects, Expiry, OwnedKey, Payment, SettingChange
from shared.encoding import Value, decode, encode
from shared.money import Amount, Asset

NETWORK = "toy:test"
COIN = Asset(NETWORK, "TOY", 0)
HARD = 2**31
PREFIX = b""


@dataclass(frozen=True)
class ToyTx:
    network: str
    unsigned: bytes
    body: Any
    sworn: tuple[tuple[str, int], ...]
    keys: tuple[KeyPath, ...]


def toy_bytes(source: str, pays: Sequence[tuple[str, int]], claims: Sequence[str], public_key: bytes, *,
              algorithm: Algorithm = "ed25519", kind: str = "payment", salt: int = 0,
              owned: Sequence[OwnedKey] = ()) -> bytes:
    """Write an unsigned toy transaction."""
    body: Value = {"source": source, "pays": [list(one) for one in pays], "claims": list(claims), "kind": kind,
                   "key": public_key, "algorithm": algorithm, "salt": salt,
                   "owned": [[list(one.path), one.curve, one.public_key] for one in owned]}
    return encode(body)


class Toy:
    name = "toy"

    def network(self, name: str) -> Network:
        return Network(name, "test", COIN)

    def parse_address(self, text: str, network: str) -> Destination:
        return Destination(text)

    def memo(self, raw: bytes) -> str:
        return raw.hex()

    def address(self, public_key: bytes, curve: Curve, network: str, form: str = "") -> str:
        return "toy" + hashlib.sha256(public_key).hexdigest()[:12]

    def key_path(self, network: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
        return (77 | HARD, account | HARD, index | HARD)

    def lean(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        return context

    def full(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        return context

    def decode(self, unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> ToyTx:
        """The context's numbers are sworn values; "second key" makes the same bytes be signed by that key instead."""
        sworn = tuple((name, value) for name, value in sorted(context.items()) if type(value) is int)
        return ToyTx(network, unsigned, decode(unsigned), sworn, tuple(keys))

    def effects(self, tx: ToyTx, register: Register = NO_ASSETS) -> Effects:
        source = tx.body["source"]
        pays = tuple(Payment(source, Destination(to), Amount(COIN, units)) for to, units in tx.body["pays"])
        settings = () if pays else (SettingChange(source, "nothing", "does nothing"),)
        claims = tuple(Claim(NETWORK, name) for name in tx.body["claims"])
        owned = tuple(OwnedKey(tuple(path), curve, key) for path, curve, key in tx.body["owned"])
        return Effects(tx.body["kind"], tx.network, source, pays, source, Amount(COIN, 1), settings, claims,
                       Expiry(10, 1), sworn=tx.sworn, owned=owned)

    def payloads(self, tx: ToyTx) -> tuple[Payload, ...]:
        digest = hashlib.sha256(PREFIX + tx.unsigned + repr(tx.sworn).encode()).digest()
        return tuple(Payload(path, tx.body["algorithm"], tx.body["key"], digest) for path in tx.keys)

    def assemble(self, tx: ToyTx, signatures: Sequence[bytes]) -> Signed:
        return Signed(tx.unsigned + b"".join(signatures), hashlib.sha256(tx.unsigned).hexdigest())

    def explain(self, raw: bytes, network: str) -> Mapping[str, Any]:
        return dict(decode(raw))  # type: ignore[arg-type]


TOY: Chain = Toy()


def chain(name: str) -> Chain:
    """Stand in for `shared.chains.chain`: the registry with one line more."""
    return TOY if name.partition(":")[0] == "toy" else real_chain(name)
