"""What orders must know of NEAR: one payment a transaction, tokens by their contracts, several keys an account.

Parameters that orders give to plans beside the common ones: "near-lanes" has `key 1`, `key 2` and so on, each the
implicit account of a key that shall sign as well; "near-rotate" has `new` and `old`, likewise.
"""

from __future__ import annotations

from typing import Final

from online.chains.api import Customs, Plan
from online.chains.near.plans import read_plan
from shared.chains.near.accounts import parse_account
from shared.effects import Claim
from shared.errors import BadAddress, MemoNotCarried


def turn(claim: Claim) -> int:
    """Give a nonce: a later one that lands first kills the earlier ones of its key."""
    return int(claim.name.removeprefix("nonce "))


def memo_bytes(drawn: bytes) -> bytes:
    """Write the bytes in hex: a token's memo is a text."""
    return drawn.hex().encode()


def _can_have(code: str, decimals: int) -> bool:
    """Say whether a token can be known by a code: its contract's account id. Decimals are the contract's to say."""
    try:
        return parse_account(code) == code and decimals >= 0
    except BadAddress:
        return False


def _require(plan: Plan) -> None:
    """Refuse what no block makes good: a memo or tag beside NEAR itself, which carries neither."""
    read_plan(plan)
    for payment in plan.payments if plan.kind == "payment" else ():
        if payment.destination.memo is not None or payment.destination.tag is not None:
            raise MemoNotCarried("a payment of NEAR carries neither a memo nor a tag")


CUSTOMS: Final = Customs(
    payees=1,
    payers=1,
    send="nep141-transfer",
    batch="nep141-transfer",
    batch_most=25,
    batch_of_one_asset=True,
    lanes="near-lanes",
    rotation="near-rotate",
    lanes_most=16,
    memo_bytes=memo_bytes,
    turn=turn,
    can_have=_can_have,
    require=_require,
    settings="""\
# the url is a node's JSON-RPC; a provider's key in it is never shown
# archive_url = "https://..."  # a node with the whole history: only it proves that a transaction can never happen
# relayer_file = "relayer.json" # credentials, as near-cli keeps them, of an account that carries out delegate actions
# crossing_seconds = 14400     # nothing is built that would not live so long
# registration_most = "0.1"    # what registering one account with a token may cost, whatever its contract asks
# protocol_most = 87           # the newest protocol version whose rules somebody has looked at
# prime_least = "0.06"         # what `lockgate prime` gives addresses that pay for sweeps of tokens
# plan_sweep = { NEAR = "1", "usdt.tether-token.near" = "5" }   # what at a customer's account is worth a sweep
# plan_prime_given = false     # true: every customer's account shall hold prime_least, and not only once tokens came
""",
    least={"prime_least": "0.06"},
    fee_room="0.05",
    sweep_least={"NEAR": "1"},
)
