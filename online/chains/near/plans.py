"""A plan read once: what its kind allows, and what its parameters name.

| kind | payments | parameters |
|---|---|---|
| `payment` | one, of NEAR | |
| `nep141-transfer` | one or more of one token | |
| `nep141-call` | one of a token | `msg`: the message |
| `nep141-register` | none | `contract`; `account 1`, `account 2`, ...: whom it registers |
| `near-lanes` | none | `key 1`, `key 2`, ...: keys to add, each by the implicit account that it controls |
| `near-rotate` | none | `new` and `old`: the key to add and the one to delete, likewise |
| `nep366-transfer` | one or more of one token | `blocks` |
| `nep366-rotate` | none | `new` and `old`, `blocks` |

The last two are carried out by a relayer; `blocks` is for how many heights they are good (about three days if not
said). All take `pending_units` and `pending:CODE`, what other active jobs of the account will still spend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from online.chains.api import Plan
from shared.chains.near.networks import network
from shared.effects import Payment
from shared.errors import BadPlan
from shared.money import Asset

PENDING = "pending_units"
_OF_ASSET = "pending:"
_NUMBERED = re.compile(r"(account|key) ([1-9][0-9]{0,2})", re.ASCII)
_IMPLICIT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KINDS = (
    "payment", "nep141-transfer", "nep141-call", "nep141-register", "near-lanes", "near-rotate", "nep366-transfer",
    "nep366-rotate",
)  # fmt: skip
_OF_TOKENS = ("nep141-transfer", "nep141-call", "nep366-transfer")
_RELAYED = ("nep366-transfer", "nep366-rotate")
_THREE_DAYS = 432_000  # heights of 0.6 s
_BLOCKS_MOST = 2_000_000
_LISTS = {"nep141-register": "account", "near-lanes": "key"}
_TEXTS = {
    "nep141-call": ("msg",),
    "nep141-register": ("contract",),
    "near-rotate": ("new", "old"),
    "nep366-rotate": ("new", "old"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan asks for. `contract` is the token's account, or empty; keys have 32 bytes.

    `blocks` is for how many heights a delegate action is good, none for a transaction, which the network limits.
    """

    plan: Plan
    asset: Asset | None
    contract: str
    message: str
    accounts: tuple[str, ...]
    added: tuple[bytes, ...]
    deleted: tuple[bytes, ...]
    blocks: int = 0

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The plan's payments."""
        return self.plan.payments

    def pending(self, asset: Asset | None = None) -> int:
        """Give what other jobs will still spend of an asset, of NEAR if none is named."""
        return number(self.plan.params, PENDING if asset is None else f"{_OF_ASSET}{asset.code}")


def read_plan(plan: Plan) -> Wish:
    """Read a plan. Raises BadPlan for one that its kind does not allow."""
    if plan.kind not in _KINDS:
        raise BadPlan(f"no NEAR transaction of kind {plan.kind[:40]!r} is built here")
    _check_params(plan)
    _check_payments(plan)
    asset = plan.payments[0].amount.asset if plan.kind in _OF_TOKENS else None
    texts = {name: text(plan, name) for name in _TEXTS.get(plan.kind, ())}
    listed = _numbered(plan, _LISTS[plan.kind]) if plan.kind in _LISTS else ()
    added = listed if plan.kind == "near-lanes" else (texts["new"],) if "new" in texts else ()
    return Wish(
        plan=plan,
        asset=asset,
        contract=asset.code if asset is not None else texts.get("contract", ""),
        message=texts.get("msg", ""),
        accounts=listed if plan.kind == "nep141-register" else (),
        added=tuple(map(_key, added)),
        deleted=(_key(texts["old"]),) if "old" in texts else (),
        blocks=_blocks(plan) if plan.kind in _RELAYED else 0,
    )


def number(params: Mapping[str, int | str], name: str) -> int:
    """Give a parameter that is a whole number, 0 where it is missing. Raises BadPlan."""
    value = params.get(name, 0)
    if type(value) is not int or value < 0:
        raise BadPlan(f"{name} is a whole number")
    return value


def text(plan: Plan, name: str) -> str:
    """Give a parameter that its kind needs as a text. Raises BadPlan."""
    value = plan.params.get(name)
    if not isinstance(value, str):
        raise BadPlan(f"a {plan.kind} needs the text {name}")
    return value


def _blocks(plan: Plan) -> int:
    found = number(plan.params, "blocks") if "blocks" in plan.params else _THREE_DAYS
    if not 1 <= found <= _BLOCKS_MOST:
        raise BadPlan(f"blocks of a {plan.kind} are 1 to {_BLOCKS_MOST}")
    return found


def _check_params(plan: Plan) -> None:
    for name in plan.params:
        match = _NUMBERED.fullmatch(name)
        listed = match is not None and match[1] == _LISTS.get(plan.kind)
        own = name in _TEXTS.get(plan.kind, ()) or (name == "blocks" and plan.kind in _RELAYED)
        if not (listed or own or name == PENDING or name.startswith(_OF_ASSET)):
            raise BadPlan(f"a {plan.kind} has no parameter {name[:40]!r}")


def _check_payments(plan: Plan) -> None:
    native, count = network(plan.network).native, len(plan.payments)
    single = plan.kind in ("payment", "nep141-call")
    if not (count == 1 if single else count > 0 if plan.kind in _OF_TOKENS else count == 0):
        raise BadPlan(f"a {plan.kind} does not make {count} payments")
    assets = {payment.amount.asset for payment in plan.payments}
    if len(assets) > 1 or any((asset == native) != (plan.kind == "payment") for asset in assets):
        raise BadPlan(f"a {plan.kind} does not move {', '.join(sorted(asset.code[:64] for asset in assets))}")
    if any(payment.source != plan.source for payment in plan.payments):
        raise BadPlan("the payment's source is not the plan's")


def _numbered(plan: Plan, name: str) -> tuple[str, ...]:
    found = {}
    for key, value in plan.params.items():
        match = _NUMBERED.fullmatch(key)
        if match is not None and match[1] == name:
            if not isinstance(value, str):
                raise BadPlan(f"{key} is a text")
            found[int(match[2])] = value
    if not found or sorted(found) != list(range(1, len(found) + 1)):
        raise BadPlan(f"a {plan.kind} has the parameters {name} 1, {name} 2, ... and leaves none out")
    return tuple(found[at] for at in sorted(found))


def _key(account: str) -> bytes:
    if not _IMPLICIT.fullmatch(account):
        raise BadPlan(f"a key is named by its implicit account, 64 small hexadecimal digits: {account[:80]!r}")
    return bytes.fromhex(account)
