"""What the tests of Bitcoin share: wallets of throw-away keys, requests to sign, and Bitcoin Core as the judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import coincurve
from pbk import ScriptPubkey, TransactionOutput
from pbk import Transaction as CoreTransaction
from pbk.script import PrecomputedTransactionData, ScriptVerificationFlags, ScriptVerifyException

from shared.chains.api import KeyPath, Payload, Signed
from shared.chains.bitcoin import BITCOIN, context
from shared.chains.bitcoin.addresses import address_of, key_script
from shared.chains.bitcoin.context import Prevout, Stated
from shared.chains.bitcoin.counterparty.carriers import encode_outputs
from shared.chains.bitcoin.counterparty.envelope import build_envelope, envelope_output
from shared.chains.bitcoin.hashes import tagged
from shared.chains.bitcoin.model import Change, Tx
from shared.chains.bitcoin.multisig import Multisig
from shared.chains.bitcoin.networks import key_path
from shared.chains.bitcoin.transactions import Input, Output, Transaction, write

REGTEST = "bitcoin:regtest"
HEIGHT = 1_000
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Key:
    """One key of a wallet: its secret, its path, and the output script of its form."""

    secret: bytes
    path: KeyPath
    form: str = "p2wpkh"

    @property
    def public(self) -> bytes:
        return coincurve.PrivateKey(self.secret).public_key.format()

    @property
    def script(self) -> bytes:
        return key_script(self.public, "secp256k1", self.form)

    @property
    def address(self) -> str:
        return address_of(self.script, REGTEST)


def key(number: int, form: str = "p2wpkh", account: int = 0) -> Key:
    """Give a key by its number; another form or account has other keys."""
    secret = tagged("test key", f"{form} {account} {number}".encode())
    return Key(secret, key_path(REGTEST, "secp256k1", account, number, form), form)


def tweaked(secret: bytes, root: bytes = b"") -> bytes:
    """Tweak a secret as BIP341 says."""
    point = coincurve.PrivateKey(secret).public_key.format()
    number = int.from_bytes(secret, "big")
    number = number if point[0] == 2 else ORDER - number
    tweak = int.from_bytes(tagged("TapTweak", point[1:] + root), "big")
    return ((number + tweak) % ORDER).to_bytes(32, "big")


def sign(payload: Payload, secret: bytes) -> bytes:
    """Sign as a signer does: by algorithm, with the secret of the path."""
    if payload.algorithm == "ecdsa-secp256k1":
        return coincurve.PrivateKey(secret).sign_recoverable(payload.message, hasher=None)[:64]
    used = tweaked(secret) if str(payload.algorithm) == "schnorr-bip341" else secret
    return coincurve.PrivateKey(used).sign_schnorr(payload.message, bytes(32))


@dataclass(frozen=True)
class Request:
    """A transaction to be signed, by which keys, with what is stated beside it."""

    transaction: Transaction
    stated: Stated
    keys: tuple[Key, ...]
    network: str = REGTEST
    extra: dict[str, Any] = field(default_factory=dict)

    def decode(self) -> Tx:
        tx: Tx = BITCOIN.decode(
            write(self.transaction), self.context(), [one.path for one in self.keys], self.network
        )
        return tx

    def context(self) -> dict[str, Any]:
        return context.write_context(self.stated) | self.extra

    def signatures(self, tx: Tx | None = None) -> list[bytes]:
        payloads = BITCOIN.payloads(tx or self.decode())
        return [sign(payload, one.secret) for payload, one in zip(payloads, self.keys, strict=True)]

    def signed(self) -> Signed:
        tx = self.decode()
        return BITCOIN.assemble(tx, self.signatures(tx))

    @property
    def spent(self) -> list[Output]:
        return [one.output for one in self.stated.prevouts]


def prevout_of(one: Key, value: int) -> Prevout:
    """Give what is stated about a coin of a key."""
    return Prevout(Output(value, one.script), one.public if one.form == "p2wpkh" else b"")


def request(
    coins: Sequence[tuple[Key, int]],
    outputs: Sequence[Output],
    *,
    change: Sequence[tuple[int, Key]] = (),
    sequence: int = 0xFFFFFFFD,
    lock_time: int = 0,
) -> Request:
    """Make a request that spends coins of keys."""
    inputs = tuple(
        Input(tagged("coin", bytes([place % 256, place // 256])), place, sequence)
        for place in range(len(coins))
    )
    return Request(
        Transaction(2, inputs, tuple(outputs), lock_time),
        Stated(
            HEIGHT,
            tuple(prevout_of(one, value) for one, value in coins),
            tuple(Change(index, one.public, one.path) for index, one in change),
        ),
        tuple(one for one, _ in coins),
    )


def multisig_prevout(wallet: Multisig, one: Key, value: int) -> Prevout:
    """Give what is stated about a coin of a wallet of several keys, to the signer who has one of them."""
    return Prevout(Output(value, wallet.output_script), wallet.witness_script, one.public)


def a_payment(form: str = "p2wpkh") -> Request:
    """Make the plainest request: one coin, change first, one payment."""
    mine = key(0, form)
    outputs = [Output(60_000, key(1, form).script), Output(39_000, key(7, account=5).script)]
    return request([(mine, 100_000)], outputs, change=[(0, key(1, form))])


def with_outputs(of: Request, *outputs: Output) -> Request:
    """Give a request with other outputs and no change."""
    return replace(
        of, transaction=replace(of.transaction, outputs=outputs), stated=replace(of.stated, change=())
    )


def core_accepts(raw: bytes, spent: Sequence[Output]) -> bool:
    """Tell whether Bitcoin Core's consensus takes every input of a transaction."""
    try:
        tx = CoreTransaction(raw)
        if len(tx.inputs) != len(spent):  # Core ends the process for that
            return False
        outputs = [TransactionOutput(ScriptPubkey(one.script), one.value) for one in spent]
        checks = PrecomputedTransactionData(tx, outputs)
        return all(
            ScriptPubkey(one.script).verify(one.value, tx, checks, index, ScriptVerificationFlags.ALL)
            for index, one in enumerate(spent)
        )
    except (ScriptVerifyException, RuntimeError):
        return False


