"""The signer knows no chain by name: laws that XRPL cannot break, driven through the ceremony with a toy ledger.

Toy transactions have several payments and claims, three algorithms, and values that the context swears to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import shared.chains
from offline_signer import pen, screen, setup
from offline_signer import release as releases
from offline_signer.history import fold, name_of
from offline_signer.journal_file import read
from shared.chains.api import Algorithm, Curve
from shared.chains.xrpl import XRPL
from shared.effects import OwnedKey
from shared.envelope import Declined, Item, Lot, TransferRef, card_keys, open_answer, open_card, order_id
from shared.errors import Refusal
from shared.journal import Entry
from tests import toy_chain
from tests.signing_world import make_world
from tests.toy_chain import TOY, toy_bytes

RULES = """
[[wallet]]
name = "toys"
network = "toy:test"
tier = "cold"
places = [{places}]

[[rule]]
wallet = "toys"
kinds = ["payment", "wait"]
to_places = ["shop", "bank"]
fee_most = "1"
transactions_without_payment = 3
expiry_most = 100
approvals = 1
[rule.limits.TOY]
transfer = "100"
request = "1000"
day = "1000"
epoch = "1000"
"""


class ToyWorld:
    """A signer with a wallet on the toy ledger beside the one on XRPL."""

    def __init__(self, folder: Path, curve: Curve) -> None:
        self.world = make_world(folder)
        with self.world.box() as box:
            sealed = setup.issue_card(box, "toys", network=toy_chain.NETWORK, tier="cold", curve=curve, account=0,
                                      count=2)
            self.addresses = box.history.wallets["toys"].addresses
        self.keys = card_keys(open_card(sealed)[0], 2)
        places = ", ".join(f'"{address}"' for address in self.addresses)
        self.world.install(self.world.policy_text(epoch=2, more=RULES.format(places=places)))

    def item(self, claims: str, orders: Sequence[str] = ("order",), *, algorithm: Algorithm = "ed25519",
             salt: int = 0) -> Item:
        key = self.keys[0][1:] if algorithm == "schnorr-bip340" else self.keys[0]
        unsigned = toy_bytes(self.addresses[0], [("shop", 10)] * len(orders), claims.split(), key,
                             algorithm=algorithm, salt=salt)
        path = TOY.key_path(toy_chain.NETWORK, "ed25519", 0, 0)
        return Item(unsigned, (path,), tuple(TransferRef(order_id(order), 0) for order in orders))

    def request(self, *items: Item, **context: int) -> bytes:
        return self.world.request(lots=(Lot(toy_chain.NETWORK, context, items),))

    def sign(self, *items: Item, people: Sequence[str] = ("carol",), declined: Sequence[Declined] = (),
             **context: int) -> tuple[bytes, ...]:
        sealed = self.request(*items, **context)
        return open_answer(self.world.sign(sealed, people=people, declined=declined))[0].signatures

    def refused(self, *items: Item, people: Sequence[str] = ("carol",), **context: int) -> str:
        with pytest.raises(Refusal) as caught:
            self.world.sign(self.request(*items, **context), people=people)
        return caught.value.code

    def spent(self) -> int:
        with self.world.box() as box:
            return sum(box.history.usage(self.world.now).epoch.values())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.chains, "chain", toy_chain.chain)


@pytest.fixture
def toys(tmp_path: Path, registry: None) -> ToyWorld:
    return ToyWorld(tmp_path / "signer", "ed25519")


# --- at most one, with more than one claim ------------------------------------------------------------


def test_three_transactions_that_exclude_each_other_only_in_pairs_are_refused(toys: ToyWorld) -> None:
    toys.sign(toys.item("a b"))
    toys.sign(toys.item("b c"))
    assert toys.refused(toys.item("c d")) == "could-pay-twice"


def test_a_third_that_excludes_both_earlier_ones_is_signed_and_all_three_count_once(toys: ToyWorld) -> None:
    for claims in ("a b", "b c", "c a"):
        assert toys.sign(toys.item(claims))
    assert toys.spent() == 10 + 3  # one payment, three fees


def test_the_same_three_in_one_request_are_judged_the_same_way(toys: ToyWorld) -> None:
    assert toys.refused(toys.item("a b"), toys.item("b c"), toys.item("c d")) == "could-pay-twice"
    assert len(toys.sign(toys.item("a b"), toys.item("b c"), toys.item("c a"))) == 3


def test_a_transaction_with_two_payments_excludes_for_each_of_its_transfers(toys: ToyWorld) -> None:
    toys.sign(toys.item("a b", ["one", "two"]))
    assert toys.refused(toys.item("c", ["two"])) == "could-pay-twice"
    assert toys.sign(toys.item("b", ["two"]), toys.item("a", ["one"]))


def test_a_release_of_one_transfer_leaves_the_other_bound(toys: ToyWorld) -> None:
    item = toys.item("a", ["one", "two"])
    toys.sign(item)
    dead = name_of(toy_chain.NETWORK, item.unsigned)[1]
    one = item.transfers[0].transfer_id
    body = releases.draft_transfer(toys.world.station, one, [dead], "it lost against another")
    sealed = releases.seal_release(body, toys.world.ann.public, toys.world.ann.sign)
    sealed = releases.sign_release(sealed, toys.world.ben.public, toys.world.ben.sign)
    with toys.world.box() as box:
        releases.apply(box, sealed)
    assert toys.sign(toys.item("b", ["one"]))
    assert toys.refused(toys.item("b", ["two"], salt=1)) == "could-pay-twice"


def test_two_payments_of_one_transaction_for_one_transfer_are_refused(toys: ToyWorld) -> None:
    assert toys.refused(toys.item("a", ["one", "one"])) == "transfer-mismatch"


# --- amounts are sworn ----------------------------------------------------------------------------------


def test_a_value_that_was_signed_is_refused_with_another(toys: ToyWorld) -> None:
    toys.sign(toys.item("a"), outpoint=70)
    assert toys.refused(toys.item("b", ["two"]), outpoint=71) == "amount-sworn"
    assert toys.sign(toys.item("b", ["two"]), outpoint=70)


def test_two_lots_of_one_request_cannot_swear_to_two_values(toys: ToyWorld) -> None:
    lots = tuple(Lot(toy_chain.NETWORK, {"outpoint": value}, (toys.item(name, [name]),))
                 for name, value in (("a", 70), ("b", 71)))
    with pytest.raises(Refusal) as caught:
        toys.world.sign(toys.world.request(lots=lots))
    assert caught.value.code == "amount-sworn"


# --- a repeat is the same signature, and nothing else -----------------------------------------------------


def test_the_same_bytes_with_another_context_are_another_signature_and_need_their_own_approval(toys: ToyWorld) -> None:
    item = toys.item("a")
    first = toys.sign(item, outpoint=70)
    assert toys.refused(item, people=(), outpoint=70, change=5) == "not-enough-approvals"
    assert toys.sign(item, outpoint=70, change=5) != first
    assert toys.sign(item, people=(), outpoint=70) == first
    assert toys.spent() == 10 + 2


def test_the_same_bytes_by_another_key_are_judged_anew(toys: ToyWorld) -> None:
    item = toys.item("a")
    toys.sign(item)
    with toys.world.box() as box:
        other = replace(item, keys=(TOY.key_path(toy_chain.NETWORK, "ed25519", 0, 1),))
        examination = toys.world.examine(box, toys.request(other))
        assert not examination.transactions[0].repeat
        assert examination.decision.approvals == 1


# --- what stays ours -----------------------------------------------------------------------------------------


def change(toys: ToyWorld, index: int = 1, key: int = 1, curve: str = "ed25519") -> OwnedKey:
    path = TOY.key_path(toy_chain.NETWORK, "ed25519", 0, index)
    return OwnedKey(path, curve, toys.keys[key])


def keeping(toys: ToyWorld, *owned: OwnedKey) -> Item:
    unsigned = toy_bytes(toys.addresses[0], [("shop", 10)], ["a"], toys.keys[0], owned=owned)
    return replace(toys.item("a"), unsigned=unsigned)


def test_change_that_goes_to_keys_of_this_signer_is_signed(toys: ToyWorld) -> None:
    assert toys.sign(keeping(toys, change(toys), change(toys, index=0, key=0)))


@pytest.mark.parametrize("wrong", ["another key", "a stranger's key", "no key", "another curve"])
def test_change_whose_key_is_not_the_one_at_its_path_is_refused_and_nothing_is_written(
    toys: ToyWorld, wrong: str
) -> None:
    owned = {
        "another key": change(toys, key=0),
        "a stranger's key": replace(change(toys), public_key=bytes(32)),
        "no key": replace(change(toys), public_key=b""),
        "another curve": change(toys, curve="secp256k1"),
    }[wrong]
    size = read(toys.world.folder, toys.world.station).tip.size
    assert toys.refused(keeping(toys, change(toys), owned)) == "wrong-key"
    assert read(toys.world.folder, toys.world.station).tip.size == size


@pytest.mark.parametrize("path", [
    TOY.key_path(toy_chain.NETWORK, "ed25519", 0, 2),  # derived, and never issued on a card
    TOY.key_path(toy_chain.NETWORK, "ed25519", 1, 0),
    XRPL.key_path("xrpl:local", "secp256k1", 0, 0),  # issued on another network
    (),
])
def test_change_at_a_path_that_no_card_of_the_network_issued_is_refused_before_anybody_approves(
    toys: ToyWorld, path: tuple[int, ...]
) -> None:
    with toys.world.box() as box:
        derivable = all(number >= toy_chain.HARD for number in path)
        # Even the right key of a path that nobody watches is refused.
        key = box.vault.node("ed25519", path).public_key if derivable else toys.keys[0]
        with pytest.raises(Refusal) as caught:
            toys.world.examine(box, toys.request(keeping(toys, OwnedKey(path, "ed25519", key))))
    assert caught.value.code == "wrong-key"


# --- algorithms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("curve", "algorithm"), [
    ("ed25519", "ed25519"), ("secp256k1", "ecdsa-secp256k1"), ("secp256k1", "schnorr-bip340"),
])
def test_every_algorithm_signs_the_same_way_twice(
    tmp_path: Path, registry: None, curve: Curve, algorithm: Algorithm
) -> None:
    toys = ToyWorld(tmp_path / "signer", curve)
    item = toys.item("a", algorithm=algorithm)
    (first,) = toys.sign(item)
    assert (len(first), toys.sign(item, people=())) == (64, (first,))


@pytest.mark.parametrize(("curve", "algorithm"), [("ed25519", "ed25519"), ("secp256k1", "schnorr-bip340")])
def test_a_wrong_signature_of_any_algorithm_is_found(
    tmp_path: Path, registry: None, monkeypatch: pytest.MonkeyPatch, curve: Curve, algorithm: Algorithm
) -> None:
    toys = ToyWorld(tmp_path / "signer", curve)
    real = pen._STROKES[algorithm]
    monkeypatch.setitem(pen._STROKES, algorithm, lambda secret: (lambda _: b"\1" * 64, real(secret)[1]))
    assert toys.refused(toys.item("a", algorithm=algorithm)) == "bad-pen"


# --- the memory ---------------------------------------------------------------------------------------------


def test_a_new_process_remembers_exactly_what_the_old_one_knew(toys: ToyWorld) -> None:
    toys.sign(toys.item("a b", ["one", "two"]), outpoint=70)
    toys.sign(toys.item("c", ["three"]), toys.item("d", ["four"]), declined=[Declined(1, "no")])
    with toys.world.box() as box:
        assert fold(read(toys.world.folder, toys.world.station).entries) == box.history


@pytest.mark.parametrize(("kind", "body"), [
    ("party", {}),
    ("release", {"what": "transfer", "transfer": bytes(16), "transactions": [bytes(32)]}),
    ("wallet", {"card": b"", "count": 1}),
    ("policy", {"sealed": b"\x00"}),
    ("sign", {"epoch": 1, "txs": [[1, 2]], "refused": [], "declined": [], "request": bytes(32)}),
    ("sign", {"epoch": 1, "txs": [], "heights": [["toy:test", "9"]], "refused": [], "declined": [],
              "request": bytes(32)}),
    ("sign", {"epoch": 1, "txs": [], "heights": [], "refused": [7], "declined": [], "request": bytes(32)}),
])
def test_an_entry_that_another_version_wrote_is_refused_by_its_number(kind: str, body: dict[str, object]) -> None:
    entry = Entry(7, 1, kind, body, bytes(32))  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="entry 7") as caught:
        fold([entry])
    assert caught.value.code == "journal-damaged"


def test_foreign_text_is_escaped_once_so_that_both_machines_show_the_same(
    toys: ToyWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    unsigned = toy_bytes(toys.addresses[0], [("shop\x1b[2J\u202e", 10)], ["a"], toys.keys[0])
    item = replace(toys.item("a"), unsigned=unsigned)
    with toys.world.box() as box:
        examination = toys.world.examine(box, toys.request(item))
    screen.show([*examination.review.lines, *examination.lines()])
    shown = capsys.readouterr().out
    assert shown.count("shop\\u{1b}[2J\\u{202e}") == 2  # where it goes, and why it may not
    assert "\\\\" not in shown
    screen.show(["raw\x1b"])
    assert capsys.readouterr().out == "raw\\u{1b}\n"


def test_a_request_answered_by_another_version_is_not_taken_for_a_repeat(
    toys: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = toys.request(toys.item("a"))
    toys.world.sign(sealed)
    monkeypatch.setattr(toy_chain, "PREFIX", b"the new version signs other bytes")
    with pytest.raises(Refusal) as caught:
        toys.world.sign(sealed, people=())
    assert caught.value.code == "not-enough-approvals"
