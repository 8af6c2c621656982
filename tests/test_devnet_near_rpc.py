"""The devnet's NEAR node answers as nearcore does: shapes, HTTP statuses, causes of errors, waiting, troubles at will.

Everything goes through HTTP as a gateway would ask. Real answers of the shared vectors are played again, and the
world's own must have their shape, their receipts in their order, and their statuses.
"""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from online.devnet.bitcoin.http import RunningServer
from online.devnet.near import Blocks, NearWorld, serve_near
from online.devnet.near.receipts import shard_of
from tests.near_wire import NEAR, TGAS, Wallet, add_key, call, delete_key, ft_transfer, transfer
from tests.shared_vectors import cases, name_of

ALICE, BOB = Wallet("alice", "alice.near"), Wallet("bob")
TOKEN = "usdt.near"


class Node:
    """A client as plain as can be."""

    def __init__(self, world: NearWorld, server: RunningServer) -> None:
        self.world, self._url = world, server.url

    def post(self, body: bytes) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url, body), timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def reply(self, method: str, params: Any) -> tuple[int, Any]:
        return self.post(json.dumps({"jsonrpc": "2.0", "id": "7", "method": method, "params": params}).encode())

    def ask(self, method: str, **params: Any) -> Any:
        status, reply = self.reply(method, params)
        assert (status, reply.get("error"), reply["id"], reply["jsonrpc"]) == (200, None, "7", "2.0")
        return reply["result"]

    def fail(self, method: str, **params: Any) -> tuple[int, Any]:
        status, reply = self.reply(method, params)
        assert "result" not in reply
        return status, reply["error"]

    def query(self, kind: str, *, finality: str = "optimistic", **params: Any) -> Any:
        return self.ask("query", request_type=kind, finality=finality, **params)

    def send(self, raw: bytes, wait: str = "NONE") -> tuple[int, Any]:
        return self.reply("send_tx", {"signed_tx_base64": base64.b64encode(raw).decode(), "wait_until": wait})

    def status_of(self, tx_id: str, wait: str = "NONE") -> Any:
        return self.ask("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account, wait_until=wait)


@pytest.fixture
def node() -> Iterator[Node]:
    world = NearWorld()
    world.create(ALICE.account, ALICE.key, 100 * NEAR)
    world.create("shop.near", (), NEAR)
    with serve_near(world) as server:
        yield Node(world, server)


def pay(node: Node, yocto: int = NEAR, receiver: str = "shop.near") -> tuple[str, bytes]:
    raw = ALICE.signs(node.world, receiver, transfer(yocto))
    return node.world.check(raw).id, raw


# --- real answers, played again -----------------------------------------------------------------------

SETTLED = [case for case in cases("near.json", "rpc_tx_status") if "receipts" in case["rpc"].get("result", {})]


def shape(document: Any, at: str = "") -> set[tuple[str, str]]:
    """List where a document has what kind of value; members of lists are taken together."""
    if isinstance(document, dict):
        return {(at, "dict")}.union(*(shape(value, f"{at}/{name}") for name, value in document.items()))
    if isinstance(document, list):
        return {(at, "list")}.union(*(shape(value, f"{at}[]") for value in document))
    return {(at, type(document).__name__)}


def skeleton(answer: Any) -> tuple[Any, ...]:
    """Tell an answer's story without its names and numbers: who sends whom what kind of action, and how each ended."""
    roles: dict[str, str] = {"system": "system", answer["transaction"]["signer_id"]: "signer"}

    def role(account: str) -> str:
        return roles.setdefault(account, f"account {len(roles)}")

    receipts = [(role(each["predecessor_id"]), role(each["receiver_id"]),
                 [next(iter(action)) for action in each["receipt"]["Action"]["actions"]])
                for each in answer["receipts"]]
    outcomes = [(role(each["outcome"]["executor_id"]), next(iter(each["outcome"]["status"])))
                for each in answer["receipts_outcome"]]
    return receipts, outcomes, next(iter(answer["status"]))


def run_pay(world: NearWorld) -> bytes:
    world.deploy("vault.near", "vault", 10 * NEAR)
    return ALICE.signs(world, "vault.near", call("pay", {"receiver_id": ALICE.account, "amount": "1000"}))


def run_own_call(world: NearWorld) -> bytes:
    world.deploy(ALICE.account, "nep141")
    world._write(lambda view: view.put_data(ALICE.account, "supply", 8))
    return ALICE.signs(world, ALICE.account, call("ft_total_supply", {}))


def run_deposit(world: NearWorld) -> bytes:
    return ALICE.signs(world, TOKEN, call("storage_deposit", {}, deposit=NEAR // 8))


def run_transfer(world: NearWorld) -> bytes:
    return ALICE.signs(world, TOKEN, ft_transfer("stranger.near", 1))


def run_transfer_call(world: NearWorld) -> bytes:
    world.deploy("dex.near", "returns-half")
    world.register(TOKEN, "dex.near", ALICE.account)
    world._write(lambda view: view.put_data(TOKEN, f"balance/{ALICE.account}", 100))
    args = {"receiver_id": "dex.near", "amount": "10", "msg": "take-my-money"}
    return ALICE.signs(world, TOKEN, call("ft_transfer_call", args, gas=100 * TGAS, deposit=1))


def run_poor_transfer_call(world: NearWorld) -> bytes:
    world.register(TOKEN, "dex.near", ALICE.account)
    args = {"receiver_id": "dex.near", "amount": "1000000000", "msg": "take-my-money"}
    return ALICE.signs(world, TOKEN, call("ft_transfer_call", args, gas=100 * TGAS, deposit=1))


AGAIN: dict[str, Callable[[NearWorld], bytes]] = {
    "near-rpc_tx_status-5631987d": run_pay, "near-rpc_tx_status-4220acef": run_pay,
    "near-rpc_tx_status-cfff77d4": run_own_call, "near-rpc_tx_status-958f09b6": run_deposit,
    "near-rpc_tx_status-ea3938e9": run_transfer, "near-rpc_tx_status-a3599db0": run_transfer_call,
    "near-rpc_tx_status-15b2abee": run_poor_transfer_call,
}


def play(node: Node, case: dict[str, Any]) -> Any:
    node.world.deploy_token(TOKEN, 6, "owner.near", 10**9)
    tx = node.world.submit(AGAIN[case["id"]](node.world))
    node.world.advance(9)
    return node.status_of(tx.id, "FINAL")


@pytest.mark.parametrize("case", SETTLED, ids=name_of)
def test_a_real_answer_played_again_has_the_same_receipts_outcomes_and_status(node: Node, case: dict[str, Any]) -> None:
    assert skeleton(play(node, case)) == skeleton(case["rpc"]["result"])


@pytest.mark.parametrize("case", SETTLED, ids=name_of)
def test_an_answer_has_all_that_a_real_one_has_and_in_the_same_form(node: Node, case: dict[str, Any]) -> None:
    real, ours = shape(case["rpc"]["result"]), shape(play(node, case))
    places = {place for place, _ in ours}
    # Proofs are stand-ins, lists may be empty in one and not in the other, and the old answers say nothing of finality.
    left_out = {(place, kind) for place, kind in real - ours
                if "/proof" not in place and not (place.endswith("[]") and place not in places)}
    assert left_out == set()


def test_sending_without_waiting_answers_as_the_vector_says(node: Node) -> None:
    [said] = [case["rpc"].get("result", case["rpc"]) for case in cases("near.json", "rpc_tx_status")
              if "receipts" not in case["rpc"].get("result", {})] or [{"final_execution_status": "NONE"}]
    assert node.send(pay(node)[1])[1]["result"] == said


@pytest.mark.parametrize("case", [case for case in cases("near.json", "rpc_error") if "InvalidNonce" in case["name"]
                                  or "ShardCongested" in case["name"]], ids=name_of)
def test_a_refused_transaction_is_answered_in_a_real_nodes_form(node: Node, case: dict[str, Any]) -> None:
    if "ShardCongested" in case["name"]:
        node.world.faults.next_submit = "congested"
    raw = ALICE.signs(node.world, "shop.near", transfer(1), nonce=6 if "InvalidNonce" in case["name"] else None)
    status, reply = node.send(raw, "INCLUDED")
    assert status == case["http_status"]
    assert shape(reply["error"]) == shape(case["rpc"]["error"])


@pytest.mark.parametrize(("name", "method", "params"), [
    ("UNKNOWN_BLOCK", "block", {"block_id": 1}),
    ("UNKNOWN_CHUNK", "chunk", {"chunk_id": "3tMcx4v6hUzN7XeQgEr4kQb8R5rGvmM4Py7o4nP1T8bY"}),
    ("TIMEOUT_ERROR", "send_tx", None),
])
def test_statuses_beside_200_come_with_the_bodies_of_real_ones(node: Node, name: str, method: str, params: Any) -> None:
    if params is None:
        params = {"signed_tx_base64": base64.b64encode(pay(node)[1]).decode(), "wait_until": "INCLUDED"}
    status, error = node.fail(method, **params)
    for case in cases("near.json", "rpc_error"):
        if case["name"].startswith(name):
            assert status == case["http_status"]
            told = case["rpc"]["error"]
            assert (error["name"], error["cause"]["name"], error["code"]) == (
                told["name"], told["cause"]["name"], told["code"])
    assert error["cause"]["name"] == name
    assert status in (408, 422)


# --- sending and waiting ------------------------------------------------------------------------------


def test_a_transaction_goes_through_the_stages_in_order(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    assert node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)[1]["cause"]["name"] == (
        "UNKNOWN_TRANSACTION")
    stages = []
    for _ in range(6):
        node.world.advance()
        stages.append(node.status_of(tx_id)["final_execution_status"])
    assert stages == ["INCLUDED", "EXECUTED_OPTIMISTIC", "EXECUTED", "EXECUTED", "FINAL", "FINAL"]
    assert node.status_of(tx_id, "FINAL")["status"] == {"SuccessValue": ""}


def test_a_transaction_can_be_final_before_its_receipts_have_run(node: Node) -> None:
    node.world.deploy_token(TOKEN, 6, ALICE.account, 1_000)
    node.world.deploy("dex.near", "asks-first")
    node.world.register(TOKEN, "dex.near")
    args = {"receiver_id": "dex.near", "amount": "10", "msg": ""}
    tx = node.world.submit(ALICE.signs(node.world, TOKEN, call("ft_transfer_call", args, gas=100 * TGAS, deposit=1)))
    stages = []
    for _ in range(8):
        node.world.advance()
        stages.append(node.status_of(tx.id)["final_execution_status"])
    assert stages == ["INCLUDED", "INCLUDED", "INCLUDED_FINAL", "INCLUDED_FINAL", "EXECUTED", "EXECUTED", "EXECUTED",
                      "FINAL"]


def test_before_its_receipt_ran_a_transaction_is_started(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance()
    answer = node.status_of(tx_id)
    assert (answer["status"], answer["receipts_outcome"]) == ("Started", [])
    assert len(answer["receipts"]) == 1


def test_a_wait_that_is_not_over_is_a_timeout_that_tells_how_far_it_is(node: Node) -> None:
    tx_id, raw = pay(node)
    status, reply = node.send(raw, "FINAL")
    assert (status, reply["error"]["cause"]) == (408, {"name": "TIMEOUT_ERROR", "info": {"cause": "NOT_OBSERVED"}})
    node.world.advance(2)
    status, error = node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account, wait_until="FINAL")
    assert status == 408
    assert error["cause"]["info"]["cause"] == "PENDING"
    assert error["cause"]["info"]["status"]["final_execution_status"] == "EXECUTED_OPTIMISTIC"


def test_a_wait_ends_well_where_blocks_come_by_themselves(node: Node) -> None:
    tx_id, raw = pay(node)
    with Blocks(node.world, 0.02):
        status, reply = node.send(raw, "FINAL")
    assert (status, reply["result"]["final_execution_status"]) == (200, "FINAL")
    assert reply["result"]["transaction"]["hash"] == tx_id


def test_without_waiting_nothing_is_said_of_what_is_wrong(node: Node) -> None:
    raw = ALICE.signs(node.world, "shop.near", transfer(1), nonce=1)
    assert node.send(raw, "NONE")[1]["result"] == {"final_execution_status": "NONE"}
    error = node.send(raw, "INCLUDED")[1]["error"]
    assert "InvalidNonce" in error["data"]["TxExecutionError"]["InvalidTxError"]


def test_the_same_bytes_again_are_told_the_nonce_is_spent(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(3)
    assert "InvalidNonce" in str(node.send(raw, "INCLUDED")[1]["error"]["data"])
    assert node.status_of(tx_id)["status"] == {"SuccessValue": ""}


@pytest.mark.parametrize("raw", [b"", b"\0" * 10, b"\7" * 300])
def test_bytes_that_are_no_transaction_do_not_parse(node: Node, raw: bytes) -> None:
    status, reply = node.send(raw, "INCLUDED")
    assert (status, reply["error"]["name"], reply["error"]["cause"]["name"]) == (
        400, "REQUEST_VALIDATION_ERROR", "PARSE_ERROR")


def test_a_wrong_signature_is_named(node: Node) -> None:
    raw = bytearray(pay(node)[1])
    raw[-40] ^= 1
    error = node.send(bytes(raw), "INCLUDED")[1]["error"]
    assert error["data"] == {"TxExecutionError": {"InvalidTxError": "InvalidSignature"}}


def test_a_short_answer_leaves_the_receipts_out(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(6)
    answer = node.ask("tx", tx_hash=tx_id, sender_account_id=ALICE.account)
    assert "receipts" not in answer
    assert len(answer["receipts_outcome"]) == 2
    old = node.ask("EXPERIMENTAL_tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)
    assert old == node.status_of(tx_id)
    assert node.reply("tx", [tx_id, ALICE.account])[1]["result"] == answer


def test_a_receipt_leads_back_to_its_transaction(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(6)
    for receipt_id, _ in node.world.seen.tree(tx_id):
        assert node.ask("EXPERIMENTAL_receipt_to_tx", receipt_id=receipt_id) == {
            "transaction_hash": tx_id, "sender_account_id": ALICE.account}
    assert node.fail("EXPERIMENTAL_receipt_to_tx", receipt_id="1" * 32)[1]["cause"]["name"] == "UNKNOWN_RECEIPT"


# --- blocks -------------------------------------------------------------------------------------------


def test_blocks_are_told_by_finality_height_and_hash(node: Node) -> None:
    node.world.advance(4)
    height = node.world.height
    optimistic, near, final = (node.ask("block", finality=each) for each in ("optimistic", "near-final", "final"))
    assert [each["header"]["height"] for each in (optimistic, near, final)] == [height, height - 1, height - 2]
    assert node.ask("block", block_id=height - 2) == final
    assert node.ask("block", block_id=final["header"]["hash"]) == final
    assert optimistic["header"]["last_final_block"] == final["header"]["hash"]
    assert optimistic["header"]["prev_hash"] == near["header"]["hash"]
    assert node.reply("block", [height])[1]["result"] == optimistic


def test_a_skipped_height_is_an_unknown_block_and_prev_hash_leads_over_it(node: Node) -> None:
    before = node.world.height
    height = node.world.skip_heights(3)
    status, error = node.fail("block", block_id=height - 1)
    assert (status, error["cause"]["name"]) == (422, "UNKNOWN_BLOCK")
    header = node.ask("block", block_id=height)["header"]
    assert header["prev_height"] == before
    assert node.ask("block", block_id=header["prev_hash"])["header"]["height"] == before


def test_every_transaction_and_receipt_stands_in_the_chunks_once(node: Node) -> None:
    first = node.world.height + 1
    ids = [node.world.submit(ALICE.signs(node.world, to, transfer(NEAR))).id for to in ("shop.near",)]
    node.world.advance()
    ids.append(node.world.submit(ALICE.signs(node.world, "gone.near", transfer(NEAR))).id)
    node.world.miss_chunk(shard_of(ALICE.account, 2))
    node.world.advance(8)
    txs, receipts = list[str](), list[str]()
    for height in range(first, node.world.height + 1):
        for header in node.ask("block", block_id=height)["chunks"]:
            if header["height_included"] != height:
                continue
            part = node.ask("chunk", chunk_id=header["chunk_hash"])
            assert part == node.ask("chunk", block_id=height, shard_id=header["shard_id"])
            txs += [each["hash"] for each in part["transactions"]]
            receipts += [each["receipt_id"] for each in part["receipts"]]
    assert sorted(txs) == sorted(ids)
    assert sorted(receipts) == sorted(each for tx_id in ids for each, _ in node.world.seen.tree(tx_id))
    assert len(receipts) == len(set(receipts)) == 5


def test_a_receipt_runs_in_the_block_whose_chunk_brings_it(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(6)
    for each in node.status_of(tx_id)["receipts_outcome"]:
        block = node.ask("block", block_id=each["block_hash"])
        parts = [node.ask("chunk", chunk_id=header["chunk_hash"]) for header in block["chunks"]]
        assert each["id"] in [receipt["receipt_id"] for part in parts for receipt in part["receipts"]]


def test_what_a_block_changed_is_told_with_its_cause(node: Node) -> None:
    tx_id, raw = pay(node, 5)
    node.send(raw)
    node.world.advance(2)
    height = node.world.height
    effects = node.ask("block_effects", block_id=height)
    assert {"type": "account_touched", "account_id": "shop.near"} in effects["changes"]
    [change] = node.ask("changes", block_id=height, changes_type="account_changes",
                        account_ids=["shop.near"])["changes"]
    assert (change["type"], change["change"]["amount"]) == ("account_update", str(NEAR + 5))
    assert change["cause"] == {"type": "receipt_processing",
                               "receipt_hash": next(each for each, _ in node.world.seen.tree(tx_id))}
    [change] = node.ask("changes", block_id=height - 1, changes_type="all_access_key_changes",
                        account_ids=[ALICE.account])["changes"]
    assert change["cause"] == {"type": "transaction_processing", "tx_hash": tx_id}


def test_a_removed_key_and_account_are_told_as_deletions(node: Node) -> None:
    node.world.submit(ALICE.signs(node.world, ALICE.account, add_key(BOB.key), delete_key(ALICE.key)))
    height = node.world.advance()
    rows = node.ask("changes", block_id=height, changes_type="all_access_key_changes", account_ids=[ALICE.account])
    assert {each["type"] for each in rows["changes"]} == {"access_key_update", "access_key_deletion"}
    height = node.world.height + 1
    node.world.remove(ALICE.account)
    rows = node.ask("changes", block_id=height, changes_type="account_changes", account_ids=[ALICE.account])
    assert [each["type"] for each in rows["changes"]] == ["account_deletion"]


# --- the node and the protocol ------------------------------------------------------------------------


def test_a_node_tells_its_network_version_and_how_far_it_is(node: Node) -> None:
    about = node.ask("status")
    assert (about["chain_id"], about["protocol_version"], about["sync_info"]["syncing"]) == ("localnet", 86, False)
    assert about["sync_info"]["latest_block_height"] == node.world.height
    assert about["sync_info"]["earliest_block_height"] == node.world.chain.first.height


def test_the_protocols_limits_are_read_live(node: Node) -> None:
    config = node.ask("EXPERIMENTAL_protocol_config", finality="final")
    runtime = config["runtime_config"]
    assert config["transaction_validity_period"] == 86_400
    assert (runtime["min_gas_purchase_price"], runtime["account_creation_charge"]) == ("1000000000", "7" + "0" * 21)
    assert runtime["storage_amount_per_byte"] == "1" + "0" * 19
    assert runtime["wasm_config"]["limit_config"]["max_total_prepaid_gas"] == 10**15
    assert runtime["transaction_costs"]["action_creation_config"]["transfer_cost"]["execution"] == 115_123_062_500


def test_the_gas_price_is_the_newest_blocks_unless_one_is_named(node: Node) -> None:
    node.world.pace.gas_price = 3 * 10**8
    node.world.advance()
    assert node.reply("gas_price", [None])[1]["result"] == {"gas_price": "300000000"}
    assert node.reply("gas_price", [node.world.height - 1])[1]["result"] == {"gas_price": "100000000"}


# --- queries ------------------------------------------------------------------------------------------


def test_an_account_is_told_as_it_was_after_a_block(node: Node) -> None:
    node.send(pay(node)[1])
    node.world.advance(2)
    now = node.query("view_account", account_id="shop.near")
    then = node.query("view_account", account_id="shop.near", finality="final")
    assert (now["amount"], then["amount"]) == (str(2 * NEAR), str(NEAR))
    assert (now["block_height"], then["block_height"]) == (node.world.height, node.world.final_height)
    assert (now["code_hash"], now["storage_usage"], now["locked"]) == ("1" * 32, 100, "0")
    assert node.query("view_account", account_id=ALICE.account)["storage_usage"] == 182


def test_a_missing_account_is_an_error_with_a_cause_and_status_200(node: Node) -> None:
    status, error = node.fail("query", request_type="view_account", finality="final", account_id="gone.near")
    assert (status, error["cause"]["name"]) == (200, "UNKNOWN_ACCOUNT")
    assert error["cause"]["info"]["requested_account_id"] == "gone.near"


def test_a_missing_key_is_a_result_that_says_so(node: Node) -> None:
    found = node.query("view_access_key", account_id=ALICE.account, public_key=ALICE.key)
    assert found["permission"] == "FullAccess"
    told = node.query("view_access_key", account_id=ALICE.account, public_key=BOB.key)
    assert told["error"] == f"access key {BOB.key} does not exist while viewing"
    node.world.faults.structured = True
    _, error = node.fail("query", request_type="view_access_key", finality="final", account_id=ALICE.account,
                         public_key=BOB.key)
    assert error["cause"]["name"] == "UNKNOWN_ACCESS_KEY"


def test_keys_are_listed_a_page_at_a_time(node: Node) -> None:
    node.world.submit(ALICE.signs(node.world, ALICE.account, add_key(BOB.key, calls=TOKEN, allowance=5)))
    node.world.advance()
    keys = node.query("view_access_key_list", account_id=ALICE.account)["keys"]
    assert {each["public_key"]: each["access_key"]["permission"] for each in keys} == {
        ALICE.key: "FullAccess",
        BOB.key: {"FunctionCall": {"allowance": "5", "receiver_id": TOKEN, "method_names": []}}}
    many = [Wallet(f"key {each}").key for each in range(120)]
    node.world.create("many.near", many, 10 * NEAR)
    _, error = node.fail("query", request_type="view_access_key_list", finality="final", account_id="many.near")
    assert error["cause"]["name"] == "TOO_MANY_ACCESS_KEYS"
    page = node.query("view_access_key_list", account_id="many.near", limit=100)
    rest = node.query("view_access_key_list", account_id="many.near", limit=100, after_key=page["last_key"])
    assert "last_key" not in rest
    assert sorted(each["public_key"] for each in page["keys"] + rest["keys"]) == sorted(many)


def test_a_contracts_view_is_bytes_and_its_panic_a_result_that_says_so(node: Node) -> None:
    node.world.deploy_token(TOKEN, 6, ALICE.account, 1_000)

    def view(method: str, args: bytes) -> Any:
        return node.query("call_function", account_id=TOKEN, method_name=method,
                          args_base64=base64.b64encode(args).decode())

    told = view("ft_balance_of", b'{"account_id":"alice.near"}')
    assert bytes(told["result"]) == b'"1000"'
    assert "missing field" in view("ft_balance_of", b"{}")["error"]
    assert "ProhibitedInView" in view("ft_transfer", b"{}")["error"]
    assert "MethodNotFound" in view("nothing", b"{}")["error"]
    assert bytes(view("storage_balance_of", b'{"account_id":"gone.near"}')["result"]) == b"null"
    node.world.faults.structured = True
    _, error = node.fail("query", request_type="call_function", finality="final", account_id=TOKEN,
                         method_name="nothing", args_base64="e30=")
    assert error["cause"]["name"] == "CONTRACT_EXECUTION_ERROR"


def test_an_account_without_a_contract_has_no_views(node: Node) -> None:
    _, error = node.fail("query", request_type="call_function", finality="final", account_id="shop.near",
                         method_name="ft_metadata", args_base64="e30=")
    assert error["cause"]["name"] == "NO_CONTRACT_CODE"


@pytest.mark.parametrize(("method", "params"), [
    ("query", {}), ("query", {"request_type": "view_account", "account_id": "a.near"}),
    ("query", {"request_type": "view_account", "finality": "soon", "account_id": "a.near"}),
    ("query", {"request_type": "view_account", "finality": "final", "account_id": "UPPER"}),
    ("query", {"request_type": "view_account", "finality": "final", "account_id": 5}),
    ("query", {"request_type": "view_access_key", "finality": "final", "account_id": "a.near", "public_key": "x"}),
    ("query", {"request_type": "call_function", "finality": "final", "account_id": "shop.near", "args_base64": "?"}),
    ("block", {}), ("block", {"block_id": True}), ("block", {"block_id": 1.5}), ("block", [1, 2, 3]),
    ("chunk", {"block_id": 100_000_000}), ("changes", {"finality": "final"}),
    ("changes", {"finality": "final", "changes_type": "dreams", "account_ids": []}),
    ("send_tx", {}), ("send_tx", {"signed_tx_base64": "?"}), ("send_tx", {"signed_tx_base64": "", "wait_until": "NOW"}),
    ("tx_status", {}), ("tx_status", {"tx_hash": "0", "sender_account_id": "a.near"}),
    ("tx_status", {"tx_hash": "1" * 32}), ("EXPERIMENTAL_receipt_to_tx", {}), ("devnet_fund", {"account_id": "A"}),
    ("devnet_fund", {"account_id": "shop.near", "amount": "-5"}),
])
def test_parameters_that_do_not_parse_are_refused_with_400(node: Node, method: str, params: Any) -> None:
    status, reply = node.reply(method, params)
    assert (status, reply["error"]["cause"]["name"]) == (400, "PARSE_ERROR")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"jsonrpc":"2.0","id":1}', b'{"method":7}'])
def test_requests_that_do_not_parse_are_refused_with_400(node: Node, body: bytes) -> None:
    status, reply = node.post(body)
    assert (status, reply["error"]["cause"]["name"]) == (400, "PARSE_ERROR")


def test_an_unknown_method_is_named(node: Node) -> None:
    status, error = node.fail("broadcast_all")
    assert (status, error["cause"]) == (400, {"name": "METHOD_NOT_FOUND", "info": {"method_name": "broadcast_all"}})


def test_the_owner_funds_and_advances_by_rpc(node: Node) -> None:
    tx_id = node.ask("devnet_fund", account_id=BOB.account, amount=str(NEAR))["transaction_hash"]
    assert node.world.seen.tx(tx_id) is not None
    assert node.world.balance(BOB.account) == NEAR
    height = node.world.height
    assert node.ask("devnet_advance", blocks=3) == {"height": height + 3}
    assert node.fail("devnet_fund", account_id="gone.near", amount="1")[0] == 500


# --- troubles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "status", "kept"), [("swallowed", 200, False), ("timeout", 408, True),
                                                      ("timeout-lost", 408, False), ("congested", 200, False)])
def test_a_submission_can_end_otherwise_than_it_is_answered(node: Node, loss: Any, status: int, kept: bool) -> None:
    tx_id, raw = pay(node)
    node.world.faults.next_submit = loss
    assert node.send(raw)[0] == status
    node.world.advance(2)
    assert (node.world.seen.tx(tx_id) is not None) == kept
    if not kept:
        assert node.send(raw)[0] == 200, "only the next submission suffers"
        node.world.advance()
        assert node.world.seen.tx(tx_id) is not None


@pytest.mark.parametrize(("loss", "kept"), [("request-lost", False), ("reply-lost", True)])
def test_a_connection_can_be_lost_before_or_after_the_transaction_is_taken(node: Node, loss: Any, kept: bool) -> None:
    tx_id, raw = pay(node)
    node.world.faults.next_submit = loss
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        node.send(raw, "INCLUDED")
    node.world.advance()
    assert (node.world.seen.tx(tx_id) is not None) == kept


def test_a_node_that_is_down_answers_nobody(node: Node) -> None:
    node.world.faults.down = True
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        node.ask("status")
    node.world.faults.down = False
    node.ask("status")


def test_a_forgotten_transaction_was_never_seen_by_this_node_alone(node: Node) -> None:
    tx_id, raw = pay(node)
    other = node.world.second_node()
    node.send(raw)
    node.world.advance(6)
    node.world.forget(tx_id)
    assert node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)[1]["cause"]["name"] == (
        "UNKNOWN_TRANSACTION")
    with serve_near(other) as server:
        assert Node(other, server).status_of(tx_id)["final_execution_status"] == "FINAL"


def test_what_waits_can_be_forgotten_before_it_is_included(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.forget(tx_id)
    node.world.advance(3)
    assert node.world.chain.tx(tx_id) is None
    node.send(raw)
    node.world.advance(3)
    assert node.world.chain.tx(tx_id) is None, "this node passes it on to nobody"


def test_a_node_without_old_history_knows_neither_block_nor_transaction(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    height = node.world.advance()
    node.world.advance(10)
    node.world.faults.history_from = height + 1
    assert node.fail("block", block_id=height)[0] == 422
    assert node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)[1]["cause"]["name"] == (
        "UNKNOWN_TRANSACTION")
    assert node.ask("status")["sync_info"]["earliest_block_height"] == height + 1


def test_a_node_can_be_stuck_while_the_network_goes_on(node: Node) -> None:
    node.world.faults.stuck_at = stuck = node.world.height
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(5)
    assert node.ask("block", finality="optimistic")["header"]["height"] == stuck
    assert node.ask("block", finality="final")["header"]["height"] == stuck - 2
    assert node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)[0] == 200
    node.world.faults.stuck_at = None
    assert node.status_of(tx_id)["transaction"]["hash"] == tx_id


def test_a_node_can_lie_about_network_version_sync_and_final_block(node: Node) -> None:
    faults = node.world.faults
    faults.told_chain_id, faults.told_protocol_version, faults.syncing = "mainnet", 99, True
    faults.told_final = "1" * 32
    about = node.ask("status")
    assert (about["chain_id"], about["protocol_version"], about["sync_info"]["syncing"]) == ("mainnet", 99, True)
    assert node.ask("EXPERIMENTAL_protocol_config", finality="final")["chain_id"] == "mainnet"
    assert node.ask("block", finality="final")["header"]["hash"] == "1" * 32
    assert node.ask("block", block_id=node.world.final_height - 1)["header"]["hash"] != "1" * 32


def test_timeouts_answer_408_whatever_became_of_it(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(6)
    node.world.faults.timeouts = True
    status, error = node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)
    assert (status, error["cause"]["name"]) == (408, "TIMEOUT_ERROR")


def test_an_older_node_says_nothing_of_finality(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(6)
    node.world.faults.legacy = True
    assert "final_execution_status" not in node.status_of(tx_id)


def test_strange_answers_hold_kinds_that_nobody_knows(node: Node) -> None:
    tx_id, raw = pay(node, receiver="gone.near")
    node.send(raw)
    height = node.world.advance()
    node.world.advance(6)
    node.world.faults.strange = True
    answer = node.status_of(tx_id)
    assert answer["status"] == {"Failure": {"FutureError": {}}}
    assert "FuturePayload" in answer["receipts"][-1]["receipt"]
    assert "FuturePayload" in str(node.ask("chunk", block_id=height, shard_id=0)["receipts"])
    assert "FuturePermission" in str(node.query("view_access_key_list", account_id=ALICE.account))
    assert node.send(raw, "INCLUDED")[1]["error"]["cause"]["name"] == "FUTURE_ERROR"


def test_a_block_on_a_left_branch_is_never_final_and_its_transaction_unknown(node: Node) -> None:
    tx_id, raw = pay(node)
    node.send(raw)
    node.world.advance(2)
    assert node.status_of(tx_id)["final_execution_status"] == "EXECUTED_OPTIMISTIC"
    left = node.world.chain.head.hash
    node.world.fork(2, lose=True)
    node.world.advance(6)
    assert node.fail("tx_status", tx_hash=tx_id, sender_account_id=ALICE.account)[1]["cause"]["name"] == (
        "UNKNOWN_TRANSACTION")
    lost = node.ask("block", block_id=left)["header"]
    assert node.fail("block", block_id=lost["height"])[0] == 422, "the new branch skips its height"
