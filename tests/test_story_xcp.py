"""The XRP guide's story told of XCP, number by number, with both customs of deposits and a batch that pays three.

Alice and charlie have addresses of their own, derived from the wallet's card, primed and swept to the cold address:
what they pay is seen with two confirmations, and theirs with one of the sweep. Bob pays to the cold address with a
memo. Fees in bitcoins and the priming are the house's own, and so are 1,000 XCP at cold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from online.chains.bitcoin.customs import CUSTOMS
from online.demo.strangers import XcpStranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.states import State
from online.deposits.suspense import draft_return
from online.devnet.bitcoin.wire import Tx
from online.jobs.model import jobs
from online.orders.gathering import draft_asset_sweep, draft_prime
from online.orders.spending import draft_options
from shared.effects import Destination
from shared.errors import MemoRequired
from shared.money import Amount
from tests.bitcoin_house import BTC, COIN, NOW, XCP, House, a_house, amount
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

KEYS = {"cold": 1, "hot": 1, "warm": 1, "deposits": 12}
OWN = {"hot": 0, "warm": 0, "cold": 1_000, "deposits": 0}
PRIMED = amount(50_000)
ALL_PAID = {"alice": 80_000, "bob": 50_000, "charlie": 50_000}


def test_the_guides_story_of_xcp_number_by_number(tmp_path: Path) -> None:
    with a_house_and_its_people(tmp_path) as (house, ledger):
        tables = Tables(house, XCP, OWN)
        own = {name: instruct(house.store, known(name), "deposits", NOW).place for name in ("alice", "charlie")}
        memo = instruct(house.store, known("bob"), "cold", NOW, memo=True).place
        house.tick()
        prepared(house, own)
        tables.require({"hot": 0, "warm": 0, "cold": 0, "deposits": 0}, {"alice": 0, "bob": 0, "charlie": 0})

        # Charlie pays 50,000 to an address of his own, and waits for the sweep.
        sent(house, ledger["charlie"], 50_000, own["charlie"])
        tables.require({"deposits": 50_000}, {}, unswept=50_000)
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 50_000]

        # What the guide does not explain: alice's 80,000 to an address of hers, bob's 50,000 with his memo.
        sent(house, ledger["alice"], 80_000, own["alice"])
        sent(house, ledger["bob"], 50_000, memo)
        tables.require({"deposits": 130_000, "cold": 50_000}, {"bob": 50_000}, unswept=130_000)

        # A memo that comes once more, and one that nobody has; none at all is against the address's options.
        require_refused_without_memo(house, ledger["edward"], memo.address)
        for name, count, text in (("dave", 5, memo.memo), ("edward", 7, "hex 80ffffffffffffff")):
            sent(house, ledger[name], count, Destination(memo.address, memo=text))
        tables.require({"deposits": 130_000, "cold": 50_012}, {"bob": 50_000}, unswept=130_000, suspense=12)
        waiting = deposits(house.store, states=(State.SUSPENSE,))
        assert [one.reason for one in waiting] == ["its memo came with an earlier deposit", "no customer has this memo"]

        # The addresses are swept to cold: with its first block the deposits are theirs, whose they were all the time.
        swept(house)
        tables.require({"deposits": 130_000, "cold": 50_012}, {"bob": 50_000}, unswept=130_000, suspense=12)
        mined(house)
        tables.require({"deposits": 130_000, "cold": 50_012}, ALL_PAID, suspense=12)
        mined(house)
        tables.require({"cold": 180_012}, ALL_PAID, suspense=12)

        # Rebalance: 80,000 from cold to hot; and what nobody was found for goes back with it.
        rebalanced(house, coins(80_000))
        for one in waiting:
            house.approved(draft_return(house.store, house.asking(), one.id))
        crossed(house)
        tables.require({"hot": 80_000, "cold": 100_000}, ALL_PAID)
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [25_000, 45_000, 50_000]

        # Withdraw: charlie takes 25,000, alice 10,000 to dave, bob 5,000 to edward, in one message of two transactions.
        mandated(house, coins(30_000), count=3)
        wishes = (("charlie", "charlie", 25_000), ("alice", "dave", 10_000), ("bob", "edward", 5_000))
        withdrawn(house, *((name, ledger[place].address, coins(count)) for name, place, count in wishes))
        after = {"alice": 70_000, "bob": 45_000, "charlie": 25_000}
        tables.require({"hot": 80_000, "cold": 100_000}, after)
        crossed(house)
        tables.require({"hot": 40_000, "cold": 100_000}, after)
        assert [ledger[name].coins for name in ("dave", "edward", "charlie")] == [35_000, 50_000, 75_000]
        require_one_pair(house)

        require_fees_as_in_blocks(house)
        require_ended(house, tables, Tables(house, BTC, {}))


@contextmanager
def a_house_and_its_people(folder: Path) -> Iterator[tuple[House, Mapping[str, XcpStranger]]]:
    """Set the house up with its customers and bitcoins at hot, and let everybody outside have their addresses."""
    with a_house(folder, wallets=KEYS, opened=False, most=1_000_000) as house:
        house.fund(*[COIN // 10] * 3, wallet="hot")
        ledger = {name: XcpStranger(house.bitcoin, house.counterparty, name, had) for name, had in PEOPLE.items()}
        house.open_books()
        registered(house)
        yield house, ledger


def prepared(house: House, own: Mapping[str, Destination]) -> None:
    """Let the cold address take sends with a memo alone, and give the deposit addresses bitcoins for their fees."""
    house.approved(draft_options(house.store, house.asking(), wallet="cold", demanded=True))
    primed = [(place.address, PRIMED) for place in own.values()]
    house.approved(draft_prime(house.store, house.gateway, house.asking(), wallet="cold", primed=primed))
    crossed(house)
    assert Tables(house, BTC, {}).rows()["wallet:deposits"] == 2 * PRIMED.units


def sent(house: House, payer: XcpStranger, count: int, to: Destination) -> None:
    """Let somebody send XCP, and the house take it in with two confirmations and not with one."""
    before = len(deposits(house.store))
    payer.send(house.gateway, coins(count), to)
    mined(house)
    assert len(deposits(house.store)) == before
    mined(house)


def swept(house: House) -> None:
    """Order that cold gets what customers' addresses hold, with a memo, and hand it over."""
    to = Destination(house.address("cold"), memo='"sweep"')
    draft = draft_asset_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to, assets=[XCP])
    house.approved(draft)
    house.cross()
    house.tick()


