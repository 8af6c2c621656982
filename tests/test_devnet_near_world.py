"""The devnet's NEAR keeps the network's rules: nonces, validity, receipts over blocks, gas, accounts, keys, branches.

Each test drives the world with transactions that nearcore's crates sign, and looks at outcomes and balances.
"""

from __future__ import annotations

from typing import Any

import pytest

from online.devnet.near import Blocks, NearWorld, fees
from online.devnet.near.blocks import Block
from online.devnet.near.receipts import Outcome, shard_of
from online.devnet.near.texts import NOBODYS_KEY
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
    transfer,
    transfer_bytes,
)

ALICE, RELAYER = Wallet("alice", "alice.near"), Wallet("relayer", "relayer.near")
IMPLICIT = Wallet("implicit")
ETH, DETERMINISTIC = "0x" + "ab" * 20, "0s" + "cd" * 20
PRICE = fees.GAS_PRICE_LEAST


@pytest.fixture
def world() -> NearWorld:
    world = NearWorld()
    world.create(ALICE.account, ALICE.key, 100 * NEAR)
    world.create("shop.near", (), NEAR)
    return world


def settle(world: NearWorld, raw: bytes) -> list[tuple[Block, Outcome]]:
    """Submit, make blocks until nothing is under way, and give all outcomes, the transaction's first."""
    tx = world.submit(raw)
    world.advance(6)
    own = world.seen.outcome(tx.id)
    assert own is not None
    found = [each for _, each in world.seen.tree(tx.id)]
    assert all(found)
    return [own, *(each for each in found if each is not None)]


def error_of(world: NearWorld, raw: bytes) -> Any:
    """Give why a receipt of a transaction failed."""
    return next(outcome.returned.error["kind"] for _, outcome in settle(world, raw) if outcome.returned.error)


def refused(world: NearWorld, raw: bytes) -> Any:
    """Give why a transaction is not taken."""
    with pytest.raises(InvalidTx) as caught:
        world.submit(raw)
    return caught.value.error


# --- receipts, gas and refunds ------------------------------------------------------------------------


def test_a_transfer_runs_in_the_next_block_and_its_refund_one_later(world: NearWorld) -> None:
    outcomes = settle(world, ALICE.signs(world, "shop.near", transfer(5 * NEAR)))
    start = outcomes[0][0].height
    assert [block.height - start for block, _ in outcomes] == [0, 1, 2]
    assert world.balance("shop.near") == 6 * NEAR


def test_a_transfer_costs_what_burns_and_the_rest_of_the_tenfold_comes_back(world: NearWorld) -> None:
    before = world.balance(ALICE.account)
    tx = world.submit(ALICE.signs(world, "shop.near", transfer(NEAR)))
    world.advance()
    doing = fees.RECEIPT.doing + fees.TRANSFER.doing
    sending = fees.RECEIPT.to_other + fees.TRANSFER.to_other
    assert before - world.balance(ALICE.account) == NEAR + sending * PRICE + doing * fees.PURCHASE_PRICE_LEAST
    world.advance(2)
    burnt = sum(found[1].burnt for _, found in world.seen.tree(tx.id) if found) + sending * PRICE
    assert burnt == (sending + doing) * PRICE == 446_365_125 * 10**11
    assert before - world.balance(ALICE.account) == NEAR + burnt


def test_above_the_floor_gas_is_bought_at_the_price_that_burns(world: NearWorld) -> None:
    world.pace.gas_price = 3 * fees.PURCHASE_PRICE_LEAST
    outcomes = settle(world, ALICE.signs(world, "shop.near", transfer(NEAR)))
    assert len(outcomes) == 2, "nothing is left to give back"
    assert sum(outcome.burnt for _, outcome in outcomes) == 446_365_125_000 * 3 * 10**9


@pytest.mark.parametrize("account", [IMPLICIT.account, ETH, DETERMINISTIC])
def test_a_transfer_to_a_missing_implicit_account_makes_it_for_its_charge(world: NearWorld, account: str) -> None:
    _, (_, made), (_, back) = settle(world, ALICE.signs(world, account, transfer(NEAR)))
    assert world.balance(account) == NEAR
    extra = made.gas_burnt - fees.CREATE_ACCOUNT.doing
    assert made.burnt == fees.ACCOUNT_CREATION_CHARGE + extra * PRICE
    assert back.executor == ALICE.account
    again = settle(world, ALICE.signs(world, account, transfer(NEAR)))
    assert again[1][1].burnt == again[1][1].gas_burnt * PRICE, "it is there now"


