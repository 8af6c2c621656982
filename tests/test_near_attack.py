"""A thief at the coordinator, on NEAR: requests made by hand, before a signer that has only its policy and the bytes.

Each attack states what it wants; each ends in a refusal by code, or on the screen of the people who approve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from offline_signer import setup
from shared.chains.near import build
from shared.chains.near.codec import encode_transaction
from shared.chains.near.model import FunctionCall, Transaction, Transfer
from shared.chains.near.tokens import canonical
from shared.effects import Destination
from shared.envelope import Item, Lot, card_keys, open_card, open_request
from shared.errors import Refusal
from shared.money import Amount
from tests.test_signer_near import BLOCK, COIN, HEIGHT, MESSAGE, NETWORK, NONCE, USDT, VALIDITY, Vaults

MOST = 2**128 - 1
ALL = ("carol", "dave", "ann", "ben")


@pytest.fixture
def vaults(tmp_path: Path) -> Vaults:
    return Vaults(tmp_path / "signer")


def call(vaults: Vaults, method: str, args: dict[str, str | bool], *, gas: int = 10**13, deposit: int = 1,
         receiver: str = USDT, nonce: int = 1) -> Item:
    """Give a call whose parts are what a thief likes; the arguments are in their one form."""
    made = FunctionCall(method, canonical(args), gas, deposit)
    inner = Transaction(vaults.addresses[0], vaults.keys[0], NONCE + nonce, receiver, BLOCK, (made,))
    return vaults.item(encode_transaction(inner), ["order"] if method != "storage_deposit" else [])


def transfer(vaults: Vaults, amount: str = "5", **changes: object) -> Item:
    return call(vaults, "ft_transfer", {"receiver_id": "bob.near", "amount": amount}, **changes)  # type: ignore[arg-type]


def register(vaults: Vaults, **changes: object) -> Item:
    args: dict[str, str | bool] = {"account_id": "bob.near", "registration_only": True}
    return call(vaults, "storage_deposit", args, **changes)  # type: ignore[arg-type]


def native(vaults: Vaults, units: int, order: str = "order", nonce: int = 1) -> Item:
    return vaults.item(build.payment(vaults.terms(nonce), Destination("bob.near"), Amount(COIN, units)), [order])


# --- numbers at their ends --------------------------------------------------------------------------


@pytest.mark.parametrize(("attack", "code"), [
    (lambda v: [native(v, MOST)], "over-transfer-limit"),
    (lambda v: [native(v, MOST), native(v, MOST, "two", 2)], "over-transfer-limit"),
    (lambda v: [transfer(v, str(MOST))], "over-transfer-limit"),
    (lambda v: [transfer(v, str(MOST + 1))], "near-token-args"),
    (lambda v: [transfer(v, gas=2**64 - 1)], "near-gas"),
    (lambda v: [transfer(v, gas=10**15)], "fee-too-high"),
    (lambda v: [transfer(v, deposit=2)], "near-deposit"),
    (lambda v: [register(v, deposit=10**24)], "fee-too-high"),
    (lambda v: [register(v, deposit=MOST)], "bad-amount"),
    (lambda v: [register(v, deposit=MOST), register(v, deposit=MOST, nonce=2)], "bad-amount"),
])
def test_numbers_at_their_ends_end_in_a_refusal(
    vaults: Vaults, attack: Callable[[Vaults], list[Item]], code: str
) -> None:
    assert vaults.refused(*attack(vaults), people=ALL) == code


@pytest.mark.parametrize(("context", "code"), [
    ({"height": HEIGHT, "validity": 0}, "near-context"),
    ({"height": HEIGHT, "validity": 2**32}, "expiry-too-far"),
    ({"height": HEIGHT, "validity": 2**64}, "bad-encoding"),
    ({"height": 0, "validity": VALIDITY}, "near-context"),
    ({"height": 2**48 + 1, "validity": VALIDITY}, "near-context"),
    ({"height": -HEIGHT, "validity": VALIDITY}, "bad-encoding"),
    ({"height": True, "validity": VALIDITY}, "near-context"),
    ({"height": str(HEIGHT), "validity": VALIDITY}, "near-context"),
])
def test_heights_that_can_not_be_are_refused(vaults: Vaults, context: dict[str, int], code: str) -> None:
    assert vaults.refused(vaults.pay(5), people=ALL, context=context) == code


@pytest.mark.parametrize(("height", "words"), [
    (HEIGHT + 10**6, "1000000 above the highest before, more than 86400: look at the ledger"),
    (HEIGHT - 1, "lower than before: look at the ledger"),
])
def test_a_height_that_is_a_lie_is_told_beside_the_review(vaults: Vaults, height: int, words: str) -> None:
    vaults.sign(vaults.pay(5))
    request = vaults.request(vaults.pay(6, "two", nonce=2), context={"height": height, "validity": VALIDITY})
    with vaults.world.box() as box:
        lines = vaults.world.examine(box, request).lines()
    assert [line for line in lines if line.startswith("warning: ") and line.endswith(words)]


def test_a_delegate_action_for_ever_shows_its_last_block_and_the_lie_it_needs(vaults: Vaults) -> None:
    """A thief wants one that lives for years, and so states a height just below its end."""
    vaults.sign(vaults.pay(5))
    terms = vaults.delegate_terms(nonce=2, last=10**9)
    item = vaults.item(build.token_transfer(terms, USDT, [(Destination("bob.near"), 7)]), ["two"])
    assert vaults.refused(item, people=ALL, context={"height": HEIGHT}) == "expiry-too-far"
    request = vaults.request(item, context={"height": 10**9 - 1})
    with vaults.world.box() as box:
        examined = vaults.world.examine(box, request)
    assert any("until ledger 1000000000" in line for line in examined.review.lines)
    assert any(line.startswith("warning: ") and "look at the ledger" in line for line in examined.lines())


# --- the same money twice ---------------------------------------------------------------------------


def delegated(vaults: Vaults, nonce: int, order: str = "order") -> Item:
    moved = build.token_transfer(vaults.delegate_terms(nonce), USDT, [(Destination("bob.near"), 7)])
    return vaults.item(moved, [order])


def tokens(vaults: Vaults, nonce: int, order: str = "order") -> Item:
    moved = build.token_transfer(vaults.terms(nonce), USDT, [(Destination("bob.near"), 7)])
    return vaults.item(moved, [order])


def test_a_transaction_beside_a_delegate_action_pays_the_same_only_on_its_nonce(vaults: Vaults) -> None:
    vaults.sign(delegated(vaults, 1), context={"height": HEIGHT})
    assert vaults.refused(tokens(vaults, 2), people=ALL) == "could-pay-twice"
    assert vaults.sign(tokens(vaults, 1))


def test_a_delegate_action_behind_a_transaction_pays_the_same_only_on_its_nonce(vaults: Vaults) -> None:
    vaults.sign(tokens(vaults, 1))
    assert vaults.refused(delegated(vaults, 2), people=ALL, context={"height": HEIGHT}) == "could-pay-twice"
    assert vaults.sign(delegated(vaults, 1), context={"height": HEIGHT})


@pytest.mark.parametrize("change", [
    lambda v: native(v, 6 * 10**24),
    lambda v: v.pay(5, to=v.implicit),
    lambda v: tokens(v, 1),
])
def test_the_same_nonce_does_not_let_a_transfer_become_another(
    vaults: Vaults, change: Callable[[Vaults], Item]
) -> None:
    vaults.sign(vaults.pay(5))
    assert vaults.refused(change(vaults), people=ALL) == "transfer-bound"


def test_two_payments_on_one_nonce_both_count_against_the_limits(vaults: Vaults) -> None:
    """Only one of them can happen, and whoever takes it does not get the other's allowance back."""
    for number in range(10):
        vaults.sign(native(vaults, 99 * 10**24 + number, f"order {number}"))
    assert vaults.refused(native(vaults, 11 * 10**24, "more"), people=ALL) == "over-day-limit"


