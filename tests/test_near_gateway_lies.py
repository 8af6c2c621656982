"""Nodes that lie, stall, or speak of things not known here.

What the gateway demands before it believes one, and that no lie ends in a credit, a death, or a second payment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from online.chains.api import Final, Pending
from online.chains.near import answers
from online.chains.near.gateway import connect
from online.devnet.near import NearWorld, rpc, rpc_transactions, serve_near, token
from online.devnet.near.actions import AccessKey, Calls
from online.devnet.near.texts import key_text
from shared.errors import (
    BadGatewaySettings,
    KeyMayNotSign,
    NodeAnswerUnreadable,
    NodeRefused,
    NodeUnfit,
    NodeUnreachable,
    TokenDiffers,
)
from tests.near_gateway_bench import HOT, NETWORK, NOBODY, OTHER, TOKEN, UNIT, Bench, Clock, Job, a_bench
from tests.test_near_gateway_watch import beside, text_of

GOOD = {"url": "http://127.0.0.1:1"}


@pytest.fixture
def bench() -> Iterator[Bench]:
    with a_bench(validity=20) as made:
        yield made


# --- what is demanded -----------------------------------------------------------------------------


def test_a_good_node_is_reported_with_its_life_of_transactions_read_live(bench: Bench) -> None:
    report = bench.gateway.check()
    assert (report.network, report.height, report.version) == (NETWORK, bench.world.final_height, "2.13.4")
    assert report.lines[0].endswith(f"2.13.4 on localnet, protocol 86, final block {report.height}")
    assert "a transaction lives 20 heights, about 0 h 0 min at 600 ms a height" in report.lines
    assert any("no second node" in line for line in report.lines)


def test_a_node_that_forgets_too_soon_is_named_as_a_warning(bench: Bench) -> None:
    bench.world.faults.history_from = bench.world.final_height - 5
    assert "name an archive_url" in bench.gateway.check().warnings[0]
    with beside(bench, "archive_url") as (gateway, _):
        bench.world.advance(30)
        assert gateway.check().warnings == ()


def test_a_young_network_of_which_a_node_keeps_everything_needs_no_older_blocks() -> None:
    with a_bench() as bench:
        assert bench.world.final_height - bench.world.chain.first.height < 86_400
        assert bench.gateway.check().warnings == ()
        bench.world.faults.history_from = bench.world.final_height - 5
        assert "name an archive_url" in bench.gateway.check().warnings[0]


def test_one_node_that_is_named_twice_is_no_second_word(bench: Bench) -> None:
    gateway = connect(NETWORK, {**bench.settings, "archive_url": bench.server.url})
    assert any("no second node" in line for line in gateway.check().lines)
    gateway.close()


def test_a_crossing_longer_than_a_transaction_lives_is_named_as_a_warning(bench: Bench) -> None:
    gateway = connect(NETWORK, {**bench.settings, "crossing_seconds": 3600})
    assert gateway.check().warnings[0].startswith("nothing is built")
    gateway.close()


def other_network(world: NearWorld) -> None:
    world.faults.told_chain_id = "testnet"


def syncing(world: NearWorld) -> None:
    world.faults.syncing = True


def newer_protocol(world: NearWorld) -> None:
    world.faults.told_protocol_version = 88


def older_protocol(world: NearWorld) -> None:
    world.faults.told_protocol_version = 83


def old_block(world: NearWorld) -> None:
    clock = world.clock
    assert isinstance(clock, Clock)
    clock.now -= 7200 * 10**9
    world.chain = NearWorld(clock=clock).chain


UNFIT = [
    (other_network, "its network is 'testnet'"),
    (syncing, "still syncing"),
    (newer_protocol, "protocol is version 88"),
    (older_protocol, "protocol is version 83"),
    (old_block, "seconds old"),
]


@pytest.mark.parametrize(("trouble", "words"), UNFIT)
def test_an_unfit_node_is_refused_and_nothing_is_built_on_it(
    bench: Bench, trouble: Callable[[NearWorld], None], words: str
) -> None:
    trouble(bench.world)
    with pytest.raises(NodeUnfit, match=words):
        bench.gateway.check()
    with pytest.raises(NodeUnfit, match=words):
        bench.build()


@pytest.mark.parametrize("trouble", [other_network, syncing, newer_protocol, older_protocol])
def test_an_unfit_node_ends_nothing(bench: Bench, trouble: Callable[[NearWorld], None]) -> None:
    lost, done = bench.build(bench.plan(2 * UNIT)), bench.build()
    done.submit()
    bench.world.advance(40)
    trouble(bench.world)
    assert "is not believed" in text_of(lost.watch())
    assert "is not believed" in text_of(done.watch())


@pytest.mark.parametrize("trouble", [other_network, syncing, newer_protocol])
@pytest.mark.parametrize("role", ["second_url", "archive_url"])
def test_an_unfit_second_or_archive_is_refused_as_well(
    bench: Bench, role: str, trouble: Callable[[NearWorld], None]
) -> None:
    lost = bench.build()
    bench.world.advance(40)
    with beside(bench, role) as (gateway, other):
        trouble(other)
        with pytest.raises(NodeUnfit):
            gateway.check()
        assert "is not believed" in text_of(gateway.look().watch(lost.watched))


def test_a_protocol_that_somebody_looked_at_is_taken_by_a_setting(bench: Bench) -> None:
    bench.world.faults.told_protocol_version = 88
    gateway = connect(NETWORK, {**bench.settings, "protocol_most": 88})
    assert "protocol 88" in gateway.check().lines[0]
    gateway.close()


def test_a_second_node_on_the_same_chain_is_confirmed(bench: Bench) -> None:
    with beside(bench, "second_url") as (gateway, _):
        assert any("2 nodes have the same block" in line for line in gateway.check().lines)


def test_a_second_node_on_another_chain_of_the_same_name_is_refused(bench: Bench) -> None:
    foreign = NearWorld(salt="another", clock=bench.world.clock, validity=20)
    foreign.advance(bench.world.height - foreign.height)
    with beside(bench, "second_url", foreign) as (gateway, _), pytest.raises(NodeUnfit, match="do not share one chain"):
        gateway.check()


def test_an_archive_on_another_chain_of_the_same_name_proves_no_death(bench: Bench) -> None:
    job = bench.build()
    foreign = NearWorld(salt="another", clock=bench.world.clock, validity=20)
    bench.world.advance(40)
    foreign.advance(bench.world.height - foreign.height + 50)
    with beside(bench, "archive_url", foreign) as (gateway, _):
        assert "it is on another chain" in text_of(gateway.look().watch(job.watched))


def test_a_node_on_another_chain_of_the_same_name_proves_no_death_beside_an_archive(bench: Bench) -> None:
    job = bench.build()
    foreign = NearWorld(salt="another", clock=bench.world.clock, validity=20)
    foreign.fund_all({HOT.account: UNIT})
    bench.world.advance(60)
    foreign.advance(bench.world.height - foreign.height - 1)
    with serve_near(foreign) as server, serve_near(bench.world.second_node()) as archive:
        gateway = connect(NETWORK, {**bench.settings, "url": server.url, "archive_url": archive.url})
        assert "it is on another chain" in text_of(gateway.look().watch(job.watched))
        gateway.close()


def test_a_stalled_node_that_never_reaches_the_expiry_proves_nothing(bench: Bench) -> None:
    job = bench.build()
    bench.world.faults.stuck_at = bench.world.height
    bench.world.advance(40)
    assert "it can still happen" in text_of(job.watch())


# --- what answers leave open ----------------------------------------------------------------------


def test_a_node_that_times_out_over_every_transaction_decides_nothing(bench: Bench) -> None:
    lost, done = bench.build(bench.plan(2 * UNIT)), bench.build()
    done.submit()
    bench.world.advance(40)
    bench.world.faults.timeouts = True
    assert "TIMEOUT_ERROR" in text_of(lost.watch())
    assert "TIMEOUT_ERROR" in text_of(done.watch())
    bench.world.faults.timeouts = False
    assert isinstance(done.watch(), Final)


def test_an_old_nodes_answer_without_a_level_is_not_final(bench: Bench) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(10)
    bench.world.faults.legacy = True
    assert "not FINAL" in text_of(job.watch())


def test_kinds_that_nobody_knew_break_nothing(bench: Bench) -> None:
    bench.world.faults.strange = True
    outcome = bench.run()
    assert outcome.success
    assert bench.gateway.submit(bench.build().signed.blob).kind == "later"


def test_a_failure_of_a_kind_that_nobody_knew_is_still_a_failure(bench: Bench) -> None:
    bench.deploy_token(supply=10)
    bench.world.register(TOKEN.code, OTHER.account)
    first = bench.build(bench.tokens((OTHER.account, 6)))
    second = bench.build(bench.tokens((OTHER.account, 7)), {first.claim})
    for job in (first, second):
        job.submit()
        bench.world.advance()
    bench.world.advance(8)
    bench.world.faults.strange = True
    outcome = second.watch()
    assert isinstance(outcome, Final)
    assert (outcome.success, outcome.delivered) == (False, ())


def test_a_node_that_names_its_errors_by_cause_is_read_as_well(bench: Bench) -> None:
    bench.world.faults.structured = True
    bench.deploy_token()
    outcome = bench.run(bench.tokens((NOBODY.account, 5)))
    assert outcome.success


def test_an_old_node_that_knows_the_method_by_its_older_name_is_asked_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = {name: method for name, method in rpc.METHODS.items() if name != "tx_status"}
    monkeypatch.setattr(rpc, "METHODS", methods)
    assert bench.run().success


# --- lies -----------------------------------------------------------------------------------------

Answer = dict[str, Any]


def told(monkeypatch: pytest.MonkeyPatch, bend: Callable[[Answer], object]) -> None:
    """Let the node bend every status of a transaction."""

    def bent(world: NearWorld, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = dict(rpc_transactions.tx_status(world, params))
        bend(answer)
        return answer

    names = ("tx_hash", "sender_account_id")
    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "tx_status": (bent, names)})


def other_transfer(answer: Answer) -> None:
    for receipt in answer["receipts"]:
        for action in receipt["receipt"]["Action"]["actions"]:
            if receipt["predecessor_id"] != "system":
                action["Transfer"]["deposit"] = str(7 * UNIT)


def other_receiver(answer: Answer) -> None:
    answer["transaction"]["receiver_id"] = NOBODY.account


def other_nonce(answer: Answer) -> None:
    answer["transaction"]["nonce"] += 1


def other_signer(answer: Answer) -> None:
    answer["transaction"]["signer_id"] = OTHER.account


def other_hash(answer: Answer) -> None:
    answer["transaction"]["hash"] = "1" * 43


def no_amount(answer: Answer) -> None:
    answer["transaction_outcome"]["outcome"]["tokens_burnt"] = 5


def no_outcomes(answer: Answer) -> None:
    del answer["receipts_outcome"]


def failed_nothing(answer: Answer) -> None:
    answer["receipts_outcome"][0]["outcome"]["executor_id"] = "mallory.near"


@pytest.mark.parametrize(
    "bend",
    [
        other_transfer, other_receiver, other_nonce, other_signer, other_hash, no_amount, no_outcomes, failed_nothing,
    ],
)  # fmt: skip
def test_a_status_that_is_not_what_was_signed_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bend: Callable[[Answer], object]
) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(10)
    told(monkeypatch, bend)
    with pytest.raises(NodeAnswerUnreadable):
        job.watch()


def too_early(answer: Answer) -> None:
    answer["final_execution_status"] = "FINAL"


def unknown_block(answer: Answer) -> None:
    answer["transaction_outcome"]["block_hash"] = "1" * 43


def refund_kept_back(answer: Answer) -> None:
    answer["receipts_outcome"].pop()


@pytest.mark.parametrize("bend", [unknown_block, refund_kept_back])
def test_a_status_with_a_hole_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bend: Callable[[Answer], object]
) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(10)
    told(monkeypatch, bend)
    assert isinstance(job.watch(), Pending)


def test_what_is_called_final_in_a_block_that_is_not_is_not_believed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(1)
    told(monkeypatch, too_early)
    assert "can still happen" in text_of(job.watch())
    used_up = answers.AccessKey(HOT.text, 10**15, full=True)
    monkeypatch.setattr("online.chains.near.node.access_key_of", lambda *_: used_up)
    assert "not on its final chain" in text_of(job.watch())


def test_what_is_called_final_in_a_block_that_was_given_up_is_not_believed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance()
    given_up = bench.world.chain.head.hash
    bench.world.fork()
    bench.world.advance(10)

    def elsewhere(answer: Answer) -> None:
        answer["transaction_outcome"]["block_hash"] = given_up

    told(monkeypatch, elsewhere)
    assert "not on its final chain" in text_of(job.watch())


def test_two_nodes_that_tell_different_ends_decide_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.build()
    job.submit()
    bench.world.advance(10)
    calls = []

    def more_burnt(answer: Answer) -> None:
        calls.append(1)
        if len(calls) > 1:
            answer["transaction_outcome"]["outcome"]["tokens_burnt"] = "1"

    told(monkeypatch, more_burnt)
    with beside(bench, "second_url") as (gateway, _):
        assert "the nodes disagree" in text_of(gateway.look().watch(job.watched))


def five_hundred_tokens(bench: Bench) -> Job:
    """Give a transfer of tokens that happened."""
    bench.deploy_token()
    bench.world.register(TOKEN.code, OTHER.account)
    job = bench.build(bench.tokens((OTHER.account, 500)))
    job.submit()
    bench.world.advance(10)
    return job


def test_a_token_whose_log_contradicts_its_transfer_is_left_to_a_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = five_hundred_tokens(bench)

    def less(answer: Answer) -> None:
        outcome = answer["receipts_outcome"][0]["outcome"]
        outcome["logs"] = [line.replace('"500"', '"499"') for line in outcome["logs"]]

    told(monkeypatch, less)
    assert "shows other transfers than were signed" in text_of(job.watch())


def test_a_token_of_before_the_events_is_settled_by_its_receipt(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = five_hundred_tokens(bench)

    def plain(answer: Answer) -> None:
        answer["receipts_outcome"][0]["outcome"]["logs"] = ["Transfer 500 from a to b"]

    told(monkeypatch, plain)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert outcome.delivered[0].amount.units == 500


def view(monkeypatch: pytest.MonkeyPatch, kind: str, **fields: Any) -> None:
    honest = rpc.METHODS["query"][0]

    def bent(world: NearWorld, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = dict(honest(world, params))
        return {**answer, **fields} if params.get("request_type") == kind else answer

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "query": (bent, ())})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("view_account", {"amount": 10**24}),
        ("view_account", {"amount": "1e24"}),
        ("view_account", {"storage_usage": "5"}),
        ("view_access_key_list", {"keys": None}),
        ("view_access_key_list", {"keys": [{"public_key": HOT.text, "access_key": {"nonce": -1}}]}),
    ],
)
def test_numbers_that_are_none_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str, fields: dict[str, Any]
) -> None:
    view(monkeypatch, kind, **fields)
    with pytest.raises(NodeAnswerUnreadable):
        bench.build()


@pytest.mark.parametrize("result", [[300], "text", None, [-1], [1.5]])
def test_a_call_that_answers_no_bytes_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch, result: object) -> None:
    bench.deploy_token()
    view(monkeypatch, "call_function", result=result)
    with pytest.raises(NodeAnswerUnreadable):
        bench.build(bench.tokens((OTHER.account, 5)))


def test_a_call_that_answers_no_json_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.deploy_token()
    view(monkeypatch, "call_function", result=list(b"{"))
    with pytest.raises(NodeAnswerUnreadable):
        bench.build(bench.tokens((OTHER.account, 5)))


def test_a_key_that_may_only_call_functions_does_not_sign(bench: Bench) -> None:
    calls = AccessKey(100_000_000 * 10**6, Calls(None, TOKEN.code, ()))
    bench.world.create("limited.exchange", [OTHER.text], 5 * UNIT)
    bench.world._write(lambda sandbox: sandbox.put_key("limited.exchange", HOT.text, calls))
    plan = replace(bench.plan(), source="limited.exchange")
    plan = replace(plan, payments=tuple(replace(one, source="limited.exchange") for one in plan.payments))
    with pytest.raises(KeyMayNotSign):
        bench.build(plan)


# --- many keys ------------------------------------------------------------------------------------


def test_an_account_with_more_keys_than_a_page_is_asked_key_by_key(bench: Bench) -> None:
    many = [key_text(0, bytes([number]) + bytes(31)) for number in range(1, 120)]
    bench.world.create("busy.exchange", [HOT.text, *many], 5 * UNIT)
    plan = replace(bench.plan(), source="busy.exchange")
    plan = replace(plan, payments=tuple(replace(one, source="busy.exchange") for one in plan.payments))
    assert bench.run(plan).success


# --- what a contract or its node asks for ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["nep141-transfer", "nep141-register"])
def test_a_registration_that_is_told_too_dear_is_not_paid(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    bench.deploy_token()
    plan = bench.tokens((NOBODY.account, 5)) if kind == "nep141-transfer" else bench.bare(
        kind, contract=TOKEN.code, account_1=NOBODY.account)
    monkeypatch.setattr(token, "REGISTRATION_YOCTO", UNIT // 10)
    assert bench.build(plan).built.effects.fee_most.units > UNIT // 10
    monkeypatch.setattr(token, "REGISTRATION_YOCTO", UNIT // 10 + 1)
    with pytest.raises(TokenDiffers, match="registration_most is 0"):
        bench.build(plan)
    dear = connect(NETWORK, {**bench.settings, "registration_most": "0.2"})
    assert dear.build(plan, ()).effects.fee_most.units > UNIT // 10
    dear.close()


def test_a_node_that_tells_too_high_a_nonce_wastes_numbers_and_no_money(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = bench.world.final_height * 10**6
    real = rpc.METHODS["query"]

    def lying(world: NearWorld, params: Mapping[str, Any]) -> Any:
        answer = real[0](world, params)
        for key in answer.get("keys", []) if isinstance(answer, dict) else []:
            key["access_key"]["nonce"] = top - 2
        return answer

    monkeypatch.setattr(rpc, "METHODS", {**rpc.METHODS, "query": (lying, real[1])})
    job = bench.build()
    assert job.claim.name == f"nonce {top - 1}"
    job.submit()
    bench.world.advance(8)
    outcome = job.watch()
    assert isinstance(outcome, Final)
    assert bench.world.balance(OTHER.account) == 11 * UNIT


def test_a_node_that_tells_too_low_a_nonce_gets_no_second_payment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bench.build()
    first.submit()
    bench.world.advance(8)
    real = rpc.METHODS["query"]

    def lying(world: NearWorld, params: Mapping[str, Any]) -> Any:
        answer = real[0](world, params)
        for key in answer.get("keys", []) if isinstance(answer, dict) else []:
            key["access_key"]["nonce"] -= 1
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(rpc, "METHODS", {**rpc.METHODS, "query": (lying, real[1])})
        second = bench.build(bench.plan(2 * UNIT))
    assert second.claim == first.claim
    assert second.submit().kind != "accepted"
    bench.world.advance(30)
    assert not isinstance(second.watch(), Final)
    assert bench.world.balance(OTHER.account) == 11 * UNIT


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"url": "near.org"},
        {"url": 5},
        {"url": "https://"},
        {"url": "https://[::1"},
        {**GOOD, "second_url": "ftp://x"},
        {**GOOD, "archive_url": "http://x:0"},
        {**GOOD, "crossing_seconds": 0},
        {**GOOD, "crossing_seconds": 1.5},
        {**GOOD, "oldest_seconds": True},
        {**GOOD, "timeout_seconds": 121},
        {**GOOD, "protocol_most": 83},
        {**GOOD, "registration_most": 0.1},
        {**GOOD, "registration_most": "0"},
        {**GOOD, "registration_most": "-1"},
        {**GOOD, "registration_most": "much"},
        {**GOOD, "confirmations": 3},
    ],
)
def test_settings_out_of_bounds_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadGatewaySettings):
        connect(NETWORK, values)


def test_a_url_is_not_shown_by_the_settings() -> None:
    gateway = connect(NETWORK, {"url": "https://rpc.example/v1/SECRET"})
    assert "SECRET" not in repr(gateway._settings)


def test_a_node_that_refuses_a_question_counts_as_no_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    methods = {name: method for name, method in rpc.METHODS.items() if name != "EXPERIMENTAL_protocol_config"}
    monkeypatch.setattr(rpc, "METHODS", methods)
    with pytest.raises(NodeRefused, match="METHOD_NOT_FOUND"):
        bench.gateway.check()


def test_a_node_that_is_down_is_unreachable(bench: Bench) -> None:
    bench.world.faults.down = True
    with pytest.raises(NodeUnreachable):
        bench.gateway.height()


def test_the_same_port_with_nothing_behind_it_is_unreachable(bench: Bench) -> None:
    with serve_near(bench.world) as server:
        url = server.url
    gateway = connect(NETWORK, {**bench.settings, "url": url})
    with pytest.raises(NodeUnreachable):
        gateway.check()
