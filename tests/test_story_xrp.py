"""The XRP Ledger's own guide for exchanges, number by number (xrpl.org, "List XRP as an Exchange").

Its tables name what stands on the ledger and what the exchange owes after each step. Before the rebalance the guide
shows 80,000 of Alice's and 50,000 of Bob's that it never explains: here they arrive as deposits. Each wallet holds 20
XRP of the house's own from the start, for reserve and fees, which the guide leaves out: that is the one line between
its wallets' rows and ours.
"""

from __future__ import annotations

from pathlib import Path

from online.audit import verify
from online.customers.register import register
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.ledger.books import balance_sheet, prove_balances
from online.orders.drafting import draft_rebalance
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State
from shared.effects import Destination
from shared.policy import Person
from tests.both_machines import NOW
from tests.xrpl_house import XrplHouse, an_xrpl_house, xrp

OWN = 20
TAGS = {"alice": 123, "bob": 456, "charlie": 789}


def owed(house: XrplHouse) -> dict[str, int]:
    return {name: house.owed(f"customer-{name}") for name in TAGS}


def wallets(house: XrplHouse) -> dict[str, int]:
    """Give what the wallets hold beside the house's own, with the fees that came out of it put back, in whole XRP."""
    return {name: -(-(house.coins(name) - OWN * 10**6) // 10**6) for name in ("hot", "warm", "cold")}


def mandated(house: XrplHouse) -> None:
    """Let two people say once that the hot wallet pays withdrawals of up to 30,000 XRP by itself."""
    ceiling = Ceiling(*(xrp(30_000).units,) * 4)
    alice, bob = house.people["alice"], house.people["bob"]
    given = draft_mandate(
        house.store, Mandate("hot", {"XRP": ceiling}, 1, 0), person=Person("alice", alice.public), sign=alice.sign,
        now=NOW,
    )  # fmt: skip
    approve_mandate(house.store, given.id, person=Person("bob", bob.public), sign=bob.sign, now=NOW)


def test_the_guides_story_number_by_number(tmp_path: Path) -> None:
    with an_xrpl_house(tmp_path, OWN) as house:
        people = {"dave": 25_000, "edward": 45_000, "charlie": 100_000, "alice": 80_100, "bob": 50_100}
        ledger = {name: Stranger(house.world, coins) for name, coins in people.items()}
        for name, tag in TAGS.items():
            register(house.store, f"customer-{name}", NOW)
            instruct(house.store, f"customer-{name}", "cold", NOW, tag=tag)
        house.tick()
        assert owed(house) == {"alice": 0, "bob": 0, "charlie": 0}
        assert wallets(house) == {"hot": 0, "warm": 0, "cold": 0}

        # Deposit XRP into Exchange: Charlie pays 50,000 with his tag 789.
        ledger["charlie"].pay(house.address("cold"), xrp(50_000).units, 789)
        house.tick()
        assert owed(house) == {"alice": 0, "bob": 0, "charlie": 50_000}
        assert wallets(house) == {"hot": 0, "warm": 0, "cold": 50_000}
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 50_000]

        # What the guide's next table holds and does not explain.
        ledger["alice"].pay(house.address("cold"), xrp(80_000).units, 123)
        ledger["bob"].pay(house.address("cold"), xrp(50_000).units, 456)
        house.tick()
        assert wallets(house) == {"hot": 0, "warm": 0, "cold": 180_000}

        # Rebalance XRP Holdings: 80,000 from cold to hot.
        house.approved(
            draft_rebalance(house.store, house.asking(), from_wallet="cold", to_wallet="hot", amount=xrp(80_000))
        )
        house.cross()
        house.settle()
        assert owed(house) == {"alice": 80_000, "bob": 50_000, "charlie": 50_000}
        assert wallets(house) == {"hot": 80_000, "warm": 0, "cold": 100_000}

        # Withdraw XRP from Exchange: Charlie takes 25,000 from the hot wallet.
        mandated(house)
        wish = Wish("w1", "customer-charlie", "hot", Destination(ledger["charlie"].address), xrp(25_000))
        accept(house.store, wish, NOW)
        assert owed(house)["charlie"] == 25_000
        house.tick()
        house.cross()
        house.settle()
        assert withdrawals(house.store)[0].state is State.PAID
        assert owed(house) == {"alice": 80_000, "bob": 50_000, "charlie": 25_000}
        assert wallets(house) == {"hot": 55_000, "warm": 0, "cold": 100_000}
        assert ledger["charlie"].coins == 75_000

        # Fees stand in own funds' rows and nowhere else; the ledger holds what the books say.
        fees = [one.posted for one in balance_sheet(house.store) if one.account.startswith("fees:")]
        assert fees == [20]
        assert prove_balances(house.store) == ()
        house.require_books()
        assert verify(house.store).ok
