"""What a signable message does, as payments, settings and lines that a person must read.

Decimals come from the policy's register alone; a sweep's amounts stand in no message, so it counts as everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from shared.chains.bitcoin.counterparty.assets import XCP
from shared.chains.bitcoin.counterparty.memos import memo_text
from shared.chains.bitcoin.counterparty.messages import (
    SWEEP_BALANCES,
    SWEEP_OWNERSHIPS,
    options_of,
)
from shared.chains.bitcoin.counterparty.model import (
    Broadcast,
    ClassicSend,
    EnhancedSend,
    Message,
    Mpma,
    Sweep,
)
from shared.effects import Destination, Payment, SettingChange
from shared.errors import AssetUnknown
from shared.money import Amount, Asset

XCP_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """A message's part of the effects; the Bitcoin layer adds its own."""

    kind: str
    payments: tuple[Payment, ...]
    facts: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()


def payments(message: Message, source: str, network: str, register: Mapping[str, int]) -> Meaning:
    """Say what a signable message does when its source signs it.

    Raises:
        AssetUnknown: for an asset whose decimals the register does not say.
    """
    match message:
        case EnhancedSend(asset, quantity, address, memo):
            amount = _amount(asset, quantity, network, register)
            payment = Payment(source, _destination(address, memo or None), amount)
            return Meaning("counterparty-send", (payment,))
        case ClassicSend(asset, quantity, address):
            amount = _amount(asset, quantity, network, register)
            fact = "a classic send: the asset goes to the output before the data"
            return Meaning("counterparty-send", (Payment(source, Destination(address), amount),), (fact,))
        case Mpma():
            return _batch(message, source, network, register)
        case Broadcast():
            return _options(message, source)
        case _:
            return _sweep(message, source)


def asset_of(code: str, network: str, register: Mapping[str, int]) -> Asset:
    """Give the asset of a code with the register's decimals; XCP always has eight.

    Raises:
        AssetUnknown: for an asset whose decimals the register does not say.
    """
    decimals = XCP_DECIMALS if code == XCP else register.get(code)
    if decimals is None:
        raise AssetUnknown(f"the register does not say the decimals of {code}")
    return Asset(network, code, decimals)


def _amount(code: str, quantity: int, network: str, register: Mapping[str, int]) -> Amount:
    return Amount(asset_of(code, network, register), quantity)


def _destination(address: str, memo: bytes | None) -> Destination:
    return Destination(address, memo=None if memo is None else memo_text(memo))


def _batch(message: Mpma, source: str, network: str, register: Mapping[str, int]) -> Meaning:
    paid = tuple(
        Payment(
            source,
            _destination(send.address, message.memo_of(send)),
            _amount(send.asset, send.quantity, network, register),
        )
        for send in message.sends
    )
    totals: Counter[str] = Counter()
    for send in message.sends:
        totals[send.asset] += send.quantity
    people = len({send.address for send in message.sends})
    facts = [f"a batch of {len(paid)} sends to {people} addresses, all or nothing"]
    facts += [f"in all {_amount(code, sum_, network, register)}" for code, sum_ in sorted(totals.items())]
    return Meaning("counterparty-mpma", paid, tuple(facts))


def _options(message: Broadcast, source: str) -> Meaning:
    required = "required" if options_of(message) else "not required"
    change = SettingChange(source, "counterparty-options", f"memos are {required} from now on")
    fact = f"the broadcast's time is {message.timestamp}; it counts only if later than the last one's"
    return Meaning("counterparty-options", (), (fact,), (change,))


def _sweep(message: Sweep, source: str) -> Meaning:
    named = [(SWEEP_BALANCES, "every balance"), (SWEEP_OWNERSHIPS, "the ownership of every asset")]
    swept = " and ".join(text for flag, text in named if message.flags & flag)
    memo = f" memo {memo_text(message.memo)}" if message.memo else ""
    # Whoever gains everything gains as much as a new key would: policy counts it as the wallet's whole balance.
    change = SettingChange(
        source,
        "counterparty-sweep",
        f"{swept} goes to {message.address}{memo}",
        who_may_sign=True,
        keys=(message.address,),
    )
    fact = "the sweep costs 0.001 XCP x (2 x balances + 4 x issuances), taken from the source"
    return Meaning("counterparty-sweep", (), (fact,), (change,))
