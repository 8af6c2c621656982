"""Which coins are chosen, how large transactions are thought to be, and which encoding a message gets.

Pure parts of the gateway: rows for single decisions, and random purses whose every choice must keep the same rules.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from online.chains.bitcoin.answers import Outpoint, status_of
from online.chains.bitcoin.carriers import message_bytes
from online.chains.bitcoin.check import strangeness_of_counterparty
from online.chains.bitcoin.coins import INPUTS_MOST, Coin, Need, Owner, choose
from online.chains.bitcoin.compare import read_back, require_planned
from online.chains.bitcoin.counterparty import CpStatus
from online.chains.bitcoin.draft import Rates, draft
from online.chains.bitcoin.plans import read_plan
from online.chains.bitcoin.purse import Purse
from online.chains.bitcoin.sizes import fee_sats, vsize
from shared.chains.api import Payload
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.counterparty.model import Mpma, MpmaSend
from shared.chains.bitcoin.signing import transactions
from shared.chains.bitcoin.transactions import read
from shared.errors import CoinsShort, NodeAnswerUnreadable, TableGateNear
from tests.btc_gateway_bench import (
    HOT,
    KEYS,
    NETWORK,
    RATE,
    ROOT,
    SECOND,
    XCP,
    Key,
    friend,
    pays,
    plan,
)

TO = script_of(friend(1), NETWORK)


def owner(key: Key) -> Owner:
    return Owner(key.address, script_of(key.address, NETWORK), key.path, key.public)


def coins(*sats: int, key: Key = HOT, start: int = 1) -> tuple[Coin, ...]:
    return tuple(Coin(Outpoint(f"{n:064x}", n), each, owner(key)) for n, each in enumerate(sats, start))


def need(*sats: int, rate: int = RATE, least: int = 0) -> Need:
    return Need(tuple((each, TO) for each in sats), owner(HOT).script, rate, least)


def test_a_set_that_leaves_no_change_is_preferred() -> None:
    exact = 50_000 + fee_sats(vsize([owner(HOT).script] * 2, [TO]), RATE)
    chosen = choose((), coins(900_000, 30_000, exact - 30_000, 700_000), need(50_000), owner(HOT))
    assert (chosen.change_sats, len(chosen.coins)) == (0, 2)
    assert chosen.fee_sats == exact - 50_000


def test_otherwise_the_largest_coin_pays_and_gives_change() -> None:
    chosen = choose((), coins(30_000, 900_000, 40_000), need(50_000), owner(HOT))
    assert [coin.sats for coin in chosen.coins] == [900_000]
    assert sum(coin.sats for coin in chosen.coins) == 50_000 + chosen.change_sats + chosen.fee_sats


def test_what_would_be_dust_goes_to_the_fee() -> None:
    enough = 50_000 + fee_sats(vsize([owner(HOT).script], [TO]), RATE)
    chosen = choose((), coins(enough + 293), need(50_000), owner(HOT))
    assert (chosen.change_sats, chosen.fee_sats) == (0, enough + 293 - 50_000)


def test_a_coin_of_the_source_comes_first_even_if_others_are_larger() -> None:
    others = coins(900_000, key=SECOND, start=10)
    chosen = choose((), (*coins(5_000), *others), need(100_000), owner(HOT))
    assert chosen.coins[0].owner == owner(HOT)
    with pytest.raises(CoinsShort):
        choose((), others, need(100_000), owner(HOT))


def test_forced_coins_are_all_spent_and_a_replacement_pays_its_least_fee() -> None:
    forced = coins(60_000, 70_000)
    chosen = choose(forced, coins(500_000, start=9), need(50_000, least=40_000), owner(HOT))
    assert set(forced) <= set(chosen.coins)
    assert chosen.fee_sats >= 40_000


def test_too_little_and_too_many_are_refused() -> None:
    with pytest.raises(CoinsShort):
        choose((), coins(50_000), need(50_000), owner(HOT))
    with pytest.raises(CoinsShort):
        choose((), coins(*[2_000] * (INPUTS_MOST + 50)), need(900_000), owner(HOT))
    with pytest.raises(CoinsShort):
        choose((), (), need(1_000), owner(HOT))


def test_every_choice_of_a_random_purse_keeps_the_rules() -> None:
    lots = random.Random(7)
    for _ in range(300):
        purse = coins(*(lots.randrange(600, 300_000) for _ in range(lots.randrange(1, 30))))
        amounts = [lots.randrange(1_000, 80_000) for _ in range(lots.randrange(1, 4))]
        want = need(*amounts, rate=lots.randrange(100, 20_000))
        try:
            chosen = choose((), purse, want, owner(HOT))
        except CoinsShort:
            assert want.left(purse, change=False) < want.dust * 40
            continue
        paid = sum(sats for sats, _ in want.outputs)
        assert sum(coin.sats for coin in chosen.coins) == paid + chosen.change_sats + chosen.fee_sats
        assert len(set(chosen.coins)) == len(chosen.coins)
        assert chosen.change_sats == 0 or chosen.change_sats >= want.dust
        least = want.fee(chosen.coins, change=bool(chosen.change_sats))
        assert least <= chosen.fee_sats < least + want.dust + 34 * want.rate // 1000 + 2


@pytest.mark.parametrize("key", [HOT, ROOT], ids=["p2wpkh", "p2tr"])
@pytest.mark.parametrize("encoding", ["opreturn", "taproot", "multisig"])
def test_signed_bytes_are_never_larger_than_they_were_thought(key: Key, encoding: str) -> None:
    wish = plan(pays(friend(1), 5, XCP, None, key.address), kind="counterparty-send", key=key, encoding=encoding)
    read_wish = read_plan(wish)
    purse = Purse(100, (), coins(9_000, 8_000, 7_000, key=key), None)
    made = draft(read_wish, purse, Rates(RATE, 1_000), 101)
    found = read_back(read_wish, made)
    effects = require_planned(read_wish, made, found)
    signed = BITCOIN.assemble(found.tx, sign(BITCOIN.payloads(found.tx)))
    size = sum(read(raw).vsize for _, raw in transactions(signed.blob))
    held = sum(out.value for out in found.tx.transaction.outputs if len(out.script) == 105)  # bare multisig
    assert effects.fee_most.units - held >= size * RATE // 1000


def sign(payloads: Sequence[Payload]) -> list[bytes]:
    return [KEYS[payload.path].sign_payload(payload) for payload in payloads]


def test_near_the_change_of_the_table_no_batch_is_built() -> None:
    main = "bitcoin:mainnet"
    address = BITCOIN.address(HOT.public, "secp256k1", main)
    batch = Mpma((MpmaSend("XCP", address, 5), MpmaSend("PEPECASH", address, 6)))
    before, now = message_bytes(batch, main, 971_500), message_bytes(batch, main, 971_700)
    assert before[3:4] == b"\x80"
    assert now[3:4] == b"\x16"
    for height in (971_556, 971_699):
        with pytest.raises(TableGateNear):
            message_bytes(batch, main, height)


@pytest.mark.parametrize(
    ("version", "good"), [("11.5.0", True), ("v12.0.1", True), ("11.4.9", False), ("11", False), ("", False)]
)
def test_on_the_main_network_counterparty_must_be_new_enough(version: str, good: bool) -> None:
    words = strangeness_of_counterparty(CpStatus(True, "mainnet", version, 5, 5), "bitcoin:mainnet")
    assert (not words) is good


@pytest.mark.parametrize("broken", [{}, {"chain": "regtest"}, {"chain": 5, "blocks": 1}, {"blocks": -1}, [], None])
def test_answers_without_their_fields_are_unreadable(broken: object) -> None:
    with pytest.raises(NodeAnswerUnreadable):
        status_of(broken, {"version": 300_000})
