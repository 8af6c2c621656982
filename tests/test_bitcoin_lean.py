"""What a request leaves out because both machines derive it: leaving out and putting back, for every kind of input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.transactions import Output, write
from shared.encoding import decode, encode
from shared.errors import Refusal
from tests.bitcoin_world import REGTEST, Key, Request, key, request

FRIEND = key(99, account=7)


def swept(*keys: Key) -> Request:
    return request([(one, 50_000) for one in keys], [Output(20_000, FRIEND.script)])


def sides(asked: Request) -> tuple[dict[str, Any], list[tuple[int, ...]], list[bytes]]:
    return asked.context(), [one.path for one in asked.keys], [one.public for one in asked.keys]


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_an_own_input_is_stated_by_its_value_alone_and_read_as_before(form: str) -> None:
    asked = swept(*(key(number, form) for number in range(3)))
    context, paths, keys = sides(asked)
    lean = BITCOIN.lean(context, paths, keys)
    blob = lean["prevouts"]
    assert isinstance(blob, bytes)
    assert decode(blob) == [[b"\xc3\x50"]] * 3
    full = BITCOIN.full(lean, paths, keys)
    assert full == context
    tx = BITCOIN.decode(write(asked.transaction), full, paths, REGTEST)
    assert BITCOIN.payloads(tx) == BITCOIN.payloads(asked.decode())


def test_what_another_key_opens_stays_stated() -> None:
    context, paths, keys = sides(swept(key(0), key(1)))
    lean = BITCOIN.lean(context, paths, [keys[0], FRIEND.public])
    blob, whole = lean["prevouts"], context["prevouts"]
    assert isinstance(blob, bytes)
    assert isinstance(whole, bytes)
    rows, before = decode(blob), decode(whole)
    assert isinstance(rows, list)
    assert isinstance(before, list)
    assert rows == [before[0][:1], before[1]]
    assert BITCOIN.full(lean, paths, [keys[0], FRIEND.public]) == context


def test_without_the_public_key_nothing_is_left_out_or_put_back() -> None:
    context, paths, keys = sides(swept(key(0)))
    assert BITCOIN.lean(context, paths, [b""]) == context
    lean = BITCOIN.lean(context, paths, keys)
    assert BITCOIN.full(lean, paths, [b""]) == lean
    with pytest.raises(Refusal):
        BITCOIN.decode(write(swept(key(0)).transaction), lean, paths, REGTEST)


def test_the_key_of_another_path_gives_another_script_and_so_another_transaction_to_sign() -> None:
    asked = swept(key(0))
    context, paths, keys = sides(asked)
    wrong = BITCOIN.full(BITCOIN.lean(context, paths, keys), paths, [key(1).public])
    tx = BITCOIN.decode(write(asked.transaction), wrong, paths, REGTEST)
    assert BITCOIN.payloads(tx) != BITCOIN.payloads(asked.decode())


@given(st.one_of(st.binary(max_size=40), st.lists(st.lists(st.binary(max_size=5), max_size=4), max_size=4).map(encode)))
def test_rows_that_are_none_are_left_to_the_decoder(blob: bytes) -> None:
    context: dict[str, Any] = {"height": 1, "prevouts": blob}
    paths, keys = [key(0).path], [key(0).public]
    for tried in (BITCOIN.lean(context, paths, keys), BITCOIN.full(context, paths, keys)):
        assert set(tried) == set(context)


def test_a_context_without_rows_stays_as_it_is() -> None:
    assert BITCOIN.lean({"height": 1}, [], []) == {"height": 1}
    assert BITCOIN.full({"height": 1, "prevouts": 5}, [], []) == {"height": 1, "prevouts": 5}
