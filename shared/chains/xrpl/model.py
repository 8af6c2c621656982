"""What an accepted XRPL transaction is, as frozen values. `rules` checks them; nothing here does."""

from __future__ import annotations

from dataclasses import dataclass

from shared.chains.api import KeyPath


@dataclass(frozen=True, slots=True)
class Memo:
    """One memo; at least one part is there."""

    memo_type: bytes | None = None
    memo_format: bytes | None = None
    memo_data: bytes | None = None


@dataclass(frozen=True, slots=True)
class PaymentBody:
    """A payment of XRP."""

    destination: bytes
    tag: int | None
    drops: int
    invoice_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class TicketsBody:
    """The making of tickets."""

    count: int


@dataclass(frozen=True, slots=True)
class AccountSetBody:
    """One account flag set, one cleared, or nothing, which only uses up the sequence or ticket."""

    set_flag: int | None = None
    clear_flag: int | None = None


@dataclass(frozen=True, slots=True)
class RegularKeyBody:
    """The account whose key may sign besides the master key; None removes it."""

    key: bytes | None


@dataclass(frozen=True, slots=True)
class SignerListBody:
    """A quorum and the accounts with their weights that reach it; 0 and none of them remove the list."""

    quorum: int
    entries: tuple[tuple[bytes, int], ...]


Body = PaymentBody | TicketsBody | AccountSetBody | RegularKeyBody | SignerListBody


@dataclass(frozen=True, slots=True)
class Transaction:
    """All that an unsigned transaction's bytes say. `signing_key` is empty where several sign."""

    network: str
    account: bytes
    sequence: int
    ticket: int | None
    fee_drops: int
    last_ledger: int | None
    signing_key: bytes
    body: Body
    flags: int | None = None
    source_tag: int | None = None
    memos: tuple[Memo, ...] = ()


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction to be signed by one key, with what the coordinator stated beside its bytes.

    `signer` is the account for which one of several signs, None for a single signature; `public_key` is
    the signing key as transactions carry it, 33 bytes.
    """

    transaction: Transaction
    unsigned: bytes
    last_ledger: int
    height: int
    path: KeyPath
    public_key: bytes
    signer: bytes | None

    @property
    def network(self) -> str:
        """Give the full name of the network."""
        return self.transaction.network
