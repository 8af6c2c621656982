"""The devnet behind rippled's JSON-RPC and websocket: xrpl-py talks with it as with a real node.

Shapes are compared with an answer of xrpld kept among the vectors; errors are rippled's names and numbers.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xrpl.clients import JsonRpcClient, WebsocketClient
from xrpl.models.requests import (
    AccountInfo,
    AccountObjects,
    AccountObjectType,
    AccountTx,
    DepositAuthorized,
    Fee,
    Ledger,
    ServerInfo,
    ServerState,
    Simulate,
    SubmitOnly,
    Tx,
)
from xrpl.models.requests.request import Request
from xrpl.models.transactions import Payment, TicketCreate
from xrpl.transaction import autofill_and_sign, submit_and_wait
from xrpl.wallet import Wallet

from online.devnet.server import Closer, RunningServer, serve
from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.storage import load_world
from tests.shared_vectors import cases

ANN = Wallet.from_seed("sEdTM1uX8pu2do5XvTnutH6HsouMaM2")
BOB = Wallet.from_seed("sEdTpbCavdK28351gzVNPTbU22imkoe")
XRP = 1_000_000


@pytest.fixture
def world() -> XrplWorld:
    made = XrplWorld(clock=lambda: 1_800_000_000)
    made.fund_all({ANN.address: 1000 * XRP, BOB.address: 100 * XRP})
    return made


@pytest.fixture
def running(world: XrplWorld) -> Iterator[RunningServer]:
    with serve(world, ws_port=0) as server:
        yield server


@pytest.fixture
def client(running: RunningServer) -> JsonRpcClient:
    return JsonRpcClient(running.url)


def call(running: RunningServer, method: str, **params: Any) -> dict[str, Any]:
    """Ask without xrpl-py, as version 1 unless said otherwise."""
    body = json.dumps({"method": method, "params": [params]}).encode()
    with urllib.request.urlopen(running.url, body, timeout=5) as reply:
        result: dict[str, Any] = json.load(reply)["result"]
    return result


def ask(client: Any, request: Request) -> dict[str, Any]:
    """Ask by xrpl-py and expect an answer."""
    response = client.request(request)
    assert response.is_successful(), response.result
    return dict(response.result)


def payment(client: JsonRpcClient, drops: int = 5) -> Any:
    """Fill in and sign a payment from Ann to Bob."""
    return autofill_and_sign(Payment(account=ANN.address, destination=BOB.address, amount=str(drops),
                                     destination_tag=0), client, ANN)


# --- xrpl-py's own way of working -----------------------------------------------------------------


def test_xrpl_py_submits_and_waits_by_json_rpc_and_by_websocket(
        world: XrplWorld, running: RunningServer) -> None:
    unsigned = Payment(account=ANN.address, destination=BOB.address, amount="5")
    with Closer(world, 0.3):
        by_http = submit_and_wait(unsigned, JsonRpcClient(running.url), ANN)
        with WebsocketClient(running.ws_url or "") as client:
            by_socket = submit_and_wait(unsigned, client, ANN)
    for response in (by_http, by_socket):
        assert response.result["meta"]["delivered_amount"] == "5"
        assert response.result["validated"] is True


def test_account_info_shows_root_flags_and_signer_list(world: XrplWorld, client: JsonRpcClient) -> None:
    world.put_account(ANN.address, 9 * XRP, 7, flags=0x00020000, quorum=1, signers={BOB.address: 1},
                      tickets=(3, 4))
    result = ask(client, AccountInfo(account=ANN.address, ledger_index="validated", signer_lists=True))
    data = result["account_data"]
    assert {name: data[name] for name in ("Account", "Balance", "Sequence", "OwnerCount", "TicketCount")} == {
        "Account": ANN.address, "Balance": "9000000", "Sequence": 7, "OwnerCount": 3, "TicketCount": 2}
    assert result["account_flags"]["requireDestinationTag"] is True
    assert result["signer_lists"][0]["SignerQuorum"] == 1
    assert result["validated"] is True
    assert result["ledger_index"] == world.validated_index


def test_version_1_puts_signer_lists_into_the_account(running: RunningServer) -> None:
    answer = call(running, "account_info", account=ANN.address, signer_lists=True)
    assert answer["account_data"]["signer_lists"] == []


def test_tickets_are_listed_page_by_page(world: XrplWorld, client: JsonRpcClient) -> None:
    ask(client, SubmitOnly(tx_blob=autofill_and_sign(
        TicketCreate(account=ANN.address, ticket_count=25), client, ANN).blob()))
    world.close()
    seen: list[int] = []
    marker: Any = None
    while True:
        page = ask(client, AccountObjects(account=ANN.address, type=AccountObjectType.TICKET, limit=10,
                                          ledger_index="validated", marker=marker))
        seen += [row["TicketSequence"] for row in page["account_objects"]]
        marker = page.get("marker")
        if marker is None:
            break
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("forward", [True, False])
def test_account_tx_pages_hold_every_transaction_once_and_in_order(
        world: XrplWorld, client: JsonRpcClient, forward: bool) -> None:
    sent = []
    for drops in range(1, 8):
        sent.append(ask(client, SubmitOnly(tx_blob=payment(client, drops).blob()))["tx_json"]["hash"])
        if drops % 3 == 0:
            world.close()
    world.close()
    found: list[str] = []
    marker: Any = None
    while True:
        page = ask(client, AccountTx(account=BOB.address, limit=2, forward=forward, marker=marker,
                                     ledger_index_min=3, ledger_index_max=-1))
        found += [row["hash"] for row in page["transactions"]]
        marker = page.get("marker")
        if marker is None:
            break
    assert found == (sent if forward else sent[::-1])


def test_server_info_and_state_tell_network_reserves_and_ledgers(
        world: XrplWorld, client: JsonRpcClient) -> None:
    info = ask(client, ServerInfo())["info"]
    assert (info["network_id"], info["server_state"], info["complete_ledgers"]) == (21337, "full", "1-2")
    ledger = info["validated_ledger"]
    amounts = (ledger["base_fee_xrp"], ledger["reserve_base_xrp"], ledger["reserve_inc_xrp"])
    assert amounts == (0.00001, 1, 0.2)
    state = ask(client, ServerState())["state"]["validated_ledger"]
    assert (state["base_fee"], state["reserve_base"], state["reserve_inc"]) == (10, 1_000_000, 200_000)
    assert ask(client, Fee())["drops"]["open_ledger_fee"] == "10"
    header = ask(client, Ledger(ledger_index="validated", transactions=True))
    assert header["ledger_hash"] == ledger["hash"] == header["ledger"]["ledger_hash"]
    assert len(header["ledger"]["transactions"]) == 2


def test_simulate_says_what_would_happen_and_does_nothing(world: XrplWorld, client: JsonRpcClient) -> None:
    def simulated(destination: str, amount: str) -> dict[str, Any]:
        unsigned = Payment(account=ANN.address, destination=destination, amount=amount)
        return ask(client, Simulate(transaction=unsigned))
    good, short = simulated(BOB.address, "5"), simulated("rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj", "5")
    assert (good["engine_result"], good["applied"]) == ("tesSUCCESS", False)
    assert good["meta"]["delivered_amount"] == "5"
    assert short["engine_result"] == "tecNO_DST_INSUF_XRP"
    world.close()
    assert world.history.last.records == ()


def test_simulate_with_named_signers_tries_the_quorum(world: XrplWorld, running: RunningServer) -> None:
    world.put_account(ANN.address, 100 * XRP, 7, quorum=2, signers={BOB.address: 1, world_genesis(): 1})
    tx = {"TransactionType": "Payment", "Account": ANN.address, "Destination": BOB.address, "Amount": "1",
          "Signers": [{"Signer": {"Account": BOB.address}}]}
    assert call(running, "simulate", tx_json=tx)["engine_result"] == "tefBAD_QUORUM"


def world_genesis() -> str:
    """Give the genesis account."""
    return "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


def test_deposit_authorized_knows_preauthorisation(world: XrplWorld, client: JsonRpcClient) -> None:
    request = DepositAuthorized(source_account=ANN.address, destination_account=BOB.address)
    world.put_account(BOB.address, 9 * XRP, 7, flags=0x01000000)
    assert ask(client, request)["deposit_authorized"] is False
    world.put_account(BOB.address, 9 * XRP, 7, flags=0x01000000, preauthorized=[ANN.address])
    assert ask(client, request)["deposit_authorized"] is True


# --- shapes ---------------------------------------------------------------------------------------


def keys(value: Any, leave: frozenset[str] = frozenset()) -> set[str]:
    """Give the names in an object, without some."""
    return set(value) - leave


def test_tx_answers_have_xrpld_s_fields_in_both_versions_and_in_binary(
        world: XrplWorld, running: RunningServer, client: JsonRpcClient) -> None:
    recorded = cases("xrpl.json", "xrpld_api_response")
    if not recorded:
        pytest.skip("the shared vectors are missing")
    tx_id = call(running, "submit", tx_blob=payment(client).blob())["tx_json"]["hash"]
    world.close()
    # The recorded payment was partial and on a network without an id of its own; ours has an expiry.
    apart = frozenset({"Flags", "SendMax", "NetworkID", "LastLedgerSequence"})
    shown = {name: call(running, "tx", transaction=tx_id, **more) for name, more in (
        ("api_v1", {}), ("api_v2", {"api_version": 2}), ("binary", {"binary": True}))}
    for name, answer in shown.items():
        assert keys(answer, apart) == keys(recorded[0][name], apart), name
    assert keys(shown["api_v2"]["tx_json"], apart) == keys(recorded[0]["api_v2"]["tx_json"], apart)
    row = call(running, "account_tx", account=BOB.address, limit=1, api_version=2)["transactions"][0]
    assert keys(row) == keys(recorded[0]["account_tx_v2"])
    assert keys(row["tx_json"], apart) == keys(recorded[0]["account_tx_v2"]["tx_json"], apart)
    node = next(n["ModifiedNode"] for n in shown["api_v1"]["meta"]["AffectedNodes"])
    theirs = next(n["ModifiedNode"] for n in recorded[0]["api_v1"]["meta"]["AffectedNodes"]
                  if n["ModifiedNode"]["LedgerEntryType"] == "AccountRoot")
    assert keys(node) == keys(theirs)
    assert keys(node["FinalFields"]) == keys(theirs["FinalFields"])


def test_binary_metadata_decodes_to_the_same_nodes(world: XrplWorld, running: RunningServer,
                                                   client: JsonRpcClient) -> None:
    from xrpl.core.binarycodec import decode
    tx_id = call(running, "submit", tx_blob=payment(client).blob())["tx_json"]["hash"]
    world.close()
    plain, binary = (call(running, "tx", transaction=tx_id, binary=flag) for flag in (False, True))
    assert decode(binary["meta"])["AffectedNodes"] == plain["meta"]["AffectedNodes"]
    assert decode(binary["tx"])["Amount"] == "5"


def test_submit_says_all_that_xrpld_says(running: RunningServer, client: JsonRpcClient) -> None:
    answer = call(running, "submit", tx_blob=payment(client).blob(), fail_hard=True)
    assert keys(answer) == {
        "accepted", "account_sequence_available", "account_sequence_next", "applied", "broadcast",
        "engine_result", "engine_result_code", "engine_result_message", "kept", "open_ledger_cost", "queued",
        "status", "tx_blob", "tx_json", "validated_ledger_index"}
    assert (answer["engine_result"], answer["engine_result_code"]) == ("tesSUCCESS", 0)
    assert answer["account_sequence_next"] == answer["tx_json"]["Sequence"] + 1


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "params", "error", "code"), [
    ("account_info", {"account": "rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj"}, "actNotFound", 19),
    ("account_info", {"account": "not an address"}, "actMalformed", 35),
    ("account_info", {}, "invalidParams", 31),
    ("no_such_method", {}, "unknownCmd", 32),
    ("tx", {"transaction": "00" * 32}, "txnNotFound", 29),
    ("tx", {"transaction": "00" * 32, "min_ledger": 5, "max_ledger": 1}, "invalidLgrRange", 79),
    ("tx", {"transaction": "00" * 32, "min_ledger": 1, "max_ledger": 1002}, "excessiveLgrRange", 78),
    ("ledger", {"ledger_index": 999}, "lgrNotFound", 21),
    ("submit", {"tx_blob": "xyz"}, "invalidParams", 31),
    ("submit", {"tx_blob": "00"}, "invalidTransaction", None),
    ("submit", {"tx_json": {}, "secret": "s"}, "notSupported", 75),
    ("ping", {"api_version": 9}, "invalid_API_version", None),
])
def test_errors_have_rippled_s_form(running: RunningServer, method: str, params: dict[str, Any], error: str,
                                    code: int | None) -> None:
    answer = call(running, method, **params)
    assert (answer["error"], answer.get("error_code"), answer["status"]) == (error, code, "error")
    assert answer["request"] == {**params, "command": method}


def test_a_websocket_error_stands_at_the_top(running: RunningServer) -> None:
    with WebsocketClient(running.ws_url or "") as client:
        response = client.request(AccountInfo(account="rD4EeXjFn9w5s8radh878MzuTgDJWZN6Hj"))
    assert not response.is_successful()
    assert response.result["error"] == "actNotFound"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"params": []}', b'{"method": "ping", "params": [1]}'])
def test_a_body_that_is_no_request_is_http_400(running: RunningServer, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(running.url, body, timeout=5)
    refused.value.close()
    assert refused.value.code == 400


# --- troubles -------------------------------------------------------------------------------------


def test_searched_all_is_true_only_without_a_gap_and_up_to_the_validated_ledger(
        world: XrplWorld, running: RunningServer) -> None:
    def searched(low: int, high: int) -> Any:
        return call(running, "tx", transaction="00" * 32, min_ledger=low, max_ledger=high)["searched_all"]
    world.advance(8)
    assert searched(2, 10) is True
    assert searched(2, 11) is False
    world.forget([5])
    assert searched(2, 10) is False
    assert searched(6, 10) is True
    assert call(running, "server_info")["info"]["complete_ledgers"] == "1-4,6-10"
    assert call(running, "ledger", ledger_index=5)["error"] == "lgrNotFound"
    page = call(running, "account_tx", account=BOB.address)
    assert (page["ledger_index_min"], page["ledger_index_max"], page["transactions"]) == (6, 10, [])
    low = call(running, "account_tx", account=BOB.address, ledger_index_min=2, api_version=2)
    assert low["error"] == "lgrIdxMalformed"


@pytest.mark.parametrize(("loss", "arrives"), [("request-lost", False), ("reply-lost", True)])
def test_a_lost_submit_gives_no_answer_and_may_or_may_not_be_done(
        world: XrplWorld, running: RunningServer, client: JsonRpcClient, loss: Any, arrives: bool) -> None:
    signed = payment(client)
    world.drop_next_submit(loss)
    with pytest.raises((http.client.HTTPException, OSError)):
        call(running, "submit", tx_blob=signed.blob())
    world.close()
    answer = ask_tx(client, signed.get_hash())
    assert (answer.get("validated") is True) is arrives


def ask_tx(client: JsonRpcClient, tx_id: str) -> dict[str, Any]:
    """Ask for a transaction that may not be there."""
    return dict(client.request(Tx(transaction=tx_id)).result)


def test_a_swallowed_submit_gets_a_good_answer_and_never_happens(
        world: XrplWorld, running: RunningServer, client: JsonRpcClient) -> None:
    signed = payment(client)
    world.drop_next_submit("swallowed")
    assert call(running, "submit", tx_blob=signed.blob())["engine_result"] == "tesSUCCESS"
    world.close()
    assert ask_tx(client, signed.get_hash())["error"] == "txnNotFound"


def test_a_pending_transaction_is_shown_and_not_validated(
        running: RunningServer, client: JsonRpcClient) -> None:
    signed = payment(client)
    call(running, "submit", tx_blob=signed.blob())
    assert ask_tx(client, signed.get_hash())["validated"] is False


def test_a_node_that_is_down_answers_nobody_until_it_comes_up(
        world: XrplWorld, running: RunningServer) -> None:
    world.go_down()
    with pytest.raises((http.client.HTTPException, OSError)):
        call(running, "ping")
    world.come_up()
    assert call(running, "ping")["status"] == "success"


def test_troubles_of_the_node_are_told_as_rippled_tells_them(
        world: XrplWorld, running: RunningServer) -> None:
    world.lie_about(1)
    assert call(running, "server_info")["info"]["network_id"] == 1
    world.block_amendments()
    assert call(running, "server_info")["info"]["amendment_blocked"] is True
    assert call(running, "submit", tx_blob="00")["error"] == "amendmentBlocked"
    world.lose_sync()
    assert call(running, "server_info")["info"]["server_state"] == "connected"
    assert call(running, "account_info", account=BOB.address)["error"] == "noNetwork"
    assert call(running, "account_info", account=BOB.address, api_version=2)["error"] == "notSynced"


def test_ledger_accept_closes_a_ledger(running: RunningServer) -> None:
    before = call(running, "ledger_current")["ledger_current_index"]
    assert call(running, "ledger_accept")["ledger_current_index"] == before + 1
    assert call(running, "ledger_closed")["ledger_index"] == before


def test_run_forever_tells_its_addresses_and_keeps_its_world(tmp_path: Path) -> None:
    kept = tmp_path / "world.json"
    program = ("import sys; from pathlib import Path; from online.devnet.server import run_forever;"
               "run_forever(0, 0, 0.1, Path(sys.argv[1]), ready=lambda s: print(s.url, flush=True))")
    with subprocess.Popen([sys.executable, "-c", program, str(kept)], stdout=subprocess.PIPE, text=True,
                          cwd=Path(__file__).parents[1]) as child:
        assert child.stdout is not None
        url = child.stdout.readline().split()[0]
        with urllib.request.urlopen(url, b'{"method": "ledger_accept"}', timeout=5) as reply:
            index = json.load(reply)["result"]["ledger_current_index"]
        child.terminate()
        assert child.wait(10) == 0
    assert load_world(kept).open_index >= index