def core_refuses_flips(raw: bytes, spent: Sequence[Output], lots: random.Random, count: int) -> bool:
    """Tell whether Core refuses a transaction after any of some flips of one bit."""
    for _ in range(count):
        place = lots.randrange(len(raw) * 8)
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        if core_accepts(bytes(flipped), spent):
            return False
    return True


# --- Counterparty ---------------------------------------------------------------------------------


def a_send(one: Key, message: bytes, encoding: str = "opreturn", change_first: bool = False) -> Request:
    """Make a request that carries a message in its outputs, with change behind or before them."""
    base = request([(one, 200_000)], [Output(1, b"")], sequence=0xFFFFFFFF)
    data = encode_outputs(message, base.transaction.inputs[0].txid[::-1], encoding, one.public)
    outputs = [Output(value, script) for value, script in data]
    back = Output(190_000 - sum(output.value for output in outputs), one.script)
    whole = [back, *outputs] if change_first else [*outputs, back]
    place = 0 if change_first else len(outputs)
    return replace(
        base,
        transaction=replace(base.transaction, outputs=tuple(whole)),
        stated=replace(base.stated, change=(Change(place, one.public, one.path),)),
    )


@dataclass(frozen=True)
class Pair:
    """A commit and a reveal to be signed together."""

    commit: Request
    reveal: Transaction
    leaf: bytes

    def decode(self, **changed: Any) -> Tx:
        unsigned = changed.pop("unsigned", write(self.commit.transaction) + write(self.reveal))
        keys = changed.pop("keys", [one.path for one in (*self.commit.keys, self.commit.keys[0])])
        stated = self.commit.context() | {"envelope": self.leaf} | changed
        tx: Tx = BITCOIN.decode(unsigned, stated, keys, self.commit.network)
        return tx

    def signatures(self, tx: Tx) -> list[bytes]:
        keys = (*self.commit.keys, self.commit.keys[0])
        return [sign(payload, one.secret) for payload, one in zip(BITCOIN.payloads(tx), keys, strict=True)]


def a_pair(one: Key, message: bytes, leaf_key: bytes = b"", *, kept: int = 0) -> Pair:
    """Make the commit and reveal of a message, its envelope closed by the source's key."""
    leaf = build_envelope(message, leaf_key or one.public[1:])
    anchor = Output(400 + len(leaf) + kept, envelope_output(leaf))
    back = Output(100_000 - anchor.value - 300, one.script)
    commit = request([(one, 100_000)], [anchor, back], change=[(1, one)], sequence=0xFFFFFFFF)
    mark = Output(0, b"\x6a\x08CNTRPRTY")
    outputs = (mark, Output(kept, one.script)) if kept else (mark,)
    spend = Input(bytes.fromhex(commit.transaction.txid)[::-1], 0, 0xFFFFFFFF)
    return Pair(commit, Transaction(2, (spend,), outputs, 0), leaf)