def test_only_an_implicit_account_is_born_with_a_key(world: NearWorld) -> None:
    for account in (IMPLICIT.account, ETH, DETERMINISTIC):
        settle(world, ALICE.signs(world, account, transfer(NEAR)))
    assert list(world.keys(IMPLICIT.account)) == [IMPLICIT.key]
    assert world.keys(ETH) == world.keys(DETERMINISTIC) == {}


def test_a_new_key_starts_with_the_height_before_its_block_times_a_million(world: NearWorld) -> None:
    outcomes = settle(world, ALICE.signs(world, IMPLICIT.account, transfer(NEAR)))
    assert world.keys(IMPLICIT.account)[IMPLICIT.key].nonce == (outcomes[1][0].height - 1) * 10**6
    outcomes = settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key)))
    assert world.keys(ALICE.account)[RELAYER.key].nonce == (outcomes[1][0].height - 1) * 10**6


def test_a_transfer_to_a_missing_named_account_fails_and_the_deposit_comes_back(world: NearWorld) -> None:
    before = world.balance(ALICE.account)
    own, failed, deposit, gas = settle(world, ALICE.signs(world, "gone.near", transfer(NEAR)))
    assert failed[1].returned.error == {"index": 0, "kind": {"AccountDoesNotExist": {"account_id": "gone.near"}}}
    assert [each[1].executor for each in (deposit, gas)] == [ALICE.account] * 2
    signed = [world.seen.receipt(each[1].id) for each in (deposit, gas)]
    assert [each and (each.signer, each.signer_key, each.gas_price) for each in signed] == [
        ("system", NOBODYS_KEY, 0), (ALICE.account, ALICE.key, 0)]
    assert not world.exists("gone.near")
    assert before - world.balance(ALICE.account) == own[1].burnt + failed[1].burnt


def test_what_the_signer_does_to_itself_runs_in_the_same_block(world: NearWorld) -> None:
    outcomes = settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key)))
    assert outcomes[0][0] is outcomes[1][0]


def test_all_actions_of_a_receipt_happen_or_none(world: NearWorld) -> None:
    raw = ALICE.signs(world, ALICE.account, add_key(RELAYER.key), delete_key(IMPLICIT.key))
    assert "DeleteKeyDoesNotExist" in error_of(world, raw)
    assert list(world.keys(ALICE.account)) == [ALICE.key]


def test_a_call_of_an_account_without_a_contract_fails(world: NearWorld) -> None:
    assert error_of(world, ALICE.signs(world, "shop.near", call("pay", {}))) == {
        "FunctionCallError": {"CompilationError": {"CodeDoesNotExist": {"account_id": "shop.near"}}}}


def test_a_call_with_too_little_gas_burns_all_of_it(world: NearWorld) -> None:
    world.deploy("vault.near", "vault")
    raw = ALICE.signs(world, "vault.near", call("pay", {"receiver_id": "shop.near", "amount": "1"}, gas=10**9))
    outcomes = settle(world, raw)
    assert outcomes[1][1].returned.error["kind"] == {
        "FunctionCallError": {"ExecutionError": "Exceeded the prepaid gas."}}
    assert outcomes[1][1].gas_burnt >= 10**9


def test_a_share_of_a_calls_burnt_gas_goes_to_the_contract(world: NearWorld) -> None:
    world.deploy("vault.near", "vault", 10 * NEAR)
    outcomes = settle(world, ALICE.signs(
        world, "vault.near", call("pay", {"receiver_id": "shop.near", "amount": "0"})))
    receipt = world.seen.receipt(outcomes[1][1].id)
    assert receipt is not None
    fixed = fees.RECEIPT.doing + fees.doing_gas(receipt.actions[0], "vault.near")
    reward = (outcomes[1][1].gas_burnt - fixed) * PRICE * fees.REWARD_PERCENT // 100
    assert world.balance("vault.near") - 10 * NEAR == reward > 0


