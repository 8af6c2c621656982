"""Play money for accounts of a NEAR devnet, by the methods that its owner alone has: no real node knows them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from online.chains.near.client import Rpc, RpcFault
from shared.chains.near import NEAR
from shared.chains.near.accounts import CREATED_BY_PAYMENT, account_kind
from shared.errors import NodeRefused, NodeUnreachable
from shared.money import Asset, parse_amount

_NETWORK: Final = "near:localnet"
_TOKEN_DECIMALS: Final = 6
_HERE: Final = ("127.0.0.1", "localhost")


def fund_near(url: str, account: str, amount: str, asset: str | None = None) -> str:
    """Give whole NEAR, or whole units of a token named by its contract; give a transaction's id or what was made.

    A named account that is missing is made; so is the contract of a token, which then has 6 decimals.

    Raises:
        BadAddress, BadAmount: for what is none. NodeUnreachable: if no devnet answers there. NodeRefused: if it gives
        nothing.
    """
    if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in _HERE:
        raise NodeUnreachable("a devnet is on this machine alone", hint="Give its http://127.0.0.1:PORT.")
    to, native = NEAR.parse_address(account, _NETWORK).address, NEAR.network(_NETWORK).native
    node = Rpc(url, 30)
    try:
        if asset is not None and asset != native.code:
            contract = NEAR.parse_address(asset, _NETWORK).address
            units = parse_amount(amount, Asset(_NETWORK, contract, _TOKEN_DECIMALS)).units
            _give(node, "devnet_give", account_id=to, contract_id=contract, amount=str(units))
            return f"{amount} {contract}"
        units = parse_amount(amount, native).units
        seen = node.ask("query", {"request_type": "view_account", "account_id": to, "finality": "final"})
        if isinstance(seen, RpcFault) and account_kind(to) not in CREATED_BY_PAYMENT:
            _give(node, "devnet_create", account_id=to, amount=str(units))
            return f"a new account with {amount} NEAR"
        return str(_give(node, "devnet_fund", account_id=to, amount=str(units))["transaction_hash"])
    finally:
        node.close()


def _give(node: Rpc, method: str, **params: str) -> dict[str, str]:
    answer = node.ask(method, params)
    if isinstance(answer, RpcFault):
        raise NodeRefused(f"the devnet does not give: {answer.words}")
    found: dict[str, str] = answer
    return found
