"""The whole ceremony on NEAR: a signer with vault and policy signs what it shows, and refuses the rest by name.

The signer knows no chain; these tests show that NEAR's effects carry enough for its laws: payments, token batches, key
ceremonies under the administrators' quorum, messages that the policy pins, delegate actions, named accounts and lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from pyonear.transaction import SignedTransaction, verify_transaction_signature

from offline_signer import journal_file, setup
from shared.chains.near import NEAR, build, codec
from shared.chains.near.build import DelegateTerms, Terms
from shared.chains.near.delegates import encode_delegate
from shared.chains.near.model import AddKey, Delegate, DeleteKey, Transaction, Transfer
from shared.effects import Destination
from shared.envelope import Item, Lot, TransferRef, card_keys, open_answer, open_card, order_id
from shared.errors import Refusal
from shared.money import Amount
from tests.signing_world import World, make_world

NETWORK = "near:localnet"
COIN = NEAR.network(NETWORK).native
USDT = "usdt.tether-token.near"
HEIGHT, VALIDITY = 200_000_000, 86_400
CONTEXT = {"height": HEIGHT, "validity": VALIDITY}
BLOCK = sha256(b"a final block").digest()
NONCE = 199_000_000_000_000
MESSAGE = '{"pool":5}'
PINNED = f"nep141-call:dex.near:{sha256(MESSAGE.encode()).hexdigest()}"
KINDS = ("payment", "nep141-transfer", "nep141-call", "nep141-register", "near-lanes", "near-rotate",
         "nep366-transfer", "nep366-rotate")

RULES = """
[[asset]]
network = "near:localnet"
code = "usdt.tether-token.near"
decimals = 6

[[wallet]]
name = "vaults"
network = "near:localnet"
tier = "cold"
places = ["{account}", "treasury.near"]

[[rule]]
wallet = "vaults"
kinds = {kinds}
to_places = ["bob.near tag any", "{implicit}", "dex.near"]
fee_most = "1"
transactions_without_payment = 3
expiry_most = {expiry}
approvals = 1
accepts = ["{pinned}"]
[rule.limits.NEAR]
transfer = "100"
request = "1000"
day = "1000"
epoch = "1000"
[rule.limits."usdt.tether-token.near"]
transfer = "5000"
request = "20000"
day = "20000"
epoch = "20000"
"""


class Vaults:
    """A signer with a wallet on NEAR beside the one on XRPL: key 0 holds the account, keys 1 to 3 may become lanes."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.world: World = make_world(folder)
        with self.world.box() as box:
            sealed = setup.issue_card(
                box, "vaults", network=NETWORK, tier="cold", curve="ed25519", account=0, count=4
            )
            self.addresses = box.history.wallets["vaults"].addresses
        self.keys = card_keys(open_card(sealed)[0], 4)
        self.implicit = sha256(b"a customer").hexdigest()
        kinds = "[" + ", ".join(f'"{kind}"' for kind in KINDS) + "]"
        fields = {"account": self.addresses[0], "implicit": self.implicit, "kinds": kinds, "pinned": PINNED,
                  "expiry": VALIDITY, **changes}
        self.world.install(self.world.policy_text(epoch=2, more=RULES.format(**fields)))

    def terms(self, nonce: int = 1, key: int = 0, signer: str = "") -> Terms:
        return Terms(NETWORK, signer or self.addresses[0], self.keys[key], NONCE + nonce, BLOCK)

    def delegate_terms(self, nonce: int = 1, last: int = HEIGHT + 80_000) -> DelegateTerms:
        return DelegateTerms(NETWORK, self.addresses[0], self.keys[0], NONCE + nonce, last)

    def item(self, unsigned: bytes, orders: Sequence[str] = (), key: int = 0) -> Item:
        path = NEAR.key_path(NETWORK, "ed25519", 0, key)
        return Item(unsigned, (path,), tuple(TransferRef(order_id(order), 0) for order in orders))

    def pay(self, near: int, order: str = "order", *, nonce: int = 1, to: str = "bob.near", key: int = 0,
            signer: str = "") -> Item:
        unsigned = build.payment(self.terms(nonce, key, signer), Destination(to), Amount(COIN, near * 10**24))
        return self.item(unsigned, [order], key)

    def tokens(self, *sums: int, nonce: int = 1, registrations: Sequence[tuple[str, int]] = ()) -> Item:
        pays = [(Destination("bob.near", memo=f"invoice {number}"), units) for number, units in enumerate(sums)]
        unsigned = build.token_transfer(self.terms(nonce), USDT, pays, registrations)
        return self.item(unsigned, [f"line {number}" for number in range(len(sums))])

    def request(self, *items: Item, context: dict[str, int] | None = None) -> bytes:
        return self.world.request(lots=(Lot(NETWORK, context or CONTEXT, items),))

    def sign(self, *items: Item, people: Sequence[str] = ("carol",), context: dict[str, int] | None = None
             ) -> tuple[bytes, ...]:
        return open_answer(self.world.sign(self.request(*items, context=context), people=people))[0].signatures

    def refused(self, *items: Item, people: Sequence[str] = ("carol",), context: dict[str, int] | None = None) -> str:
        """Demand a refusal that leaves the journal as it was; give its code."""
        before = (self.world.folder / journal_file.NAME).read_bytes()
        with pytest.raises(Refusal) as caught:
            self.sign(*items, people=people, context=context)
        assert (self.world.folder / journal_file.NAME).read_bytes() == before
        return caught.value.code

    def shown(self, *items: Item, context: dict[str, int] | None = None) -> str:
        """Give what a person reads before approving, its lines joined where they were cut."""
        with self.world.box() as box:
            examination = self.world.examine(box, self.request(*items, context=context))
        return "\n".join(examination.review.lines).replace("\n      > ", "")


