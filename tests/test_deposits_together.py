"""Arrivals of one reading are judged and written together, and become what they would in readings of their own."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from online.audit import verify
from online.chains.api import Arrival, Arrivals
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.intake import take_in
from online.deposits.model import deposits
from online.ledger.books import balance_sheet, prove_balances
from online.store import journal, tables
from online.store.assets import add_asset
from shared.effects import Destination
from shared.money import Amount, Asset
from tests.online_world import NETWORK, NOW, XRP, Desk, make_desk

TOKEN = Asset(NETWORK, "TOK", 2)
CARD = Asset(NETWORK, "CARD", 0)


@dataclass
class Teller:
    """A gateway that tells of some arrivals, so many at each look."""

    desk: Desk
    told: Sequence[Arrival]
    most: int
    network: str = NETWORK

    def arrivals(
        self, addresses: Collection[str], assets: Collection[Asset], cursor: str, since: int | None = None
    ) -> Arrivals:
        first = int(cursor or 0)
        return Arrivals(tuple(self.told[first : first + self.most]), str(first + self.most), 200)

    def take_all(self) -> None:
        for _ in range(0, len(self.told), self.most):
            assert take_in(self.desk.store, {NETWORK: self}, NOW).troubles == ()  # type: ignore[dict-item]


def a_desk(folder: Path) -> Desk:
    """Dave has the tag 1 and edward 2; both have a memo at the hot address, and fritz the second cold one alone."""
    folder.mkdir()
    desk = make_desk(folder)
    for name in ("dave", "edward", "fritz"):
        register(desk.store, name, NOW)
    for name in ("dave", "edward"):
        instruct(desk.store, name, "cold", NOW)
    add_asset(desk.store, NETWORK, TOKEN.code, TOKEN.decimals, NOW)
    hot, cold = desk.address("hot"), desk.address("cold", 1)
    with desk.store.transaction() as tx:
        for name, address, memo, custom, wallet in (
            ("dave", hot, "aa", "memo", "hot"), ("edward", hot, "bb", "memo", "hot"),
            ("fritz", cold, None, "address", "cold"),
        ):  # fmt: skip
            row = {"network": NETWORK, "place": str(Destination(address, memo=memo)), "customer": name, "tag": None}
            more = {"wallet": wallet, "custom": custom, "address": address, "memo": memo, "created": NOW}
            tx.sql.execute(tables.places.insert().values(**row, **more))
            told = {"customer": name, "network": NETWORK, "place": str(Destination(address, memo=memo))}
            journal.append(tx, "place", told, NOW)
    return desk


def drawn(desk: Desk, seed: int) -> list[Arrival]:
    """Draw arrivals of every kind: doubled, with a memo that came before, of nobody, unlisted, given back."""
    lots = random.Random(seed)
    cold, second, hot = desk.address("cold"), desk.address("cold", 1), desk.address("hot")
    places = [Destination(cold, 1), Destination(cold, 2), Destination(cold, 0), Destination(cold), Destination(cold, 9),
              Destination(hot, memo="aa"), Destination(hot, memo="bb"), Destination(hot, memo="cc"), Destination(hot),
              Destination(second), Destination(second, 7), Destination(second, memo="aa")]  # fmt: skip
    nobodys = {2, 3, 4, 7, 8}  # what came for nobody before the opening is the house's own, and is not taken in
    found: list[Arrival] = []
    for number in range(60):
        tx_id = f"{lots.randrange(45):064X}"  # some transactions bring several
        at = lots.randrange(len(places))
        height = 150 if at in nobodys else lots.choice((90, 150))
        one = Arrival(f"{tx_id}/{number}", tx_id, height, "rThere", places[at],
                      Amount(lots.choice((XRP, XRP, XRP, TOKEN, CARD)), lots.randrange(1, 10**6)))  # fmt: skip
        found.append(replace(one, refund=lots.random() < 0.05))
        if lots.random() < 0.2:
            found.append(lots.choice(found))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_in_one_reading_they_become_what_they_would_in_readings_of_their_own(tmp_path: Path, seed: int) -> None:
    apart, together = a_desk(tmp_path / "apart"), a_desk(tmp_path / "together")
    found = drawn(apart, seed)
    Teller(apart, found, 1).take_all()
    Teller(together, found, 1_000).take_all()
    assert deposits(together.store) == deposits(apart.store)
    assert {one.reason for one in deposits(apart.store)} >= {
        "", "its memo came with an earlier deposit", "it came without a tag", "no customer has this tag",
        "CARD is not noted here", "the wallet's books are not open for TOK",
        "given back by the ledger itself",
    }  # fmt: skip
    assert balance_sheet(together.store) == balance_sheet(apart.store)
    for desk in (apart, together):
        assert prove_balances(desk.store) == ()
        assert verify(desk.store).problems == ()
        with desk.store.reading() as connection:
            assert len(connection.execute(select(tables.arrivals.c.id)).all()) == len({one.key for one in found})


@pytest.mark.parametrize("most", [1, 9])
def test_a_memo_is_good_for_one_transaction_and_at_an_address_of_ones_own_for_many(tmp_path: Path, most: int) -> None:
    desk = a_desk(tmp_path / "desk")
    shared, own = Destination(desk.address("hot"), memo="aa"), Destination(desk.address("cold", 1), memo="aa")
    came = [("1", "T1", shared), ("2", "T1", shared), ("3", "T2", shared), ("4", "T3", own), ("5", "T4", own)]
    found = [Arrival(key, tx_id, 150, "rThere", place, Amount(XRP, 3)) for key, tx_id, place in came]
    Teller(desk, found, most).take_all()
    assert [(one.customer, one.state.value) for one in deposits(desk.store)] == [
        ("dave", "credited"), ("dave", "credited"), (None, "suspense"), ("fritz", "credited"), ("fritz", "credited"),
    ]  # fmt: skip


def test_more_than_a_statement_holds_are_taken_in_whole(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "desk")
    place, amount = Destination(desk.address("cold"), 1), Amount(XRP, 3)
    found = [Arrival(f"{number}", f"{number:064X}", 150, "rThere", place, amount) for number in range(1_201)]
    Teller(desk, [*found, *found], 5_000).take_all()
    assert [one.amount.units for one in deposits(desk.store, customer="dave")] == [3] * 1_201
    assert sum(one.posted for one in balance_sheet(desk.store) if one.account == "customer:dave") == -3_603
    assert prove_balances(desk.store) == ()
    assert verify(desk.store).problems == ()