def test_the_top_of_a_transaction_can_show_success_over_a_failed_payment(world: NearWorld) -> None:
    world.deploy("vault.near", "vault", 10 * NEAR)
    outcomes = settle(world, ALICE.signs(world, "vault.near", call(
        "pay_quietly", {"receiver_id": "gone.near", "amount": str(NEAR)})))
    assert outcomes[1][1].returned.value == b'"sent"'
    assert outcomes[2][1].returned.error is not None
    assert outcomes[3][1].executor == "vault.near", "the deposit goes back to the contract, not to who called it"


def test_the_top_of_a_transaction_can_show_failure_over_money_that_moved(world: NearWorld) -> None:
    world.deploy("vault.near", "vault", 10 * NEAR)
    raw = ALICE.signs(world, "vault.near", call("pay_and_panic", {"receiver_id": "shop.near", "amount": str(NEAR)}))
    assert any(outcome.returned.error for _, outcome in settle(world, raw))
    assert world.balance("shop.near") == 2 * NEAR


# --- nonces and validity ------------------------------------------------------------------------------


def test_a_nonce_is_used_once_and_gaps_are_allowed(world: NearWorld) -> None:
    nonce = world.keys(ALICE.account)[ALICE.key].nonce
    settle(world, ALICE.signs(world, "shop.near", transfer(1), nonce=nonce + 7))
    for spent in (nonce, nonce + 1, nonce + 7):
        error = refused(world, ALICE.signs(world, "shop.near", transfer(2), nonce=spent))
        assert error == {"InvalidNonce": {"tx_nonce": spent, "ak_nonce": nonce + 7}}
    settle(world, ALICE.signs(world, "shop.near", transfer(1), nonce=nonce + 8))


def test_a_nonce_as_high_as_the_height_times_a_million_is_refused(world: NearWorld) -> None:
    bound = (world.height + 1) * 10**6
    assert refused(world, ALICE.signs(world, "shop.near", transfer(1), nonce=bound)) == {
        "NonceTooLarge": {"tx_nonce": bound, "upper_bound": bound}}
    settle(world, ALICE.signs(world, "shop.near", transfer(1), nonce=bound - 1))


def test_a_higher_nonce_that_lands_first_kills_the_lower_ones(world: NearWorld) -> None:
    nonce = world.keys(ALICE.account)[ALICE.key].nonce
    low, high = (ALICE.signs(world, "shop.near", transfer(1), nonce=nonce + each) for each in (1, 2))
    settle(world, high)
    assert "InvalidNonce" in refused(world, low)


def test_in_one_block_a_keys_transactions_go_by_their_nonces(world: NearWorld) -> None:
    nonce = world.keys(ALICE.account)[ALICE.key].nonce
    for each in (3, 1, 2):
        world.submit(ALICE.signs(world, "shop.near", transfer(1), nonce=nonce + each))
    world.advance(2)
    assert world.balance("shop.near") == NEAR + 3


def test_two_transactions_with_one_nonce_come_to_one(world: NearWorld) -> None:
    nonce = world.keys(ALICE.account)[ALICE.key].nonce + 1
    ids = [world.submit(ALICE.signs(world, "shop.near", transfer(each), nonce=nonce)).id for each in (1, 2)]
    world.advance(2)
    assert sum(world.seen.tx(each) is not None for each in ids) == 1


def test_the_same_bytes_twice_are_one_transaction(world: NearWorld) -> None:
    raw = ALICE.signs(world, "shop.near", transfer(NEAR))
    assert world.submit(raw) == world.submit(raw)
    world.advance(6)
    assert world.balance("shop.near") == 2 * NEAR
    assert "InvalidNonce" in refused(world, raw)


def test_a_key_of_its_own_is_a_lane_of_its_own(world: NearWorld) -> None:
    settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key)))
    lane = Wallet("relayer", ALICE.account)
    high = lane.signs(world, "shop.near", transfer(1), nonce=lane_nonce(world, lane) + 9)
    settle(world, high)
    settle(world, ALICE.signs(world, "shop.near", transfer(1)))


def lane_nonce(world: NearWorld, wallet: Wallet) -> int:
    return world.keys(wallet.account)[wallet.key].nonce