@pytest.fixture
def vaults(tmp_path: Path) -> Vaults:
    return Vaults(tmp_path / "signer")


def assembled(item: Item, signature: bytes, context: dict[str, int] | None = None) -> tuple[bytes, str]:
    tx = NEAR.decode(item.unsigned, context or CONTEXT, item.keys, NETWORK)
    signed = NEAR.assemble(tx, [signature])
    return signed.blob, signed.tx_id


# --- keys -------------------------------------------------------------------------------------------


def test_a_wallets_accounts_are_the_hex_of_its_keys(vaults: Vaults) -> None:
    assert vaults.addresses == tuple(key.hex() for key in vaults.keys)
    assert len(set(vaults.addresses)) == 4


def test_a_card_of_another_curve_is_refused(vaults: Vaults) -> None:
    with vaults.world.box() as box, pytest.raises(Refusal) as caught:
        setup.issue_card(box, "other", network=NETWORK, tier="cold", curve="secp256k1", account=1, count=1)
    assert caught.value.code == "near-key"


def test_two_networks_share_no_key(vaults: Vaults) -> None:
    with vaults.world.box() as box:
        card = setup.issue_card(box, "t", network="near:testnet", tier="cold", curve="ed25519", account=0, count=4)
    assert not set(card_keys(open_card(card)[0], 4)) & set(vaults.keys)


# --- what is signed ---------------------------------------------------------------------------------


def test_a_payment_is_signed_so_that_nearcores_crates_accept_it(vaults: Vaults) -> None:
    item = vaults.pay(12)
    blob, tx_id = assembled(item, vaults.sign(item)[0])
    other = SignedTransaction.from_bytes(blob)
    assert verify_transaction_signature(other, [other.transaction.public_key])
    assert str(other.hash) == tx_id


def test_asking_twice_gives_the_same_signature_and_counts_once(vaults: Vaults) -> None:
    item = vaults.pay(100)
    first = vaults.sign(item)
    for _ in range(12):
        assert vaults.sign(item, people=()) == first


def test_the_screen_shows_account_amount_hours_and_the_base_block(vaults: Vaults) -> None:
    text = vaults.shown(vaults.pay(12))
    for line in (
        f"pays 12 NEAR on {NETWORK}",
        f"from {vaults.addresses[0]}",
        "to bob.near",
        "to a named account; if it does not exist the payment fails and comes back",
        "about 14 hours from the stated height, at about 0.6 s a block",
        f"until ledger {HEIGHT + VALIDITY}, {VALIDITY} after the stated height",
        f"stated by the coordinator: height {HEIGHT}",
        f"stated by the coordinator: validity {VALIDITY}",
        "base block ",
    ):
        assert line in text


