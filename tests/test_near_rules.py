"""What the NEAR decoder refuses, row by row, each by the code of its own; and what it takes right beside it.

Every row goes through the door that the signer uses: unsigned bytes and context in, a refusal or effects out.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.chains.near import NEAR, tokens
from shared.chains.near.build import TERA, DelegateTerms, Terms, payment, token_call, token_transfer
from shared.chains.near.codec import encode_transaction
from shared.chains.near.delegates import encode_delegate
from shared.chains.near.model import Action, AddKey, DeleteKey, FunctionCall, Transfer
from shared.effects import Destination
from shared.errors import Refusal
from shared.money import MOST_UNITS, Amount, Asset
from tests.near_house import (
    BLOCK,
    COIN,
    CONTEXT,
    DELEGATED,
    HEIGHT,
    IMPLICIT,
    KEY,
    ME,
    NETWORK,
    OTHERS,
    PATH,
    REGISTER,
    RELAYED,
    TERMS,
    USDT,
    VALIDITY,
    decoded,
    delegate,
    near,
    transaction,
)

GAS = 10 * TERA
HEX = "ab" * 20


def code_of(unsigned: bytes, context: dict[str, Any] | None = None, network: str = NETWORK,
            register: dict[str, int] | None = None) -> str:
    """Take bytes through decode and effects; give the refusal's code, or "taken"."""
    try:
        tx = decoded(unsigned, context, network)
        NEAR.effects(tx, REGISTER if register is None else register)
    except Refusal as refusal:
        return refusal.code
    return "taken"


def written(*actions: Action, **changes: Any) -> bytes:
    return encode_transaction(transaction(*actions, **changes))


def call(method: str = "ft_transfer", args: str = '{"amount":"5","receiver_id":"bob.near"}', gas: int = GAS,
         deposit: int = 1) -> FunctionCall:
    return FunctionCall(method, args.encode(), gas, deposit)


def register(account: str = "bob.near", gas: int = GAS, deposit: int = 10**21) -> FunctionCall:
    return call("storage_deposit", f'{{"account_id":"{account}","registration_only":true}}', gas, deposit)


# --- payments of NEAR ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("receiver", "code"), [
    ("bob.near", "taken"), (IMPLICIT, "taken"), ("0x" + "ab" * 20, "taken"), ("0s" + "ab" * 20, "taken"),
    (ME, "near-payment"), ("system", "near-payment"), ("0u" + "ab" * 20, "near-payment"),
])
def test_a_payment_goes_to_another_account_that_can_be_paid(receiver: str, code: str) -> None:
    assert code_of(written(Transfer(1), receiver=receiver)) == code


@pytest.mark.parametrize(("units", "code"), [
    (0, "near-payment"), (1, "taken"), (MOST_UNITS, "taken"),
])
def test_a_payment_is_of_something_and_up_to_128_bits(units: int, code: str) -> None:
    assert code_of(written(Transfer(units))) == code


@pytest.mark.parametrize(("network", "signer", "receiver", "code"), [
    ("near:mainnet", "alice.near", "bob.near", "taken"),
    ("near:mainnet", "alice.near", "bob.testnet", "wrong-network"),
    ("near:mainnet", "alice.testnet", "bob.near", "wrong-network"),
    ("near:testnet", "alice.testnet", "bob.near", "wrong-network"),
    ("near:testnet", "alice.testnet", "bob.testnet", "taken"),
    ("near:nowhere", "alice.near", "bob.near", "unknown-chain"),
])
def test_names_of_the_other_public_network_are_refused(network: str, signer: str, receiver: str, code: str) -> None:
    assert code_of(written(Transfer(1), signer=signer, receiver=receiver), network=network) == code


# --- what stands together -------------------------------------------------------------------------------