def test_a_transaction_lives_exactly_as_many_heights_as_the_protocol_says() -> None:
    world = NearWorld(validity=50)
    world.create(ALICE.account, ALICE.key, NEAR)
    base = world.chain.final
    last = ALICE.signs(world, "faucet", transfer(1), base=base.hash)
    late = ALICE.signs(world, "faucet", transfer(2), base=base.hash, nonce=lane_nonce(world, ALICE) + 5)
    world.skip_heights(base.height + 50 - world.height - 1)
    assert world.height == base.height + 50
    tx = world.submit(last)
    world.advance()
    assert world.seen.tx(tx.id) is not None
    assert refused(world, late) == "Expired"


def test_a_transaction_that_expires_while_it_waits_leaves_no_trace() -> None:
    world = NearWorld(validity=50)
    world.create(ALICE.account, ALICE.key, NEAR)
    tx = world.submit(ALICE.signs(world, "faucet", transfer(1)))
    world.miss_chunk(shard_of(ALICE.account, 2))
    world.skip_heights(60)
    world.advance(3)
    assert world.seen.tx(tx.id) is None
    assert lane_nonce(world, ALICE) < tx.nonce
    assert tx.id not in world.pool


def test_an_unknown_base_block_is_expired_and_one_on_a_left_branch_invalid(world: NearWorld) -> None:
    assert refused(world, ALICE.signs(world, "shop.near", transfer(1), base="1" * 32)) == "Expired"
    other = NearWorld(salt="another network")
    assert refused(world, ALICE.signs(world, "shop.near", transfer(1), base=other.chain.final.hash)) == "Expired"
    left = world.chain.head.hash
    world.fork()
    assert refused(world, ALICE.signs(world, "shop.near", transfer(1), base=left)) == "InvalidChain"


# --- what a transaction may not -----------------------------------------------------------------------


def test_who_is_not_there_cannot_sign(world: NearWorld) -> None:
    ghost = Wallet("alice", "ghost.near")
    assert refused(world, ghost.signs(world, "shop.near", transfer(1), nonce=1)) == {
        "SignerDoesNotExist": {"signer_id": "ghost.near"}}
    stranger = Wallet("stranger", ALICE.account)
    assert refused(world, stranger.signs(world, "shop.near", transfer(1), nonce=1)) == {
        "InvalidAccessKeyError": {"AccessKeyNotFound": {"account_id": ALICE.account, "public_key": stranger.key}}}


def test_a_balance_must_cover_deposit_and_gas_bought_ahead(world: NearWorld) -> None:
    balance = world.balance(ALICE.account)
    error = refused(world, ALICE.signs(world, "shop.near", transfer(balance)))
    cost = int(error["NotEnoughBalance"]["cost"])
    assert error["NotEnoughBalance"]["balance"] == str(balance)
    assert cost - balance == 223_182_562_500 * (PRICE + fees.PURCHASE_PRICE_LEAST)
    settle(world, ALICE.signs(world, "shop.near", transfer(2 * balance - cost)))
    assert world.balance(ALICE.account) == 223_182_562_500 * (fees.PURCHASE_PRICE_LEAST - PRICE)


def test_the_first_770_bytes_are_free() -> None:
    assert [fees.stake_needed(each) for each in (182, 770, 771)] == [0, 0, 771 * 10**19]


def test_an_account_above_770_bytes_must_keep_its_stake(world: NearWorld) -> None:
    keys = [Wallet(f"key {each}").key for each in range(8)]
    settle(world, ALICE.signs(world, ALICE.account, *map(add_key, keys)))
    stored = 100 + 9 * 82
    assert stored > fees.FREE_BYTES
    balance = world.balance(ALICE.account)
    keep = stored * fees.STAKE_PER_BYTE
    error = refused(world, ALICE.signs(world, "shop.near", transfer(balance - keep)))
    assert "LackBalanceForState" in error
    missing = int(error["LackBalanceForState"]["amount"])
    settle(world, ALICE.signs(world, "shop.near", transfer(balance - keep - missing)))
    assert world.balance(ALICE.account) >= keep


def test_a_receipt_that_would_leave_too_little_stake_fails(world: NearWorld) -> None:
    poor = Wallet("poor", "poor.near")
    world.create(poor.account, poor.key, 10**22)
    keys = [Wallet(f"key {each}").key for each in range(9)]
    assert "LackBalanceForState" in error_of(world, poor.signs(world, poor.account, *map(add_key, keys)))


