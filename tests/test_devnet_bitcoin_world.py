"""The devnet's Bitcoin as a network: its blocks are good, its mempool knows conflicts, its chain can be reorganised.

Every block here passed Bitcoin Core's consensus code, which the world runs in its process.
"""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from online.devnet.bitcoin import KNOTS, OLDER, BitcoinWorld, Miner, Outpoint, Policy
from online.devnet.bitcoin.kernel import Kernel
from online.devnet.bitcoin.mempool import Rejected
from online.devnet.bitcoin.scripts import dust_sats
from online.devnet.bitcoin.wire import Block, Tx, TxIn, TxOut
from tests.test_devnet_bitcoin_wallet import Wallet, pay

WALLET, OTHER = Wallet(11), Wallet(12, taproot=True)


@pytest.fixture
def world() -> BitcoinWorld:
    return BitcoinWorld()


def test_another_kernel_takes_all_blocks_of_a_world(world: BitcoinWorld) -> None:
    tx = pay(world, WALLET, [world.fund(WALLET.script, 100_000)], [(OTHER.address, 99_000)])
    world.submit(tx.raw)
    world.mine(3)
    again = Kernel(Block.read(world.chain.at(height).raw) for height in range(1, world.height + 1))
    assert (again.height, again.hash_at(again.height)) == (world.height, world.chain.tip.hash)


def test_a_block_with_too_much_reward_is_refused_by_the_kernel(world: BitcoinWorld) -> None:
    block = world._build(world.chain.tip.hash, WALLET.script, [], 1)
    world.offer(block)
    assert world.chain.tip.hash != block.hash


