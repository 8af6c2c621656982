"""Whole orders against a bitcoind on regtest that LOCKGATE_BITCOIN_WHOLE_URL names for this suite alone; else skipped.

Store, orders, gateway, export, signer, import, watch and books are the real ones. No Counterparty node stands beside a
bitcoind here: the devnet's reads the very blocks that the bitcoind mines, each of them judged by the kernel once more.
What the node's mempool refuses by its own taste is mined by `generateblock`: the consensus takes it. The words of the
refusals are those of Bitcoin Knots 29, which `.ci/regtest-node` starts; Core relays more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from online.chains.api import Verdict
from online.chains.bitcoin.client import Rpc
from online.chains.bitcoin.gateway import connect
from online.devnet.bitcoin import BitcoinWorld
from online.devnet.bitcoin.chain import COINBASE_MATURITY
from online.devnet.bitcoin.scripts import address_of
from online.devnet.bitcoin.wire import Block, Tx, TxOut
from online.devnet.bitcoin.world import FAUCET_SCRIPT, as_script
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.jobs.model import jobs
from online.orders.gathering import draft_sweep
from online.orders.replacement import bump
from online.orders.spending import draft_batch, draft_pay, draft_send
from online.store import tables
from online.store.database import Station, open_store
from shared.chains.bitcoin.signing import transactions
from shared.effects import Destination
from shared.policy import Person
from tests.bitcoin_house import CARD, COIN, CONFIRMATIONS, NETWORK, XCP, House, amount, friend, furnish
from tests.btc_gateway_bench import HOT, alone_with, pays, plan, signed
from tests.signing_world import Somebody

URL = os.environ.get("LOCKGATE_BITCOIN_WHOLE_URL", "")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not URL, reason="LOCKGATE_BITCOIN_WHOLE_URL is not set")]


class RealBitcoin(BitcoinWorld):
    """The devnet's Bitcoin following a real node: whatever is mined, that node mines, and these are its blocks."""

    def __init__(self, url: str) -> None:
        self.rpc = Rpc(url, 60)
        super().__init__(premined=0)

    def catch_up(self) -> None:
        """Read what others mined meanwhile, and see that there is matured money."""
        self._follow()
        while self._matured() < 6 * COIN:
            self.mine(COINBASE_MATURITY + 1)

    def mine(self, count: int = 1, *, to: str | bytes = FAUCET_SCRIPT, without: Sequence[str] = ()) -> list[str]:  # type: ignore[override]
        assert not without, "a real node mines what it likes"
        found = self.rpc.call("generatetoaddress", count, address_of(as_script(to))) if count else []
        self._follow()
        return [str(each) for each in found]

    def mine_exactly(self, txs: Sequence[Tx], to: str | bytes = FAUCET_SCRIPT) -> str:
        """Mine one block of just these: the node's consensus takes them, whatever its mempool says."""
        block = self.rpc.call("generateblock", address_of(as_script(to)), [tx.raw.hex() for tx in txs])["hash"]
        self._follow()
        assert self.chain.is_active(block)
        return str(block)

    def _follow(self) -> None:
        top = self.rpc.call("getblockcount")
        known = min(self.height, top)
        while self.rpc.call("getblockhash", known) != self.chain.active[known]:
            known -= 1
        for height in range(known + 1, top + 1):
            raw = self.rpc.call("getblock", self.rpc.call("getblockhash", height), 0)
            self.offer(Block.read(bytes.fromhex(raw)))

    def _matured(self) -> int:
        old = self.height + 1 - COINBASE_MATURITY
        coins = self.chain.coins.values()
        return sum(coin.sats for coin in coins if coin.script == FAUCET_SCRIPT and coin.height <= old)


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[RealBitcoin]:
    world = RealBitcoin(URL)
    yield world
    world.rpc.close()


@pytest.fixture
def house(bitcoin: RealBitcoin, tmp_path: Path) -> Iterator[House]:
    with alone_with(URL), _a_house(bitcoin, tmp_path) as made:
        yield made


@contextmanager
def _a_house(bitcoin: RealBitcoin, folder: Path) -> Iterator[House]:
    people = {name: Somebody(name) for name in ("ann", "carol", "alice", "bob", "station")}
    counterparty, pen = CounterpartyWorld(bitcoin), people["station"]
    counterparty.issue(CARD.code, divisible=False)
    bitcoin.catch_up()
    with ExitStack() as closing:
        api = closing.enter_context(serve_counterparty(counterparty))
        settings = {"url": URL, "counterparty_url": api.url, "fallback_rate": 5_000}
        gateway = connect(NETWORK, {**settings, "confirmations": CONFIRMATIONS})
        closing.callback(gateway.close)
        store = open_store(f"sqlite:///{folder}/lockgate.db", Station(pen.public, pen.sign))
        closing.callback(store.close)
        house = House(folder, NETWORK, store, gateway, people, bitcoin=bitcoin, counterparty=counterparty,
                      wallets={"cold": 2, "deposits": 4, "holding": 1})  # fmt: skip
        furnish(house, "")
        house.open_books()
        yield house


# --- bitcoins ----------------------------------------------------------------------------------------------


def test_a_payment_goes_from_order_to_books(house: House) -> None:
    before = _balance(house, friend(1))
    _pay(house)
    assert house.cross().answered == (1,)
    house.tick()
    assert _verdict(house, 1).startswith("accepted")
    house.bitcoin.mine(1)
    house.tick()
    assert house.states() == ["submitted"]  # one confirmation of two
    house.settle(1)
    assert house.states() == ["final"]
    assert _balance(house, friend(1)) == before + 20_000
    house.require_books()


