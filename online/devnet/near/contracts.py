"""The contracts of a NEAR world by the name that an account's code has here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from online.devnet.near.actions import Transfer
from online.devnet.near.hosting import Call, Contract, Panic, Then, call_json
from online.devnet.near.token import TOKEN

ETH_WALLET: Final = "eth-wallet"
"""What an Ethereum-implicit account is born with; it does nothing here."""
BY_HAND: Final = "deployed"
"""Code that somebody deployed: this world runs no WebAssembly, so it has no methods."""
_CALL_GAS: Final = 5_000_000_000_000


def _takes(call: Call) -> str:
    return "0"


def _returns_all(call: Call) -> Any:
    return call.need("amount")


def _returns_half(call: Call) -> str:
    return str(int(call.need("amount")) // 2)


def _asks_first(call: Call) -> Then:
    # The answer is another receipt's, as with exchanges that look something up before they swap.
    return Then(call.promise(call.contract, call_json("half", {"amount": call.need("amount")}, _CALL_GAS)))


def _panics(call: Call) -> None:
    raise Panic("no tokens wanted here")


def _pay(call: Call) -> Then:
    # The answer is the payment's: what the transaction shows is what became of the money.
    return Then(call.promise(call.need("receiver_id"), Transfer(int(call.need("amount")))))


def _pay_quietly(call: Call) -> str:
    # The payment's fate is nobody's answer: the transaction shows success over a failed receipt.
    call.promise(call.need("receiver_id"), Transfer(int(call.need("amount"))))
    return "sent"


def _pay_and_panic(call: Call) -> Then:
    # The money moves by itself, and the answer is a call that fails: failure over money that moved.
    call.promise(call.need("receiver_id"), Transfer(int(call.need("amount"))))
    return Then(call.promise(call.contract, call_json("panic", {}, _CALL_GAS)))


CONTRACTS: Final[Mapping[str, Contract]] = {
    "nep141": TOKEN,
    "takes-tokens": Contract({"ft_on_transfer": _takes}, {}),
    "returns-tokens": Contract({"ft_on_transfer": _returns_all}, {}),
    "returns-half": Contract({"ft_on_transfer": _returns_half}, {}),
    "asks-first": Contract({"ft_on_transfer": _asks_first, "half": _returns_half}, {}),
    "panics": Contract({"ft_on_transfer": _panics}, {}),
    "vault": Contract(
        {"pay": _pay, "pay_quietly": _pay_quietly, "pay_and_panic": _pay_and_panic, "panic": _panics}, {}),
    ETH_WALLET: Contract({}, {}),
    BY_HAND: Contract({}, {}),
}