@pytest.mark.parametrize(("writes", "error"), [
    ([transfer(1)] * 101, "TotalNumberOfActionsExceeded"),
    ([delete_account("faucet"), transfer(1)], "DeleteActionMustBeFinal"),
    ([call("m", {}, gas=0)], "FunctionCallZeroAttachedGas"),
    ([call("m" * 257, {})], "FunctionCallMethodNameLengthExceeded"),
    ([call("m", {}, gas=600 * TGAS)] * 2, "TotalPrepaidGasExceeded"),
])
def test_actions_that_cannot_stand_together_are_refused(world: NearWorld, writes: list[Write], error: str) -> None:
    found = refused(world, ALICE.signs(world, "shop.near", *writes))["ActionsValidation"]
    assert found == error or error in found


def test_a_thousand_tgas_is_the_most_and_allowed(world: NearWorld) -> None:
    settle(world, ALICE.signs(world, "shop.near", call("m", {}, gas=500 * TGAS), call("m", {}, gas=500 * TGAS)))


@pytest.mark.parametrize(("receiver", "write", "error"), [
    ("shop.near", add_key(RELAYER.key), "ActorNoPermission"),
    ("shop.near", delete_account("alice.near"), "ActorNoPermission"),
    ("shop.near", lambda tx: tx.deploy_contract(b"code"), "ActorNoPermission"),
    ("shop.near", lambda tx: tx.create_account(), "AccountAlreadyExists"),
    ("bob.near", lambda tx: tx.create_account(), "CreateAccountNotAllowed"),
    ("bob", lambda tx: tx.create_account(), "CreateAccountOnlyByRegistrar"),
    (IMPLICIT.account, lambda tx: tx.create_account(), "OnlyImplicitAccountCreationAllowed"),
    ("alice.near", add_key(ALICE.key), "AddKeyAlreadyExists"),
    ("alice.near", delete_key(RELAYER.key), "DeleteKeyDoesNotExist"),
    ("alice.near", lambda tx: tx.stake(1, add_key_of(ALICE)), "InsufficientStake"),
    ("alice.near", lambda tx: tx.stake(0, add_key_of(ALICE)), "TriesToUnstake"),
    ("gone.near", call("m", {}), "AccountDoesNotExist"),
])
def test_an_action_that_is_not_allowed_fails_in_its_receipt(world: NearWorld, receiver: str, write: Write,
                                                            error: str) -> None:
    assert error in error_of(world, ALICE.signs(world, receiver, write))


def add_key_of(wallet: Wallet) -> Any:
    return wallet.secret.public_key()


def test_a_transfer_beside_another_action_makes_no_account(world: NearWorld) -> None:
    assert "AccountDoesNotExist" in error_of(world, ALICE.signs(world, IMPLICIT.account, transfer(1), transfer(1)))


def test_an_account_below_ones_own_can_be_made_with_a_key(world: NearWorld) -> None:
    settle(world, ALICE.signs(world, "sub.alice.near", lambda tx: tx.create_account(), transfer(NEAR),
                              add_key(RELAYER.key)))
    assert list(world.keys("sub.alice.near")) == [RELAYER.key]


# --- keys ---------------------------------------------------------------------------------------------


def test_a_key_is_rotated_in_one_transaction_and_the_old_one_is_dead(world: NearWorld) -> None:
    settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key), delete_key(ALICE.key)))
    assert list(world.keys(ALICE.account)) == [RELAYER.key]
    assert "InvalidAccessKeyError" in refused(world, ALICE.signs(world, "shop.near", transfer(1), nonce=10**14))


@pytest.mark.parametrize(("receiver", "write", "error"), [
    ("vault.near", transfer(1), "RequiresFullAccess"),
    ("vault.near", call("pay", {}, deposit=1), "DepositWithFunctionCall"),
    ("shop.near", call("pay", {}), "ReceiverMismatch"),
    ("vault.near", call("pay", {}, gas=900 * TGAS), "NotEnoughAllowance"),
])
def test_a_function_call_key_does_no_more_than_it_may(world: NearWorld, receiver: str, write: Write,
                                                      error: str) -> None:
    world.deploy("vault.near", "vault")
    settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key, calls="vault.near", allowance=NEAR // 4)))
    limited = Wallet("relayer", ALICE.account)
    found = refused(world, limited.signs(world, receiver, write))["InvalidAccessKeyError"]
    assert found == error or error in found


