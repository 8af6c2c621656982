"""What strangers write beside their money: no length and no letter of it stops the reading of deposits anywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import String

from online.audit import verify
from online.chains.api import Arrival, Arrivals
from online.customers.register import register
from online.deposits.instructions import instruct
from online.deposits.model import deposits
from online.deposits.texts import MEMO_MOST, fit, fitting
from online.ledger.books import balance_sheet
from online.store import tables
from shared.effects import Destination
from shared.money import Amount, Asset
from tests.both_machines import NOW
from tests.xrpl_house import NETWORK, XrplHouse, an_xrpl_house

NASTY = st.text(st.characters(codec=None, exclude_categories=()), max_size=400) | st.text("ab\0\ud800", max_size=400)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[XrplHouse]:
    with an_xrpl_house(tmp_path) as found:
        register(found.store, "dave", NOW)
        instruct(found.store, "dave", "cold", NOW)
        found.tick()
        yield found


def arrival(key: str, sender: str = "", memo: str | None = None, code: str = "XRP", address: str = "r") -> Arrival:
    amount = Amount(Asset(NETWORK, code, 6), 5)
    return Arrival(key, key, 7, sender, Destination(address, 1, memo), amount)


@given(NASTY, NASTY, NASTY, NASTY)
def test_every_text_fits_its_column_and_is_one_that_databases_take(key: str, sender: str, memo: str, code: str) -> None:
    one = fitting(arrival(key, sender, memo, code))
    texts = {"key": one.key, "tx_id": one.tx_id, "source": one.sender, "asset_code": one.amount.asset.code}
    for name, text in texts.items():
        column = tables.arrivals.c[name].type
        assert isinstance(column, String)
        assert len(text) <= (column.length or 0)
    assert len(one.destination.memo or "") <= MEMO_MOST
    for text in (*texts.values(), one.destination.memo or ""):
        assert "\0" not in text
        text.encode()


@given(NASTY, NASTY)
def test_two_texts_never_become_one(first: str, second: str) -> None:
    assert (fit(first, 120) == fit(second, 120)) == (first == second)


@pytest.mark.parametrize("text", ["", "dave", "x" * 120, "ñ\U0001f600"])
def test_what_fits_stays_as_it_is(text: str) -> None:
    assert fit(text, 120) == text


@pytest.mark.parametrize("memo", ["m" * 100_000, "a\0b", "\ud800", "\U0001f600" * 400, "line\nbreak"])
@pytest.mark.parametrize("sender", ["s" * 500, "\0"])
def test_a_stranger_stops_nothing_by_what_they_write(
    house: XrplHouse, monkeypatch: pytest.MonkeyPatch, memo: str, sender: str
) -> None:
    address = house.address("cold")
    nasty = [arrival("k" * 300 + "\0", sender, memo, "C" * 100, address), arrival("plain", address=address)]

    def told(_addresses: Collection[str], _assets: Collection[Asset], cursor: str, _since: int | None) -> Arrivals:
        return Arrivals(tuple(nasty), cursor, 7)

    monkeypatch.setattr(house.gateway, "arrivals", told)
    for _ in range(2):
        house.tick()
    assert [one.state.value for one in deposits(house.store)] == ["suspense", "credited"]
    assert [one.posted for one in balance_sheet(house.store) if one.account == "customer:dave"] == [-5]
    assert verify(house.store).problems == ()
