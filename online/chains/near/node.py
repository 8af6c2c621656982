"""The questions that a gateway asks one node, each with its typed answer. It decides nothing.

Everything is asked of final blocks; what was asked of an account says itself at which height it was true.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from online.chains.near.answers import (
    AccessKey,
    Account,
    Block,
    Protocol,
    Status,
    access_key_of,
    access_keys_of,
    account_of,
    block_of,
    protocol_of,
    status_of,
)
from online.chains.near.chunks import Chunk, chunk_of
from online.chains.near.client import Rpc, RpcFault
from online.chains.near.document import Document, a_hash
from online.chains.near.receipts import TxStatus, tx_status_of
from shared.errors import NodeAnswerUnreadable

_FINAL = {"finality": "final"}
_GONE = ("UNKNOWN_BLOCK", "GARBAGE_COLLECTED_BLOCK")
_NO_KEY = ("UNKNOWN_ACCESS_KEY", "UNKNOWN_ACCOUNT")
_RULES_HEIGHTS = 100
_NO_METHOD = "METHOD_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class NotFound:
    """A transaction of which the node shows nothing; `absent` says that it knows of none by this hash."""

    absent: bool
    words: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key of an account at a final height; None where the account has no such key, or there is no such account."""

    key: AccessKey | None
    height: int