def test_unused_gas_goes_back_to_a_keys_allowance(world: NearWorld) -> None:
    world.deploy("vault.near", "vault")
    settle(world, ALICE.signs(world, ALICE.account, add_key(RELAYER.key, calls="vault.near", allowance=NEAR)))
    outcomes = settle(world, Wallet("relayer", ALICE.account).signs(
        world, "vault.near", call("pay", {"receiver_id": "shop.near", "amount": "1"})))
    calls = world.keys(ALICE.account)[RELAYER.key].calls
    assert calls is not None
    assert calls.allowance == NEAR - sum(outcome.burnt for _, outcome in outcomes)


# --- deletion -----------------------------------------------------------------------------------------


def test_a_deleted_accounts_balance_comes_from_system(world: NearWorld) -> None:
    before = world.balance("shop.near")
    outcomes = settle(world, ALICE.signs(world, ALICE.account, delete_account("shop.near")))
    assert not world.exists(ALICE.account)
    assert world.keys(ALICE.account) == {}
    legacy = world.seen.receipt(outcomes[1][1].receipts[0])
    assert legacy is not None
    assert (legacy.predecessor, legacy.receiver) == ("system", "shop.near")
    assert world.balance("shop.near") - before > 99 * NEAR


@pytest.mark.parametrize("beneficiary", ["gone.near", IMPLICIT.account])
def test_a_deleted_accounts_balance_burns_where_nobody_takes_it(world: NearWorld, beneficiary: str) -> None:
    burnt = world.supply()[2]
    settle(world, ALICE.signs(world, ALICE.account, delete_account(beneficiary)))
    assert world.supply()[2] - burnt == 100 * NEAR
    assert not world.exists(beneficiary)


def test_an_account_can_be_made_and_deleted_by_somebody_else(world: NearWorld) -> None:
    settle(world, ALICE.signs(world, IMPLICIT.account, transfer(NEAR)))
    settle(world, IMPLICIT.signs(world, IMPLICIT.account, delete_account(ALICE.account)))
    assert not world.exists(IMPLICIT.account)
    settle(world, ALICE.signs(world, IMPLICIT.account, transfer(NEAR)))
    assert world.balance(IMPLICIT.account) == NEAR
    assert lane_nonce(world, IMPLICIT) > 0, "the key is new, and starts at the height again"


def test_an_account_with_a_large_state_is_not_deleted(world: NearWorld) -> None:
    world._write(lambda view: view.put_data(ALICE.account, "x" * 10_000, 1))
    assert "DeleteAccountWithLargeState" in error_of(world, ALICE.signs(world, ALICE.account,
                                                                        delete_account("shop.near")))


def test_the_owner_can_take_an_account_away(world: NearWorld) -> None:
    world.remove(ALICE.account)
    assert not world.exists(ALICE.account)
    assert world.keys(ALICE.account) == {}


# --- delegate actions ---------------------------------------------------------------------------------


@pytest.fixture
def relayed(world: NearWorld) -> NearWorld:
    world.create(RELAYER.account, RELAYER.key, 10 * NEAR)
    world.deploy_token("tok.near", 6, ALICE.account, 1_000)
    world.register("tok.near", "shop.near")
    return world


def ask_for(world: NearWorld, *, nonce: int | None = None, height_most: int | None = None, amount: str = "5",
            wallet: Wallet = ALICE) -> bytes:
    """Write a delegate action that moves tokens."""
    move = call_bytes("ft_transfer", {"receiver_id": "shop.near", "amount": amount}, 30 * TGAS, 1)
    return wallet.delegates("tok.near", move, nonce=nonce or lane_nonce(world, ALICE) + 1,
                            height_most=world.height + 100 if height_most is None else height_most)


