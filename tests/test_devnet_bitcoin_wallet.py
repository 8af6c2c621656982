"""The devnet's Bitcoin takes what other people's code signs, and nothing that is changed by one bit.

Digests come from embit, signatures from coincurve. `Wallet` serves the other tests of the Bitcoin devnet as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from coincurve import PrivateKey
from embit import ec, script, transaction

from online.devnet.bitcoin import BitcoinWorld, Outpoint
from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.scripts import address_of
from online.devnet.bitcoin.wire import Tx, TxIn, TxOut
from online.devnet.bitcoin.world import as_script


class Wallet:
    """One key of these tests, as P2WPKH or as P2TR by its key path."""

    def __init__(self, number: int, *, taproot: bool = False) -> None:
        self.secret = ec.PrivateKey(number.to_bytes(32, "big"))
        self.public = bytes(self.secret.get_public_key().sec())
        self.taproot = taproot
        make = script.p2tr if taproot else script.p2wpkh
        self.script = bytes(make(self.secret.get_public_key()).data)
        self.address = address_of(self.script) or ""

    def sign(self, tx: Tx, spent: Sequence[TxOut]) -> Tx:
        """Sign every input of a transaction."""
        shown = transaction.Transaction.parse(tx.stripped)
        inputs = [dataclasses.replace(each, witness=self._witness(shown, spent, at))
                  for at, each in enumerate(tx.inputs)]
        return dataclasses.replace(tx, inputs=tuple(inputs))

    def _witness(self, shown: transaction.Transaction, spent: Sequence[TxOut], at: int) -> tuple[bytes, ...]:
        scripts = [script.Script(out.script) for out in spent]
        if self.taproot:
            digest = shown.sighash_taproot(at, scripts, [out.sats for out in spent])
            key = PrivateKey(self.secret.taproot_tweak(b"").secret)
            return (key.sign_schnorr(bytes(digest), bytes(32)),)
        digest = shown.sighash_segwit(at, script.p2pkh_from_p2wpkh(scripts[at]), spent[at].sats)
        return (PrivateKey(self.secret.secret).sign(bytes(digest), hasher=None) + b"\x01", self.public)


def pay(world: BitcoinWorld, wallet: Wallet, at: Sequence[Outpoint], outs: Sequence[tuple[str | bytes, int]], *,
        sequence: int = 0xFFFFFFFD) -> Tx:
    """Spend some outputs of a wallet; what is not paid is fee."""
    coins = [world.mempool.coin(each) for each in at]
    spent = [coin.out for coin in coins if coin is not None]
    tx = Tx(2, tuple(TxIn(each, b"", sequence) for each in at),
            tuple(TxOut(sats, as_script(to)) for to, sats in outs))
    return wallet.sign(tx, spent)


@pytest.mark.parametrize("taproot", [False, True])
def test_a_signed_spend_enters_the_mempool_and_a_block(taproot: bool) -> None:
    world, wallet = BitcoinWorld(), Wallet(7, taproot=taproot)
    coin = world.fund(wallet.address, 100_000)
    tx = world.submit(pay(world, wallet, [coin], [(wallet.address, 99_000)]).raw)
    world.mine()
    assert Outpoint(tx.txid, 0) in world.chain.coins
    assert coin not in world.chain.coins


@pytest.mark.parametrize("taproot", [False, True])
def test_one_flipped_bit_is_refused_by_the_mempool_and_by_the_block(taproot: bool) -> None:
    world, wallet = BitcoinWorld(), Wallet(8, taproot=taproot)
    tx = pay(world, wallet, [world.fund(wallet.script, 100_000)], [(wallet.address, 99_000)])
    bad = Tx(tx.version, tx.inputs, (TxOut(98_999, wallet.script),))
    with pytest.raises(Rejected, match="script-verify-flag-failed"):
        world.submit(bad.raw)
    with pytest.raises(ValueError, match="does not take"):
        world.mine_exactly([bad])
    assert world.submit(tx.raw).txid in world.mempool.entries
