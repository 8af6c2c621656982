"""The XRP guide's story told on NEAR, number by number: an account of the card's pool for each customer, and sweeps.

Wallets but that of the deposits hold 20 NEAR of the house's own from the start, for gas and storage, and cold 100 of a
token. Beside the guide's numbers bob brings 1,000 of the token with a memo to the cold wallet's own account, and lets
dave have 250, whom the token does not know before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from online.demo.strangers import NearStranger
from online.deposits.instructions import Instruction, instruct
from online.orders.gathering import draft_sweep
from shared.money import Amount
from tests.both_machines import NOW
from tests.near_desk import NearHouse, a_near_house, near, usdt
from tests.near_gateway_bench import ASSET, TOKEN
from tests.story_house import (
    CUSTOMERS,
    PEOPLE,
    Tables,
    known,
    mandated,
    rebalanced,
    registered,
    require_ended,
    withdrawn,
)

KEYS = {"cold": 1, "hot": 1, "warm": 1, "deposits": 13}
OWN = {"hot": 20, "warm": 20, "cold": 20, "deposits": 0}
OWN_TOKENS = {"hot": 0, "warm": 0, "cold": 100, "deposits": 0}
REGISTRATION = 125 * 10**19
"""What the token asks for an account that it does not know, in yoctoNEAR."""


def test_the_guides_story_on_near_number_by_number(tmp_path: Path) -> None:
    with a_house_and_its_people(tmp_path) as (house, ledger):
        tables, token = Tables(house, ASSET, OWN), Tables(house, TOKEN, OWN_TOKENS)
        told = {name: instruct(house.store, known(name), "deposits", NOW) for name in CUSTOMERS}
        require_own_accounts(told)
        house.tick()
        tables.require({"hot": 0, "warm": 0, "cold": 0, "deposits": 0}, {"alice": 0, "bob": 0, "charlie": 0})

        # Charlie pays 50,000 to an account that is nobody else's, and that his payment makes.
        ledger["charlie"].pay(told["charlie"].place.address, near(50_000).units)
        house.tick()
        tables.require({"deposits": 50_000}, {"charlie": 50_000})
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 50_000]

        # What the guide does not explain; and a token beside it, told apart by its memo.
        for name, brought in (("alice", 80_000), ("bob", 50_000)):
            ledger[name].pay(told[name].place.address, near(brought).units)
        memo = instruct(house.store, known("bob"), "cold", NOW, memo=True).place
        house.tick()
        ledger["bob"].send(TOKEN, coins(1_000).units, memo)
        house.tick()
        all_paid = {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
        tables.require({"deposits": 180_000}, all_paid)
        token.require({"cold": 1_000}, {"bob": 1_000})

        # The deposits are swept to cold: nobody is owed anything else by that, and gas is the house's.
        taken = swept(house)
        kept = kept_back(house, told, taken)
        tables.require({"cold": 180_000}, all_paid, kept=kept)
        assert tables.rows()["fees"] == taken

        # Rebalance: 80,000 from cold to hot by people over the gap, and 400 of the token with it.
        rebalanced(house, near(80_000), coins(400))
        taken += crossed(house)
        tables.require({"hot": 80_000, "cold": 100_000}, all_paid, kept=kept)
        token.require({"hot": 400, "cold": 600}, {"bob": 1_000})

        # Withdraw: charlie takes 25,000 from the hot wallet, bob lets dave have 250 of the token.
        mandated(house, near(30_000), coins(500))
        assert not house.world.is_registered(TOKEN.code, ledger["dave"].address)
        withdrawn(house, ("charlie", ledger["charlie"].address, near(25_000)),
                  ("bob", ledger["dave"].address, coins(250)))  # fmt: skip
        tables.require({"hot": 80_000, "cold": 100_000}, {**all_paid, "charlie": 25_000}, kept=kept)
        taken += crossed(house)
        tables.require({"hot": 55_000, "cold": 100_000}, {**all_paid, "charlie": 25_000}, kept=kept)
        token.require({"hot": 150, "cold": 600}, {"bob": 750})
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 75_000]
        assert house.world.token_balance(TOKEN.code, ledger["dave"].address) == coins(250).units

        # Gas, and the storage of hot and dave at the token, stand in own funds' rows to the last yocto.
        rows = tables.rows()
        assert (rows["fees"], rows["own"], rows["refunds"]) == (taken, -near(60).units, 0)
        assert taken > 2 * REGISTRATION
        require_ended(house, tables, token)


@contextmanager
def a_house_and_its_people(folder: Path) -> Iterator[tuple[NearHouse, Mapping[str, NearStranger]]]:
    """Set the house up with its customers, and let everybody outside have their accounts and bob his tokens."""
    own = {name: held for name, held in OWN.items() if held}
    with a_near_house(folder, wallets=KEYS, own=own, tokens=coins(100).units, most=1_000_000) as house:
        ledger = {name: NearStranger(house.world, name, had) for name, had in PEOPLE.items()}
        house.world.give(TOKEN.code, {ledger["bob"].address: coins(1_000).units})
        registered(house)
        yield house, ledger


def require_own_accounts(told: Mapping[str, Instruction]) -> None:
    """Assert that each customer has an account of their own, and that it says in time that few are left."""
    assert len({one.place.address for one in told.values()}) == len(CUSTOMERS)
    assert [one.warning for one in told.values()] == [
        "", "", "9 of 12 addresses of deposits are left for customers: let it have more",
    ]  # fmt: skip


def swept(house: NearHouse) -> int:
    """Order that cold gets what customers' accounts hold, and let it happen; give what it took, as `crossed`."""
    to = house.address("cold")
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    return crossed(house)


def kept_back(house: NearHouse, told: Mapping[str, Instruction], fees: int) -> Mapping[str, int]:
    """Give what a sweep kept back of the deposits, as the ledger has it: what is left, and the gas that was paid."""
    back = sum(house.world.balance(one.place.address) for one in told.values()) + fees
    assert 0 < back < near(1).units // 10
    return {"deposits": back, "cold": -back}


def crossed(house: NearHouse) -> int:
    """Cross and settle, with nobody else on the network; give what that took of the wallets: burnt, or the token's."""
    before = house.world.supply()[2] + house.world.balance(TOKEN.code)
    house.cross()
    house.settle()
    house.world.advance(5)
    house.tick()
    return house.world.supply()[2] + house.world.balance(TOKEN.code) - before


def coins(count: int) -> Amount:
    """Give so many whole coins of the token."""
    return usdt(100 * count)