def test_a_token_batch_is_signed_and_shows_decimals_memos_gas_and_registrations(vaults: Vaults) -> None:
    item = vaults.tokens(1_500_000, 4_999_000_001, registrations=[("bob.near", 1_250 * 10**18)])
    text = vaults.shown(item)
    for line in (
        f"pays 5 000.500001 {USDT} on {NETWORK}",
        f"pays 1.5 {USDT}",
        f"pays 4 999.000001 {USDT}",
        "to bob.near memo invoice 0",
        "to bob.near memo invoice 1",
        f"token contract {USDT}",
        "the register gives this token 6 decimals",
        "registers bob.near for 0.00125 NEAR, which stays with the contract",
        "all or nothing: if one of its calls fails, none of them happens",
        "3 calls, each with 20 Tgas",
        "attaches 1250000000000000000002 yoctoNEAR, counted in the fee",
    ):
        assert line in text
    blob, _ = assembled(item, vaults.sign(item)[0])
    found = SignedTransaction.from_bytes(blob)
    assert verify_transaction_signature(found, [found.transaction.public_key])


def test_registrations_alone_count_as_transactions_that_pay_nothing(vaults: Vaults) -> None:
    def items(nonce: int) -> Item:
        return vaults.item(build.registration(vaults.terms(nonce), USDT, [("bob.near", 10**21)]))

    for nonce in (1, 2, 3):
        assert vaults.sign(items(nonce))
    assert vaults.refused(items(4)) == "too-many-without-payment"


def test_a_message_that_the_policy_pins_is_signed_and_another_is_refused(vaults: Vaults) -> None:
    def call(message: str, nonce: int = 1) -> Item:
        return vaults.item(build.token_call(vaults.terms(nonce), USDT, Destination("dex.near"), 5, message), ["order"])

    assert f"message to it: {MESSAGE}" in vaults.shown(call(MESSAGE))
    for other in ("", MESSAGE + " ", '{"pool":6}'):
        assert vaults.refused(call(other)) == "danger-not-accepted"
    assert vaults.sign(call(MESSAGE))


def test_a_named_account_of_the_wallet_pays_with_a_key_of_ours_and_the_key_is_shown(vaults: Vaults) -> None:
    item = vaults.pay(5, signer="treasury.near")
    assert "signed for treasury.near with its key ed25519:" in vaults.shown(item)
    assert vaults.sign(item)
    assert vaults.refused(vaults.pay(5, "two", signer="stranger.near")) == "unknown-source"


def test_a_lane_signs_for_the_first_keys_account_with_its_own_nonces(vaults: Vaults) -> None:
    items = [vaults.pay(5, f"order {key}", key=key, signer=vaults.addresses[0]) for key in range(4)]
    for item, signature in zip(items, vaults.sign(*items), strict=True):
        assembled(item, signature)
    assert len({claim for item in items for claim in NEAR.effects(
        NEAR.decode(item.unsigned, CONTEXT, item.keys, NETWORK)).claims}) == 4


def test_a_key_path_beside_the_signing_key_is_refused(vaults: Vaults) -> None:
    crossed = replace(vaults.pay(5, key=1, signer=vaults.addresses[0]), keys=vaults.pay(5).keys)
    assert vaults.refused(crossed) == "wrong-key"


def test_a_second_transaction_for_a_transfer_shares_its_nonce_or_is_refused(vaults: Vaults) -> None:
    vaults.sign(vaults.pay(5))
    assert vaults.refused(vaults.pay(5, nonce=2)) == "could-pay-twice"
    assert vaults.refused(vaults.pay(5, key=1, signer=vaults.addresses[0])) == "could-pay-twice"
    terms = replace(vaults.terms(), block_hash=sha256(b"a later block").digest())
    again = vaults.item(build.payment(terms, Destination("bob.near"), Amount(COIN, 5 * 10**24)), ["order"])
    assert vaults.sign(again, context={"height": HEIGHT + 9, "validity": VALIDITY})


# --- who may sign -----------------------------------------------------------------------------------


def lanes(vaults: Vaults) -> Item:
    return vaults.item(build.lanes(vaults.terms(), vaults.keys[1:]))


def rotation(vaults: Vaults) -> Item:
    return vaults.item(build.rotation(vaults.terms(), vaults.keys[1:2], vaults.keys[:1]))


def delegated_rotation(vaults: Vaults) -> Item:
    return vaults.item(build.rotation(vaults.delegate_terms(), vaults.keys[1:2], vaults.keys[:1]))


CEREMONIES = [(lanes, CONTEXT), (rotation, CONTEXT), (delegated_rotation, {"height": HEIGHT})]


