"""The devnet's tokens keep NEP-141, NEP-145, NEP-297: registration, the one yoctoNEAR, atomic batches, calls, events.

A token's amounts are told by its contract, as a wallet would ask, and its events by the outcomes' logs.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from online.devnet.near import NearWorld
from online.devnet.near.actions import Transfer
from online.devnet.near.receipts import Outcome
from online.devnet.near.token import REGISTRATION_YOCTO
from tests.near_wire import NEAR, TGAS, Wallet, Write, call, ft_transfer

ALICE = Wallet("alice", "alice.near")
BOB = Wallet("bob")
TOKEN = "usdt.tether-token.near"
SUPPLY = 10**12


@pytest.fixture
def world() -> NearWorld:
    world = NearWorld()
    world.create(ALICE.account, ALICE.key, 100 * NEAR)
    world.deploy_token(TOKEN, 6, ALICE.account, SUPPLY, symbol="USDT")
    return world


def settle(world: NearWorld, *writes: Write, wallet: Wallet = ALICE) -> list[Outcome]:
    """Send actions to the token's contract and give the outcomes of all receipts."""
    tx = world.submit(wallet.signs(world, TOKEN, *writes))
    world.advance(8)
    found = [each for _, each in world.seen.tree(tx.id)]
    assert all(found)
    return [each[1] for each in found if each is not None]


def panic_of(outcomes: list[Outcome]) -> str:
    return str(outcomes[0].returned.error["kind"]["FunctionCallError"]["ExecutionError"])