# --- names and words --------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "code"), [
    (lambda v: transfer(v, receiver="usdt.tether-tokens.near"), "near-token-unknown"),
    (lambda v: transfer(v, receiver="usdt-tether.token.near"), "near-token-unknown"),
    (lambda v: native_to(v, "b0b.near"), "unknown-destination"),
    (lambda v: native_to(v, "bob.near.eve.near"), "unknown-destination"),
    (lambda v: native_to(v, v.implicit[:-1] + ("0" if v.implicit[-1] != "0" else "1")), "unknown-destination"),
    (lambda v: native_to(v, "0x" + v.implicit[:40]), "unknown-destination"),
    (lambda v: native_to(v, USDT), "danger-not-accepted"),
    (lambda v: replaced(v, b"bob.near", "b\u043eb.nea".encode()), "bad-address"),  # a Cyrillic o
    (lambda v: replaced(v, b"bob.near", b"Bob.near"), "bad-address"),
    (lambda v: replaced(v, b"bob.near", b"bob.nea\0"), "bad-address"),
])
def test_a_name_that_only_looks_right_is_refused(vaults: Vaults, item: Callable[[Vaults], Item], code: str) -> None:
    assert vaults.refused(item(vaults), people=ALL) == code


def native_to(vaults: Vaults, to: str) -> Item:
    inner = Transaction(vaults.addresses[0], vaults.keys[0], NONCE + 1, to, BLOCK, (Transfer(1),))
    return vaults.item(encode_transaction(inner), ["order"])


def replaced(vaults: Vaults, old: bytes, new: bytes) -> Item:
    item = vaults.pay(5)
    assert len(old) == len(new)
    return replace(item, unsigned=item.unsigned.replace(old, new))


