"""The planner on the XRP Ledger: moves that spare the reserve, and ticket pools; each drafted by its own command.

What it proposes is typed as it stands on the screen, approved, signed by the real signer and settled on the devnet.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online.orders.drafting import draft_rebalance, draft_tickets
from online.orders.model import orders
from online.orders.spending import draft_options
from online.treasury.targets import Target, set_target
from shared.errors import BadConfig
from shared.policy import Person
from tests.house_app import Shell, shell_of
from tests.xrpl_house import NETWORK, POLICY, WALLET, WALLETS, XRP, XrplHouse, an_xrpl_house, xrp


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """The policy lets every wallet make tickets and demand tags; own wallets are paid with tag 0 as well as without."""
    with an_xrpl_house(tmp_path, own=100) as made:
        text = POLICY.replace("epoch = 1", "epoch = 2")
        for name in WALLETS:
            own = WALLET % {"name": name, "place": f"{made.address(name)} tag any"}
            text += own.replace('["payment"]', '["payment", "tickets", "account-set"]').replace(
                "transactions_without_payment = 0", "transactions_without_payment = 20"
            )
        made.install(text)
        yield made


def band(house: XrplHouse, wallet: str, low: int, aim: int, high: int) -> None:
    alice = house.people["alice"]
    set_target(
        house.store, Target(wallet, XRP, xrp(low).units, xrp(aim).units, xrp(high).units),
        person=Person("alice", alice.public), sign=alice.sign, now=house.now,
    )  # fmt: skip


def carried_out(house: XrplHouse, shell: Shell) -> None:
    """Draft the one proposal by its own command, and let it be approved, signed and settled."""
    order = shell.drafted(shell.only()["command"])
    assert shell.advice() == []
    house.approved(order)
    house.cross()
    house.settle()
    assert shell.advice() == []
    house.require_books()


def test_a_move_is_drafted_by_its_own_command_and_is_not_proposed_again(house: XrplHouse) -> None:
    band(house, "cold", 0, 10, 1_000)
    band(house, "hot", 120, 150, 200)
    shell = shell_of(house)
    assert shell.only()["why"] == "hot will hold 100 XRP, below 120 XRP"
    carried_out(house, shell)
    assert house.coins("hot") == 150 * 10**6


def test_the_same_proposal_drafted_by_two_people_is_one_order(house: XrplHouse) -> None:
    band(house, "cold", 0, 10, 1_000)
    band(house, "hot", 120, 150, 200)
    shell = shell_of(house)
    command = shell.only()["command"]
    shell.drafted(command)
    shell.drafted(command.replace("--as alice", "--as bob"))
    assert len(orders(house.store)) == 1


def test_the_same_need_at_another_time_is_another_order(house: XrplHouse) -> None:
    band(house, "cold", 0, 10, 1_000)
    shell = shell_of(house)
    for low, aim in ((120, 130), (140, 150)):
        band(house, "hot", low, aim, 200)
        carried_out(house, shell)
    first, second = orders(house.store)
    assert (first.wallet, first.kind) == (second.wallet, second.kind)
    assert house.coins("hot") == 150 * 10**6


def test_what_the_ledger_locks_is_not_proposed_to_be_moved(house: XrplHouse) -> None:
    band(house, "cold", 0, 0, 10)
    band(house, "hot", 0, 200, 1_000)
    shell = shell_of(house)
    one = shell.only()
    assert one["amount"]["text"] == "98.99 XRP"  # all but the reserve of 1 XRP, and a little for fees
    carried_out(house, shell)


def test_a_wallet_that_demands_tags_is_paid_with_one_that_no_customer_has(house: XrplHouse) -> None:
    house.approved(draft_options(house.store, house.asking(), wallet="hot", demanded=True))
    house.cross()
    house.settle()
    band(house, "cold", 0, 10, 1_000)
    band(house, "hot", 120, 150, 200)
    shell = shell_of(house)
    assert " --tag 0 " in shell.only()["command"]
    carried_out(house, shell)


def test_a_pool_of_tickets_is_filled_up_and_what_is_on_its_way_counts(house: XrplHouse) -> None:
    shell = shell_of(house, plan_tickets={"hot": [5, 8], "cold": [1, 1]})
    hot, cold = sorted(shell.advice(), key=lambda one: one["from"], reverse=True)
    assert hot["why"] == "hot will have 0 free tickets, fewer than 5"
    assert "tickets --wallet hot --count 8" in hot["command"]
    assert "tickets --wallet cold --count 1" in cold["command"]
    for one in (hot, cold):
        shell.drafted(one["command"])
    assert shell.advice() == []
    for order in orders(house.store):
        house.approved(order)
    house.cross()
    house.settle()
    assert shell.advice() == []
    assert house.gateway.free_tickets(house.address("hot"), ()) == 8


def test_tickets_that_orders_hold_are_not_free(house: XrplHouse) -> None:
    house.approved(draft_tickets(house.store, house.asking(), wallet="hot", count=3))
    house.cross()
    house.settle()
    shell = shell_of(house, plan_tickets={"hot": [3, 5]})
    assert shell.advice() == []
    move = draft_rebalance(house.store, house.asking(), from_wallet="hot", to_wallet="cold", amount=xrp(1))
    house.approved(move)
    house.build()
    assert shell.only()["why"] == "hot will have 2 free tickets, fewer than 3"


def test_settings_that_the_ledger_has_no_use_for_are_refused(house: XrplHouse) -> None:
    sections: tuple[dict[str, Any], ...] = (
        {"plan_coins": 5, "plan_rate": "2"}, {"plan_sweep": {"XRP": "1"}}, {"plan_prime_given": True},
        {"plan_tickets": {"hot": [5, 4]}}, {"plan_tickets": {"hot": [0, 4]}}, {"plan_tickets": {"hot": [5, 251]}},
        {"plan_tickets": {"hot": 5}}, {"plan_tickets": 5}, {"plan_tikets": {}},
    )  # fmt: skip
    for section in sections:
        with pytest.raises(BadConfig):
            shell_of(house, **section).app.config.proposing(NETWORK)


def test_a_pool_of_a_wallet_that_is_not_there_is_said(house: XrplHouse) -> None:
    shell = shell_of(house, plan_tickets={"hott": [5, 8]})
    assert shell.advice() == []
    (line,) = shell.notes()
    assert "plan_tickets names 'hott', which is no wallet of xrpl:local" in line


def test_a_silent_node_is_said_in_one_line_and_bands_go_by_the_books(house: XrplHouse) -> None:
    band(house, "cold", 0, 10, 1_000)
    band(house, "hot", 120, 150, 200)
    shell = shell_of(house, plan_tickets={"hot": [5, 8]})
    assert {one["what"] for one in shell.advice()} == {"rebalance", "tickets"}
    house.gateway._nodes[0]._connection._client.url = "http://127.0.0.1:1"
    assert [one["what"] for one in shell.advice()] == ["rebalance"]
    said = shell("target", "advise")
    assert said.count("nothing that needs its ledger is proposed") == 1
    assert "[node-unreachable]" in said