def test_a_sweep_leaves_nothing_on_the_deposit_addresses(house: House) -> None:
    for index in range(4):
        house.fund(100_000 + index, 50_000, wallet="deposits", index=index)
    addresses, to = [house.address("deposits", index) for index in range(4)], house.address("holding")
    before = sum(_balance(house, address) for address in addresses)
    house.approved(draft_sweep(house.store, house.gateway, house.asking(), wallet="deposits", to=to))
    house.cross()
    house.settle()
    assert house.states() == ["final"]
    assert [_balance(house, address) for address in addresses] == [0] * 4
    assert 0 < before - _balance(house, to) < 20_000
    house.require_books()  # the deposits came after the books were opened, and wait in suspense


def test_a_replacement_with_a_higher_fee_happens_and_the_first_one_is_dead(house: House) -> None:
    before, alice = _balance(house, friend(1)), house.people["alice"]
    _pay(house, fee_rate=2_000)
    house.cross()
    house.tick()
    person = Person("alice", alice.public)
    bump(house.store, 1, person=person, sign=alice.sign, now=house.now, terms={"fee_rate": 30_000})
    house.cross()
    house.tick()
    assert _verdict(house, 2).startswith("accepted")
    house.settle()
    assert house.states() == ["dead", "final"]
    assert _balance(house, friend(1)) == before + 20_000
    house.require_books()


# --- Counterparty ------------------------------------------------------------------------------------------


def test_a_send_that_a_mempool_refuses_as_a_token_is_final_once_mined(house: House) -> None:
    payment = (Destination(friend(1), memo='"order 7"'), amount(5 * COIN, XCP))
    house.approved(draft_send(house.store, house.asking(), wallet="cold", payment=payment))
    house.cross()
    house.tick()
    assert _verdict(house, 1) == "later: tokens-counterparty (-26)"
    house.bitcoin.mine_exactly([Tx.read(jobs(house.store)[0].blob or b"")])
    house.settle(CONFIRMATIONS - 1)
    assert house.states() == ["final"]
    assert house.held(friend(1)) == 5 * COIN
    house.require_books()


def test_a_batch_whose_reveal_the_mempool_refuses_is_not_half_sent_and_is_final_once_mined(house: House) -> None:
    lines = [(Destination(friend(number), memo='"hello"'), amount(100 + number, XCP)) for number in range(12)]
    house.approved(draft_batch(house.store, house.asking(), wallet="cold", payments=lines))
    house.cross()
    house.tick()
    refused = "nothing was sent, since not both would be taken: bare-datacarrier"
    assert _verdict(house, 1) == f"later: {refused}"
    (job,) = jobs(house.store)
    pair = [Tx.read(raw) for _, raw in transactions(job.blob or b"")]
    waiting = _real(house).rpc.call("getrawmempool")
    assert not {tx.txid for tx in pair} & set(waiting)
    house.bitcoin.mine_exactly(pair)
    house.settle(CONFIRMATIONS - 1)
    assert house.states() == ["final"]
    assert [house.held(friend(number)) for number in range(12)] == [100 + number for number in range(12)]
    house.require_books()


def test_data_in_bare_multisig_is_refused_by_the_mempool_and_taken_by_the_consensus(house: House) -> None:
    house.bitcoin.fund_all([(HOT.address, 200_000)])
    house.counterparty.credit(HOT.address, XCP.code, 10**6)
    sends = [pays(friend(number), 5 + number, XCP, f'"order {number}"') for number in range(5)]
    wish = plan(*sends, kind="counterparty-mpma", encoding="multisig")
    done = signed(house.gateway.build(wish, ()), {XCP.code: 8})
    _refused_and_mined(house, done.blob, "bare-multisig")
    assert [house.held(friend(number)) for number in range(5)] == [5 + number for number in range(5)]


def test_an_op_return_over_83_bytes_is_refused_by_the_mempool_and_taken_by_the_consensus(house: House) -> None:
    data = TxOut(0, b"\x6a\x4c\x51" + bytes(81))
    assert len(data.script) == 84
    _refused_and_mined(house, house.bitcoin._funding([data]).raw, "scriptpubkey")


# --- parts -------------------------------------------------------------------------------------------------


def _refused_and_mined(house: House, blob: bytes, words: str) -> None:
    assert house.gateway.submit(blob) == Verdict("later", f"{words} (-26)")
    house.bitcoin.mine_exactly([Tx.read(blob)])
    assert house.gateway.submit(blob).kind == "known"


def _pay(house: House, **terms: int) -> None:
    payments = [(Destination(friend(1)), amount(20_000))]
    house.approved(draft_pay(house.store, house.asking(), wallet="cold", payments=payments, terms=terms))


def _balance(house: House, address: str) -> int:
    return house.gateway.account(address).balance.units


def _verdict(house: House, job_id: int) -> str:
    """Give what the node said when it was handed a job's bytes."""
    with house.store.reading() as connection:
        query = select(tables.outbox.c.verdict).where(tables.outbox.c.job == job_id)
        return str(connection.execute(query).scalar())


def _real(house: House) -> RealBitcoin:
    assert isinstance(house.bitcoin, RealBitcoin)
    return house.bitcoin
