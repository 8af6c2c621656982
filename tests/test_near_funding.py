"""Play money on a NEAR devnet by the command: accounts, coins, tokens, refusals. A world is served for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from online.devnet.bitcoin.http import RunningServer
from online.devnet.near import NearWorld, serve_near
from online.devnet.near.ticker import Steps
from tests.cli_house import Done, lockgate

HERS = "ab" * 32
UNIT = 10**24


@pytest.fixture
def served() -> Iterator[tuple[NearWorld, RunningServer]]:
    world = NearWorld(clock=Steps())
    with serve_near(world) as node:
        yield world, node


def fund(node: RunningServer, *words: str) -> Done:
    return lockgate("devnet", "fund", *words, "--ledger", "near", "--url", node.url)


def test_an_implicit_account_is_paid_and_a_named_one_is_made_and_then_paid(
    served: tuple[NearWorld, RunningServer]
) -> None:
    world, node = served
    assert fund(node, HERS, "2.5").code == 0
    assert "a new account with 5 NEAR" in fund(node, "customer.near", "5").out
    assert fund(node, "customer.near", "1").code == 0
    assert (world.balance(HERS), world.balance("customer.near")) == (25 * UNIT // 10, 6 * UNIT)
    assert world.keys("customer.near") == {}


def test_a_token_is_made_where_there_is_none_and_its_supply_is_what_was_given(
    served: tuple[NearWorld, RunningServer]
) -> None:
    world, node = served
    for account, amount in ((HERS, "10"), ("customer.near", "0.000001"), (HERS, "1")):
        assert fund(node, account, amount, "--asset", "usd.tokens").code == 0
    assert world.token_balance("usd.tokens", HERS) == 11_000_000
    assert world.token_balance("usd.tokens", "customer.near") == 1
    answer = world.look(world.chain.final, "usd.tokens", "ft_total_supply", b"{}")
    assert answer.value == b'"11000001"'


@pytest.mark.parametrize(("words", "code"), [
    (("Customer.near", "1"), "bad-address"),
    (("system", "1"), "bad-address"),
    ((HERS, "+1"), "bad-amount"),
    ((HERS, "much"), "bad-amount"),
    ((HERS, "0.0000001", "--asset", "usd.tokens"), "bad-amount"),
    ((HERS, "1", "--asset", "USD"), "bad-address"),
    ((HERS, "9999999999"), "node-refused"),
])
def test_what_can_not_be_given_is_refused(
    served: tuple[NearWorld, RunningServer], words: tuple[str, ...], code: str
) -> None:
    world, node = served
    assert fund(node, *words).refused(code)
    assert not world.exists(HERS)


@pytest.mark.parametrize("url", ["http://node.example:3030", "https://127.0.0.1:3030", "http://127.0.0.1:1"])
def test_play_money_comes_from_a_devnet_on_this_machine_alone(url: str) -> None:
    assert lockgate("devnet", "fund", HERS, "1", "--ledger", "near", "--url", url).refused("node-unreachable")


def test_a_file_for_what_is_not_kept_is_refused() -> None:
    assert lockgate("devnet", "--ledger", "near", "--port", "0", "--state", "kept").refused("file-trouble")


def test_blocks_made_at_one_moment_have_times_apart() -> None:
    steps = Steps()
    first, second, third = steps(), steps(), steps()
    assert second - first >= 10**8
    assert third - second >= 10**8
