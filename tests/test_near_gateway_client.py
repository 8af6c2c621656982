"""A node's answers in all the forms in which they come, and what its no means for a transaction.

Errors of the shared vectors fall into their classes; then every other thing that a server may say instead of a
node's answer. A small HTTP server gives each answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from online.chains.near.client import Rpc, RpcFault, read_answer
from online.chains.near.faults import failure_of, fate, fate_of, invalid_tx, invalid_tx_name
from shared.errors import NodeAnswerUnreadable, NodeRefused, NodeUnreachable
from tests.shared_vectors import cases, name_of

# The vectors say a class in words; this is the class of each by the facts page's table.
FATES = {
    "InvalidNonce": "ask",
    "ShardCongested": "later",
    "TIMEOUT_ERROR (HTTP 408)": "ask",
    "UNKNOWN_BLOCK (HTTP 422)": "ask",
    "UNKNOWN_CHUNK (HTTP 422)": "ask",
    "Expired": "ask",
    "NonceTooLarge": "never",
    "SignerDoesNotExist": "never",
    "LackBalanceForState": "never",
    "ActionsValidation": "never",
    "InvalidTransactionVersion": "never",
}


class Answering:
    """A server that gives one answer to everything, and remembers what was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.rpc = Rpc(f"http://127.0.0.1:{self.server.server_address[1]}", 3)

    def says(self, body: Any, status: int = 200) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def node() -> Iterator[Answering]:
    made = Answering()
    yield made
    made.rpc.close()
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("case", cases("near.json", "rpc_error"), ids=name_of)
def test_an_error_is_a_fault_of_its_cause_whatever_the_http_status(case: dict[str, Any], node: Answering) -> None:
    node.says({**case["rpc"], "id": "lockgate"}, case["http_status"])
    fault = node.rpc.ask("send_tx", {})
    assert isinstance(fault, RpcFault)
    assert fault.cause == case["rpc"]["error"]["cause"]["name"]
    assert fate_of(fault) == FATES[case["name"]]


@pytest.mark.parametrize("case", cases("near.json", "invalid_tx_error"), ids=name_of)
def test_an_invalid_transaction_falls_into_its_class(case: dict[str, Any]) -> None:
    data = {"TxExecutionError": {"InvalidTxError": case["error"]}}
    fault = RpcFault("INVALID_TRANSACTION", "", {}, data)
    assert invalid_tx(fault) == case["name"]
    assert fate_of(fault) == FATES[case["name"]]
    assert fate_of(RpcFault("INVALID_TRANSACTION", "", data, None)) == FATES[case["name"]]


@pytest.mark.parametrize("case", cases("near.json", "action_error"), ids=name_of)
def test_a_failed_receipt_is_named_by_its_kind(case: dict[str, Any]) -> None:
    assert failure_of(case["error"]).name == case["name"]


@pytest.mark.parametrize(
    ("error", "name", "wanted"),
    [
        ({"InvalidAccessKeyError": {"AccessKeyNotFound": {"account_id": "a"}}}, "AccessKeyNotFound", "never"),
        ({"InvalidAccessKeyError": "DepositWithFunctionCall"}, "DepositWithFunctionCall", "ask"),
        ({"NotEnoughBalance": {"cost": "1"}}, "NotEnoughBalance", "never"),
        ("InvalidSignature", "InvalidSignature", "never"),
        ("InvalidChain", "InvalidChain", "never"),
        ({"ShardStuck": {"missed_chunks": 5}}, "ShardStuck", "later"),
        ({"SomethingOfTomorrow": {"a": 1}}, "SomethingOfTomorrow", "ask"),
        ({"a": 1, "b": 2}, "Unknown", "ask"),
        (None, "Unknown", "ask"),
        (7, "Unknown", "ask"),
    ],
)
def test_an_error_that_is_not_known_is_never_a_reason_to_give_up(error: Any, name: str, wanted: str) -> None:
    assert invalid_tx_name(error) == name
    assert fate(name) == wanted


