"""What a contract sees while one of its methods runs, and how it asks for more receipts.

A contract of this world is a table of methods in Python. Gas is counted coarsely: a fixed amount a method, and what the
protocol asks for the receipts that it makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from online.devnet.near import fees
from online.devnet.near.actions import Action, FunctionCall, deposit_of
from online.devnet.near.state import Sandbox

METHOD_GAS: Final = 1_800_000_000_000


class Panic(Exception):
    """A method that gives up: all that its receipt did is undone."""


def misread(why: str) -> Panic:
    """Give up as near-sdk does where arguments do not parse."""
    return Panic(f'Failed to deserialize input from JSON.: Error("{why}", line: 1, column: 0)')


class Trap(Exception):
    """A call that cannot run; `error` is nearcore's FunctionCallError in its JSON form."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Promise:
    """A receipt that a method asks for; `after` is the index of the promise whose value it waits for."""

    receiver: str
    actions: tuple[Action, ...]
    after: int | None = None


@dataclass(slots=True)
class Call:
    """One call of a method: who calls, with what, and what it asks for; `results` are the values that it waited for.

    A result is None where what should have given it failed.
    """

    view: Sandbox
    contract: str
    predecessor: str
    signer: str
    deposit: int
    gas: int
    args: Mapping[str, Any]
    results: tuple[bytes | None, ...] = ()
    read_only: bool = False
    logs: list[str] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    gas_burnt: int = 0
    gas_given: int = 0

    def need(self, name: str) -> Any:
        """Give an argument that must be there."""
        if name not in self.args:
            raise misread(f"missing field `{name}`")
        return self.args[name]

    def log(self, line: str) -> None:
        """Write a line to the outcome."""
        self.logs.append(line)

    def spend(self, gas: int) -> None:
        """Use up gas; without enough of it the call ends."""
        self.gas_burnt += gas
        self._check()

    def promise(self, receiver: str, *actions: Action, after: int | None = None) -> int:
        """Ask for a receipt and give its index; sending it burns gas, and doing it is bought ahead."""
        to_self = receiver == self.contract
        sending = fees.RECEIPT.sending(to_self=to_self) + fees.sending_gas(actions, receiver, to_self=to_self)
        self.gas_burnt += sending
        self.gas_given += fees.receipt_gas(actions, receiver)
        self._check()
        deposit = sum(map(deposit_of, actions))
        if deposit > self.view.must_have(self.contract).amount:
            raise Trap({"ExecutionError": "Exceeded the account balance."})
        self.view.add(self.contract, -deposit)
        self.promises.append(Promise(receiver, actions, after))
        return len(self.promises) - 1

    def left(self) -> int:
        """Give the gas that is still there."""
        return self.gas - self.gas_burnt - self.gas_given

    def _check(self) -> None:
        if self.left() < 0:
            raise Trap({"ExecutionError": "Exceeded the prepaid gas."})


Method = Callable[[Call], Any]
"""Gives what goes out as JSON, None for nothing, or a `Then`."""


@dataclass(frozen=True, slots=True)
class Then:
    """A method's answer that another receipt will give; `index` is the promise's."""

    index: int


@dataclass(frozen=True, slots=True)
class Contract:
    """Methods that change things, and methods that only look."""

    methods: Mapping[str, Method]
    views: Mapping[str, Method]
    gas: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: a value or the index of the promise that gives it, or an error; and its gas."""

    call: Call
    value: bytes = b""
    then: int | None = None
    error: Any = None


def run(contract: Contract | None, name: str, method: str, raw_args: bytes, call: Call) -> Answer:
    """Run a method; what it changed stands in the call's view and is the caller's to drop where there is an error."""
    try:
        found = _find(contract, name, method, read_only=call.read_only)
        call.args = _arguments(raw_args)
        call.spend(contract.gas.get(method, METHOD_GAS) if contract is not None else 0)
        answer = found(call)
    except Panic as panic:
        return Answer(call, error={"ExecutionError": f"Smart contract panicked: {panic}"})
    except Trap as trap:
        call.gas_burnt = min(call.gas_burnt, call.gas)
        return Answer(call, error=trap.error)
    if isinstance(answer, Then):
        return Answer(call, then=answer.index)
    return Answer(call, b"" if answer is None else json.dumps(answer, separators=(",", ":")).encode())


def _find(contract: Contract | None, name: str, method: str, *, read_only: bool) -> Method:
    if contract is None:
        raise Trap({"CompilationError": {"CodeDoesNotExist": {"account_id": name}}})
    if not method:
        raise Trap({"MethodResolveError": "MethodEmptyName"})
    if method in contract.views:
        return contract.views[method]
    if method not in contract.methods:
        raise Trap({"MethodResolveError": "MethodNotFound"})
    if read_only:
        raise Trap({"HostError": {"ProhibitedInView": {"method_name": "attached_deposit"}}})
    return contract.methods[method]


def _arguments(raw: bytes) -> Mapping[str, Any]:
    try:
        args = json.loads(raw or b"{}")
    except ValueError:
        raise misread("expected value") from None
    if not isinstance(args, dict):
        raise misread("invalid type")
    return args


def call_json(method: str, args: Mapping[str, Any], gas: int, deposit: int = 0) -> FunctionCall:
    """Make a call with arguments in JSON."""
    return FunctionCall(method, json.dumps(args, separators=(",", ":")).encode(), gas, deposit)