@pytest.mark.parametrize(("actions", "code"), [
    ([], "near-actions"),
    ([Transfer(1), Transfer(1)], "near-actions"),
    ([Transfer(1), call()], "near-actions"),
    ([call(), Transfer(1)], "near-actions"),
    ([call("ft_transfer_call", '{"amount":"5","msg":"","receiver_id":"bob.near"}'), call()], "near-actions"),
    ([AddKey(OTHERS[0]), Transfer(1)], "near-keys-mixed"),
    ([Transfer(1), DeleteKey(KEY)], "near-keys-mixed"),
    ([call(), AddKey(OTHERS[0])], "near-keys-mixed"),
])
def test_one_transaction_is_of_one_kind(actions: list[Action], code: str) -> None:
    whole = written(*actions) if actions else written(Transfer(1))[:-21] + bytes(4)
    assert code_of(whole) == code


@pytest.mark.parametrize(("count", "code"), [(1, "taken"), (100, "taken"), (101, "near-actions")])
def test_a_receipt_takes_100_actions(count: int, code: str) -> None:
    head = written(call(), receiver=USDT)
    one = head[-(1 + 4 + 11 + 4 + 39 + 8 + 16):]
    unsigned = head[: -len(one) - 4] + count.to_bytes(4, "little") + one * count
    assert code_of(unsigned) == code


# --- calls ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [
    "", "ft_transfers", "FT_TRANSFER", "transfer", "near_deposit", "near_withdraw", "storage_withdraw",
    "storage_unregister", "ft_on_transfer", "deposit_and_stake", "ft_transfer\0", "add_full_access_key",
])
def test_methods_beside_the_three_of_the_standard_are_refused(method: str) -> None:
    assert code_of(written(call(method), receiver=USDT)) == "near-method"
    assert code_of(written(call(), call(method), receiver=USDT)) == "near-method"


@pytest.mark.parametrize(("args", "code"), [
    ('{"amount":"5","receiver_id":"bob.near"}', "taken"),
    ('{"amount":"5","memo":"invoice 7","receiver_id":"bob.near"}', "taken"),
    ('{"amount":"340282366920938463463374607431768211455","receiver_id":"bob.near"}', "taken"),
    (r'{"amount":"5","memo":"say \"yes\" \\ no","receiver_id":"bob.near"}', "taken"),
    ('{"amount":"340282366920938463463374607431768211456","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"999999999999999999999999999999999999999","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"0","receiver_id":"bob.near"}', "near-token"),
    ('{"amount":"00","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"05","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"+5","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"-5","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5.0","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5e3","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5_0","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":" 5","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"","receiver_id":"bob.near"}', "near-token-args"),
    (r'{"amount":"\u0665","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":5,"receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":null,"receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":["5"],"receiver_id":"bob.near"}', "near-token-args"),
    ('{"receiver_id":"bob.near","amount":"5"}', "near-token-args"),
    ('{"amount": "5","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","receiver_id":"bob.near"} ', "near-token-args"),
    ('{"amount":"5","receiver_id":"bob.near"}{}', "near-token-args"),
    ('\ufeff{"amount":"5","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","amount":"6","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","receiver_id":"eve.near","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","msg":"","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","memo":null,"receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","memo":7,"receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","memo":"","receiver_id":"bob.near"}', "near-memo"),
    ('{"amount":"5","memo":" x","receiver_id":"bob.near"}', "near-memo"),
    (r'{"amount":"5","memo":"a\u001b[2J","receiver_id":"bob.near"}', "near-memo"),
    (r'{"amount":"5","memo":"\u00e9","receiver_id":"bob.near"}', "near-memo"),
    (r'{"amount":"5","memo":"\u0041","receiver_id":"bob.near"}', "near-token-args"),
    (r'{"amount":"5","memo":"a\/b","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","memo":"é","receiver_id":"bob.near"}', "near-token-args"),
    ('{"amount":"5","memo":"' + "x" * 257 + '","receiver_id":"bob.near"}', "near-memo"),
    ('{"amount":"5","receiver_id":"Bob.near"}', "bad-address"),
    ('{"amount":"5","receiver_id":""}', "bad-address"),
    ('{"amount":"5","receiver_id":7}', "near-token-args"),
    ('{"amount":"5"}', "near-token-args"),
    ('{"receiver_id":"bob.near"}', "near-token-args"),
    ('["5","bob.near"]', "near-token-args"),
    ("", "near-token-args"), ("{}", "near-token-args"), ("null", "near-token-args"), ("{", "near-token-args"),
    ("[" * 30_000, "near-token-args"), ("9" * 6_000, "near-token-args"),
    ('{"amount":"5","receiver_id":"system"}', "near-payment"),
    (f'{{"amount":"5","receiver_id":"{ME}"}}', "near-token"),
    (f'{{"amount":"5","receiver_id":"{USDT}"}}', "near-token"),
    (f'{{"amount":"5","receiver_id":"0u{HEX}"}}', "near-payment"),
])  # fmt: skip
def test_arguments_of_a_transfer_have_one_form_and_no_other(args: str, code: str) -> None:
    assert code_of(written(call(args=args), receiver=USDT)) == code


