"""The devnet's NEAR makes and loses no yoctoNEAR and no token, whatever is thrown at it.

Random histories of every kind of transaction, with missed chunks, skipped heights and left branches between; after each
block what accounts hold, what receipts carry and what was burnt is the whole supply.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from online.devnet.near import NearWorld
from online.devnet.near.faucet import FAUCET, SUPPLY_YOCTO
from online.devnet.near.fees import PURCHASE_PRICE_LEAST
from online.devnet.near.verify import InvalidTx
from tests.near_wire import (
    NEAR,
    TGAS,
    Wallet,
    Write,
    add_key,
    call,
    call_bytes,
    delete_account,
    delete_key,
    ft_transfer,
    transfer,
    transfer_bytes,
)

TOKEN, SUPPLY = "tok.near", 10**9
PEOPLE = [Wallet(f"person {each}", f"person-{each}.near") for each in range(4)]
IMPLICIT = [Wallet(f"implicit {each}") for each in range(3)]
CONTRACTS = {"takes.near": "takes-tokens", "half.near": "returns-half", "panics.near": "panics"}
NAMES = [each.account for each in (*PEOPLE, *IMPLICIT)] + [
    *CONTRACTS, "vault.near", "missing.near", "0x" + "1f" * 20, "0s" + "2e" * 20]
Draw = Callable[[random.Random], tuple[str, Sequence[Write]]]


def _tokens(chance: random.Random) -> tuple[str, Sequence[Write]]:
    moves = [ft_transfer(chance.choice(NAMES), chance.randrange(SUPPLY), deposit=chance.choice([0, 1, 1, 1]))
             for _ in range(chance.randrange(1, 4))]
    who = chance.choice(NAMES)
    paid = chance.choice([0, 10**21, 125 * 10**19, NEAR])
    return TOKEN, [call("storage_deposit", {"account_id": who}, deposit=paid), *moves][chance.randrange(2):]


def _token_calls(chance: random.Random) -> tuple[str, Sequence[Write]]:
    args = {"receiver_id": chance.choice([*CONTRACTS, *NAMES]), "amount": str(chance.randrange(1, 100)), "msg": ""}
    return TOKEN, [call("ft_transfer_call", args, gas=chance.choice([20, 60, 200]) * TGAS, deposit=1)]


def _leaving(_chance: random.Random) -> tuple[str, Sequence[Write]]:
    return TOKEN, [call("storage_unregister", {"force": True}, deposit=1)]


def _vault(chance: random.Random) -> tuple[str, Sequence[Write]]:
    method = chance.choice(["pay", "pay_quietly", "pay_and_panic", "panic", "nothing"])
    args = {"receiver_id": chance.choice(NAMES), "amount": str(chance.choice([0, 1, NEAR // 50, 10**29]))}
    gas = chance.choice([10**6, TGAS, 30 * TGAS])
    return "vault.near", [call(method, args, gas=gas, deposit=chance.choice([0, 1, NEAR // 10]))]


def _native(chance: random.Random) -> tuple[str, Sequence[Write]]:
    return chance.choice(NAMES), [transfer(chance.choice([0, 1, NEAR // 7, 3 * NEAR]))
                                  for _ in range(chance.choice([1, 1, 1, 2]))]


def _keys(chance: random.Random) -> tuple[str, Sequence[Write]]:
    key = Wallet(f"key {chance.randrange(3)}").key
    return chance.choice(PEOPLE).account, [chance.choice([add_key(key), delete_key(key)])]


def _deletion(chance: random.Random) -> tuple[str, Sequence[Write]]:
    return chance.choice(IMPLICIT).account, [delete_account(chance.choice(NAMES))]


DRAWS: Sequence[Draw] = [_native, _native, _tokens, _tokens, _token_calls, _leaving, _vault, _vault, _keys, _deletion]


def _delegate(world: NearWorld, chance: random.Random, sender: Wallet, relayer: Wallet) -> bytes:
    inner = chance.choice([transfer_bytes(NEAR // 20), call_bytes(
        "ft_transfer", {"receiver_id": chance.choice(NAMES), "amount": "3"}, 30 * TGAS, 1)])
    access = world.keys(sender.account).get(sender.key)
    nonce = (0 if access is None else access.nonce) + chance.choice([0, 1, 1, 1])
    return relayer.relays(world, sender.account, sender.delegates(
        chance.choice([TOKEN, *NAMES]), inner, nonce=nonce, height_most=world.height + chance.randrange(4)))


def _throw(world: NearWorld, chance: random.Random) -> bool:
    """Submit something random; say whether it was taken."""
    who = chance.choice([*PEOPLE, *IMPLICIT])
    if who.key not in world.keys(who.account):
        return False
    if chance.random() < 0.15:
        raw = _delegate(world, chance, chance.choice(PEOPLE), who)
    else:
        receiver, writes = chance.choice(DRAWS)(chance)
        nonce = world.keys(who.account)[who.key].nonce + chance.randrange(1, 5)
        raw = who.signs(world, receiver, *writes, nonce=nonce)
    try:
        world.submit(raw)
    except InvalidTx:
        return False
    return True


def _move(world: NearWorld, chance: random.Random) -> None:
    match chance.randrange(12):
        case 0:
            world.miss_chunk(chance.randrange(2))
            world.advance()
        case 1:
            world.skip_heights(chance.randrange(1, 4))
        case 2 if world.final_height < world.height:
            world.fork(lose=chance.random() < 0.5)
        case 3:
            world.pace.gas_price = chance.choice([10**8, 10**8, 3 * 10**8, 2 * PURCHASE_PRICE_LEAST])
            world.advance()
        case _:
            world.advance()


def _in_hands(world: NearWorld) -> int:
    balances = {key: value for key, value in world.chain.head.ledger.state.items()
                if key[:2] == ("data", TOKEN) and key[2].startswith("balance/")}
    assert all(value >= 0 for value in balances.values())
    return sum(balances.values())


def _world() -> NearWorld:
    world = NearWorld(clock=lambda: 10**18)
    for each in PEOPLE:
        world.create(each.account, each.key, 1_000 * NEAR)
    world.fund_all({each.account: 20 * NEAR for each in IMPLICIT})
    world.deploy_token(TOKEN, 6, PEOPLE[0].account, SUPPLY)
    world.deploy("vault.near", "vault", 100 * NEAR)
    for name, code in CONTRACTS.items():
        world.deploy(name, code)
    world.register(TOKEN, *NAMES[:9])
    return world


@pytest.mark.parametrize("seed", range(8))
def test_the_supply_is_accounts_receipts_and_what_was_burnt_after_every_block(seed: int) -> None:
    world, chance = _world(), random.Random(seed)
    kinds = set()
    taken = 0
    for _ in range(150):
        taken += sum(_throw(world, chance) for _ in range(chance.randrange(4)))
        _move(world, chance)
        accounts, under_way, burnt = world.supply()
        assert accounts + under_way + burnt == SUPPLY_YOCTO
        assert all(each >= 0 for each in (accounts, under_way, burnt))
        token_supply = world.chain.head.ledger.state[("data", TOKEN, "supply")]
        assert _in_hands(world) == token_supply <= SUPPLY
        kinds |= {type(each.returned.error).__name__ for each in world.chain.head.outcomes}
    world.advance(12)
    accounts, under_way, burnt = world.supply()
    assert (under_way, accounts + burnt) == (0, SUPPLY_YOCTO)
    assert taken > 100
    assert burnt > 0
    assert kinds == {"NoneType", "dict"}, "some succeeded and some failed"
    assert world.chain.head.ledger.idle


@pytest.mark.parametrize("seed", range(4))
def test_the_same_history_gives_the_same_blocks(seed: int) -> None:
    heads = []
    for _ in range(2):
        world, chance = _world(), random.Random(seed)
        for _ in range(40):
            _throw(world, chance)
            _move(world, chance)
        heads.append(world.chain.head.hash)
    assert heads[0] == heads[1]


def test_what_everybody_pays_is_what_outcomes_say() -> None:
    """A payer's balance is what it began with, less deposits that stayed away, less tokens_burnt of what it signed."""
    world, chance = _world(), random.Random(99)
    payer = PEOPLE[1]
    before, ids, given = world.balance(payer.account), [], 0
    for each in range(30):
        yocto = chance.randrange(NEAR)
        lands = each % 3 != 0
        given += yocto if lands else 0
        target = chance.choice([FAUCET, IMPLICIT[0].account, "0x" + "1f" * 20]) if lands else "missing.near"
        ids.append(world.submit(payer.signs(world, target, transfer(yocto))).id)
        world.advance(5)
    burnt = 0
    for tx_id in ids:
        own = world.seen.outcome(tx_id)
        assert own is not None
        burnt += own[1].burnt + sum(found[1].burnt for _, found in world.seen.tree(tx_id) if found is not None)
    assert before - world.balance(payer.account) == given + burnt