class Node:
    """One node, asked over one connection."""

    def __init__(self, url: str, timeout_seconds: int) -> None:
        self._rpc = Rpc(url, timeout_seconds)
        self.name = self._rpc.name
        self._status_methods = ["tx_status", "EXPERIMENTAL_tx_status"]
        self._rules: tuple[int, Protocol] | None = None

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    # --- the node and its chain -------------------------------------------------------------------

    def status(self) -> Status:
        """Give what the node says of itself."""
        return status_of(self._rpc.call("status", []))

    def protocol(self, height: int) -> Protocol:
        """Give the rules that hold at a final height; they are long, and asked for again after 100 heights alone."""
        if self._rules is None or not self._rules[0] <= height < self._rules[0] + _RULES_HEIGHTS:
            self._rules = (height, protocol_of(self._rpc.call("EXPERIMENTAL_protocol_config", _FINAL)))
        return self._rules[1]

    def final_block(self) -> Block:
        """Give the newest final block."""
        return block_of(self._rpc.call("block", _FINAL))

    def block(self, at: int | str) -> Block | None:
        """Give a block by its height or hash; None where the node has none: skipped, not there yet, or forgotten."""
        answer = self._rpc.ask("block", {"block_id": at})
        if isinstance(answer, RpcFault) and answer.cause in _GONE:
            return None
        found = block_of(self._rpc.good(answer))
        if at not in (found.height, found.hash):
            raise NodeAnswerUnreadable(f"{self.name} answers with another block than the one asked for")
        return found

    def chunk(self, chunk_hash: str) -> Chunk:
        """Give a chunk's transactions and receipts. Raises NodeRefused where the node does not hold it."""
        return chunk_of(chunk_hash, self._rpc.call("chunk", {"chunk_id": chunk_hash}))

    # --- accounts ---------------------------------------------------------------------------------

    def account(self, account_id: str) -> Account | None:
        """Give an account at the final block, None for no account."""
        answer = self._query("view_account", account_id)
        if isinstance(answer, RpcFault) and answer.cause == "UNKNOWN_ACCOUNT":
            return None
        return account_of(account_id, self._rpc.good(answer))

    def existed(self, account_id: str, block_hash: str) -> bool:
        """Say whether there was an account as of a block. Raises NodeRefused where that state is forgotten."""
        params = {"request_type": "view_account", "account_id": account_id, "block_id": block_hash}
        answer = self._rpc.ask("query", params)
        if isinstance(answer, RpcFault) and answer.cause == "UNKNOWN_ACCOUNT":
            return False
        self._rpc.good(answer)
        return True

    def newest_nonce(self, account_id: str, public_key: str) -> int:
        """Give a key's nonce in the newest block, final or not, none where there is no such key."""
        params = {"request_type": "view_access_key", "account_id": account_id, "public_key": public_key}
        answer = self._rpc.ask("query", {**params, "finality": "optimistic"})
        if isinstance(answer, RpcFault) and answer.cause in _NO_KEY:
            return 0
        return access_key_of(public_key, self._rpc.good(answer)).nonce

    def access_key(self, account_id: str, public_key: str) -> KeyState:
        """Give one key of an account at the final block."""
        answer = self._query("view_access_key", account_id, public_key=public_key)
        if isinstance(answer, RpcFault) and answer.cause in _NO_KEY:
            said = answer.info.get("block_height")
            # Whoever proves something by this must be as far: not every node says how far it was.
            return KeyState(None, max(said if type(said) is int else 0, self.final_block().height))
        result = self._rpc.good(answer)
        return KeyState(access_key_of(public_key, result), Document(result, "access key").number("block_height"))

    def access_key_after(self, account_id: str, public_key: str, height: int) -> KeyState | None:
        """Give one key of an account as it was after a block, None where there is no block at this height.

        Raises:
            NodeRefused: where the node forgot that block's state.
        """
        params = {"request_type": "view_access_key", "account_id": account_id, "public_key": public_key}
        answer = self._rpc.ask("query", {**params, "block_id": height})
        if isinstance(answer, RpcFault) and answer.cause in _GONE:
            return None
        if isinstance(answer, RpcFault) and answer.cause in _NO_KEY:
            return KeyState(None, height)
        return KeyState(access_key_of(public_key, self._rpc.good(answer)), height)

    def access_keys(self, account_id: str, public_keys: tuple[str, ...]) -> tuple[AccessKey, ...]:
        """Give those of some keys that an account has now, asked one by one where its list is too long."""
        answer = self._query("view_access_key_list", account_id)
        if isinstance(answer, RpcFault) and answer.cause == "TOO_MANY_ACCESS_KEYS":
            states = [self.access_key(account_id, one).key for one in public_keys]
            return tuple(key for key in states if key is not None)
        if isinstance(answer, RpcFault) and answer.cause == "UNKNOWN_ACCOUNT":
            return ()
        return tuple(key for key in access_keys_of(self._rpc.good(answer)) if key.public_key in public_keys)

    def view(self, contract: str, method: str, args: Mapping[str, Any]) -> Any:
        """Call a view method of a contract at the final block and give its JSON. Raises NodeRefused where it panics."""
        packed = base64.b64encode(json.dumps(args).encode()).decode()
        result = self._rpc.good(self._query("call_function", contract, method_name=method, args_base64=packed))
        raw = Document(result, "result of a call").rows("result")
        if not all(type(one) is int and 0 <= one < 256 for one in raw):
            raise NodeAnswerUnreadable(f"{self.name} answers a call of {method} with no bytes")
        try:
            return json.loads(bytes(raw), parse_float=str)
        except (ValueError, RecursionError):
            raise NodeAnswerUnreadable(f"{contract} answers {method} with no JSON") from None

    def _query(self, kind: str, account_id: str, **more: str) -> Any:
        return self._rpc.ask("query", {"request_type": kind, "account_id": account_id, **_FINAL, **more})

    # --- transactions -----------------------------------------------------------------------------

    def find(self, tx_hash: str, sender: str) -> TxStatus | NotFound:
        """Look a transaction up by its hash, without waiting for anything.

        A bare level, a timeout and every error but UNKNOWN_TRANSACTION leave it open (a node that does not follow
        the sender's shard says nothing else).
        """
        answer = self._status_of(tx_hash, sender)
        if isinstance(answer, RpcFault):
            return NotFound(answer.cause == "UNKNOWN_TRANSACTION", f"{self.name}: {answer.cause}")
        found = tx_status_of(answer)
        if found is None:
            return NotFound(absent=False, words=f"{self.name} says nothing of it")
        if found.sent.hash != tx_hash or found.own.id != tx_hash:
            raise NodeAnswerUnreadable(f"{self.name} answers with another transaction than the one asked for")
        return found

    def send(self, blob: bytes, wait_until: str) -> TxStatus | RpcFault | None:
        """Hand over signed bytes; None where the node took them and shows nothing yet."""
        params = {"signed_tx_base64": base64.b64encode(blob).decode(), "wait_until": wait_until}
        answer = self._rpc.ask("send_tx", params)
        if isinstance(answer, RpcFault):
            return answer
        return None if answer is None else tx_status_of(answer)

    def transaction_of(self, receipt_id: str, height: int) -> tuple[str, str] | None:
        """Give the hash and the signer of the transaction behind a receipt, None where the node does not know it.

        The height near which the receipt was made lets nodes without an index of receipts search there.
        """
        answer = self._rpc.ask("EXPERIMENTAL_receipt_to_tx", {"receipt_id": receipt_id, "block_height": height})
        if isinstance(answer, RpcFault) and answer.cause == "UNKNOWN_RECEIPT":
            return None
        found = Document(self._rpc.good(answer), "transaction of a receipt")
        return a_hash(found.fields.get("transaction_hash"), "transaction_hash"), found.text("sender_account_id")

    def causes(self, account_id: str, public_key: str, height: int) -> tuple[str, ...]:
        """Name the receipts by which a block changed a key of an account."""
        params = {"changes_type": "all_access_key_changes", "account_ids": [account_id], "block_id": height}
        rows = Document(self._rpc.call("EXPERIMENTAL_changes", params), "list of changes").rows("changes")
        found = []
        for row in (Document(each, "change") for each in rows):
            cause = row.part("cause")
            if row.part("change").fields.get("public_key") == public_key and "receipt_hash" in cause:
                found.append(cause.hash("receipt_hash"))
        return tuple(found)

    def _status_of(self, tx_hash: str, sender: str) -> Any:
        params = {"tx_hash": tx_hash, "sender_account_id": sender, "wait_until": "NONE"}
        answer = self._rpc.ask(self._status_methods[0], params)
        if isinstance(answer, RpcFault) and answer.cause == _NO_METHOD and len(self._status_methods) > 1:
            del self._status_methods[0]
            return self._status_of(tx_hash, sender)
        return answer