def events(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    found = [json.loads(log.removeprefix("EVENT_JSON:")) for each in outcomes for log in each.logs
             if log.startswith("EVENT_JSON:")]
    assert all((each["standard"], each["version"]) == ("nep141", "1.0.0") for each in found)
    return [{"event": each["event"], **row} for each in found for row in each["data"]]


def view(world: NearWorld, method: str, **args: Any) -> Any:
    answer = world.look(world.chain.head, TOKEN, method, json.dumps(args).encode())
    assert answer.error is None
    return json.loads(answer.value or b"null")


def deposit(account: str, yocto: int = REGISTRATION_YOCTO) -> Write:
    return call("storage_deposit", {"account_id": account, "registration_only": True}, deposit=yocto)


def test_a_token_describes_itself(world: NearWorld) -> None:
    about = view(world, "ft_metadata")
    assert (about["spec"], about["symbol"], about["decimals"]) == ("ft-1.0.0", "USDT", 6)
    assert view(world, "ft_total_supply") == str(SUPPLY)
    assert view(world, "storage_balance_bounds") == {"min": "1250000000000000000000", "max": "1250000000000000000000"}


def test_registration_and_transfer_in_one_transaction_work(world: NearWorld) -> None:
    assert view(world, "storage_balance_of", account_id=BOB.account) is None
    outcomes = settle(world, deposit(BOB.account), ft_transfer(BOB.account, 7))
    assert view(world, "storage_balance_of", account_id=BOB.account) == {
        "total": str(REGISTRATION_YOCTO), "available": "0"}
    assert view(world, "ft_balance_of", account_id=BOB.account) == "7"
    assert events(outcomes) == [{"event": "ft_transfer", "old_owner_id": ALICE.account, "new_owner_id": BOB.account,
                                 "amount": "7"}]


def test_what_was_deposited_too_much_comes_back_by_a_transfer(world: NearWorld) -> None:
    before = world.balance(ALICE.account)
    outcomes = settle(world, deposit(BOB.account, NEAR))
    back = world.seen.receipt(outcomes[0].receipts[0])
    assert back is not None
    assert (back.predecessor, back.receiver, back.actions) == (
        TOKEN, ALICE.account, (Transfer(NEAR - REGISTRATION_YOCTO),))
    assert NEAR // 100 > before - world.balance(ALICE.account) > REGISTRATION_YOCTO


def test_a_second_registration_gives_the_whole_deposit_back(world: NearWorld) -> None:
    settle(world, deposit(BOB.account))
    outcomes = settle(world, deposit(BOB.account))
    assert outcomes[0].logs == ("The account is already registered, refunding the deposit",)
    assert world.balance(TOKEN) < 11 * NEAR


def test_a_deposit_that_is_too_small_is_refused(world: NearWorld) -> None:
    outcomes = settle(world, deposit(BOB.account, REGISTRATION_YOCTO - 1))
    assert "less than the minimum storage balance" in panic_of(outcomes)
    assert not world.is_registered(TOKEN, BOB.account)


@pytest.mark.parametrize(("write", "said"), [
    (ft_transfer("stranger.near", 5), "The account stranger.near is not registered"),
    (ft_transfer("bob.near", 5, deposit=0), "Requires attached deposit of exactly 1 yoctoNEAR"),
    (ft_transfer("bob.near", 5, deposit=2), "Requires attached deposit of exactly 1 yoctoNEAR"),
    (ft_transfer("bob.near", SUPPLY + 1), "The account doesn't have enough balance"),
    (ft_transfer("bob.near", 0), "The amount should be a positive number"),
    (ft_transfer("alice.near", 1), "Sender and receiver should be different"),
    (call("ft_transfer", {"receiver_id": "bob.near"}, deposit=1), "missing field `amount`"),
    (call("ft_transfer", {"receiver_id": "bob.near", "amount": 5}, deposit=1), "invalid number"),
    (call("ft_transfer", {"receiver_id": "bob.near", "amount": "-5"}, deposit=1), "invalid number"),
    (call("ft_transfer", {"receiver_id": "BOB", "amount": "5"}, deposit=1), "invalid account"),
    (call("ft_transfer", {"receiver_id": "bob.near", "amount": "5", "memo": 1}, deposit=1), "invalid text"),
    (call("ft_resolve_transfer", {"sender_id": "alice.near", "receiver_id": "bob.near", "amount": "5"}),
     "Method is private"),
    (call("ft_transfer_call", {"receiver_id": "bob.near", "amount": "5", "msg": ""}, deposit=1), "More gas"),
    (lambda tx: tx.function_call("ft_transfer", b"[1", 30 * TGAS, 1), "expected value"),
    (lambda tx: tx.function_call("ft_transfer", b"[]", 30 * TGAS, 1), "invalid type"),
])
def test_a_call_that_breaks_a_rule_panics_and_moves_nothing(world: NearWorld, write: Write, said: str) -> None:
    world.register(TOKEN, "bob.near")
    assert said in panic_of(settle(world, write))
    assert world.token_balance(TOKEN, ALICE.account) == SUPPLY


def test_a_method_that_is_not_there_is_an_error_of_its_own(world: NearWorld) -> None:
    outcomes = settle(world, call("ft_burn", {}))
    assert outcomes[0].returned.error["kind"] == {"FunctionCallError": {"MethodResolveError": "MethodNotFound"}}


def test_one_unregistered_receiver_undoes_the_whole_batch(world: NearWorld) -> None:
    world.register(TOKEN, BOB.account)
    before = world.balance(ALICE.account)
    outcomes = settle(world, ft_transfer(BOB.account, 1), deposit("new.near"), ft_transfer("stranger.near", 1))
    assert outcomes[0].returned.error["index"] == 2
    assert world.token_balance(TOKEN, BOB.account) == 0
    assert not world.is_registered(TOKEN, "new.near")
    back = [world.seen.receipt(each) for each in outcomes[0].receipts]
    assert [each is not None and each.predecessor for each in back] == ["system", "system"]
    assert before - world.balance(ALICE.account) < NEAR // 500, "deposits and unused gas are back"


def test_a_failed_batch_still_shows_the_logs_of_what_it_undid(world: NearWorld) -> None:
    world.register(TOKEN, BOB.account)
    outcomes = settle(world, ft_transfer(BOB.account, 1), ft_transfer("stranger.near", 1))
    assert outcomes[0].returned.error is not None
    assert events(outcomes)[0]["amount"] == "1", "a log alone proves nothing"


@pytest.mark.parametrize(("code", "used"), [("takes-tokens", 100), ("returns-half", 50), ("returns-tokens", 0),
                                            ("panics", 0), ("asks-first", 50)])
def test_a_transfer_with_a_call_gives_back_what_the_receiver_does_not_want(world: NearWorld, code: str,
                                                                          used: int) -> None:
    world.deploy("dex.near", code)
    world.register(TOKEN, "dex.near")
    tx = world.submit(ALICE.signs(world, TOKEN, call(
        "ft_transfer_call", {"receiver_id": "dex.near", "amount": "100", "msg": "swap"}, gas=100 * TGAS, deposit=1)))
    world.advance(8)
    tree = {each: found for each, found in world.seen.tree(tx.id) if found is not None}
    first = next(iter(tree.values()))[1]
    assert first.returned.receipt is not None
    block, resolved = tree[first.returned.receipt]
    assert json.loads(resolved.returned.value) == str(used)
    start = world.seen.outcome(tx.id)
    assert start is not None
    # The call, the receiver's call, and its answer, which may be another receipt's.
    assert block.height - start[0].height == (4 if code == "asks-first" else 3)
    assert world.token_balance(TOKEN, "dex.near") == used
    assert world.token_balance(TOKEN, ALICE.account) == SUPPLY - used
    back = [each for each in events([each[1] for each in tree.values()]) if each.get("memo") == "refund"]
    assert [int(each["amount"]) for each in back] == ([100 - used] if used < 100 else [])


def test_tokens_given_back_to_who_left_are_burnt(world: NearWorld) -> None:
    world.create("bob.near", BOB.key, 10 * NEAR)
    world.deploy("dex.near", "returns-tokens")
    world.register(TOKEN, "dex.near", "bob.near")
    settle(world, ft_transfer("bob.near", 100))
    bob = Wallet("bob", "bob.near")
    tx = world.submit(bob.signs(world, TOKEN, call(
        "ft_transfer_call", {"receiver_id": "dex.near", "amount": "100", "msg": ""}, gas=100 * TGAS, deposit=1)))
    world.advance()
    world.submit(bob.signs(world, TOKEN, call("storage_unregister", {}, deposit=1)))
    world.advance(8)
    burnt = [each for each in events([found[1] for _, found in world.seen.tree(tx.id) if found])
             if each["event"] == "ft_burn"]
    assert burnt == [{"event": "ft_burn", "owner_id": "dex.near", "amount": "100", "memo": "refund"}]
    assert view(world, "ft_total_supply") == str(SUPPLY - 100)


def test_a_registration_can_be_given_up_but_not_with_tokens_on_it(world: NearWorld) -> None:
    world.create("bob.near", BOB.key, 10 * NEAR)
    bob = Wallet("bob", "bob.near")
    settle(world, deposit("bob.near"), ft_transfer("bob.near", 5))
    assert "without force" in panic_of(settle(world, call("storage_unregister", {}, deposit=1), wallet=bob))
    settle(world, call("storage_unregister", {"force": True}, deposit=1), wallet=bob)
    assert not world.is_registered(TOKEN, "bob.near")
    outcomes = settle(world, call("storage_unregister", {}, deposit=1), wallet=bob)
    assert outcomes[0].returned.value == b"false"


def test_the_one_yocto_stays_with_the_contract(world: NearWorld) -> None:
    world.register(TOKEN, BOB.account)
    before = world.balance(ALICE.account)
    tx = world.submit(ALICE.signs(world, TOKEN, ft_transfer(BOB.account, 1)))
    world.advance(8)
    burnt = sum(found[1].burnt for _, found in world.seen.tree(tx.id) if found)
    own = world.seen.outcome(tx.id)
    assert own is not None
    assert before - world.balance(ALICE.account) == burnt + own[1].burnt + 1


def test_a_hundred_transfers_fit_in_one_transaction(world: NearWorld) -> None:
    holders = [f"holder-{each}.near" for each in range(100)]
    world.register(TOKEN, *holders)
    settle(world, *(ft_transfer(each, 1, gas=10 * TGAS) for each in holders))
    assert all(world.token_balance(TOKEN, each) == 1 for each in holders)


def test_a_value_is_what_the_contract_wrote(world: NearWorld) -> None:
    outcomes = settle(world, deposit(BOB.account))
    assert base64.b64encode(outcomes[0].returned.value).decode() == (
        "eyJ0b3RhbCI6IjEyNTAwMDAwMDAwMDAwMDAwMDAwMDAiLCJhdmFpbGFibGUiOiIwIn0="), "as in a real answer of a node"