@pytest.mark.parametrize("memo", [
    b"pay\xe2\x80\xaeevil", b"a\\nb", b"a\\u001b[2Kb", b"a\\u202eb", b"\xd0\xbe", b" a", b"a ", b"",
])
def test_a_memo_that_would_repaint_the_screen_is_refused(vaults: Vaults, memo: bytes) -> None:
    args = b'{"amount":"5","memo":"' + memo + b'","receiver_id":"bob.near"}'
    made = FunctionCall("ft_transfer", args, 10**13, 1)
    inner = Transaction(vaults.addresses[0], vaults.keys[0], NONCE + 1, USDT, BLOCK, (made,))
    assert vaults.refused(vaults.item(encode_transaction(inner), ["order"]), people=ALL) in (
        "near-memo", "near-token-args")


def test_a_memo_that_speaks_of_somebody_else_stands_behind_who_is_paid(vaults: Vaults) -> None:
    memo = 'x" to eve.near, approved: yes'
    to = Destination("bob.near", memo=memo)
    item = vaults.item(build.token_transfer(vaults.terms(), USDT, [(to, 5)]), ["order"])
    lines = [line.strip() for line in vaults.shown(item).splitlines() if "eve.near" in line]
    assert lines
    assert all(line.startswith("to bob.near memo ") for line in lines)


@pytest.mark.parametrize(("receiver", "message"), [("bob.near", MESSAGE), ("dex.near", MESSAGE + " ")])
def test_a_message_that_is_pinned_for_one_receiver_goes_to_no_other(
    vaults: Vaults, receiver: str, message: str
) -> None:
    item = vaults.item(build.token_call(vaults.terms(), USDT, Destination(receiver), 5, message), ["order"])
    assert vaults.refused(item, people=ALL) == "danger-not-accepted"


def test_a_registration_for_a_thief_is_shown_with_its_price_and_counted(vaults: Vaults) -> None:
    """That account could take the deposit out: the fee's ceiling and the free transactions bound it."""
    def item(nonce: int) -> Item:
        return vaults.item(build.registration(vaults.terms(nonce), USDT, [("eve.near", 9 * 10**23)]))

    assert "registers eve.near for 0.9 NEAR, which stays with the contract" in vaults.shown(item(1))
    for nonce in (1, 2, 3):
        vaults.sign(item(nonce))
    assert vaults.refused(item(4), people=ALL) == "too-many-without-payment"


# --- who may sign -----------------------------------------------------------------------------------


def test_a_strangers_key_hidden_between_own_ones_is_refused(vaults: Vaults) -> None:
    keys = [vaults.keys[1], sha256(b"a thief").digest(), vaults.keys[2]]
    assert vaults.refused(vaults.item(build.lanes(vaults.terms(), keys)), people=ALL) == "foreign-signing-key"


def test_an_own_key_of_another_wallet_is_named_to_those_who_decide(vaults: Vaults) -> None:
    """A hot wallet's key is ours, and so no stranger's; on the cold account it would wait to be stolen."""
    with vaults.world.box() as box:
        card = setup.issue_card(box, "tills", network=NETWORK, tier="hot", curve="ed25519", account=7, count=2)
    other = card_keys(open_card(card)[0], 2)[1]

    def warnings(*keys: bytes) -> list[str]:
        with vaults.world.box() as box:
            request = vaults.request(vaults.item(build.lanes(vaults.terms(), keys)))
            return [line for line in vaults.world.examine(box, request).lines() if line.startswith("warning: ")]

    assert warnings(vaults.keys[1]) == []
    assert warnings(vaults.keys[1], other) == ["warning: #1 lets key 1 of the wallet tills sign for the wallet vaults"]
    stolen = vaults.item(build.lanes(vaults.terms(), [other]))
    assert vaults.refused(stolen, people=("carol", "dave")) == "not-enough-approvals"


def test_a_rotation_on_somebody_elses_account_is_refused(vaults: Vaults) -> None:
    terms = replace(vaults.terms(), signer="stranger.near")
    item = vaults.item(build.rotation(terms, [vaults.keys[1]], [vaults.keys[0]]))
    assert vaults.refused(item, people=ALL) == "unknown-source"


def test_a_request_is_signed_for_the_network_whose_key_it_names(vaults: Vaults) -> None:
    """No chain id is in the bytes: the same ones on another network's lot find no key there."""
    request = vaults.world.request(lots=(replace_network(vaults.request(vaults.pay(5))),))
    with vaults.world.box() as box, pytest.raises(Refusal) as caught:
        vaults.world.examine(box, request)
    assert caught.value.code == "wrong-key"


def replace_network(sealed: bytes) -> Lot:
    (lot,) = open_request(sealed)[0].lots
    return replace(lot, network="near:testnet")
