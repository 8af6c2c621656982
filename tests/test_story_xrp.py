"""The XRP Ledger's own guide for exchanges, number by number (xrpl.org, "List XRP as an Exchange").

Its tables name what stands on the ledger and what the exchange owes after each step. Before the rebalance the guide
shows 80,000 of Alice's and 50,000 of Bob's that it never explains: here they arrive as deposits. Each wallet holds 20
XRP of the house's own from the start, for reserve and fees, which the guide leaves out: that is the one line between
its wallets' rows and ours.
"""

from __future__ import annotations

from pathlib import Path

from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from tests.both_machines import NOW
from tests.story_house import (
    PEOPLE,
    Tables,
    known,
    mandated,
    rebalanced,
    registered,
    require_ended,
    withdrawn,
)
from tests.xrpl_house import XRP, an_xrpl_house, xrp

OWN = {"hot": 20, "warm": 20, "cold": 20}
TAGS = {"alice": 123, "bob": 456, "charlie": 789}


def test_the_guides_story_number_by_number(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path, OWN["cold"]) as house:
        tables = Tables(house, XRP, OWN)
        ledger = {name: Stranger(house.world, coins) for name, coins in PEOPLE.items()}
        registered(house)
        for name, tag in TAGS.items():
            instruct(house.store, known(name), "cold", NOW, tag=tag)
        house.tick()
        tables.require({"hot": 0, "warm": 0, "cold": 0}, {"alice": 0, "bob": 0, "charlie": 0})

        # Deposit XRP into Exchange: Charlie pays 50,000 with his tag 789.
        ledger["charlie"].pay(house.address("cold"), xrp(50_000).units, 789)
        house.tick()
        tables.require({"hot": 0, "warm": 0, "cold": 50_000}, {"alice": 0, "bob": 0, "charlie": 50_000})
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 50_000]

        # What the guide's next table holds and does not explain.
        ledger["alice"].pay(house.address("cold"), xrp(80_000).units, 123)
        ledger["bob"].pay(house.address("cold"), xrp(50_000).units, 456)
        house.tick()
        tables.require({"hot": 0, "warm": 0, "cold": 180_000}, {"alice": 80_000, "bob": 50_000, "charlie": 50_000})

        # Rebalance XRP Holdings: 80,000 from cold to hot.
        rebalanced(house, xrp(80_000))
        house.cross()
        house.settle()
        after = {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
        tables.require({"hot": 80_000, "warm": 0, "cold": 100_000}, after)

        # Withdraw XRP from Exchange: Charlie takes 25,000 from the hot wallet.
        mandated(house, xrp(30_000))
        withdrawn(house, ("charlie", ledger["charlie"].address, xrp(25_000)))
        tables.require({"hot": 80_000, "warm": 0, "cold": 100_000}, {**after, "charlie": 25_000})
        house.cross()
        house.settle()
        tables.require({"hot": 55_000, "warm": 0, "cold": 100_000}, {"alice": 80_000, "bob": 50_000, "charlie": 25_000})
        assert ledger["charlie"].coins == 75_000

        # Fees stand in own funds' rows and nowhere else; the ledger holds what the books say.
        assert (tables.rows()["fees"], tables.rows()["own"]) == (20, -xrp(60).units)
        rest = {"hot": 55_000 + OWN["hot"], "cold": 100_000 + OWN["cold"]}
        for name, coins in rest.items():  # each paid for one transaction
            assert tables.rows()[f"wallet:{name}"] == xrp(coins).units - 10
        require_ended(house, tables)