def test_a_relayer_pays_for_what_somebody_else_signed(relayed: NearWorld) -> None:
    alices, relayers = relayed.balance(ALICE.account), relayed.balance(RELAYER.account)
    outcomes = settle(relayed, RELAYER.relays(relayed, ALICE.account, ask_for(relayed)))
    assert relayed.token_balance("tok.near", "shop.near") == 5
    assert relayed.balance(ALICE.account) == alices
    burnt = sum(outcome.burnt for _, outcome in outcomes)
    assert relayers - relayed.balance(RELAYER.account) == burnt + 1
    assert [each.executor for _, each in outcomes[:3]] == [RELAYER.account, ALICE.account, "tok.near"]
    inner = relayed.seen.receipt(outcomes[2][1].id)
    assert inner is not None
    sending = fees.sending_gas(inner.actions, "tok.near", to_self=False)
    assert outcomes[0][1].gas_burnt == fees.RECEIPT.to_other + fees.DELEGATE.to_other + sending
    assert outcomes[1][1].gas_burnt == fees.RECEIPT.doing + fees.DELEGATE.doing + sending


def test_a_delegate_action_spends_its_signers_nonce_once(relayed: NearWorld) -> None:
    delegate = ask_for(relayed)
    settle(relayed, RELAYER.relays(relayed, ALICE.account, delegate))
    assert "DelegateActionInvalidNonce" in error_of(relayed, RELAYER.relays(relayed, ALICE.account, delegate))
    assert relayed.token_balance("tok.near", "shop.near") == 5


def test_a_delegate_action_spends_its_nonce_even_where_what_is_inside_fails(relayed: NearWorld) -> None:
    nonce = lane_nonce(relayed, ALICE) + 3
    raw = RELAYER.relays(relayed, ALICE.account, ask_for(relayed, nonce=nonce, amount="999999"))
    assert "FunctionCallError" in error_of(relayed, raw)
    assert lane_nonce(relayed, ALICE) == nonce


def test_a_delegate_action_lives_up_to_its_height_and_with_it(relayed: NearWorld) -> None:
    # The receipt that carries it runs in the second block from here.
    settle(relayed, RELAYER.relays(relayed, ALICE.account, ask_for(relayed, height_most=relayed.height + 2)))
    assert relayed.token_balance("tok.near", "shop.near") == 5
    raw = RELAYER.relays(relayed, ALICE.account, ask_for(relayed, height_most=relayed.height + 1))
    assert error_of(relayed, raw) == "DelegateActionExpired"


def test_a_delegate_action_that_is_not_its_senders_fails(relayed: NearWorld) -> None:
    stranger = Wallet("stranger", ALICE.account)
    raw = RELAYER.relays(relayed, ALICE.account, ask_for(relayed, wallet=stranger))
    assert "DelegateActionAccessKeyError" in error_of(relayed, raw)
    spoilt = bytearray(ask_for(relayed))
    spoilt[-40] ^= 1
    assert error_of(relayed, RELAYER.relays(relayed, ALICE.account, bytes(spoilt))) == "DelegateActionInvalidSignature"
    raw = RELAYER.relays(relayed, "shop.near", ask_for(relayed))
    assert "DelegateActionSenderDoesNotMatchTxReceiver" in error_of(relayed, raw)
    raw = RELAYER.relays(relayed, ALICE.account, ask_for(relayed, nonce=10**18))
    assert "DelegateActionNonceTooLarge" in error_of(relayed, raw)
    assert relayed.token_balance("tok.near", "shop.near") == 0


def test_a_delegate_action_would_take_native_near_from_the_relayer(relayed: NearWorld) -> None:
    alices, relayers = relayed.balance(ALICE.account), relayed.balance(RELAYER.account)
    settle(relayed, RELAYER.relays(relayed, ALICE.account, ALICE.delegates(
        "shop.near", transfer_bytes(NEAR), nonce=lane_nonce(relayed, ALICE) + 1, height_most=relayed.height + 9)))
    assert relayed.balance(ALICE.account) == alices
    assert relayers - relayed.balance(RELAYER.account) > NEAR


# --- blocks -------------------------------------------------------------------------------------------


def test_a_block_is_final_two_blocks_later(world: NearWorld) -> None:
    height = world.advance()
    assert [world.final_height, world.advance() - world.final_height] == [height - 2, 2]


