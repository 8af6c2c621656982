"""A lying compose server as if every check of the coordinator were gone: the signer refuses, or the review shows it.

The gateway's comparisons are switched off, so that the lying bytes go into a sealed request of the true coordinator.
The signer is the real one; its policy allows the honest transaction, lists where money may go, bounds sums and fees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from offline_signer import ceremony, setup
from offline_signer.box import Box, opened
from offline_signer.ceremony import Examination
from online.chains.api import Built, Plan
from online.chains.bitcoin import compose
from online.devnet.counterparty.faults import Lie
from online.devnet.counterparty.writing import STRANGER
from online.store.wallets import keys
from shared.chains.bitcoin import BITCOIN
from shared.chains.bitcoin.addresses import script_of
from shared.chains.bitcoin.context import Prevout, read_context, write_context
from shared.chains.bitcoin.counterparty.carriers import PREFIX, encode_outputs, op_return_plain
from shared.chains.bitcoin.transactions import Input, Output, Transaction, read_unsigned, write
from shared.effects import Payment
from shared.envelope import (
    NOTHING_SEEN,
    Approval,
    Item,
    Lot,
    SigningRequest,
    TransferRef,
    seal_approval,
    seal_request,
)
from shared.errors import BitcoinPairRefused, CounterpartyNotUnderstood, Refusal, TransferMismatch
from shared.policy_document import seal_policy
from tests.bitcoin_house import BTC, COIN, NETWORK, PASSPHRASE, POLICY, XCP, House, a_house, friend
from tests.btc_gateway_bench import pays

FEE_MOST = 50_000
RULES = """
[[wallet]]
name = "cold"
network = "bitcoin:regtest"
tier = "cold"
places = {cold}
[[wallet]]
name = "holding"
network = "bitcoin:regtest"
tier = "cold"
places = {holding}
[[rule]]
wallet = "cold"
kinds = ["payment", "counterparty-send", "counterparty-mpma", "counterparty-options", "counterparty-sweep"]
to_wallets = ["holding"]
to_places = {friends}
fee_most = "0.0005"
fee_rate_most = 100
transactions_without_payment = 5
accepts = ["moves-attached-assets"]
approvals = 1
[rule.limits.XCP]
transfer = "5"
request = "100"
day = "100"
epoch = "100"
[rule.limits.BTC]
transfer = "2"
request = "2"
day = "3"
epoch = "3"
"""


@dataclass
class Forced:
    """A house whose coordinator exports whatever a compose server gives it."""

    house: House

    def wish(self, *payments: Payment, kind: str, index: int = 0, **params: int | str) -> Plan:
        key = keys(self.house.store, "cold")[index]
        made = tuple(replace(payment, source=key.address) for payment in payments)
        given = {"fee_rate": 5_000, **params}
        return Plan(kind, NETWORK, key.address, key.path, key.public_key, made, given)

    def built(self, wish: Plan, lie: Lie | None = None) -> Built:
        self.house.counterparty.lie(lie)
        try:
            return self.house.gateway.build(wish, ())
        finally:
            self.house.counterparty.lie(None)

    def sealed(self, built: Built, transfers: int | None = None) -> bytes:
        """Seal what was built, with a transfer for each payment that it makes unless told otherwise."""
        station, house = self.house.people["station"], self.house
        count = len(built.effects.payments) if transfers is None else transfers
        refs = tuple(TransferRef(b"the same order..", line) for line in range(count))
        lots = (Lot(NETWORK, built.context, (Item(built.unsigned, built.keys, refs),)),)
        request = SigningRequest(station.public, house.signer, house.now, NOTHING_SEEN, lots)
        return seal_request(request, station.sign)

    def examined(self, built: Built, transfers: int | None = None) -> Examination:
        with self._box() as box:
            sealed = self.sealed(built, transfers)
            return ceremony.examine(sealed, box.history, box.policy(), self.house.signer, box.now())

    def signed(self, built: Built) -> bytes:
        """Let carol and ann approve without a look, and sign."""
        with self._box() as box:
            seen = ceremony.examine(self.sealed(built), box.history, box.policy(), self.house.signer, box.now())
            approval = Approval(seen.digest, (), box.seen())
            pens = [self.house.people[name] for name in ("carol", "ann")]
            return ceremony.sign(box, seen, [seal_approval(approval, pen.public, pen.sign) for pen in pens])

    def require_refused(self, built: Built, code: str) -> None:
        """Assert that the signer names the lie, and signs nothing however many people approve."""
        assert code in {one.code for one in self.examined(built).objections}
        with self._box() as box:
            size = box.history.size
        with pytest.raises(Refusal):
            self.signed(built)
        with self._box() as box:
            assert box.history.size == size

    def install(self) -> None:
        """Replace the house's generous policy by a narrow one."""
        house = self.house
        text = POLICY.format(**{name: one.line for name, one in house.people.items()}).replace("epoch = 1", "epoch = 2")
        places = {name: [key.address for key in keys(house.store, name)] for name in ("cold", "holding")}
        places["friends"] = [friend(number) for number in range(6)]
        texts = {name: str([f"{one} tag any" for one in some]).replace("'", '"') for name, some in places.items()}
        with self._box() as box:
            ann = house.people["ann"]
            setup.install_policy(box, seal_policy(text + RULES.format(**texts), ann.public, ann.sign))

    @contextmanager
    def _box(self) -> Iterator[Box]:
        with opened(self.house.folder / "signer", PASSPHRASE, lambda: self.house.now) as box:
            yield box


