"""The arguments of NEP-141 and NEP-145 calls as JSON, in one canonical form and no other.

The form is RFC 8785's for what stands here: an object with its names sorted and no blanks, every text of printable
ASCII with only the quote and the backslash escaped. Contracts take any order, so nothing is lost; arguments that differ
in one byte are refused, never read leniently. Repeated and unknown names, and null, are therefore refused too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from shared.chains.near.accounts import parse_account
from shared.chains.near.model import FunctionCall, Registration, TokenTransfer
from shared.errors import NearDeposit, NearMemoRefused, NearTokenArgs, NearTokenRefused
from shared.money import MOST_UNITS

REGISTER: Final = "storage_deposit"
TRANSFER: Final = "ft_transfer"
TRANSFER_CALL: Final = "ft_transfer_call"
METHODS: Final = frozenset({REGISTER, TRANSFER, TRANSFER_CALL})

ONE_YOCTO: Final = 1
"""NEP-141: a transfer has exactly one yoctoNEAR attached, which a key for function calls alone cannot attach."""

MEMO_MOST: Final = 256
MESSAGE_MOST: Final = 1024

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[ -~]*", re.ASCII)


def registration(call: FunctionCall) -> Registration:
    """Read a `storage_deposit` that registers one account and asks for nothing more.

    Raises:
        NearTokenArgs: for other arguments. NearDeposit: without a deposit. BadAddress: for an id that is no account.
    """
    fields = _fields(call.args, {"account_id", "registration_only"}, set())
    if fields["registration_only"] is not True:
        raise NearTokenArgs("storage_deposit registers, and so says registration_only true")
    if call.deposit == 0:
        raise NearDeposit("storage_deposit has nothing attached")
    return Registration(parse_account(_text(fields, "account_id")), call.deposit)


def transfer(call: FunctionCall) -> TokenTransfer:
    """Read an `ft_transfer`.

    Raises:
        NearTokenArgs: for other arguments. NearDeposit: without exactly one yoctoNEAR. NearTokenRefused: for an amount
            of 0. NearMemoRefused: for a memo that cannot be shown. BadAddress: for an id that is no account.
    """
    return _transfer(call, _fields(call.args, {"amount", "receiver_id"}, {"memo"}))


def transfer_call(call: FunctionCall) -> tuple[TokenTransfer, str]:
    """Read an `ft_transfer_call` and its message. Raises as `transfer`, and for a message as for a memo."""
    fields = _fields(call.args, {"amount", "msg", "receiver_id"}, {"memo"})
    return _transfer(call, fields), check_message(_text(fields, "msg"))


def registration_call(one: Registration, gas: int) -> FunctionCall:
    """Write a `storage_deposit`."""
    args: dict[str, str | bool] = {"account_id": parse_account(one.account), "registration_only": True}
    return FunctionCall(REGISTER, canonical(args), gas, one.deposit)


def transfer_action(one: TokenTransfer, gas: int, message: str | None = None) -> FunctionCall:
    """Write an `ft_transfer`, or with a message an `ft_transfer_call`."""
    args: dict[str, str | bool] = {"amount": str(one.units), "receiver_id": parse_account(one.receiver)}
    if one.memo is not None:
        args["memo"] = check_memo(one.memo)
    if message is not None:
        args["msg"] = check_message(message)
    return FunctionCall(TRANSFER if message is None else TRANSFER_CALL, canonical(args), gas, ONE_YOCTO)


def canonical(args: Mapping[str, str | bool]) -> bytes:
    """Write arguments in the one form that is accepted."""
    return json.dumps(args, sort_keys=True, separators=(",", ":")).encode("ascii")


def check_memo(memo: str) -> str:
    """Demand a memo that shows as it is: 1 to 256 characters of printable ASCII, no blanks at its ends.

    Raises:
        NearMemoRefused: for every other text.
    """
    if not 1 <= len(memo) <= MEMO_MOST or _PRINTABLE.fullmatch(memo) is None or memo != memo.strip():
        raise NearMemoRefused(f"no memo that shows as it is: {memo[:80]!r}")
    return memo


def check_message(message: str) -> str:
    """Demand a message that shows as it is: up to 1,024 characters of printable ASCII. Raises NearMemoRefused."""
    if len(message) > MESSAGE_MOST or _PRINTABLE.fullmatch(message) is None:
        raise NearMemoRefused(f"no message that shows as it is: {message[:80]!r}")
    return message


def _transfer(call: FunctionCall, fields: Mapping[str, Any]) -> TokenTransfer:
    if call.deposit != ONE_YOCTO:
        raise NearDeposit(f"{call.method} has {call.deposit} yoctoNEAR attached and not exactly one")
    units = _units(_text(fields, "amount"))
    memo = check_memo(_text(fields, "memo")) if "memo" in fields else None
    return TokenTransfer(parse_account(_text(fields, "receiver_id")), units, memo)


def _units(text: str) -> int:
    if _WHOLE.fullmatch(text) is None or int(text) > MOST_UNITS:
        raise NearTokenArgs(f"the amount is no whole number of 128 bits: {text[:60]!r}")
    if text == "0":
        raise NearTokenRefused("a transfer of nothing, which the contract refuses")
    return int(text)


def _fields(args: bytes, needed: set[str], allowed: set[str]) -> dict[str, Any]:
    try:
        fields = json.loads(args.decode("ascii"))
    except (ValueError, RecursionError):  # numbers of 5,000 digits and deep arrays are no JSONDecodeError
        raise NearTokenArgs("the arguments are no JSON of ASCII") from None
    if not isinstance(fields, dict) or not needed <= fields.keys() <= needed | allowed:
        raise NearTokenArgs(f"the arguments are not {', '.join(sorted(needed))} alone")
    if canonical(fields) != args:
        raise NearTokenArgs("the arguments are not in their canonical form, or a name stands twice")
    return fields


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise NearTokenArgs(f"{name} is no text")
    return value
