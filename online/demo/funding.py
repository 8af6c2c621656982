"""Money for a devnet's accounts, from its genesis account. Its seed is published, so this works on no real network."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from shared.chains import chain
from shared.errors import NodeRefused, NodeUnreachable
from shared.money import parse_amount

_NETWORK = "xrpl:local"


def fund_address(url: str, address: str, amount: str) -> str:
    """Pay whole XRP from the genesis account and close the ledger; give the transaction's id.

    Raises:
        BadAddress, BadAmount: for what is none.
        NodeUnreachable: if nothing answers at the url.
        NodeRefused: if the payment is not applied.
    """
    from xrpl.core.binarycodec import encode, encode_for_signing
    from xrpl.core.keypairs import derive_keypair, sign

    from online.devnet.xrpl.grants import GENESIS, GENESIS_SEED

    xrpl = chain(_NETWORK)
    to = xrpl.parse_address(address, _NETWORK)
    units = parse_amount(amount, xrpl.network(_NETWORK).native).units
    public, private = derive_keypair(GENESIS_SEED)
    account = _ask(url, "account_info", {"account": GENESIS, "ledger_index": "current"})["account_data"]
    fields: dict[str, Any] = {
        "TransactionType": "Payment", "Account": GENESIS, "Destination": to.address, "Amount": str(units),
        "Fee": "10", "NetworkID": _ask(url, "server_info", {})["info"]["network_id"],
        "Sequence": account["Sequence"], "SigningPubKey": public,
    }  # fmt: skip
    fields["TxnSignature"] = sign(bytes.fromhex(encode_for_signing(fields)), private)
    result = _ask(url, "submit", {"tx_blob": encode(fields)})
    if result.get("engine_result") != "tesSUCCESS":
        raise NodeRefused(f"the payment was not applied: {result.get('engine_result_message')}")
    _ask(url, "ledger_accept", {})
    return str(result["tx_json"]["hash"])


def _ask(url: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    if not url.startswith(("http://127.0.0.1:", "http://localhost:")):
        raise NodeUnreachable("a devnet is on this machine alone", hint="Give its http://127.0.0.1:PORT.")
    body = json.dumps({"method": method, "params": [params]}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:  # noqa: S310
            result: dict[str, Any] = json.load(answer)["result"]
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NodeUnreachable(f"no devnet answers at {url}: {error}") from None
    if result.get("status") != "success":
        raise NodeRefused(f"{method}: {result.get('error_message', result.get('error'))}")
    return result