@pytest.fixture
def forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forced]:
    with a_house(tmp_path, source="compose", fee_cap=10**9) as house:
        monkeypatch.setattr(compose, "differences", lambda *_: ())
        monkeypatch.setattr(compose, "_of_fees", lambda *_: ())
        made = Forced(house)
        made.install()
        yield made


@pytest.fixture(params=["send", "pair", "multisig"])
def wish(forced: Forced, request: pytest.FixtureRequest) -> Plan:
    if request.param == "send":
        return _send(forced)
    batch = [pays(friend(n), 5 * COIN, XCP, f'"order {n}"') for n in range(5)]
    encoding = "taproot" if request.param == "pair" else "multisig"
    return forced.wish(*batch, kind="counterparty-mpma", encoding=encoding)


def _send(forced: Forced, *further: Payment, index: int = 0) -> Plan:
    return forced.wish(pays(friend(1), 5 * COIN, XCP, '"order 1"'), *further, kind="counterparty-send", index=index)


# --- each lie --------------------------------------------------------------------------------------------------


def test_the_honest_transaction_is_signed(forced: Forced, wish: Plan) -> None:
    honest = forced.built(wish)
    assert forced.examined(honest).objections == ()
    assert forced.signed(honest)


def test_another_recipient_is_unknown_to_the_signer(forced: Forced, wish: Plan) -> None:
    lie = forced.built(wish, "wrong-recipient")
    assert STRANGER in _text(forced.examined(lie))
    forced.require_refused(lie, "unknown-destination")


def test_another_amount_is_over_the_signers_limit(forced: Forced, wish: Plan) -> None:
    forced.require_refused(forced.built(wish, "wrong-amount"), "over-transfer-limit")


def test_another_memo_stands_in_the_review(forced: Forced, wish: Plan) -> None:
    honest, lie = (forced.examined(forced.built(wish, kind)) for kind in (None, "wrong-memo"))
    first = wish.payments[0].destination.memo or ""
    assert first in _text(honest)
    assert first not in _text(lie)
    assert '"another"' in _text(lie)
    assert lie.request.flat()[0][1].unsigned != honest.request.flat()[0][1].unsigned


def test_another_memo_for_a_transfer_that_was_signed_is_refused(forced: Forced, wish: Plan) -> None:
    honest, lie = forced.built(wish), forced.built(wish, "wrong-memo")
    forced.signed(honest)
    forced.require_refused(lie, "transfer-bound")


def test_one_output_more_is_a_payment_without_a_transfer(forced: Forced) -> None:
    lie = forced.built(_send(forced), "extra-output")
    with pytest.raises(TransferMismatch):
        forced.examined(lie, transfers=1)


def test_one_output_more_with_a_transfer_of_its_own_goes_to_an_unknown_destination(forced: Forced) -> None:
    lie = forced.built(_send(forced), "extra-output")
    assert len(lie.effects.payments) == 2
    forced.require_refused(lie, "unknown-destination")


def test_one_output_more_beside_data_in_multisig_is_a_payment_too(forced: Forced) -> None:
    batch = [pays(friend(n), 5 * COIN, XCP) for n in range(5)]
    wish = forced.wish(*batch, kind="counterparty-mpma", encoding="multisig")
    lie = forced.built(wish, "extra-output")
    forced.require_refused(lie, "unknown-destination")
    with pytest.raises(TransferMismatch):
        forced.examined(lie, transfers=5)


def test_one_output_more_in_the_commit_of_a_pair_is_not_decoded(forced: Forced) -> None:
    batch = [pays(friend(n), 5 * COIN, XCP) for n in range(5)]
    honest = forced.built(forced.wish(*batch, kind="counterparty-mpma", encoding="taproot"))
    commit, reveal = read_unsigned(honest.unsigned, 2)
    anchor, change = commit.outputs
    stolen = Output(1_000, script_of(STRANGER, NETWORK))
    commit = replace(commit, outputs=(anchor, replace(change, value=change.value - 1_000), stolen))
    follows = replace(reveal.inputs[0], txid=bytes.fromhex(commit.txid)[::-1])
    lie = replace(honest, unsigned=write(commit) + write(replace(reveal, inputs=(follows,))))
    with pytest.raises(BitcoinPairRefused):
        forced.examined(lie)


