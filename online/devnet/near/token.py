"""A fungible token by the rules of NEP-141, NEP-145, NEP-148 and NEP-297, worded as near-contract-standards words them.

What a wallet must be ready for is here: receivers that must be registered, the one yoctoNEAR, a batch that fails as a
whole, and transfers with a call whose unused part comes back two receipts later.
"""

from __future__ import annotations

import json
from typing import Any, Final

from online.devnet.near.actions import Transfer
from online.devnet.near.hosting import Call, Contract, Panic, Then, call_json, misread
from online.devnet.near.texts import is_account

REGISTRATION_YOCTO: Final = 125 * 10**19
"""The stake for the 125 bytes of one holder, as most tokens count."""
CALL_GAS_LEAST: Final = 30_000_000_000_000
RESOLVE_GAS: Final = 5_000_000_000_000
_MOST: Final = 2**128 - 1


def _amount(call: Call, name: str) -> int:
    text = call.need(name)
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or int(text) > _MOST:
        raise misread(f"invalid number in `{name}`")
    return int(text)


def _account(call: Call, name: str, otherwise: str | None = None) -> str:
    text = call.args.get(name) or otherwise
    if text is None:
        text = call.need(name)
    if not isinstance(text, str) or not is_account(text):
        raise misread(f"invalid account in `{name}`")
    return text


def _text(call: Call, name: str) -> str | None:
    text = call.args.get(name)
    if text is not None and not isinstance(text, str):
        raise misread(f"invalid text in `{name}`")
    return text


def _one_yocto(call: Call) -> None:
    if call.deposit != 1:
        raise Panic("Requires attached deposit of exactly 1 yoctoNEAR")


def _holding(call: Call, account: str) -> int:
    held = call.view.data(call.contract, f"balance/{account}")
    if held is None:
        raise Panic(f"The account {account} is not registered")
    return int(held)


def _set(call: Call, account: str, units: int) -> None:
    call.view.put_data(call.contract, f"balance/{account}", units)


def _event(call: Call, event: str, **fields: str | None) -> None:
    row = {name: value for name, value in fields.items() if value is not None}
    body = {"standard": "nep141", "version": "1.0.0", "event": event, "data": [row]}
    call.log("EVENT_JSON:" + json.dumps(body, separators=(",", ":")))


def _move(call: Call, source: str, target: str, units: int, memo: str | None) -> None:
    if source == target:
        raise Panic("Sender and receiver should be different")
    if units == 0:
        raise Panic("The amount should be a positive number")
    held, theirs = _holding(call, source), _holding(call, target)
    if held < units:
        raise Panic("The account doesn't have enough balance")
    _set(call, source, held - units)
    _set(call, target, theirs + units)
    _event(call, "ft_transfer", old_owner_id=source, new_owner_id=target, amount=str(units), memo=memo)


def ft_transfer(call: Call) -> None:
    """Move tokens to a registered account, for one yoctoNEAR."""
    _one_yocto(call)
    _move(call, call.predecessor, _account(call, "receiver_id"), _amount(call, "amount"), _text(call, "memo"))


def ft_transfer_call(call: Call) -> Then:
    """Move tokens and call the receiver, which says how much it does not want."""
    _one_yocto(call)
    if call.left() <= CALL_GAS_LEAST:
        raise Panic("More gas is required")
    receiver, units, message = _account(call, "receiver_id"), _amount(call, "amount"), call.need("msg")
    _move(call, call.predecessor, receiver, units, _text(call, "memo"))
    told = {"sender_id": call.predecessor, "amount": str(units), "msg": message}
    asked = call.promise(receiver, call_json("ft_on_transfer", told, call.left() - CALL_GAS_LEAST))
    kept = {"sender_id": call.predecessor, "receiver_id": receiver, "amount": str(units)}
    return Then(call.promise(call.contract, call_json("ft_resolve_transfer", kept, RESOLVE_GAS), after=asked))


