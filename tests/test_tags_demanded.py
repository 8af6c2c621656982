"""An XRPL wallet that takes payments with a tag alone: set and cleared by an order, and kept by the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.jobs.build import build_approved
from online.jobs.model import jobs
from online.orders.drafting import draft_rebalance
from online.orders.spending import draft_options
from shared.errors import DestinationTagNeeded
from tests.both_machines import NOW
from tests.xrpl_house import POLICY, WALLET, WALLETS, XrplHouse, an_xrpl_house, xrp


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    """The policy lets the cold wallet change its flags; own wallets are paid with tag 0 as well as without any."""
    with an_xrpl_house(tmp_path, own=500) as found:
        text = POLICY.replace("epoch = 1", "epoch = 2")
        for name in WALLETS:
            own = WALLET % {"name": name, "place": f"{found.address(name)} tag any"}
            text += own.replace('["payment"]', '["payment", "account-set"]').replace(
                "transactions_without_payment = 0", "transactions_without_payment = 2"
            )
        found.install(text)
        register(found.store, "dave", NOW)
        instruct(found.store, "dave", "cold", NOW)
        found.tick()
        yield found


def demand(house: XrplHouse, *, demanded: bool) -> None:
    house.approved(draft_options(house.store, house.asking(), wallet="cold", demanded=demanded))
    house.cross()
    house.settle()


def paid(house: XrplHouse, stranger: Stranger, tag: int | None) -> list[tuple[str | None, str]]:
    stranger.pay(house.address("cold"), xrp(30).units, tag)
    house.tick()
    return [(one.customer, one.state.value) for one in deposits(house.store)]


def test_once_tags_are_demanded_the_ledger_takes_nothing_without_one(house: XrplHouse) -> None:
    stranger = Stranger(house.world, 1_000)
    demand(house, demanded=True)
    assert [job.effects.settings[0].what for job in jobs(house.store) if job.effects] == ["require-dest on"]
    assert paid(house, stranger, None) == []
    assert paid(house, stranger, 1) == [("dave", "credited")]
    demand(house, demanded=False)
    assert paid(house, stranger, None) == [("dave", "credited"), (None, "suspense")]
    house.require_books()


def test_a_rebalance_into_the_wallet_names_a_tag_and_is_no_deposit(house: XrplHouse) -> None:
    demand(house, demanded=True)

    def move(tag: int | None) -> None:
        house.approved(
            draft_rebalance(
                house.store, house.asking(), from_wallet="hot", to_wallet="cold", amount=xrp(100), tag=tag
            )
        )

    move(0)
    house.cross()
    house.settle()
    assert house.states() == ["final", "final"]
    assert [(one.customer, one.state.value) for one in deposits(house.store)] == [(None, "own")]
    house.require_books()
    move(None)
    with pytest.raises(DestinationTagNeeded):
        build_approved(house.store, house.gateways, NOW)
