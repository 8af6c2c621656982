"""The devnet's Bitcoin node answers as bitcoind does: shapes, error numbers, messages, batches, and troubles at will.

Everything goes through HTTP with a user and a password, as a gateway would ask.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from online.devnet.bitcoin import BitcoinWorld, Outpoint, RunningServer, serve_bitcoin
from online.devnet.bitcoin.wire import Tx, TxIn, TxOut
from tests.test_devnet_bitcoin_wallet import Wallet, pay

WALLET = Wallet(21)


class Node:
    """A client as plain as can be."""

    def __init__(self, world: BitcoinWorld, server: RunningServer) -> None:
        self.world, self._server = world, server

    def post(self, body: Any, *, password: str | None = None) -> tuple[int, Any]:
        secret = f"{self._server.user}:{self._server.password if password is None else password}"
        headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
        request = urllib.request.Request(self._server.url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return reply.status, json.loads(reply.read(), parse_float=Decimal)
        except urllib.error.HTTPError as error:
            with error:
                content = error.read()
            return error.code, json.loads(content) if content else None

    def ask(self, method: str, *params: Any) -> Any:
        status, reply = self.post({"id": 1, "method": method, "params": list(params)})
        assert (status, reply["error"]) == (200, None)
        return reply["result"]

    def fail(self, method: str, *params: Any) -> tuple[int, str]:
        status, reply = self.post({"id": 1, "method": method, "params": list(params)})
        assert status >= 400
        return reply["error"]["code"], reply["error"]["message"]


@pytest.fixture
def node() -> Iterator[Node]:
    world = BitcoinWorld()
    with serve_bitcoin(world) as server:
        yield Node(world, server)


def funded(node: Node, sats: int = 100_000) -> Outpoint:
    return node.world.fund(WALLET.script, sats)


def test_the_chain_is_described_as_regtest_and_lies_on_demand(node: Node) -> None:
    info = node.ask("getblockchaininfo")
    assert (info["chain"], info["blocks"], info["headers"]) == ("regtest", 110, 110)
    assert info["initialblockdownload"] is False
    assert node.ask("getnetworkinfo")["version"] == 300000
    node.world.lie_about("main")
    assert node.ask("getblockchaininfo")["chain"] == "main"


def test_a_block_is_shown_at_every_verbosity(node: Node) -> None:
    tx = node.world.submit(pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)]).raw)
    block_hash = node.ask("generatetoaddress", 1, WALLET.address)[0]
    assert block_hash == node.ask("getbestblockhash") == node.ask("getblockhash", node.ask("getblockcount"))
    raw, ids, whole = (node.ask("getblock", block_hash, detail) for detail in (0, 1, 2))
    assert bytes.fromhex(raw) == node.world.chain.tip.raw
    assert ids["tx"][1] == tx.txid == whole["tx"][1]["txid"]
    assert whole["tx"][1]["fee"] == Decimal("0.00001000")
    assert node.ask("getblockheader", block_hash)["previousblockhash"] == ids["previousblockhash"]
    assert node.ask("getblockheader", block_hash, False) == raw[:160]


def test_a_transaction_is_sent_found_and_confirmed(node: Node) -> None:
    tx = pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)])
    assert node.ask("testmempoolaccept", [tx.raw.hex()])[0]["allowed"] is True
    assert node.ask("getrawmempool") == []
    assert node.ask("sendrawtransaction", tx.raw.hex()) == tx.txid
    assert node.ask("sendrawtransaction", tx.raw.hex()) == tx.txid, "said again it is the same"
    entry = node.ask("getmempoolentry", tx.txid)
    assert (entry["fees"]["base"], entry["ancestorcount"]) == (Decimal("0.00001000"), 1)
    assert "confirmations" not in node.ask("getrawtransaction", tx.txid, 1)
    assert node.ask("gettxout", tx.txid, 0)["confirmations"] == 0
    node.world.mine(2)
    shown = node.ask("getrawtransaction", tx.txid, 2)
    assert (shown["confirmations"], shown["vin"][0]["prevout"]["value"]) == (2, Decimal("0.00100000"))
    assert node.fail("sendrawtransaction", tx.raw.hex()) == (-27, "Transaction outputs already in utxo set")
    assert node.fail("getmempoolentry", tx.txid) == (-5, "Transaction not in mempool")


def test_refusals_have_the_numbers_and_words_of_bitcoind(node: Node) -> None:
    coin = funded(node)
    good = pay(node.world, WALLET, [coin], [(WALLET.script, 99_000)])
    free = pay(node.world, WALLET, [coin], [(WALLET.script, 100_000)])
    dear = pay(node.world, WALLET, [coin], [(WALLET.script, 10_000)])
    lost = Tx(2, (TxIn(Outpoint("11" * 32, 0), b"", 0),), (TxOut(1000, WALLET.script),))
    assert node.fail("sendrawtransaction", lost.raw.hex()) == (-25, "bad-txns-inputs-missingorspent")
    assert node.fail("sendrawtransaction", free.raw.hex()) == (-26, "min relay fee not met, 0 < 11")
    assert node.fail("sendrawtransaction", "00")[0] == -22
    assert node.fail("sendrawtransaction", dear.raw.hex(), "0.0001") == (
        -25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")
    assert node.ask("testmempoolaccept", [lost.raw.hex()])[0]["reject-reason"] == "missing-inputs"
    node.ask("sendrawtransaction", good.raw.hex())
    node.world.mine()
    assert node.fail("sendrawtransaction", dear.raw.hex(), 0) == (-25, "bad-txns-inputs-missingorspent")
    assert node.fail("getrawtransaction", dear.txid)[0] == -5
    assert node.fail("getblockhash", 10_000) == (-8, "Block height out of range")
    assert node.fail("getblock", "22" * 32) == (-5, "Block not found")
    assert node.fail("nosuchmethod") == (-32601, "Method not found")


def test_a_parent_too_cheap_alone_enters_with_its_child(node: Node) -> None:
    coin = funded(node)
    parent = pay(node.world, WALLET, [coin], [(WALLET.script, 100_000)])
    child = WALLET.sign(Tx(2, (TxIn(Outpoint(parent.txid, 0), b"", 0xFFFFFFFD),), (TxOut(90_000, WALLET.script),)),
                        [TxOut(100_000, WALLET.script)])
    assert node.fail("sendrawtransaction", parent.raw.hex())[0] == -26
    result = node.ask("submitpackage", [parent.raw.hex(), child.raw.hex()])
    assert result["package_msg"] == "success"
    assert result["tx-results"][child.wtxid]["txid"] == child.txid
    node.world.mine()
    assert node.ask("gettxout", child.txid, 0) is not None
    assert node.ask("gettxout", parent.txid, 0) is None


def test_a_parent_and_child_are_judged_together_without_being_taken(node: Node) -> None:
    parent = pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)])
    child = WALLET.sign(Tx(2, (TxIn(Outpoint(parent.txid, 0), b"", 0xFFFFFFFD),), (TxOut(98_000, WALLET.script),)),
                        [TxOut(99_000, WALLET.script)])
    verdicts = node.ask("testmempoolaccept", [parent.raw.hex(), child.raw.hex()])
    assert [each["allowed"] for each in verdicts] == [True, True]
    assert node.world.mempool.entries == {}


def test_unspent_outputs_are_found_by_address(node: Node) -> None:
    coin = funded(node)
    found = node.ask("scantxoutset", "start", [f"addr({WALLET.address})", {"desc": f"raw({WALLET.script.hex()})"}])
    assert found["total_amount"] == Decimal("0.00100000")
    assert [(row["txid"], row["vout"], row["amount"]) for row in found["unspents"]] == [
        (coin.txid, coin.vout, Decimal("0.00100000"))]


def test_generateblock_mines_what_it_is_given_and_says_why_not(node: Node) -> None:
    good = pay(node.world, WALLET, [funded(node)], [(WALLET.script, 100_000)])
    bad = Tx(2, good.inputs, (TxOut(99_999, WALLET.script),))
    code, message = node.fail("generateblock", WALLET.address, [bad.raw.hex()])
    assert (code, message.startswith("TestBlockValidity failed")) == (-25, True)
    block_hash = node.ask("generateblock", WALLET.address, [good.raw.hex()])["hash"]
    assert node.ask("getblock", block_hash)["tx"][1] == good.txid


def test_an_invalidated_block_is_left_and_taken_back(node: Node) -> None:
    tip = node.ask("getbestblockhash")
    node.ask("invalidateblock", tip)
    assert node.ask("getblockheader", tip)["confirmations"] == -1
    assert node.ask("getblockcount") == 109
    node.ask("reconsiderblock", tip)
    assert node.ask("getbestblockhash") == tip


def test_a_batch_is_answered_in_order_and_named_arguments_count(node: Node) -> None:
    status, replies = node.post([
        {"jsonrpc": "2.0", "id": "a", "method": "getblockhash", "params": {"height": 0}},
        {"jsonrpc": "2.0", "id": "b", "method": "getblockhash", "params": [99_999]},
        {"id": "c", "method": "estimatesmartfee", "params": [6]},
    ])
    assert (status, [each["id"] for each in replies]) == (200, ["a", "b", "c"])
    assert replies[1] == {"jsonrpc": "2.0", "id": "b", "error": {"code": -8, "message": "Block height out of range"}}
    assert replies[2]["result"] == {"errors": ["Insufficient data or no feerate found"], "blocks": 6}


def test_an_estimate_is_what_the_world_was_told(node: Node) -> None:
    node.world.estimated_sats_per_kvb = 12_345
    assert node.ask("estimatesmartfee", 2) == {"feerate": Decimal("0.00012345"), "blocks": 2}
    assert node.ask("getmempoolinfo")["minrelaytxfee"] == Decimal("0.00000100")


def test_nobody_without_the_password_is_answered(node: Node) -> None:
    assert node.post({"id": 1, "method": "uptime", "params": []}, password="wrong") == (401, None)


@pytest.mark.parametrize(("loss", "taken"), [("request-lost", False), ("reply-lost", True)])
def test_a_lost_submit_hangs_up_and_was_taken_or_not(node: Node, loss: Any, taken: bool) -> None:
    tx = pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)])
    node.world.drop_next_submit(loss)
    with pytest.raises(OSError, match=r".*"):
        node.ask("sendrawtransaction", tx.raw.hex())
    assert (tx.txid in node.world.mempool.entries) is taken


def test_a_swallowed_submit_is_answered_and_forgotten(node: Node) -> None:
    tx = pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)])
    node.world.drop_next_submit("swallowed")
    assert node.ask("sendrawtransaction", tx.raw.hex()) == tx.txid
    assert node.world.mempool.entries == {}


def test_a_node_can_forget_be_down_and_have_a_truthful_second(node: Node) -> None:
    tx = node.world.submit(pay(node.world, WALLET, [funded(node)], [(WALLET.script, 99_000)]).raw)
    second = node.world.second_node()
    block_hash = node.world.mine()[0]
    node.world.forget(tx.txid, block_hash)
    assert node.fail("getrawtransaction", tx.txid)[0] == -5
    assert node.fail("getblock", block_hash) == (-1, "Block not available (pruned data)")
    node.world.go_down()
    with pytest.raises(OSError, match=r".*"):
        node.ask("uptime")
    with serve_bitcoin(second) as server:
        assert Node(second, server).ask("getrawtransaction", tx.txid) == tx.raw.hex()