def test_arguments_that_are_no_text_are_refused() -> None:
    assert code_of(written(FunctionCall("ft_transfer", b"\xff\xfe", GAS, 1), receiver=USDT)) == "near-token-args"


@pytest.mark.parametrize(("args", "code"), [
    ('{"account_id":"bob.near","registration_only":true}', "taken"),
    ('{"account_id":"bob.near","registration_only":false}', "near-token-args"),
    ('{"account_id":"bob.near","registration_only":1}', "near-token-args"),
    ('{"account_id":"bob.near","registration_only":"true"}', "near-token-args"),
    ('{"account_id":"bob.near"}', "near-token-args"),
    ('{"registration_only":true}', "near-token-args"),
    ("{}", "near-token-args"),
    ('{"account_id":"bob..near","registration_only":true}', "bad-address"),
    ('{"account_id":"system","registration_only":true}', "near-payment"),
    ('{"account_id":"bob.near","force":true,"registration_only":true}', "near-token-args"),
])
def test_arguments_of_a_registration_have_one_form_and_no_other(args: str, code: str) -> None:
    assert code_of(written(call("storage_deposit", args, deposit=10**21), receiver=USDT)) == code


@pytest.mark.parametrize(("args", "code"), [
    ('{"amount":"5","msg":"","receiver_id":"dex.near"}', "taken"),
    ('{"amount":"5","memo":"x","msg":"{\\"a\\":1}","receiver_id":"dex.near"}', "taken"),
    ('{"amount":"5","receiver_id":"dex.near"}', "near-token-args"),
    ('{"amount":"5","msg":null,"receiver_id":"dex.near"}', "near-token-args"),
    (r'{"amount":"5","msg":"\n","receiver_id":"dex.near"}', "near-memo"),
    ('{"amount":"5","msg":"' + "x" * 1025 + '","receiver_id":"dex.near"}', "near-memo"),
    (f'{{"amount":"5","msg":"","receiver_id":"{ME}"}}', "near-token"),
])  # fmt: skip
def test_arguments_of_a_transfer_with_a_message_have_one_form_and_no_other(args: str, code: str) -> None:
    assert code_of(written(call("ft_transfer_call", args), receiver=USDT)) == code


@pytest.mark.parametrize(("calls", "code"), [
    ([call(deposit=0)], "near-deposit"),
    ([call(deposit=2)], "near-deposit"),
    ([call("ft_transfer_call", '{"amount":"5","msg":"","receiver_id":"bob.near"}', deposit=0)], "near-deposit"),
    ([register(deposit=0)], "near-deposit"),
    ([call(gas=0)], "near-gas"),
    ([call(gas=1_000 * TERA)], "taken"),
    ([call(gas=1_000 * TERA + 1)], "near-gas"),
    ([call(gas=501 * TERA), call(gas=501 * TERA)], "near-gas"),
    ([call(gas=GAS), call(gas=GAS + 1)], "near-gas"),
    ([register(), call()], "taken"),
    ([register(), register("carol.near")], "taken"),
    ([call(), register()], "near-token"),
    ([register(), call(), register("carol.near")], "near-token"),
    ([register(), register(), call()], "near-token"),
    ([register("carol.near"), call()], "near-token"),
    ([register(ME)], "taken"),
])
def test_deposits_gas_and_order_of_calls_are_what_the_standard_wants(calls: list[FunctionCall], code: str) -> None:
    assert code_of(written(*calls, receiver=USDT)) == code


