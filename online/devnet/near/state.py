"""The state of a NEAR world, and a sandbox over it: what a receipt changes counts only where all of it succeeds.

Records are never changed in place, so that old blocks share them: ("account", id), ("key", id, public key) and
("data", contract, key). ("burnt",) is what no account holds any more; no node shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from online.devnet.near import fees
from online.devnet.near.actions import AccessKey
from online.devnet.near.texts import NO_CODE, base58_hash

Key = tuple[str, ...]
State = dict[Key, Any]
BURNT: Final[Key] = ("burnt",)
_GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Account:
    """An account in yoctoNEAR and bytes; `code` names a contract of this world, or is None."""

    amount: int
    storage_bytes: int = fees.ACCOUNT_BYTES
    code: str | None = None
    code_bytes: int = 0
    locked: int = 0

    @property
    def code_hash(self) -> str:
        """The hash that a node shows for the code."""
        return NO_CODE if self.code is None else base58_hash(self.code.encode())

    @property
    def missing_for_state(self) -> int:
        """What the account lacks to stake for its bytes."""
        return max(fees.stake_needed(self.storage_bytes) - self.amount - self.locked, 0)


class Sandbox:
    """A view of the state that collects changes; nobody else sees them before `commit`."""

    def __init__(self, base: Mapping[Key, Any]) -> None:
        self._base = base
        self._changes: dict[Key, Any] = {}

    def read(self, key: Key) -> Any:
        """Give a record, None where there is none."""
        found = self._changes[key] if key in self._changes else self._base.get(key)
        return None if found is _GONE else found

    def write(self, key: Key, value: Any) -> None:
        """Put a record in its place; None takes it away."""
        self._changes[key] = _GONE if value is None else value

    def rollback(self) -> None:
        """Forget the changes."""
        self._changes.clear()

    def commit(self, target: State) -> list[Key]:
        """Carry the changes over and say what differs."""
        touched = [key for key, value in self._changes.items()
                   if value is not self._base.get(key, _GONE)]
        for key, value in self._changes.items():
            if value is _GONE:
                target.pop(key, None)
            else:
                target[key] = value
        return touched

    def under(self, *prefix: str) -> Iterator[Key]:
        """List the keys that begin so, in order."""
        size = len(prefix)
        keys = {key for key in (*self._base, *self._changes) if key[:size] == prefix}
        return (key for key in sorted(keys) if self.read(key) is not None)

    # --- accounts ---------------------------------------------------------------------------------

    def account(self, name: str) -> Account | None:
        """Give an account, None where there is none."""
        found: Account | None = self.read(("account", name))
        return found

    def must_have(self, name: str) -> Account:
        """Give an account that an earlier check has found."""
        account = self.account(name)
        if account is None:
            raise LookupError(f"no account {name}")
        return account

    def update(self, name: str, **fields: Any) -> None:
        """Change fields of an account."""
        self.write(("account", name), replace(self.must_have(name), **fields))

    def add(self, name: str, yocto: int) -> None:
        """Add yoctoNEAR to an account, or take them with a negative number."""
        self.update(name, amount=self.must_have(name).amount + yocto)

    def burn(self, yocto: int) -> None:
        """Count what no account holds any more."""
        self.write(BURNT, (self.read(BURNT) or 0) + yocto)

    # --- keys and data ----------------------------------------------------------------------------

    def key(self, name: str, key: str) -> AccessKey | None:
        """Give an access key, None where there is none."""
        found: AccessKey | None = self.read(("key", name, key))
        return found

    def put_key(self, name: str, key: str, access: AccessKey) -> None:
        """Give an account a key that it has not; its bytes count."""
        self.write(("key", name, key), access)
        self._grow(name, key_bytes(key, access))

    def drop_key(self, name: str, key: str) -> None:
        """Take a key from an account that has it."""
        access = self.key(name, key)
        assert access is not None
        self.write(("key", name, key), None)
        self._grow(name, -key_bytes(key, access))

    def data(self, contract: str, key: str) -> Any:
        """Give a contract's record, None where there is none."""
        return self.read(("data", contract, key))

    def put_data(self, contract: str, key: str, value: Any) -> None:
        """Set a contract's record; None takes it away. Its bytes count."""
        before = self.data(contract, key)
        self.write(("data", contract, key), value)
        self._grow(contract, _data_bytes(key, value) - _data_bytes(key, before))

    def drop_account(self, name: str) -> None:
        """Take an account away with its keys and data."""
        for key in [*self.under("key", name), *self.under("data", name)]:
            self.write(key, None)
        self.write(("account", name), None)

    def _grow(self, name: str, count: int) -> None:
        self.update(name, storage_bytes=self.must_have(name).storage_bytes + count)


def key_bytes(key: str, access: AccessKey) -> int:
    """Give the bytes that a key takes of its account's storage."""
    size = fees.RECORD_BYTES + (33 if key.startswith("ed25519:") else 65) + fees.FULL_KEY_BYTES
    if access.calls is None:
        return size
    calls = access.calls
    return (size + 1 + (0 if calls.allowance is None else 16) + 4 + len(calls.receiver) + 4
            + sum(4 + len(method) for method in calls.methods))


def _data_bytes(key: str, value: Any) -> int:
    return 0 if value is None else fees.RECORD_BYTES + len(key) + 16
