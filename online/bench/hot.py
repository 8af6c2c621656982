"""The bench's hot wallets: seconds from an accepted withdrawal until a node has it, with nobody there, on each ledger.

The signer is the real one, serving its spool as a process of its own under an automatic policy; the coordinator does
the turns of `lockgate run`, one behind the other; the ledgers are the devnets. `lockgate run` pauses between two turns,
which comes on top.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from online.bench.exchange import NOW, WALLET, Exchange, on_disk
from online.bench.rows import Row
from online.bench.scene import PASSPHRASE, Scene
from online.chains import connect
from online.chains.api import Gateway
from online.customers.trades import HOUSE, Leg, trade
from online.devnet.bitcoin import BitcoinWorld, Miner, serve_bitcoin
from online.devnet.near import Blocks, NearWorld, serve_near
from online.devnet.server import Closer
from online.devnet.server import serve as serve_xrpl
from online.devnet.xrpl import XrplWorld
from online.jobs.loop import tick
from online.withdrawals.accepting import Wish, accept
from online.withdrawals.model import withdrawals
from online.withdrawals.states import State
from shared.chains import chain
from shared.chains.bitcoin.addresses import address as bitcoin_address
from shared.chains.xrpl.addresses import encode_address
from shared.effects import Destination
from shared.envelope import card_addresses
from shared.hdkeys import derive
from shared.money import Amount, Asset, parse_amount

WITHDRAWALS: Final = 20
_PATIENCE_SECONDS: Final = 60
_BLOCK_SECONDS: Final = 0.2

POLICY: Final = """
epoch = 1
network_class = "test"
clock_jump_seconds = 259200
approvers = []
stations = ["{station}"]

[administrators]
quorum = 1
people = ["{carol}"]

[[wallet]]
name = "hot"
network = "{network}"
tier = "hot"
places = ["{place}"]

[[rule]]
wallet = "hot"
kinds = ["payment"]
transactions_without_payment = 0
approvals = 0
automatic = true
{terms}
limits.{code} = {{ transfer = "100", request = "1000", day = "1000", epoch = "1000" }}
any_limits.{code} = {{ transfer = "100", request = "1000", day = "1000", epoch = "1000" }}
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """A ledger to measure on: its policy's terms, what the wallet holds and pays, somebody's address, and its devnet.

    `begin` serves the devnet within a stack, funds an address with units, and gives the gateway's settings.
    """

    network: str
    terms: str
    holds: str
    pays: str
    somebody: Callable[[random.Random], str]
    begin: Callable[[ExitStack, str, int], dict[str, Any]]

    @property
    def native(self) -> Asset:
        """Give the asset that is paid."""
        return chain(self.network).network(self.network).native

    def amount(self, coins: str) -> Amount:
        """Read whole coins."""
        return parse_amount(coins, self.native)