def test_a_block_may_not_hold_a_coin_spent_twice(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    twice = [pay(world, WALLET, [coin], [(WALLET.script, sats)]) for sats in (90_000, 80_000)]
    with pytest.raises(ValueError, match="does not take"):
        world.mine_exactly(twice)


def test_a_dearer_conflict_replaces_and_a_cheaper_one_does_not(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    cheap, same, dear = (pay(world, WALLET, [coin], [(OTHER.script, sats)]) for sats in (99_500, 99_499, 99_000))
    world.submit(cheap.raw)
    with pytest.raises(Rejected, match="not enough additional fees to relay"):
        world.submit(same.raw)
    world.submit(dear.raw)
    assert list(world.mempool.entries) == [dear.txid]
    with pytest.raises(Rejected, match="new feerate"):
        world.submit(cheap.raw)


def test_a_replacement_takes_the_descendants_with_it(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    parent = world.submit(pay(world, WALLET, [coin], [(WALLET.script, 99_000)]).raw)
    child = pay(world, WALLET, [Outpoint(parent.txid, 0)], [(WALLET.script, 98_000)])
    world.submit(child.raw)
    with pytest.raises(Rejected, match="less fees than conflicting txs"):
        world.submit(pay(world, WALLET, [coin], [(WALLET.script, 98_500)]).raw)
    replacement = world.submit(pay(world, WALLET, [coin], [(WALLET.script, 97_000)]).raw)
    assert list(world.mempool.entries) == [replacement.txid]


def test_without_full_rbf_only_a_signalling_transaction_is_replaced() -> None:
    world = BitcoinWorld(dataclasses.replace(Policy(), full_rbf=False))
    coin = world.fund(WALLET.script, 100_000)
    world.submit(pay(world, WALLET, [coin], [(WALLET.script, 99_000)], sequence=0xFFFFFFFF).raw)
    with pytest.raises(Rejected, match="txn-mempool-conflict"):
        world.submit(pay(world, WALLET, [coin], [(WALLET.script, 90_000)]).raw)


@pytest.mark.parametrize(("policy", "outs", "reason"), [
    (Policy(), [(WALLET.script, 293)], "dust"),
    (Policy(), [(OTHER.script, 329)], "dust"),
    (Policy(), [(WALLET.script, 100_000)], "min relay fee not met"),
    (OLDER, [(WALLET.script, 99_900)], "min relay fee not met"),
    (Policy(), [(WALLET.script, 100_001)], "bad-txns-in-belowout"),
    (OLDER, [(b"\x6a\x4c\x60" + bytes(96), 0)], "scriptpubkey"),
    (KNOTS, [(b"\x51\x21" + WALLET.public + b"\x51\xae", 1000)], "bare-multisig"),
    (Policy(), [(b"\x52\x53", 1000)], "scriptpubkey"),
])
def test_what_a_node_does_not_relay_is_refused_by_its_reason(
    policy: Policy, outs: list[tuple[bytes, int]], reason: str
) -> None:
    world = BitcoinWorld(policy)
    tx = pay(world, WALLET, [world.fund(WALLET.script, 100_000)], list(outs))
    with pytest.raises(Rejected) as refused:
        world.submit(tx.raw)
    assert refused.value.reason == reason


def test_what_the_mempool_refuses_can_be_mined_exactly() -> None:
    world = BitcoinWorld(KNOTS)
    script = b"\x51\x21" + WALLET.public + b"\x51\xae"
    tx = pay(world, WALLET, [world.fund(WALLET.script, 100_000)], [(script, 1000)])
    world.mine_exactly([tx])
    assert Outpoint(tx.txid, 0) in world.chain.coins


def test_dust_limits_are_those_of_the_published_table() -> None:
    scripts = [b"\x76\xa9\x14" + bytes(20) + b"\x88\xac", b"\xa9\x14" + bytes(20) + b"\x87",
               b"\x00\x14" + bytes(20), b"\x51\x20" + bytes(32), b"\x00\x20" + bytes(32)]
    assert [dust_sats(each) for each in scripts] == [546, 540, 294, 330, 330]


def test_a_reorganisation_returns_transactions_to_the_mempool_with_their_descendants(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    parent = world.submit(pay(world, WALLET, [coin], [(WALLET.script, 99_000)]).raw)
    world.mine()
    child = world.submit(pay(world, WALLET, [Outpoint(parent.txid, 0)], [(WALLET.script, 98_000)]).raw)
    before = world.height
    world.reorg(1)
    assert world.height == before + 1
    assert set(world.mempool.entries) == {parent.txid, child.txid}
    world.mine()
    assert Outpoint(child.txid, 0) in world.chain.coins


def test_a_reorganisation_may_confirm_a_conflict_for_ever(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    thief = pay(world, WALLET, [coin], [(OTHER.script, 90_000)])
    first = world.submit(pay(world, WALLET, [coin], [(WALLET.script, 99_000)]).raw)
    world.mine()
    world.reorg(1, transactions=[thief])
    assert first.txid not in world.mempool.entries
    assert world.chain.find(thief.txid) is not None
    assert world.chain.find(first.txid) is None


def test_a_declared_invalid_block_leaves_the_chain_and_can_come_back(world: BitcoinWorld) -> None:
    tx = world.submit(pay(world, WALLET, [world.fund(WALLET.script, 100_000)], [(OTHER.script, 99_000)]).raw)
    block_hash = world.mine()[0]
    world.declare(block_hash, invalid=True)
    assert world.chain.confirmations(block_hash) == -1
    assert tx.txid in world.mempool.entries
    world.declare(block_hash, invalid=False)
    assert world.chain.tip.hash == block_hash
    assert not world.mempool.entries


def test_a_stalled_world_mines_nothing_and_funding_can_wait(world: BitcoinWorld) -> None:
    world.stall()
    coin = world.fund(WALLET.script, 50_000, confirmed=False)
    assert world.mine(3) == []
    world.resume()
    world.mine()
    assert coin in world.chain.coins


def test_many_fundings_leave_the_books_as_the_blocks_say(world: BitcoinWorld) -> None:
    coins = world.fund_all([(WALLET.script, 1_000 + number) for number in range(500)])
    assert [world.chain.coins[coin].sats for coin in coins] == [1_000 + number for number in range(500)]


def test_a_time_lock_keeps_a_transaction_out_until_its_height(world: BitcoinWorld) -> None:
    coin = world.fund(WALLET.script, 100_000)
    tx = Tx(2, (TxIn(coin, b"", 0xFFFFFFFD),), (TxOut(99_000, WALLET.script),), world.height + 1)
    signed = WALLET.sign(tx, [TxOut(100_000, WALLET.script)])
    with pytest.raises(Rejected, match="non-final"):
        world.submit(signed.raw)
    world.mine()
    assert world.submit(signed.raw).txid == signed.txid


def test_ripe_coins_only_may_be_spent(world: BitcoinWorld) -> None:
    block = world.chain.blocks[world.mine(to=WALLET.script)[0]]
    tx = pay(world, WALLET, [Outpoint(block.txs[0].txid, 0)], [(WALLET.script, 1_000)])
    with pytest.raises(Rejected, match="premature-spend-of-coinbase"):
        world.submit(tx.raw)


def test_many_hands_at_once_lose_nothing(world: BitcoinWorld) -> None:
    coins = world.fund_all([(WALLET.script, 10_000)] * 24)
    txs = [pay(world, WALLET, [coin], [(OTHER.script, 9_000)]) for coin in coins]
    with ThreadPoolExecutor(6) as hands:
        list(hands.map(lambda tx: (world.submit(tx.raw), world.mine()), txs))
    assert all(world.chain.find(tx.txid) is not None for tx in txs)
    assert not world.mempool.entries


def test_a_miner_confirms_what_waits_by_itself(world: BitcoinWorld) -> None:
    tx = pay(world, WALLET, [world.fund(WALLET.script, 100_000)], [(OTHER.script, 99_000)])
    with Miner(world, 0.01):
        world.submit(tx.raw)
        end = time.monotonic() + 5
        while world.chain.find(tx.txid) is None and time.monotonic() < end:
            time.sleep(0.01)
    assert world.chain.confirmations(world.chain.places[tx.txid]) == 1