def test_after_a_skipped_height_finality_needs_two_blocks_in_a_row_again(world: NearWorld) -> None:
    before = world.final_height
    height = world.skip_heights(5)
    assert world.final_height == before
    assert world.chain.at(height - 1) is None
    assert world.chain.head.previous_height == height - 6
    assert (world.advance(), world.final_height) == (height + 1, before)
    assert (world.advance(), world.final_height) == (height + 2, height)


def test_a_branch_that_is_left_takes_its_transactions_back(world: NearWorld) -> None:
    tx = world.submit(ALICE.signs(world, "shop.near", transfer(NEAR)))
    left = world.advance()
    assert world.fork() == [tx.id]
    assert world.chain.at(left) is None
    assert world.seen.tx(tx.id) is not None, "it waited, and is in the new block"
    world.advance(5)
    assert world.balance("shop.near") == 2 * NEAR


def test_a_branch_that_is_left_can_lose_its_transactions_for_good(world: NearWorld) -> None:
    before = world.balance(ALICE.account)
    tx = world.submit(ALICE.signs(world, "shop.near", transfer(NEAR)))
    world.advance(2)
    assert world.balance("shop.near") == 2 * NEAR
    world.fork(2, lose=True)
    world.advance(5)
    assert world.seen.tx(tx.id) is None
    assert (world.balance("shop.near"), world.balance(ALICE.account)) == (NEAR, before)
    assert lane_nonce(world, ALICE) < tx.nonce


def test_a_final_block_is_never_left_and_finality_never_goes_back(world: NearWorld) -> None:
    final = world.final_height
    with pytest.raises(ValueError, match="final"):
        world.fork(3)
    world.fork(2)
    assert world.final_height >= final


def test_a_block_without_a_shards_chunk_repeats_the_old_one_and_lets_things_wait(world: NearWorld) -> None:
    shard = shard_of(ALICE.account, 2)
    tx = world.submit(ALICE.signs(world, "shop.near", transfer(NEAR)))
    world.miss_chunk(shard)
    world.advance()
    part = world.chain.head.chunks[shard]
    assert part.included < world.height
    assert world.seen.tx(tx.id) is None
    world.advance()
    assert world.seen.tx(tx.id) is not None
    world.miss_chunk(shard)
    world.advance()
    assert world.balance("shop.near") == NEAR, "the receipt waits for the sender's next chunk"
    world.advance()
    assert world.balance("shop.near") == 2 * NEAR


def test_a_stalled_network_makes_no_block(world: NearWorld) -> None:
    height = world.height
    world.faults.stalled = True
    assert world.advance(5) == world.skip_heights(5) == height
    world.faults.stalled = False
    assert world.advance() == height + 1


def test_two_worlds_with_another_salt_share_no_block() -> None:
    one, other = (NearWorld(salt=salt, clock=lambda: 10**18) for salt in ("a", "b"))
    assert one.height == other.height
    assert not set(one.chain.blocks) & set(other.chain.blocks)


def test_an_idle_world_does_not_grow(world: NearWorld) -> None:
    world.advance(3)
    state = world.chain.head.ledger.state
    world.advance(100)
    assert world.chain.head.ledger.state is state


def test_blocks_come_by_themselves_where_asked(world: NearWorld) -> None:
    before = world.height
    with Blocks(world, 0.01):
        assert world.pace.patience_seconds > 0
        while world.height < before + 3:
            pass
    assert world.pace.patience_seconds == 0


# --- the owner's controls -----------------------------------------------------------------------------


def test_funding_is_final_when_it_returns_and_says_where_it_fails(world: NearWorld) -> None:
    world.fund(IMPLICIT.account, 3 * NEAR)
    assert world.balance(IMPLICIT.account, final=True) == 3 * NEAR
    with pytest.raises(ValueError, match="did not arrive"):
        world.fund("gone.near", 1)


@pytest.mark.parametrize("name", ["Alice.near", "alice.near", "a", "x" * 65])
def test_an_account_that_cannot_be_is_not_created(world: NearWorld, name: str) -> None:
    with pytest.raises(ValueError, match="no new account"):
        world.create(name, ALICE.key, 1)


def test_a_contract_that_is_not_known_is_not_deployed(world: NearWorld) -> None:
    with pytest.raises(ValueError, match="no such contract"):
        world.deploy("c.near", "unknown")