@pytest.mark.parametrize(("ceremony", "context"), CEREMONIES)
def test_keys_of_ours_need_the_administrators_and_empty_the_wallet(
    vaults: Vaults, ceremony: object, context: dict[str, int]
) -> None:
    item = ceremony(vaults)  # type: ignore[operator]
    assert "CHANGES WHO MAY SIGN: add-key" in vaults.shown(item, context=context)
    assert vaults.refused(item, context=context) == "not-enough-approvals"
    assert vaults.refused(item, people=("carol", "ann"), context=context) == "not-enough-approvals"
    assert vaults.sign(item, people=("carol", "ann", "ben"), context=context)
    assert vaults.refused(vaults.pay(1, nonce=9)) == "over-epoch-budget"


@pytest.mark.parametrize("build_it", [
    lambda v, key: build.lanes(v.terms(), [v.keys[1], key]),
    lambda v, key: build.rotation(v.terms(), [key], [v.keys[0]]),
])
def test_a_strangers_key_is_refused_whoever_approves(vaults: Vaults, build_it: object) -> None:
    stranger = sha256(b"a thief").digest()
    item = vaults.item(build_it(vaults, stranger))  # type: ignore[operator]
    assert vaults.refused(item, people=("carol", "dave", "ann", "ben")) == "foreign-signing-key"


# --- delegate actions -------------------------------------------------------------------------------


def delegated(vaults: Vaults, last: int = HEIGHT + 80_000) -> Item:
    terms = vaults.delegate_terms(last=last)
    return vaults.item(build.token_transfer(terms, USDT, [(Destination("bob.near"), 7)]), ["order"])


def test_a_delegate_action_is_signed_as_one_and_shows_its_own_end(vaults: Vaults) -> None:
    item, context = delegated(vaults), {"height": HEIGHT}
    text = vaults.shown(item, context=context)
    assert "nep366-transfer on near:localnet" in text
    assert "a relayer carries it out, pays its gas and deposits, and can delay or leave it" in text
    assert "about 13 hours from the stated height" in text
    assembled(item, vaults.sign(item, context=context)[0], context)


@pytest.mark.parametrize(("last", "code"), [(HEIGHT, "near-expired"), (HEIGHT + 86_401, "expiry-too-far")])
def test_a_delegate_action_that_ends_too_soon_or_too_late_is_refused(vaults: Vaults, last: int, code: str) -> None:
    assert vaults.refused(delegated(vaults, last), context={"height": HEIGHT}) == code


def test_a_wallet_whose_rule_knows_no_delegate_actions_signs_none(tmp_path: Path) -> None:
    vaults = Vaults(tmp_path / "signer", kinds='["payment", "nep141-transfer"]')
    assert vaults.refused(delegated(vaults), context={"height": HEIGHT}) == "kind-not-allowed"
    assert vaults.refused(lanes(vaults), people=("carol", "ann", "ben")) == "kind-not-allowed"


# --- what is refused --------------------------------------------------------------------------------


def raw(vaults: Vaults, *actions: bytes, receiver: str = "bob.near") -> Item:
    """Give an item whose actions stand as bytes, whatever they are."""
    plain = codec.encode_transaction(
        Transaction(vaults.addresses[0], vaults.keys[0], NONCE, receiver, BLOCK, (Transfer(1),))
    )
    return vaults.item(plain[:-21] + len(actions).to_bytes(4, "little") + b"".join(actions), ["order"])


NO_KEY = b"\0" + bytes(32)
PAY = b"\3" + (1).to_bytes(16, "little")


@pytest.mark.parametrize(("actions", "code"), [
    ([b"\0"], "near-create-account"),
    ([b"\1\1\0\0\0x"], "near-deploy-contract"),
    ([b"\4" + bytes(16) + NO_KEY], "near-stake"),
    ([b"\7\x08\0\0\0bob.near"], "near-delete-account"),
    ([PAY, b"\7\x08\0\0\0bob.near"], "near-delete-account"),
    ([b"\x08" + bytes(100)], "near-delegate-inside"),
    ([b"\x09"], "near-later-action"),
    ([b"\5" + NO_KEY + bytes(8) + b"\1"], "near-keys-mixed"),
    ([PAY, b"\5" + NO_KEY + bytes(8) + b"\1"], "near-keys-mixed"),
    ([b"\5" + NO_KEY + bytes(8) + b"\0"], "near-function-call-key"),
    ([b"\6" + NO_KEY], "near-keys-mixed"),
    ([b"\2\x08\0\0\0withdraw" + bytes(4) + bytes(8) + bytes(16)], "near-method"),
    ([PAY, PAY], "near-actions"),
    ([], "near-actions"),
])
def test_each_thing_that_is_never_signed_is_refused_by_its_own_code(
    vaults: Vaults, actions: list[bytes], code: str
) -> None:
    assert vaults.refused(raw(vaults, *actions), people=("carol", "dave", "ann", "ben")) == code