def ft_resolve_transfer(call: Call) -> str:
    """Take back what the receiver did not want, as far as it still has it; give what was used."""
    if call.predecessor != call.contract:
        raise Panic("Method is private")
    sender, receiver, units = _account(call, "sender_id"), _account(call, "receiver_id"), _amount(call, "amount")
    back = min(_unused(call.results, units), call.view.data(call.contract, f"balance/{receiver}") or 0)
    if back == 0:
        return str(units)
    _set(call, receiver, _holding(call, receiver) - back)
    if call.view.data(call.contract, f"balance/{sender}") is None:
        supply = call.view.data(call.contract, "supply")
        call.view.put_data(call.contract, "supply", supply - back)
        call.log("The account of the sender was deleted")
        _event(call, "ft_burn", owner_id=receiver, amount=str(back), memo="refund")
        return str(units)
    _set(call, sender, _holding(call, sender) + back)
    _event(call, "ft_transfer", old_owner_id=receiver, new_owner_id=sender, amount=str(back), memo="refund")
    return str(units - back)


def _unused(results: tuple[bytes | None, ...], units: int) -> int:
    if not results or results[0] is None:
        return units
    try:
        said = json.loads(results[0])
        return min(int(said), units) if isinstance(said, str) and said.isdigit() else units
    except ValueError:
        return units


def storage_deposit(call: Call) -> dict[str, str]:
    """Register an account with a deposit; what is too much goes back to who paid it."""
    account = _account(call, "account_id", call.predecessor)
    kept = 0
    if call.view.data(call.contract, f"balance/{account}") is not None:
        call.log("The account is already registered, refunding the deposit")
    elif call.deposit < REGISTRATION_YOCTO:
        raise Panic("The attached deposit is less than the minimum storage balance")
    else:
        _set(call, account, 0)
        kept = REGISTRATION_YOCTO
    if call.deposit > kept:
        call.promise(call.predecessor, Transfer(call.deposit - kept))
    return {"total": str(REGISTRATION_YOCTO), "available": "0"}


def storage_unregister(call: Call) -> bool:
    """Give up a registration, and with `force` what is still held."""
    _one_yocto(call)
    held = call.view.data(call.contract, f"balance/{call.predecessor}")
    if held is None:
        call.log(f"The account {call.predecessor} is not registered")
        return False
    if held and not call.args.get("force"):
        raise Panic("Can't unregister the account with the positive balance without force")
    call.view.put_data(call.contract, f"balance/{call.predecessor}", None)
    call.view.put_data(call.contract, "supply", call.view.data(call.contract, "supply") - held)
    call.promise(call.predecessor, Transfer(REGISTRATION_YOCTO + 1))
    return True


def storage_balance_bounds(_call: Call) -> dict[str, str]:
    """Say what a registration costs: exactly this."""
    return {"min": str(REGISTRATION_YOCTO), "max": str(REGISTRATION_YOCTO)}


def storage_balance_of(call: Call) -> dict[str, str] | None:
    """Say what an account's registration holds, null where it has none."""
    if call.view.data(call.contract, f"balance/{_account(call, 'account_id')}") is None:
        return None
    return {"total": str(REGISTRATION_YOCTO), "available": "0"}


def ft_balance_of(call: Call) -> str:
    """Say what an account holds."""
    return str(call.view.data(call.contract, f"balance/{_account(call, 'account_id')}") or 0)


def ft_total_supply(call: Call) -> str:
    """Say how much there is."""
    return str(call.view.data(call.contract, "supply"))


def ft_metadata(call: Call) -> dict[str, Any]:
    """Describe the token (NEP-148)."""
    about: dict[str, Any] = json.loads(call.view.data(call.contract, "metadata"))
    return about


TOKEN: Final = Contract(
    {"ft_transfer": ft_transfer, "ft_transfer_call": ft_transfer_call, "ft_resolve_transfer": ft_resolve_transfer,
     "storage_deposit": storage_deposit, "storage_unregister": storage_unregister},
    {"ft_balance_of": ft_balance_of, "ft_total_supply": ft_total_supply, "ft_metadata": ft_metadata,
     "storage_balance_of": storage_balance_of, "storage_balance_bounds": storage_balance_bounds})


def metadata(symbol: str, decimals: int) -> str:
    """Write a token's metadata as its contract keeps it."""
    about = {"spec": "ft-1.0.0", "name": symbol, "symbol": symbol, "icon": None, "reference": None,
             "reference_hash": None, "decimals": decimals}
    return json.dumps(about, separators=(",", ":"))
