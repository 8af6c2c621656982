"""One look at a ledger asks what its transactions have in common once, and nothing that it kept ever ends one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from online.chains.api import Dead, Final, Look, Outcome, Pending, Watched
from online.chains.bitcoin import client as bitcoin_client
from online.chains.near import client as near_client
from online.chains.xrpl import client as xrpl_client
from shared.effects import Claim
from shared.errors import WrongNetwork
from tests import btc_gateway_bench as bitcoin
from tests import gateway_bench as xrpl
from tests import near_gateway_bench as near
from tests.test_near_gateway_build import with_lanes

MANY = 9


@pytest.fixture
def bench() -> Iterator[near.Bench]:
    with near.a_bench(validity=20) as made:
        yield made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what nodes of all ledgers are asked, by method."""
    counts: Counter[str] = Counter()

    def listen(client: type, name: str, methods: Callable[..., list[str]]) -> None:
        ask = getattr(client, name)

        def counted(self: Any, *args: Any, **more: Any) -> Any:
            counts.update(methods(*args))
            return ask(self, *args, **more)

        monkeypatch.setattr(client, name, counted)

    listen(near_client.Rpc, "ask", lambda method, params: [near_method(method, params)])
    listen(xrpl_client.Connection, "ask", lambda request: [request.method.value])
    listen(bitcoin_client.Rpc, "batch", lambda calls, *_: [method for method, _ in calls])
    return counts


def near_method(method: str, params: Any) -> str:
    return str(params["request_type"]) if method == "query" else method


def several(bench: near.Bench, count: int = MANY) -> list[near.Job]:
    """Build transactions of one key; nothing is submitted."""
    jobs, taken = [], set[Claim]()
    for _ in range(count):
        jobs.append(bench.build(with_lanes(bench.plan(near.UNIT // 100)), taken))
        taken.add(jobs[-1].claim)
    return jobs


# --- what is asked --------------------------------------------------------------------------------


def test_near_is_asked_once_for_the_key_of_many_that_wait(bench: near.Bench, asked: Counter[str]) -> None:
    jobs = several(bench)
    asked.clear()
    look = bench.gateway.look()
    assert all("can still happen" in str(look.watch(job.watched)) for job in jobs)
    assert asked == {"block": 1, "status": 1, "view_access_key": 1}


def test_near_is_asked_for_each_that_happened_and_once_for_their_block(
    bench: near.Bench, asked: Counter[str]
) -> None:
    jobs = several(bench)
    for job in jobs:
        job.submit()
    bench.world.advance(10)
    asked.clear()
    look = bench.gateway.look()
    assert all(isinstance(look.watch(job.watched), Final) for job in jobs)
    # The look's height, the block by its hash, the newest final one, and the one of its height.
    assert asked == {"block": 4, "status": 1, "view_access_key": 1, "tx_status": MANY}


def test_xrpl_is_asked_once_for_the_account_of_many_that_wait(asked: Counter[str]) -> None:
    with xrpl.a_bench() as made:
        jobs, taken = [], set[Claim]()
        for _ in range(MANY):
            jobs.append(made.build(taken=taken))
            taken.update(jobs[-1].built.effects.claims)
        asked.clear()
        look = made.gateway.look()
        assert all("can still happen" in str(look.watch(job.watched)) for job in jobs)
        # The look's height, and the status that says whether the node may be believed.
        assert asked == {"server_state": 2, "account_info": 1, "tx": MANY}


def test_a_bitcoind_is_asked_once_for_its_chain(asked: Counter[str]) -> None:
    with bitcoin.a_bench() as made:
        made.fund(*[100_000] * MANY)
        jobs, taken = [], set[Claim]()
        for number in range(MANY):
            jobs.append(made.build(bitcoin.plan(bitcoin.pays(bitcoin.friend(number), 20_000)), taken))
            taken.update(jobs[-1].effects.claims)
        asked.clear()
        look = made.gateway.look()
        seen = [look.watch(Watched(job.signed.tx_id, job.signed.blob, job.effects, 1)) for job in jobs]
        assert all("can still happen" in str(one) for one in seen)
        assert (asked["getblockchaininfo"], asked["getrawtransaction"]) == (2, MANY)


# --- what was kept decides nothing ------------------------------------------------------------------


def test_a_death_that_rests_on_what_was_kept_is_none(bench: near.Bench) -> None:
    (job,) = several(bench, 1)
    answers: list[list[Outcome]] = [[Pending("not yet"), Dead(1, "by what it kept")], [Pending("by what is now")]]

    def begin() -> Callable[[Watched], Outcome]:
        mine = answers.pop(0)
        return lambda _: mine.pop(0)

    look = Look(near.NETWORK, 1, begin)
    assert look.watch(job.watched) == Pending("not yet")
    assert look.watch(job.watched) == Pending("by what is now")


def test_a_node_that_forgets_during_a_look_proves_no_death(bench: near.Bench) -> None:
    first, second = several(bench, 2)
    bench.world.advance(25)
    look = bench.gateway.look()
    assert isinstance(look.watch(first.watched), Dead)
    bench.world.faults.history_from = bench.world.final_height - 3
    assert "an archive_url is needed" in str(look.watch(second.watched))


def test_what_lands_during_a_look_is_final_or_waits_for_the_next_and_is_no_incident(bench: near.Bench) -> None:
    bench.add_lanes()
    first, on_another_key, *_, on_the_same = several(bench, 5)
    assert first.claim.scope == on_the_same.claim.scope != on_another_key.claim.scope
    first.submit()
    bench.world.advance(8)
    look = bench.gateway.look()
    assert isinstance(look.watch(first.watched), Final)
    on_another_key.submit()
    on_the_same.submit()
    bench.world.advance(8)
    assert isinstance(look.watch(on_another_key.watched), Final)
    later = look.watch(on_the_same.watched)
    assert isinstance(later, Pending)
    assert not later.stuck
    assert isinstance(on_the_same.watch(), Final)


def test_a_transaction_of_another_network_is_not_watched(bench: near.Bench) -> None:
    (job,) = several(bench, 1)
    effects = replace(job.built.effects, network="near:testnet")
    with pytest.raises(WrongNetwork):
        bench.gateway.look().watch(replace(job.watched, effects=effects))
