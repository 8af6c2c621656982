"""Another maker's wallet over embit, that knows nothing but a descriptor, and a signer whose policy lets it ask.

The watcher's scripts, keys, paths and PSBTs are embit's alone; the signer is the real one with its vault and journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embit import ec
from embit.descriptor import Descriptor
from embit.psbt import PSBT, DerivationPath
from embit.script import Script
from embit.transaction import Transaction, TransactionInput, TransactionOutput

from offline_signer import ceremony, setup
from offline_signer.box import Box
from offline_signer.ceremony import Examination
from offline_signer.history import Wallet
from shared.chains.bitcoin.addresses import address_of
from shared.chains.bitcoin.psbt import read_psbt
from shared.chains.bitcoin.psbt_roles import extract, finalize
from shared.chains.bitcoin.transactions import Output, write
from shared.envelope import card_addresses
from tests.bitcoin_world import core_accepts, key
from tests.signing_world import NOON, World, make_world

REGTEST, SIGNET = "bitcoin:regtest", "bitcoin:signet"
HEIGHT = 1_000
SHOP, STRANGER = key(7), key(8, "p2tr")
FOREIGN_KINDS = '["foreign-payment", "foreign-counterparty-send"]'
FORMS = {"vault": "p2wpkh", "tap": "p2tr", "second": "p2wpkh", "signet": "p2wpkh"}
ACCOUNTS = {"vault": 0, "tap": 0, "second": 1, "signet": 0}

RULE = """
[[wallet]]
name = "{name}"
network = "{network}"
tier = "cold"
places = {places}
[[rule]]
wallet = "{name}"
kinds = {kinds}
to_places = {shop}
fee_most = "0.0002"
fee_rate_most = 100
transactions_without_payment = 3
accepts = {accepts}
approvals = {approvals}
[rule.limits.BTC]
transfer = "1"
request = "2"
day = "3"
epoch = "3"
"""

ASSET = """
[rule.limits.XCP]
transfer = "10"
request = "10"
day = "10"
epoch = "10"
[[asset]]
network = "bitcoin:regtest"
code = "XCP"
decimals = 8
"""


@dataclass(frozen=True)
class Coin:
    """An output of the watched wallet: its place on a branch, its value in satoshi, and whose number its id is from."""

    index: int = 0
    value: int = 10_000_000
    branch: int = 0
    number: int = 0

    @property
    def txid(self) -> bytes:
        return hashlib.sha256(f"coin {self.number} {self.branch} {self.index}".encode()).digest()


@dataclass
class Watcher:
    """What a wallet such as Sparrow knows: the descriptor that the signer printed."""

    text: str

    def at(self, branch: int, index: int) -> Any:
        return Descriptor.from_string(self.text.partition("#")[0]).derive(index, branch_index=branch)

    def script(self, coin: Coin) -> bytes:
        return bytes(self.at(coin.branch, coin.index).script_pubkey().data)

    def address(self, coin: Coin, network: str = REGTEST) -> str:
        return address_of(self.script(coin), network)

    def psbt(
        self, coins: Sequence[Coin], pays: Sequence[tuple[bytes, int]], change: Coin | None = None, *,
        version: int = 0, lock_time: int = 0, sequence: int = 0xFFFFFFFD, tx_version: int = 2,
    ) -> PSBT:
        """Make an unsigned PSBT as such wallets do; the change comes last, and its key is told."""
        outputs = [TransactionOutput(value, Script(script)) for script, value in pays]
        if change is not None:
            outputs.append(TransactionOutput(change.value, self.at(change.branch, change.index).script_pubkey()))
        inputs = [TransactionInput(coin.txid, coin.number, sequence=sequence) for coin in coins]
        tx = Transaction(tx_version, inputs, outputs, lock_time)
        theirs = PSBT(tx, version=version) if version else PSBT(tx)
        for scope, coin in zip(theirs.inputs, coins, strict=True):
            scope.witness_utxo = TransactionOutput(coin.value, self.at(coin.branch, coin.index).script_pubkey())
            self._tell(scope, coin)
        if change is not None:
            self._tell(theirs.outputs[-1], change)
        return theirs

    def _tell(self, scope: Any, coin: Coin) -> None:
        derived = self.at(coin.branch, coin.index)
        (one,) = derived.keys
        place = DerivationPath(one.fingerprint, one.derivation)
        if self.text.startswith("tr("):
            point = ec.PublicKey.from_xonly(one.xonly())
            scope.taproot_internal_key = point
            scope.taproot_bip32_derivations[point] = ([], place)
        else:
            scope.bip32_derivations[ec.PublicKey.parse(one.sec())] = place


@dataclass
class Pair:
    """A signer and the watchers of its wallets."""

    world: World
    watchers: dict[str, Watcher] = field(default_factory=dict)

    @property
    def vault(self) -> Watcher:
        return self.watchers["vault"]

    def wallet(self, name: str) -> Wallet:
        with self.world.box() as box:
            return box.history.wallets[name]

    def examine(self, raw: bytes, height: int | None = None, box: Box | None = None) -> Examination:
        if box is None:
            with self.world.box() as opened:
                return self.examine(raw, height, opened)
        return ceremony.examine(raw, box.history, box.policy(), self.world.station, box.now(), (), height)

    def sign(self, raw: bytes, *, people: Sequence[str] = ("carol",), height: int | None = None) -> bytes:
        """Take a PSBT through the whole signer."""
        with self.world.box() as box:
            seen = self.examine(raw, height, box)
            return ceremony.sign(box, seen, self.world.approvals(seen, box, people))

    def codes(self, raw: bytes, height: int | None = None) -> list[str]:
        return [one.code for one in self.examine(raw, height).objections]


def payment(watcher: Watcher, *, version: int = 0, fee: int = 1_000, pay: int = 6_000_000, **how: Any) -> bytes:
    """Give an ordinary PSBT: one coin pays the shop, and the rest comes back on the branch of change."""
    coin = Coin()
    back = Coin(2, coin.value - pay - fee, 1)
    return bytes(watcher.psbt([coin], [(SHOP.script, pay)], back, version=version, **how).serialize())


def taken_by_core(answer: bytes, spent: Sequence[Output]) -> bool:
    """Tell whether Core's consensus takes what an answer finalizes to."""
    return core_accepts(write(extract(finalize(read_psbt(answer)))), spent)


