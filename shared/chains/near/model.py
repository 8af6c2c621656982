"""What an accepted NEAR transaction is, as frozen values. `codec` reads and `rules` checks; nothing here does."""

from __future__ import annotations

from dataclasses import dataclass

from shared.chains.api import KeyPath


@dataclass(frozen=True, slots=True)
class Transfer:
    """A payment of native NEAR to the transaction's receiver, in yoctoNEAR."""

    deposit: int


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of the receiver's contract: method, arguments as they stand, gas units, attached yoctoNEAR."""

    method: str
    args: bytes
    gas: int
    deposit: int


@dataclass(frozen=True, slots=True)
class AddKey:
    """A further key (32 bytes, ed25519) with full access; `nonce` is what stands in the bytes, which nodes ignore."""

    public_key: bytes
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """A key (32 bytes, ed25519) that may no longer sign."""

    public_key: bytes


Action = Transfer | FunctionCall | AddKey | DeleteKey


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of version 0: all that its bytes say. `public_key` and `block_hash` have 32 bytes."""

    signer: str
    public_key: bytes
    nonce: int
    receiver: str
    block_hash: bytes
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Delegate:
    """NEP-366's delegate action, which a relayer carries out: `signer` is its sender_id."""

    signer: str
    receiver: str
    actions: tuple[Action, ...]
    nonce: int
    max_block_height: int
    public_key: bytes


@dataclass(frozen=True, slots=True)
class PaymentBody:
    """Native NEAR to one receiver, in yoctoNEAR."""

    receiver: str
    units: int


@dataclass(frozen=True, slots=True)
class Registration:
    """`storage_deposit` for an account with an attached deposit in yoctoNEAR; the contract returns what is too much."""

    account: str
    deposit: int


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    """`ft_transfer` in base units of the token."""

    receiver: str
    units: int
    memo: str | None = None


@dataclass(frozen=True, slots=True)
class TokensBody:
    """Registrations, then transfers, on one token contract; without transfers it only registers."""

    contract: str
    registrations: tuple[Registration, ...]
    transfers: tuple[TokenTransfer, ...]


@dataclass(frozen=True, slots=True)
class TokenCallBody:
    """`ft_transfer_call`: tokens and a message to a receiving contract."""

    contract: str
    transfer: TokenTransfer
    message: str


@dataclass(frozen=True, slots=True)
class KeysBody:
    """A key ceremony: keys (32 bytes each) added with full access, then keys deleted; lanes delete none."""

    added: tuple[bytes, ...]
    deleted: tuple[bytes, ...]


Body = PaymentBody | TokensBody | TokenCallBody | KeysBody


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction or delegate action to be signed by one key, with what the coordinator stated beside its bytes.

    `last_height` is the last block in which it can happen: of a transaction the stated height and validity together, of
    a delegate action what its bytes say.
    """

    network: str
    inner: Transaction | Delegate
    body: Body
    unsigned: bytes
    height: int
    last_height: int
    path: KeyPath