def mined(house: House) -> None:
    """Let one block come, and the house look."""
    house.bitcoin.mine(1)
    house.tick()


def require_refused_without_memo(house: House, payer: XcpStranger, address: str) -> None:
    """Assert that the ledger itself says that the address takes no send without a memo."""
    with pytest.raises(MemoRequired):
        payer.send(house.gateway, coins(7), Destination(address))


def crossed(house: House) -> None:
    """Cross, and settle everything."""
    house.cross()
    house.settle()
    assert set(house.states()) == {"final"}


def require_one_pair(house: House) -> None:
    """Assert that one job paid the whole batch, by a commit and its reveal."""
    job = jobs(house.store)[-1]
    assert (job.kind, len(job.plan.payments)) == ("counterparty-mpma", 3)
    assert CUSTOMS.transactions is not None
    assert len(CUSTOMS.transactions(job.blob or b"")) == 2


def require_fees_as_in_blocks(house: House) -> None:
    """Assert that fees in bitcoins stand in own funds' rows, and that priming only moved the house's own."""
    rows = Tables(house, BTC, {}).rows()
    assert (rows["fees"], rows["own"]) == (_fees_in_blocks(house), -(4 * COIN + 3 * COIN // 10))


def _fees_in_blocks(house: House) -> int:
    """Add up what the house's transactions spend beyond what they make, by the node's own blocks."""
    ids = [tx_id for job in jobs(house.store) for tx_id, _ in CUSTOMS.transactions(job.blob or b"")]  # type: ignore[misc]
    made = [found[0] for found in map(house.bitcoin.chain.find, ids) if found is not None]
    assert len(made) == len(ids)
    return sum(_spent(house, one) - sum(out.sats for out in one.outputs) for one in made)


def _spent(house: House, tx: Tx) -> int:
    before = [(house.bitcoin.chain.find(each.outpoint.txid), each.outpoint.vout) for each in tx.inputs]
    return sum(found[0].outputs[vout].sats for found, vout in before if found is not None)


def coins(count: int) -> Amount:
    """Give so many whole XCP."""
    return amount(count * 10**8, XCP)