@pytest.mark.parametrize(("receiver", "code"), [
    (USDT, "taken"), ("usdt.tether-token.nea", "near-token-unknown"), ("fake.near", "near-token-unknown"),
    (ME, "near-token"), ("system", "near-payment"),
])
@pytest.mark.parametrize("calls", [[call()], [register()]])
def test_only_registered_token_contracts_are_called(calls: list[FunctionCall], receiver: str, code: str) -> None:
    assert code_of(written(*calls, receiver=receiver)) == code


def test_a_token_is_refused_where_there_is_no_register() -> None:
    assert code_of(written(call(), receiver=USDT), register={}) == "near-token-unknown"


# --- keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("actions", "receiver", "code"), [
    ([AddKey(OTHERS[0])], ME, "taken"),
    ([AddKey(OTHERS[0]), AddKey(OTHERS[1])], ME, "taken"),
    ([AddKey(OTHERS[0]), DeleteKey(KEY)], ME, "taken"),
    ([AddKey(OTHERS[0]), AddKey(OTHERS[1]), DeleteKey(KEY), DeleteKey(OTHERS[2])], ME, "taken"),
    ([AddKey(OTHERS[0])], "bob.near", "near-keys-mixed"),
    ([DeleteKey(KEY)], ME, "near-keys-mixed"),
    ([DeleteKey(OTHERS[0])], ME, "near-keys-mixed"),
    ([DeleteKey(KEY), AddKey(OTHERS[0])], ME, "near-keys-mixed"),
    ([AddKey(OTHERS[0]), DeleteKey(KEY), AddKey(OTHERS[1])], ME, "near-keys-mixed"),
    ([AddKey(OTHERS[0]), AddKey(OTHERS[0])], ME, "near-key"),
    ([AddKey(OTHERS[0]), DeleteKey(OTHERS[0])], ME, "near-key"),
    ([AddKey(OTHERS[0]), DeleteKey(KEY), DeleteKey(KEY)], ME, "near-key"),
    ([AddKey(KEY)], ME, "near-key"),
    ([AddKey(OTHERS[0], nonce=1)], ME, "near-key"),
])
def test_keys_change_in_a_ceremony_on_oneself_and_in_its_order(
    actions: list[Action], receiver: str, code: str
) -> None:
    assert code_of(written(*actions, receiver=receiver)) == code


# --- delegate actions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("actions", "receiver", "code"), [
    ([call()], USDT, "taken"),
    ([call(), call(args='{"amount":"6","receiver_id":"carol.near"}')], USDT, "taken"),
    ([AddKey(OTHERS[0]), DeleteKey(KEY)], ME, "taken"),
    ([Transfer(1)], "bob.near", "near-delegate"),
    ([register()], USDT, "near-delegate"),
    ([register(), call()], USDT, "near-delegate"),
    ([call("ft_transfer_call", '{"amount":"5","msg":"","receiver_id":"dex.near"}')], USDT, "near-delegate"),
    ([AddKey(OTHERS[0])], ME, "near-delegate"),
    ([call()], "fake.near", "near-token-unknown"),
])
def test_a_delegate_action_transfers_tokens_or_rotates_and_never_moves_near(
    actions: list[Action], receiver: str, code: str
) -> None:
    assert code_of(encode_delegate(delegate(*actions, receiver=receiver)), DELEGATED) == code


@pytest.mark.parametrize(("last", "code"), [
    (HEIGHT - 1, "near-expired"), (HEIGHT, "near-expired"), (HEIGHT + 1, "taken"), (2**64 - 1, "taken"),
])
def test_a_delegate_action_ends_above_the_stated_height(last: int, code: str) -> None:
    assert code_of(encode_delegate(delegate(call(), max_block_height=last)), DELEGATED) == code


# --- nonces and context -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("nonce", "code"), [
    (0, "near-nonce"), (1, "taken"), ((HEIGHT + VALIDITY) * 10**6 - 1, "taken"),
    ((HEIGHT + VALIDITY) * 10**6, "near-nonce"), (2**64 - 1, "near-nonce"),
])
def test_a_nonce_is_one_that_a_block_within_the_validity_takes(nonce: int, code: str) -> None:
    assert code_of(written(Transfer(1), nonce=nonce)) == code