def measure(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Measure on every ledger, each with a signer and a store of its own."""
    rows = []
    for ground in GROUNDS:
        say(f"hot withdrawals: {ground.network}")
        place = folder / chain(ground.network).name
        place.mkdir()
        spent = seconds(place, ground, WITHDRAWALS)
        name = f"withdrawals.hot.{chain(ground.network).name}"
        rows.append(Row(name, statistics.median(spent), "s", peer="the slowest", peer_value=max(spent)))
    return rows


def seconds(folder: Path, ground: Ground, count: int) -> list[float]:
    """Pay so many withdrawals one after another; give for each the seconds from its acknowledgement to a node's."""
    lots = random.Random(5)
    with ExitStack() as stack:
        exchange, gateway = _open(folder, ground, stack)
        turn = _Turn(exchange, gateway, stack.enter_context(_serving(folder)))
        spent = []
        for number in range(count):
            wish = Wish(f"w{number}", "c000000", WALLET, Destination(ground.somebody(lots)), ground.amount(ground.pays))
            accept(exchange.store, wish, int(time.time()))
            spent.append(turn.until_submitted())
        turn.until_paid(count)
        exchange.require_proven()
    return spent


class _Turn:
    """The turns of `lockgate run` without its pauses."""

    def __init__(self, exchange: Exchange, gateway: Gateway, spool: Path) -> None:
        self._exchange, self._gateways, self._spools = exchange, {gateway.network: gateway}, {"box": spool}

    def until_submitted(self) -> float:
        """Do turns until a node took something; give the seconds."""
        begun = time.perf_counter()
        while not any(one.verdict.kind == "accepted" for one in self._do(begun).submitted):
            pass
        return time.perf_counter() - begun

    def until_paid(self, count: int) -> None:
        """Do turns until so many withdrawals are paid."""
        begun = time.perf_counter()
        while len(withdrawals(self._exchange.store, states=[State.PAID])) < count:
            self._do(begun)

    def _do(self, begun: float) -> Any:
        report = tick(self._exchange.store, self._gateways, int(time.time()), self._spools)
        if report.troubles or time.perf_counter() - begun > _PATIENCE_SECONDS:
            raise AssertionError(f"a withdrawal does not go on: {report.troubles}")
        return report


def _open(folder: Path, ground: Ground, stack: ExitStack) -> tuple[Exchange, Gateway]:
    """Set the signer, the ledger and the coordinator up; a customer holds half of the wallet."""
    scene = Scene(folder, ground.network, 1, lambda scene: _policy(scene, ground), tier=WALLET)
    held = ground.amount(ground.holds)
    settings = ground.begin(stack, card_addresses(scene.card, 1)[0], held.units)
    gateway: Any = connect(ground.network, settings)
    stack.callback(gateway.close)
    exchange = Exchange(on_disk(folder), 1, pen=scene.pen, card=scene.sealed_card, gateway=gateway)
    stack.callback(exchange.store.close)
    exchange.mandate(ground.native.code, held.units, count=1, age_seconds=0)
    half = Amount(ground.native, held.units // 2)
    trade(exchange.store, "bought", [Leg(HOUSE, exchange.customers[0], half)], NOW)
    return exchange, gateway


def _policy(scene: Scene, ground: Ground) -> str:
    place = card_addresses(scene.card, 1)[0]
    words = {"network": ground.network, "code": ground.native.code, "terms": ground.terms, "place": place}
    return POLICY.format(carol=scene.carol, station=scene.station, **words)


@contextmanager
def _serving(folder: Path) -> Iterator[Path]:
    """Let the signer serve a spool in the folder until the end of the block, and give the spool."""
    spool = folder / "spool"
    for path in (spool, *(spool / name for name in ("in", "out", "refused"))):
        path.mkdir(mode=0o750)
    reading, writing = os.pipe()
    os.write(writing, f"{PASSPHRASE}\n".encode())
    os.close(writing)
    program = [sys.executable, "-m", "offline_signer", "--home", str(folder / "box")]
    options = ["serve", str(spool), "--passphrase-fd", str(reading), "--host-has-network"]
    with (folder / "serve.log").open("wb") as log:
        signer = subprocess.Popen([*program, *options], stdout=log, stderr=log, pass_fds=[reading])  # noqa: S603 - ours
    os.close(reading)
    try:
        yield spool
    finally:
        signer.terminate()
        signer.wait()


# --- the ledgers ------------------------------------------------------------------------------------


def _xrpl(stack: ExitStack, address: str, units: int) -> dict[str, Any]:
    world = XrplWorld()
    server = stack.enter_context(serve_xrpl(world))
    world.fund_all({address: units})
    world.close()
    stack.enter_context(Closer(world, _BLOCK_SECONDS))
    return {"url": server.url}


def _near(stack: ExitStack, address: str, units: int) -> dict[str, Any]:
    world = NearWorld()
    server = stack.enter_context(serve_near(world))
    world.fund(address, units)
    stack.enter_context(Blocks(world, _BLOCK_SECONDS))
    return {"url": server.url, "archive_url": server.url, "crossing_seconds": 30}


def _bitcoin(stack: ExitStack, address: str, units: int) -> dict[str, Any]:
    world = BitcoinWorld()
    server = stack.enter_context(serve_bitcoin(world))
    world.fund_all([(address, units // 4)] * 4)
    stack.enter_context(Miner(world, _BLOCK_SECONDS, idle=True))
    url = server.url.replace("http://", f"http://{server.user}:{server.password}@")
    return {"url": url, "confirmations": 2, "fallback_rate": 4000}


def _somebody_on_bitcoin(lots: random.Random) -> str:
    key = derive(lots.randbytes(32), "secp256k1", (0,)).public_key
    return bitcoin_address(key, "secp256k1", "bitcoin:regtest", "p2wpkh")


GROUNDS: Final = (
    Ground("xrpl:local", 'fee_most = "0.001"\nexpiry_most = 1000', "2000", "20",
           lambda lots: encode_address(lots.randbytes(20)), _xrpl),
    Ground("near:localnet", 'fee_most = "0.1"\nexpiry_most = 86400', "2000", "20",
           lambda lots: lots.randbytes(32).hex(), _near),
    Ground("bitcoin:regtest", 'fee_most = "0.001"\nfee_rate_most = 50\naccepts = ["moves-attached-assets"]', "8",
           "0.01", _somebody_on_bitcoin, _bitcoin),
)  # fmt: skip