@pytest.mark.parametrize(("item", "code"), [
    (lambda v: v.pay(101), "over-transfer-limit"),
    (lambda v: v.pay(5, to="eve.near"), "unknown-destination"),
    (lambda v: v.tokens(5_000_000_001), "over-transfer-limit"),
    (lambda v: v.tokens(*[5_000_000_000] * 4, 1), "over-request-limit"),
    (lambda v: v.tokens(*[1] * 99), "fee-too-high"),
    (lambda v: v.item(build.token_transfer(v.terms(), "fake.near", [(Destination("bob.near"), 1)]), ["order"]),
     "near-token-unknown"),
    (lambda v: replace(v.pay(5), transfers=()), "transfer-mismatch"),
    (delegated, "near-context"),
    (lambda v: raw(v, b"\6" + NO_KEY, receiver=v.addresses[0]), "near-keys-mixed"),
])
def test_what_the_policy_or_the_ledger_would_not_take_is_refused(vaults: Vaults, item: object, code: str) -> None:
    assert vaults.refused(item(vaults)) == code  # type: ignore[operator]


def test_native_near_in_a_delegate_action_is_refused(vaults: Vaults) -> None:
    inner = Delegate(vaults.addresses[0], "bob.near", (Transfer(1),), NONCE, HEIGHT + 9, vaults.keys[0])
    item = vaults.item(encode_delegate(inner), ["order"])
    assert vaults.refused(item, context={"height": HEIGHT}) == "near-delegate"


@pytest.mark.parametrize(("context", "code"), [
    ({"height": HEIGHT}, "near-context"),
    ({"height": HEIGHT, "validity": VALIDITY, "meaning": 1}, "near-context"),
    ({"height": HEIGHT, "validity": VALIDITY + 1}, "expiry-too-far"),
    ({"height": 1, "validity": VALIDITY}, "near-nonce"),
])
def test_a_context_that_does_not_fit_is_refused(vaults: Vaults, context: dict[str, int], code: str) -> None:
    assert vaults.refused(vaults.pay(5), context=context) == code


def test_a_ceremony_hidden_behind_payments_is_seen(vaults: Vaults) -> None:
    before, after = vaults.pay(1, "one"), vaults.pay(1, "two", nonce=3)
    batch = [before, lanes(vaults), after]
    assert vaults.refused(before, lanes(vaults)) == "not-enough-approvals"
    assert vaults.refused(*batch, people=("carol", "ann", "ben")) == "over-epoch-budget"
    assert "#2 CHANGES WHO MAY SIGN: add-key" in vaults.shown(*batch)


@pytest.mark.parametrize("build_it", [lambda v: v.pay(5), lambda v: v.tokens(5), lanes])
def test_every_flipped_bit_is_refused_or_shows_before_anybody_approves(vaults: Vaults, build_it: object) -> None:
    item = build_it(vaults)  # type: ignore[operator]
    meant, number, width = vaults.shown(item), int.from_bytes(item.unsigned), len(item.unsigned)
    fingerprint = meant.split(":")[0]
    shown = []
    with vaults.world.box() as box:
        for bit in range(8 * width):
            request = vaults.request(replace(item, unsigned=(number ^ 1 << bit).to_bytes(width)))
            try:
                lines = vaults.world.examine(box, request).review.lines
            except Refusal:
                continue
            shown.append("\n".join(lines[1:]))
            assert lines[0].split(":")[0] != fingerprint
    rest = meant.partition("\n")[2]
    assert shown
    assert rest not in [one.replace("\n      > ", "") for one in shown]
    assert len(set(shown)) == len(shown)


def test_the_same_keys_in_the_wrong_order_are_refused(vaults: Vaults) -> None:
    actions = (DeleteKey(vaults.keys[0]), AddKey(vaults.keys[1]))
    inner = Transaction(vaults.addresses[0], vaults.keys[0], NONCE, vaults.addresses[0], BLOCK, actions)
    assert vaults.refused(vaults.item(codec.encode_transaction(inner))) == "near-keys-mixed"
