"""Submitting over HTTP and websocket: what answers mean, lost ones, two nodes, and nodes that are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from xrpl.models.requests import Fee

from online.chains import connect
from online.chains.api import Dead, Final, Pending
from online.chains.xrpl.client import Connection
from online.devnet.server import serve
from online.devnet.xrpl import XrplWorld
from online.devnet.xrpl.faults import SubmitLoss
from online.devnet.xrpl.state import REQUIRE_DEST
from shared.chains.xrpl import codec
from shared.errors import BadGatewaySettings, NodeAnswerUnreadable, NodeRefused, NodeUnreachable, UnknownChain
from tests.gateway_bench import HOT, NETWORK, OTHER, XRP, Bench, a_bench


@pytest.fixture(params=["http", "websocket"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with a_bench(socket=request.param == "websocket", expiry_ledgers=4) as made:
        yield made


# --- verdicts -------------------------------------------------------------------------------------


def test_good_bytes_are_accepted_and_the_same_bytes_again_are_known(bench: Bench) -> None:
    job = bench.build()
    kinds = [job.submit().kind, job.submit().kind]
    bench.world.close()
    assert [*kinds, job.submit().kind] == ["accepted", "known", "known"]


@pytest.mark.parametrize("loss", ["request-lost", "reply-lost"])
def test_a_lost_answer_is_later_and_submitting_again_is_safe(bench: Bench, loss: SubmitLoss) -> None:
    job = bench.build()
    bench.world.drop_next_submit(loss)
    assert job.submit().kind == "later"
    assert job.submit().kind == ("accepted" if loss == "request-lost" else "known")
    bench.world.close()
    assert isinstance(job.watch(), Final)
    assert len(bench.world.history.of_account(OTHER.address)) == 2


def test_bytes_whose_signature_is_broken_are_refused(bench: Bench) -> None:
    job, other = bench.build(), bench.build(bench.plan(2 * XRP))
    fields = codec.read(job.signed.blob)
    fields["TxnSignature"] = codec.read(other.signed.blob)["TxnSignature"]
    assert bench.gateway.submit(codec.write(fields)).kind == "refused"


def test_bytes_that_are_no_transaction_are_refused(bench: Bench) -> None:
    assert bench.gateway.submit(b"\x12\x00\x00").kind == "refused"


def test_a_sequence_used_by_another_says_later_and_leaves_it_to_the_ledger(bench: Bench) -> None:
    job, rival = bench.build(), bench.build(bench.plan(2 * XRP))
    rival.submit()
    verdict = job.submit()
    assert verdict.kind == "later"
    assert "tefPAST_SEQ" in verdict.text
    assert isinstance(job.watch(), Pending)
    bench.world.close()
    assert isinstance(job.watch(), Dead)


def test_what_would_end_in_tec_is_not_sent_on(bench: Bench) -> None:
    job = bench.build()
    bench.world.put_account(OTHER.address, 100 * XRP, 3, flags=REQUIRE_DEST)
    verdict = job.submit()
    assert (verdict.kind, "tecDST_TAG_NEEDED" in verdict.text) == ("later", True)
    bench.world.close()
    assert isinstance(job.watch(), Pending)


def test_a_sequence_of_the_future_is_later(bench: Bench) -> None:
    first = bench.build()
    second = bench.build(taken=first.built.effects.claims)
    verdict = second.submit()
    assert (verdict.kind, "terPRE_SEQ" in verdict.text) == ("later", True)


def test_an_expired_transaction_is_later_and_dead_by_the_ledger(bench: Bench) -> None:
    job = bench.build()
    bench.world.advance(5)
    assert "tefMAX_LEDGER" in job.submit().text
    assert isinstance(job.watch(), Dead)


def test_a_malformed_transaction_is_refused(bench: Bench) -> None:
    fields = codec.read(bench.build().signed.blob)
    assert bench.gateway.submit(codec.write({**fields, "Fee": 0})).kind == "refused"


def test_a_busy_ledger_says_later_while_the_fee_is_too_low(bench: Bench) -> None:
    job = bench.build()
    bench.world.crowd(5000)
    assert job.submit().kind == "later"
    assert isinstance(job.watch(), Pending)


# --- two nodes ------------------------------------------------------------------------------------


def test_one_node_that_takes_it_is_enough_and_none_is_later() -> None:
    with a_bench() as bench, serve(XrplWorld()) as other:
        both = replace(bench, gateway=connect(NETWORK, {**bench.settings, "second_url": other.url}))
        job = both.build()
        assert job.submit().kind == "accepted"
        bench.world.go_down()
        assert job.submit().kind == "later"


# --- transport ------------------------------------------------------------------------------------


def test_a_node_that_is_down_is_unreachable_and_is_asked_again_afterwards(bench: Bench) -> None:
    before = bench.gateway.height()
    bench.world.go_down()
    for _ in range(3):
        with pytest.raises(NodeUnreachable):
            bench.gateway.height()
    bench.world.come_up()
    assert bench.gateway.height() == before


def test_a_websocket_that_fails_leaves_no_thread_behind() -> None:
    with a_bench(socket=True) as bench:
        bench.gateway.height()
        bench.world.go_down()
        threads = threading.active_count()
        for _ in range(5):
            with pytest.raises(NodeUnreachable):
                bench.gateway.height()
        assert threading.active_count() <= threads


def test_a_websocket_keeps_no_messages_that_nobody_waits_for() -> None:
    with a_bench(socket=True) as bench:
        connection = Connection(bench.settings["url"], 3)
        for _ in range(3):
            connection.ask(Fee())
        assert connection._client._messages.empty()  # type: ignore[union-attr]
        connection.close()


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_url_where_nobody_listens_is_unreachable(scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NodeUnreachable):
            connect(NETWORK, {"url": url, "timeout_seconds": 1}).height()


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_node_that_never_answers_is_given_up_in_time(scheme: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NodeUnreachable):
            connect(NETWORK, {"url": url, "timeout_seconds": 1}).height()


@contextmanager
def a_page(body: bytes) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


STATE = (
    b'{"result":{"status":"success","state":{"network_id":21337,"server_state":"full","complete_ledgers":"1-5",'
    b'"validated_ledger":{"seq":%s,"hash":"AB","reserve_base":%s,"reserve_inc":200000}}}}'
)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b"",
        b"[]",
        b"{}",
        b'{"result": []}',
        b'{"result": {"status": "success"}}',
        STATE % (b'"5"', b"1000000"),
        STATE % (b"5", b"1.0"),
        STATE % (b"5", b"-1"),
        STATE % (b"true", b"1000000"),
        (STATE % (b"5", b"1000000")).replace(b"1-5", b"1-x"),
    ],
)
def test_an_answer_that_is_no_nodes_is_not_believed(body: bytes) -> None:
    with a_page(body) as url, pytest.raises(NodeAnswerUnreadable):
        connect(NETWORK, {"url": url, "timeout_seconds": 2}).height()


def test_what_a_node_refuses_to_say_counts_as_no_answer(bench: Bench) -> None:
    bench.world.lose_sync()
    with pytest.raises(NodeRefused) as refusal:
        bench.gateway.account(HOT.address)
    assert isinstance(refusal.value, NodeUnreachable)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_what_may_be_secret_in_a_url_is_never_shown(scheme: str) -> None:
    url = f"{scheme}://alice:hunter2@127.0.0.1:1/token?key=secret"
    gateway = connect(NETWORK, {"url": url, "second_url": url, "timeout_seconds": 1})
    with pytest.raises(NodeUnreachable) as refusal:
        gateway.height()
    assert str(refusal.value).startswith(f"{scheme}://127.0.0.1:1 does not answer")
    assert "hunter2" not in repr(gateway.__dict__)


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "ftp://x"},
        {"url": 5},
        {"url": "http://x", "second_url": "x"},
        {"url": "http://x", "expiry_ledgers": 3},
        {"url": "http://x", "expiry_ledgers": 25_001},
        {"url": "http://x", "expiry_ledgers": True},
        {"url": "http://x", "fee_cap_drops": 1.5},
        {"url": "http://x", "fee_cap_drops": 10**8 + 1},
        {"url": "http://x", "timeout_seconds": 0},
        {"url": "http://x", "uri": "http://y"},
    ],
)
def test_settings_that_are_none_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, settings)


@pytest.mark.parametrize("network", ["dogecoin:mainnet", "xrpl:nowhere", ""])
def test_a_network_that_nobody_knows_is_refused(network: str) -> None:
    with pytest.raises(UnknownChain):
        connect(network, {"url": "http://x"})