def rules(wallets: dict[str, Wallet], **changes: object) -> str:
    """Write the policy's tables for wallets, with every address of both branches among their places."""
    text, asset = "", ASSET
    settings = {"kinds": FOREIGN_KINDS, "approvals": 1,
                "accepts": '["moves-attached-assets", "foreign-script-from-asset-address"]', **changes}
    for name, wallet in wallets.items():
        card = wallet.card
        places = [*card_addresses(card, wallet.count), *card_addresses(card, wallet.count, 1)]
        shop = [f"{address_of(SHOP.script, card.network)} tag any"]
        text += RULE.format(name=name, network=card.network, places=_list(places), shop=_list(shop), **settings)
        text += asset if card.network == REGTEST and name == "vault" else ""
    return text


def _list(texts: Sequence[str]) -> str:
    return str(list(texts)).replace("'", '"')


def make_pair(folder: Path, now: int = NOON, **changes: Any) -> Pair:
    """Set up a signer with wallets for other makers' software, and their watchers."""
    pair = Pair(make_world(folder, now=now))
    with pair.world.box() as box:
        for name, form in FORMS.items():
            network = SIGNET if name == "signet" else REGTEST
            setup.issue_card(box, name, network=network, tier="cold", curve="secp256k1", account=ACCOUNTS[name],
                             count=4, form=form)
            pair.watchers[name] = Watcher(setup.describe(box, name).whole)
        wallets = {name: box.history.wallets[name] for name in FORMS}
    pair.world.install(pair.world.policy_text(epoch=2, more=rules(wallets, **changes)))
    return pair
