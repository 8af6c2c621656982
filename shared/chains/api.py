"""The contract of a chain: what `shared/chains/<chain>` gives to the signer and the coordinator.

The signer signs by algorithm and never by chain; a fourth ledger adds no line to it. Everything here is pure: values
in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from shared.effects import Destination, Effects
from shared.money import Asset

if TYPE_CHECKING:
    from shared.hdkeys import PublicNode

Algorithm = Literal["ecdsa-secp256k1", "schnorr-bip340", "schnorr-bip341", "ed25519"]
"""How a signature is made. "schnorr-bip341" is BIP340 by the path's key after BIP341's tweak without scripts."""

Curve = Literal["secp256k1", "ed25519"]
NetworkClass = Literal["main", "test"]
KeyPath = tuple[int, ...]
"""Child numbers from the vault's seed, hardened ones with bit 31 set (BIP32, SLIP-10)."""

Context = Mapping[str, "int | str | bytes | bool | None"]
"""What the coordinator states beside the bytes, named by the chain: heights, values of inputs. Never a meaning."""


Register = Mapping[str, int]
"""The decimals of a network's assets beside its native one, by code: the policy's signed word on the signer."""

NO_ASSETS: Register = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a chain: full name such as "xrpl:mainnet", its class, its native asset, its wallets' usual curve."""

    name: str
    network_class: NetworkClass
    native: Asset
    curve: Curve = "secp256k1"


@dataclass(frozen=True, slots=True)
class Payload:
    """One signature to make: by which key, by which algorithm, over which bytes.

    For secp256k1 `message` is the 32-byte digest; for "ed25519" it is the whole message.
    `public_key` is 33 bytes compressed for secp256k1, 32 bytes for ed25519 and x-only keys. Signatures are raw
    64 bytes (r || s big endian with low s; R || S; BIP340).
    """

    path: KeyPath
    algorithm: Algorithm
    public_key: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A complete transaction: the bytes to broadcast and the id known beforehand (hex in the chain's own case)."""

    blob: bytes
    tx_id: str


class Transaction(Protocol):
    """A decoded transaction; opaque outside its chain."""

    @property
    def network(self) -> str:
        """Give the full name of its network."""


class Chain(Protocol):
    """One ledger's meaning. Every function refuses (`Refusal`) rather than guess."""

    name: str

    def network(self, name: str) -> Network:
        """Give the network of a full name ("xrpl:mainnet"). Raises UnknownChain."""

    def parse_address(self, text: str, network: str) -> Destination:
        """Read an address as people give it, a packed tag included; refuse other networks and wrong checksums."""

    def memo(self, raw: bytes) -> str:
        """Write a memo's bytes in the one form in which destinations here have it; refuse what cannot be carried."""

    def address(self, public_key: bytes, curve: Curve, network: str, form: str = "") -> str:
        """Give the address that a public key (33 or 32 bytes) controls, in a form that the chain names ("p2tr")."""

    def key_path(self, network: str, curve: Curve, account: int, index: int, form: str = "") -> KeyPath:
        """Give the path of a wallet's key; test and main networks, and two forms, never share one."""

    def lean(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Leave out of a context what follows from the public keys of its key paths, which both machines derive."""

    def full(self, context: Context, keys: Sequence[KeyPath], public_keys: Sequence[bytes]) -> Context:
        """Put back what `lean` left out, before anything is decoded."""

    def decode(self, unsigned: bytes, context: Context, keys: Sequence[KeyPath], network: str) -> Any:
        """Read the unsigned bytes strictly; encoding again gives the same bytes."""

    def effects(self, tx: Any, register: Register = NO_ASSETS) -> Effects:
        """Say what the transaction does, in assets of the ledger itself or of the register."""

    def payloads(self, tx: Any) -> tuple[Payload, ...]:
        """Say what is to be signed, in the order in which `assemble` wants the signatures."""

    def assemble(self, tx: Any, signatures: Sequence[bytes]) -> Signed:
        """Verify every raw signature and give the bytes to broadcast."""

    def explain(self, raw: bytes, network: str) -> Mapping[str, Any]:
        """Explain a signed or unsigned transaction in fields that print; refuse what is not fully understood."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What another maker's wallet asks to be signed, in our own form: its network and what `decode` reads."""

    network: str
    unsigned: bytes
    context: Context
    keys: tuple[KeyPath, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wants signed as a proof of a key: a text, for whom it is, and 32 bytes that they chose."""

    text: str
    recipient: str
    nonce: bytes


class Ownership(Protocol):
    """How a key proves that somebody holds it, by what can be no transaction. Only a ledger with such a form has this.

    `ledger` is the name of the chain.
    """

    ledger: str

    def payload(self, words: Words, path: KeyPath, public_key: bytes) -> Payload:
        """Say what the key at a path is to sign; refuse words that do not show as they are."""

    def proof(self, words: Words, public_key: bytes, signature: bytes) -> bytes:
        """Verify the raw signature and give what is handed to whoever asked."""


OwnKeys = Mapping[bytes, tuple[str, KeyPath]]
"""The public keys that a signer has issued, each with its network and path: no key serves two networks."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What another maker's wallet watches a wallet by: both branches in one text, then each by itself."""

    whole: str
    receive: str
    change: str


@dataclass(frozen=True, slots=True)
class Watchable:
    """What a descriptor says: the form of the addresses, the master's fingerprint (4 bytes), the account."""

    form: str
    fingerprint: bytes
    path: KeyPath
    account: PublicNode


class Interchange(Protocol):
    """What wallets of other makers exchange on a ledger. Only a ledger that has such a format has this.

    `read`, `answer` and `descriptor` serve the signer that others ask; the rest the coordinator that asks devices.
    `magic` is how the bytes begin, `ledger` the name of the chain.
    """

    ledger: str
    magic: bytes

    def read(self, raw: bytes, mine: OwnKeys, height: int | None) -> Foreign:
        """Turn bytes into our form by the keys that are ours; `height` is what a person states, where one does."""

    def answer(self, raw: bytes, tx: Any, signatures: Sequence[bytes]) -> bytes:
        """Put raw signatures, each verified, into the bytes that they answer; all else stays as it is."""

    def descriptor(
        self, network: str, form: str, fingerprint: bytes, path: KeyPath, account: PublicNode
    ) -> Descriptor:
        """Describe a wallet: its account's extended key and path, and the fingerprint (4 bytes) of the master."""

    def watchable(self, descriptor: str, network: str) -> Watchable:
        """Read the descriptor of a device's wallet, with its checksum; refuse what we could not watch or ask for."""

    def ask(self, tx: Any, fingerprint: bytes, public_keys: Sequence[bytes]) -> bytes:
        """Write a transaction for the device of this fingerprint to sign; `public_keys` are those of its key paths."""

    def asked(self, raw: bytes) -> bytes:
        """Give the unsigned bytes of the transaction that these bytes are about."""

    def signatures(self, raw: bytes, tx: Any) -> tuple[bytes, ...]:
        """Take the raw signatures out of a device's answer, in the order of `payloads`; `assemble` verifies them."""