@pytest.mark.parametrize("cause", ["TIMEOUT_ERROR", "UNKNOWN_TRANSACTION", "INVALID_TRANSACTION", "", "NEW_THING"])
def test_a_cause_that_decides_nothing_is_asked_about_by_hash(cause: str) -> None:
    assert fate_of(RpcFault(cause, "")) == "ask"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"InvalidTxError": {"NotEnoughBalance": {"cost": "5"}}}, "NotEnoughBalance"),
        ({"ActionError": {"index": 0, "kind": {"AccountDoesNotExist": {"account_id": "x.near"}}}},
         "AccountDoesNotExist: x.near"),
        ({"ActionError": {"kind": {"NewKind": {"a": 1, "b": 2}}}}, "NewKind: a 1, b 2"),
        ({"ActionError": {"kind": {"F": {"ExecutionError": "\x1b[2Jboo"}}}}, "F: [2Jboo"),
        ("Gone", "Gone"),
    ],
)  # fmt: skip
def test_a_failure_is_one_line_that_prints(error: Any, text: str) -> None:
    assert str(failure_of(error)) == text


# --- answers --------------------------------------------------------------------------------------


def test_a_question_is_json_rpc_and_its_result_is_given(node: Answering) -> None:
    node.says({"jsonrpc": "2.0", "id": "lockgate", "result": {"amount": 1.5, "nonce": 2**63}})
    assert node.rpc.call("block", {"finality": "final"}) == {"amount": "1.5", "nonce": 2**63}
    asked = {"jsonrpc": "2.0", "id": "lockgate", "method": "block", "params": {"finality": "final"}}
    assert node.asked == [asked]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("access key ed25519:abc does not exist while viewing", "UNKNOWN_ACCESS_KEY"),
        ("account nobody.near does not exist while viewing", "UNKNOWN_ACCOUNT"),
        ("wasm execution failed with error: MethodNotFound", "CONTRACT_EXECUTION_ERROR"),
    ],
)
def test_an_error_inside_a_result_is_a_fault(words: str, cause: str) -> None:
    fault = read_answer({"result": {"error": words, "logs": [], "block_height": 1}})
    assert isinstance(fault, RpcFault)
    assert fault.cause == cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ({"name": "REQUEST_VALIDATION_ERROR", "cause": {"name": "METHOD_NOT_FOUND"}}, "METHOD_NOT_FOUND"),
        ({"name": "REQUEST_VALIDATION_ERROR", "cause": "x"}, "REQUEST_VALIDATION_ERROR"),
        ({"code": -32000, "message": "Server error"}, "UNKNOWN"),
        ("no", "UNKNOWN"),
    ],
)
def test_the_cause_of_an_error_is_found_in_each_form(error: Any, cause: str) -> None:
    fault = read_answer({"error": error})
    assert isinstance(fault, RpcFault)
    assert fault.cause == cause


def test_a_fault_where_a_result_is_needed_is_refused_by_name(node: Answering) -> None:
    node.says({"id": "lockgate", "error": {"cause": {"name": "UNKNOWN_BLOCK"}, "data": "DB\x1b Not Found"}}, 422)
    with pytest.raises(NodeRefused, match="UNKNOWN_BLOCK DB Not Found"):
        node.rpc.call("block", {})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Bad gateway</html>", 502),
        (b"", 200),
        (b"[" * 100_000, 200),
        ({"hello": 1}, 200),
        ([], 200),
        ({"id": "somebody else's", "result": {}}, 200),
    ],
)
def test_what_is_no_nodes_answer_counts_as_none(node: Answering, body: Any, status: int) -> None:
    node.says(body, status)
    with pytest.raises(NodeAnswerUnreadable):
        node.rpc.ask("block", {})


@pytest.mark.parametrize("status", [429, 503])
def test_a_node_that_asks_for_patience_is_unreachable(node: Answering, status: int) -> None:
    node.says({"id": "lockgate", "result": {}}, status)
    with pytest.raises(NodeUnreachable, match=f"HTTP {status}"):
        node.rpc.ask("block", {})


def test_a_url_is_shown_without_its_secrets() -> None:
    rpc = Rpc("https://user:word@127.0.0.1:1/v1/SECRETKEY?apiKey=OTHER", 1)
    assert rpc.name == "https://127.0.0.1:1"
    with pytest.raises(NodeUnreachable) as refused:
        rpc.ask("status", [])
    rpc.close()
    assert not any(secret in str(refused.value) for secret in ("user", "word", "SECRETKEY", "OTHER"))