@pytest.mark.parametrize("context", [
    {}, {"height": HEIGHT}, {"validity": VALIDITY}, {**CONTEXT, "more": 1}, {"height": 0, "validity": 1},
    {"height": HEIGHT, "validity": 0}, {"height": -1, "validity": 1}, {"height": True, "validity": 1},
    {"height": HEIGHT, "validity": None}, {"height": str(HEIGHT), "validity": 1}, {"height": b"1", "validity": 1},
    {"height": 2**48 + 1, "validity": 1}, {"height": HEIGHT, "validity": 2**32 + 1},
])
def test_the_context_of_a_transaction_states_height_and_validity_and_nothing_else(context: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        NEAR.decode(written(Transfer(1)), context, [PATH], NETWORK)
    assert caught.value.code == "near-context"


@pytest.mark.parametrize("context", [CONTEXT, {}, {"height": 0}, {"height": "1"}])
def test_the_context_of_a_delegate_action_states_the_height_alone(context: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        NEAR.decode(encode_delegate(delegate(call())), context, [PATH], NETWORK)
    assert caught.value.code == "near-context"


@pytest.mark.parametrize("keys", [[], [PATH, PATH]])
def test_one_key_signs(keys: list[tuple[int, ...]]) -> None:
    with pytest.raises(Refusal) as caught:
        NEAR.decode(written(Transfer(1)), CONTEXT, keys, NETWORK)
    assert caught.value.code == "near-key"


# --- the builder refuses the same ----------------------------------------------------------------------------

OTHER_COIN = Amount(Asset("near:mainnet", "NEAR", 24), 1)


@pytest.mark.parametrize(("build", "code"), [
    (lambda: payment(TERMS, Destination("bob.near"), OTHER_COIN), "wrong-network"),
    (lambda: payment(TERMS, Destination("bob.near", tag=0), near(1)), "near-payment"),
    (lambda: payment(TERMS, Destination("bob.near", memo="x"), near(1)), "near-payment"),
    (lambda: payment(TERMS, Destination("bob.near"), near(0)), "near-payment"),
    (lambda: payment(TERMS, Destination("Bob.near"), near(1)), "bad-address"),
    (lambda: payment(Terms(NETWORK, "x", KEY, 1, BLOCK), Destination("bob.near"), near(1)), "bad-address"),
    (lambda: payment(Terms(NETWORK, ME, KEY[:31], 1, BLOCK), Destination("bob.near"), near(1)), "near-malformed"),
    (lambda: payment(Terms(NETWORK, ME, KEY, 2**64, BLOCK), Destination("bob.near"), near(1)), "near-malformed"),
    (lambda: payment(Terms(NETWORK, ME, KEY, 1, BLOCK + b"x"), Destination("bob.near"), near(1)), "near-malformed"),
    (lambda: token_transfer(TERMS, USDT, []), "near-actions"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near"), 5)] * 101), "near-actions"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near", tag=7), 5)]), "near-memo"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near", memo="\n"), 5)]), "near-memo"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near"), -5)]), "near-token-args"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near"), 2**128)]), "near-token-args"),
    (lambda: token_transfer(TERMS, USDT, [(Destination("bob.near"), 5)], [("bob.near", 2**128)]), "near-malformed"),
    (lambda: token_transfer(RELAYED, USDT, [(Destination("bob.near"), 5)], [("bob.near", 1)]), "near-delegate"),
    (lambda: token_call(TERMS, USDT, Destination("dex.near"), 5, "é"), "near-memo"),
    (lambda: token_transfer(DelegateTerms(NETWORK, ME, KEY, 1, -1), USDT, [(Destination("bob.near"), 5)]),
     "near-malformed"),
])
def test_what_would_be_refused_is_not_built(build: Any, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        build()
    assert caught.value.code == code


def test_the_canonical_form_is_that_of_a_transfer_on_the_main_network() -> None:
    args = b'{"amount":"22000","receiver_id":"04ca5983"}'
    assert tokens.transfer(FunctionCall("ft_transfer", args, GAS, 1)).units == 22_000
    assert tokens.canonical({"receiver_id": "04ca5983", "amount": "22000"}) == args
    assert COIN.decimals == 24
