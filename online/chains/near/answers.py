"""What a node answers of blocks, accounts, keys and itself, parsed once into frozen values.

Strict about money, heights and hashes, lenient about the rest: a field or kind that is not known here breaks
nothing. (Shapes: near/docs, docs/api/rpc; nearcore core/primitives/src/views.rs.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from online.chains.near.document import Document

FREE_STORAGE_BYTES = 770
"""NEP-448: an account up to this size needs no balance for its storage."""


@dataclass(frozen=True, slots=True)
class Status:
    """A node's `status`: its network, protocol and version, and whether it follows. Heights are optimistic.

    `from_genesis` says that the earliest block which it keeps is the network's first.
    """

    chain_id: str
    protocol: int
    version: str
    syncing: bool
    height: int
    earliest_height: int | None
    from_genesis: bool = False


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """A chunk named by a block: only where `included` is the block's height is it new."""

    hash: str
    shard: int
    included: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block: where it stands, what it follows, when it was made, its gas price in yoctoNEAR, and its chunks."""

    height: int
    hash: str
    prev_hash: str
    time_ns: int
    protocol: int
    gas_price: int
    chunks: tuple[ChunkHead, ...]


@dataclass(frozen=True, slots=True)
class Protocol:
    """The network's rules at a final block: how many heights a transaction lives, the prices of gas and storage."""

    chain_id: str
    version: int
    validity: int
    storage_price: int

    def storage_units(self, used_bytes: int) -> int:
        """Give the balance that an account of this size must keep, in yoctoNEAR (NEP-448)."""
        return 0 if used_bytes <= FREE_STORAGE_BYTES else used_bytes * self.storage_price


@dataclass(frozen=True, slots=True)
class Account:
    """An account as of a block; amounts in yoctoNEAR, `locked` being its stake."""

    account_id: str
    height: int
    amount: int
    locked: int
    storage_bytes: int
    code_hash: str


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key of an account ("ed25519:..."), its nonce, and whether it may do everything."""

    public_key: str
    nonce: int
    full: bool


def status_of(result: Any) -> Status:
    """Read the result of `status`."""
    top = Document(result, "status")
    sync = top.part("sync_info")
    version = top.part("version") if "version" in top else None
    return Status(
        chain_id=top.text("chain_id"),
        protocol=top.number("protocol_version"),
        version="" if version is None else str(version.fields.get("version", ""))[:40],
        syncing=sync.fields.get("syncing") is not False,
        height=sync.number("latest_block_height"),
        earliest_height=sync.number("earliest_block_height") if "earliest_block_height" in sync else None,
        from_genesis=isinstance(first := top.fields.get("genesis_hash"), str)
        and first == sync.fields.get("earliest_block_hash"),
    )


def block_of(result: Any) -> Block:
    """Read the result of `block`."""
    top = Document(result, "block")
    header = top.part("header")
    return Block(
        height=header.number("height"),
        hash=header.hash("hash"),
        prev_hash=header.hash("prev_hash"),
        time_ns=header.number("timestamp"),
        protocol=header.number("latest_protocol_version"),
        gas_price=header.units("gas_price"),
        chunks=tuple(_chunk_head(row) for row in top.rows("chunks")),
    )


def _chunk_head(row: Any) -> ChunkHead:
    head = Document(row, "chunk header")
    return ChunkHead(head.hash("chunk_hash"), head.number("shard_id"), head.number("height_included"))


def protocol_of(result: Any) -> Protocol:
    """Read the result of `EXPERIMENTAL_protocol_config`."""
    top = Document(result, "protocol config")
    return Protocol(
        chain_id=top.text("chain_id"),
        version=top.number("protocol_version"),
        validity=top.number("transaction_validity_period"),
        storage_price=top.part("runtime_config").units("storage_amount_per_byte"),
    )


def account_of(account_id: str, result: Any) -> Account:
    """Read the result of `query` view_account."""
    top = Document(result, "account")
    return Account(
        account_id=account_id,
        height=top.number("block_height"),
        amount=top.units("amount"),
        locked=top.units("locked"),
        storage_bytes=top.number("storage_usage"),
        code_hash=top.hash("code_hash"),
    )


def access_key_of(public_key: str, value: Any) -> AccessKey:
    """Read one access key's nonce and permission; a kind of permission that is not known is no full access."""
    top = Document(value, "access key")
    return AccessKey(public_key, top.number("nonce"), top.fields.get("permission") == "FullAccess")


def access_keys_of(result: Any) -> tuple[AccessKey, ...]:
    """Read the result of `query` view_access_key_list."""
    rows = [Document(row, "access key") for row in Document(result, "list of access keys").rows("keys")]
    return tuple(access_key_of(row.text("public_key"), row.fields.get("access_key")) for row in rows)