def test_change_left_to_the_miner_is_above_the_signers_fee(forced: Forced, wish: Plan) -> None:
    forced.require_refused(forced.built(wish, "fee-to-dust"), "fee-too-high")


def test_change_left_to_the_miner_below_the_fee_ceiling_stands_in_the_review(forced: Forced) -> None:
    house = forced.house
    house.fund(10_000, index=1)
    house.counterparty.credit(house.address("cold", 1), "XCP", 5 * COIN)
    wish = _send(forced, index=1)
    honest, lie = (forced.built(wish, kind) for kind in (None, "fee-to-dust"))
    assert (forced.examined(honest).objections, forced.examined(lie).objections) == ((), ())
    assert "change 0." in _text(forced.examined(honest))
    assert "change 0." not in _text(forced.examined(lie))
    assert honest.effects.fee_most.units < lie.effects.fee_most.units == 10_000 < FEE_MOST
    assert "fee at most 0.0001 BTC" in _text(forced.examined(lie))


# --- another input first ---------------------------------------------------------------------------------------


def test_an_input_of_another_wallet_first_is_an_unknown_source(forced: Forced) -> None:
    honest = forced.built(_send(forced))
    lie = _led_by_a_deposit(forced, honest, said_again=True)
    assert lie.effects.source == forced.house.address("deposits")
    forced.require_refused(lie, "unknown-source")


def test_an_input_first_under_which_the_data_means_nothing_is_not_decoded(forced: Forced) -> None:
    honest = forced.built(_send(forced))
    lie = _led_by_a_deposit(forced, honest, said_again=False)
    with pytest.raises(CounterpartyNotUnderstood):
        forced.examined(lie)


def test_the_same_wallets_inputs_in_another_order_stand_so_in_the_review_and_cost_no_more(forced: Forced) -> None:
    wish = _send(forced, pays(friend(2), 3 * COIN // 2, BTC))
    honest, lie = (forced.built(wish, kind) for kind in (None, "other-input-first"))
    assert lie.effects.claims == honest.effects.claims[::-1]
    assert (lie.effects.payments, lie.effects.fee_most) == (honest.effects.payments, honest.effects.fee_most)
    for each in (honest, lie):
        text = _text(forced.examined(each))
        first, second = (text.index(f"stated and signed: {claim.name}") for claim in each.effects.claims)
        assert first < second


def _led_by_a_deposit(forced: Forced, honest: Built, *, said_again: bool) -> Built:
    """Put a coin of the deposits' wallet before the honest input, and write the message for it or leave it."""
    house, key = forced.house, keys(forced.house.store, "deposits")[0]
    (coin,) = house.bitcoin.fund_all([(key.address, 10_000)])
    (given,), stated = read_unsigned(honest.unsigned), read_context(honest.context, pair=False)
    data = given.outputs[0]
    if said_again:
        plain = op_return_plain(data.script, bytes.fromhex(given.inputs[0].txid[::-1].hex())) or b""
        ((sats, script),) = encode_outputs(plain.removeprefix(PREFIX), bytes.fromhex(coin.txid), "opreturn")
        data = Output(sats, script)
    leading = Input(bytes.fromhex(coin.txid)[::-1], coin.vout, given.inputs[0].sequence)
    lie = Transaction(2, (leading, *given.inputs), (data, *given.outputs[1:]), 0)
    prevout = Prevout(Output(10_000, script_of(key.address, NETWORK)), key.public_key)
    context = write_context(replace(stated, prevouts=(prevout, *stated.prevouts)))
    paths, effects = (key.path, *honest.keys), honest.effects
    if said_again:
        effects = BITCOIN.effects(BITCOIN.decode(write(lie), context, paths, NETWORK), {"XCP": 8})
    return Built(write(lie), context, paths, effects)


# --- sweeps and options ----------------------------------------------------------------------------------------


def test_a_sweep_to_somebody_else_names_a_foreign_key(forced: Forced) -> None:
    to = forced.house.address("holding")
    wish = forced.wish(kind="counterparty-sweep", destination=to, flags=3)
    assert forced.examined(forced.built(wish)).objections == ()
    forced.require_refused(forced.built(wish, "wrong-recipient"), "foreign-signing-key")


def test_options_that_are_other_ones_stand_in_the_review(forced: Forced) -> None:
    wish = forced.wish(kind="counterparty-options", options=1)
    honest, lie = (forced.built(wish, kind) for kind in (None, "wrong-memo"))
    details = [each.effects.settings[0].detail for each in (honest, lie)]
    assert details[0] != details[1]
    assert details[0] in _text(forced.examined(honest))
    assert details[1] in _text(forced.examined(lie))


# --- parts -----------------------------------------------------------------------------------------------------


def _text(seen: Examination) -> str:
    """Give the review without the breaks of its lines."""
    return "\n".join(seen.review.lines).replace("\n      > ", "")
