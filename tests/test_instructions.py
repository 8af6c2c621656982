"""Where customers pay: places in order, never a wallet's own, and none that costs more than the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from online.customers.register import register
from online.deposits.instructions import MOST_TAG, instruct
from online.deposits.model import deposits
from online.ledger.books import balance_sheet
from online.store import tables
from online.store.database import Store
from online.store.wallets import keys
from shared.errors import PlaceTaken, PoolDry, TagsSpent
from tests.both_machines import NOW
from tests.growth import no_whole_reads
from tests.near_desk import a_near_house
from tests.near_gateway_bench import UNIT
from tests.online_world import NETWORK, set_up


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Dave, edward and two wallets of the XRP Ledger; nobody has a place yet."""
    made = set_up(tmp_path)
    for name in ("dave", "edward"):
        register(made, name, NOW)
    yield made
    made.close()


def tag(store: Store, customer: str, wanted: int | None = None) -> int | None:
    return instruct(store, customer, "cold", NOW, new=True, tag=wanted).place.tag


# --- tags ---------------------------------------------------------------------------------------------


def test_a_tag_that_was_picked_by_hand_moves_no_other(store: Store) -> None:
    assert tag(store, "dave") == 1
    assert tag(store, "edward", MOST_TAG) == MOST_TAG
    assert [tag(store, "dave") for _ in range(2)] == [2, 3]


def test_tags_that_are_taken_by_hand_are_passed_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("online.deposits.instructions._AT_ONCE", 2)
    for wanted in (2, 3, 4, 7):
        tag(store, "edward", wanted)
    assert [tag(store, "dave") for _ in range(4)] == [1, 5, 6, 8]
    with pytest.raises(PlaceTaken):
        tag(store, "edward", 5)


def test_when_no_tag_is_left_that_is_said_and_a_lower_one_can_still_be_picked(store: Store) -> None:
    tag(store, "dave")
    with store.transaction() as tx:
        tx.sql.execute(update(tables.places).values(number=MOST_TAG))
    with pytest.raises(TagsSpent) as refused:
        tag(store, "dave")
    assert refused.value.code == "tags-spent"
    assert tag(store, "dave", 2) == 2


def test_a_place_costs_the_same_however_many_there_are(store: Store) -> None:
    cold = keys(store, "cold")[0].address
    rows = [{"network": NETWORK, "place": f"{cold} tag {n}", "customer": "edward", "custom": "tag", "wallet": "cold",
             "address": cold, "tag": n, "number": n, "created": NOW} for n in range(1, 5_001)]  # fmt: skip
    with store.transaction() as tx:
        tx.sql.execute(insert(tables.places), rows)
    with no_whole_reads(store, "places"):
        assert (tag(store, "dave"), tag(store, "dave", 9_000)) == (5_001, 9_000)
        assert instruct(store, "dave", "cold", NOW).place.tag == 9_000


# --- addresses ----------------------------------------------------------------------------------------


def test_the_address_that_a_wallet_pays_from_is_never_a_customers(tmp_path: Path) -> None:
    """Whoever tops the hot wallet up pays nobody's balance."""
    with a_near_house(tmp_path) as house:
        register(house.store, "dave", NOW)
        with pytest.raises(PoolDry) as refused:
            instruct(house.store, "dave", "hot", NOW)
        assert refused.value.code == "pool-dry"
        house.tick()
        house.world.fund(house.address("hot"), 7 * UNIT)
        house.world.advance(5)
        house.tick()
        assert [(one.customer, one.state.value) for one in deposits(house.store)] == [(None, "suspense")]
        assert not [one for one in balance_sheet(house.store) if one.account.startswith("customer:")]


def test_addresses_are_given_out_in_order_each_once_and_the_first_never(tmp_path: Path) -> None:
    with a_near_house(tmp_path) as house:
        for name in ("dave", "edward"):
            register(house.store, name, NOW)
        with no_whole_reads(house.store, "places"):
            given = [instruct(house.store, name, "cold", NOW, new=True).place for name in ("dave", "edward") * 2]
        assert [one.address for one in given] == [house.address("cold", index) for index in range(1, 5)]
        with pytest.raises(PoolDry):
            instruct(house.store, "dave", "cold", NOW, new=True)
