"""Edits of what the store holds about customers, by somebody who has no key: each is noticed, by table and id."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from online.audit import verify
from online.customers.register import allow_place, register
from online.customers.trades import HOUSE, Leg, trade
from online.demo.strangers import Stranger
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.suspense import credit, draft_return
from online.store.database import open_store
from online.treasury.targets import Target, set_target
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.gathering import cancel
from online.withdrawals.mandates import Ceiling, Mandate, approve_mandate, draft_mandate
from shared.effects import Destination
from shared.policy import Person
from tests.both_machines import NOW
from tests.xrpl_house import NETWORK, XRP, XrplHouse, an_xrpl_house, xrp

EDITS = [
    ("customers", "UPDATE customers SET frozen = 1 WHERE id = 'dave'"),
    ("customers", "INSERT INTO customers VALUES ('eve', 1, 0)"),
    ("places", "UPDATE places SET customer = 'edward' WHERE customer = 'dave'"),
    ("places", "UPDATE places SET place = place || '0' WHERE customer = 'dave'"),
    ("places", "UPDATE places SET address = 'rThief'"),
    ("places", "UPDATE places SET tag = 5 WHERE customer = 'dave'"),
    ("places", "UPDATE places SET tag = NULL, memo = 'hex 00'"),
    ("places", "UPDATE places SET custom = 'memo'"),
    ("places", "UPDATE places SET wallet = 'hot'"),
    ("allowed", "UPDATE allowed SET place = 'rThief'"),
    ("allowed", "DELETE FROM allowed"),
    ("trades", "UPDATE trades SET entry = 1"),
    ("trades", "UPDATE trades SET id = 'other'"),
    ("withdrawals", "UPDATE withdrawals SET destination = 'rThief' WHERE id = 'w1'"),
    ("withdrawals", "UPDATE withdrawals SET units = '1' WHERE id = 'w1'"),
    ("withdrawals", "UPDATE withdrawals SET state = 'paid' WHERE id = 'w1'"),
    ("withdrawals", "UPDATE withdrawals SET state = 'queued' WHERE id = 'w2'"),
    ("withdrawals", "UPDATE withdrawals SET line = line - 1 WHERE id = 'w1'"),
    ("withdrawals", "DELETE FROM withdrawals WHERE id = 'w2'"),
    ("arrivals", "UPDATE arrivals SET customer = 'edward' WHERE id = 1"),
    ("arrivals", "UPDATE arrivals SET units = '1' WHERE id = 2"),
    ("arrivals", "UPDATE arrivals SET state = 'suspense' WHERE id = 3"),
    ("arrivals", "DELETE FROM arrivals WHERE id = 1"),
    ("mandates", "UPDATE mandates SET revoked = 1"),
    ("mandates", "UPDATE mandates SET approved_by = NULL"),
    ("targets", "UPDATE targets SET sealed = X'00'"),
    ("openings", "UPDATE openings SET height = 0 WHERE wallet = 'cold'"),
]


def furnished(house: XrplHouse) -> None:
    """Let there be a row of every kind: credited, credited out of suspense and sent back, waiting and cancelled."""
    people = [(Person(name, house.people[name].public), house.people[name].sign) for name in ("alice", "bob")]
    (alice, sign), (bob, countersign) = people
    for name in ("dave", "edward"):
        register(house.store, name, NOW)
    instruct(house.store, "dave", "cold", NOW)
    house.tick()
    stranger = Stranger(house.world, 1_000)
    for tag in (1, 77, 78):
        stranger.pay(house.address("cold"), 50 * 10**6, tag)
    house.tick()
    _, second, third = deposits(house.store)
    credit(house.store, second.id, "edward", people[0], people[1], NOW)
    house.approved(draft_return(house.store, house.asking(), third.id))
    house.cross()
    house.settle()
    trade(house.store, "t1", [Leg(HOUSE, "dave", xrp(5))], NOW)
    ceiling = Ceiling(*(xrp(30).units,) * 4)
    for count in (1, 2):
        wanted = Mandate("hot", {"XRP": ceiling}, count, 60)
        given = draft_mandate(house.store, wanted, person=alice, sign=sign, now=NOW)
        approve_mandate(house.store, given.id, person=bob, sign=countersign, now=NOW)
    place = Destination(stranger.address)
    allow_place(house.store, "dave", NETWORK, place, NOW)
    for name in ("w1", "w2"):
        accept(house.store, Wish(name, "dave", "hot", place, xrp(3)), NOW)
    cancel(house.store, "w2", NOW)
    set_target(house.store, Target("hot", XRP, 1, 2, 3), person=alice, sign=sign, now=NOW)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("customers")
    with an_xrpl_house(folder) as house:
        furnished(house)
        assert verify(house.store).problems == ()
        return Path(house.store.engine.url.database or "")


@pytest.mark.parametrize(("table", "edit"), EDITS, ids=[f"{table}-{place}" for place, (table, _) in enumerate(EDITS)])
def test_every_edit_of_what_is_about_customers_is_noticed(
    template: Path, tmp_path: Path, table: str, edit: str
) -> None:
    copy = tmp_path / "lockgate.db"
    shutil.copy(template, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        assert connection.execute(edit).rowcount
    store = open_store(f"sqlite:///{copy}")
    found = verify(store)
    store.close()
    assert any(one.startswith(f"{table} ") for one in found.problems), found.problems
