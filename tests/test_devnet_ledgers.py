"""The devnet as a command: which ledgers it runs, how they give play money, and what is left after a restart.

A service is a process of its own, run as a person runs it; kept worlds are read back and asked over the same faces.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from online.chains.bitcoin.gateway import connect
from online.cli.ledgers import LEDGERS
from online.devnet.bitcoin import BitcoinWorld, Miner, serve_bitcoin
from online.devnet.counterparty import CounterpartyWorld, serve_counterparty
from online.devnet.counterparty.storage import load_worlds, save_worlds
from shared.money import Asset
from tests.btc_gateway_bench import CARD, HOT, NETWORK, XCP, Key, friend, login
from tests.cli_house import Done, lockgate

PROGRAM = [sys.executable, "-m", "online.cli"]
FREE = ("--port", "0", "--counterparty-port", "0")


@contextmanager
def running(*words: str) -> Iterator[dict[str, str]]:
    """Run a devnet and give the urls that it tells, by the name before them."""
    command = [*PROGRAM, "devnet", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stderr is not None
        told = process.stderr.readline().split(", ")
        try:
            yield dict(each.strip().split(" on ") for each in told)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, process.stderr.read()


def fund(url: str, address: str, amount: str, *more: str) -> Done:
    return lockgate("devnet", "fund", "--ledger", "bitcoin", "--url", url, *more, "--", address, amount)


def test_a_devnet_of_bitcoin_gives_coins_and_assets_and_keeps_them(tmp_path: Path) -> None:
    words = ("--ledger", "bitcoin", *FREE, "--interval", "0.1", "--state", str(tmp_path / "kept"))
    with running(*words) as urls:
        assert fund(urls[NETWORK], HOT.address, "1.5").code == 0
        assert fund(urls["Counterparty"], HOT.address, "70", "--asset", "XCP").code == 0
        assert fund(urls["Counterparty"], HOT.address, "7", "--asset", "BOOKCARD").code == 0
    with running(*words) as urls:
        gateway = connect(NETWORK, {"url": urls[NETWORK], "counterparty_url": urls["Counterparty"]})
        assert gateway.check().network == NETWORK
        assert gateway.account(HOT.address).balance.units == 150_000_000
        assert gateway.asset_balance(HOT.address, XCP).units == 70 * 10**8
        assert gateway.asset_balance(HOT.address, Asset(NETWORK, "BOOKCARD", 8)).units == 7 * 10**8
        gateway.close()


@pytest.mark.parametrize("name", LEDGERS)
def test_every_ledger_runs_by_its_name_and_names_its_network(name: str) -> None:
    ports = [word for port in LEDGERS[name].ports for word in (f"--{port.replace('_', '-')}", "0")]
    with running("--ledger", name, *ports) as urls:
        assert LEDGERS[name].network in urls


@pytest.mark.parametrize(
    "words",
    [
        ("--ledger", "bitcoin", "--ws-port", "1"),
        ("--ledger", "xrpl", "--counterparty-port", "1"),
        ("--ledger", "atlantis"),
        ("--interval", "0"),
        ("--port", "65536"),
    ],
)
def test_an_option_of_another_ledger_is_misuse(words: tuple[str, ...]) -> None:
    assert lockgate("devnet", *words).code == 2


def test_a_taken_port_and_a_file_of_something_else_are_refused(tmp_path: Path) -> None:
    with serve_bitcoin(BitcoinWorld(premined=0)) as other:
        port = other.url.rpartition(":")[2]
        taken = lockgate("devnet", "--ledger", "bitcoin", "--port", port, "--counterparty-port", "0")
    assert taken.refused("file-trouble")
    file = tmp_path / "kept"
    for text in ("{}", "[]", "no JSON", json.dumps({"format": "xrpl-devnet-1"})):
        file.write_text(text)
        assert lockgate("devnet", "--ledger", "bitcoin", *FREE, "--state", file).refused("file-trouble")
        assert file.read_text() == text


@pytest.mark.parametrize(
    ("address", "amount", "asset"),
    [
        ("nobody", "1", None),
        (HOT.address, "1000000", None),
        (HOT.address, "0.000000001", None),
        (HOT.address, "-1", None),
        (HOT.address, "much", None),
        ("nobody", "1", "XCP"),
        (HOT.address, "0", "XCP"),
        (HOT.address, "0.000000001", "XCP"),
        (HOT.address, "0.5", "BOOKCARD"),
        (HOT.address, "93000000000", "XCP"),
        (HOT.address, "much", "XCP"),
        (HOT.address, "1", "no asset"),
    ],
)
def test_what_can_not_be_given_is_refused(address: str, amount: str, asset: str | None) -> None:
    counterparty = CounterpartyWorld(BitcoinWorld())
    counterparty.issue(CARD.code, divisible=False)
    with serve_bitcoin(counterparty.bitcoin) as node, serve_counterparty(counterparty) as api:
        if asset is None:
            assert fund(login(node), address, amount).refused("node-refused")
        else:
            assert fund(api.url, address, amount, "--asset", asset).refused("node-refused")
    assert not counterparty.books().balances


def test_play_money_comes_from_this_machine_alone_and_not_to_strangers() -> None:
    assert fund("http://node.example:18443", HOT.address, "1").refused("node-unreachable")
    assert fund("https://127.0.0.1:4000", HOT.address, "1", "--asset", "XCP").refused("node-unreachable")
    with serve_bitcoin(BitcoinWorld()) as node:
        assert fund(node.url, HOT.address, "1").refused("node-unreachable")
    assert lockgate("devnet", "fund", "rrrrrrrrrrrrrrrrrrrrBZbvji", "1", "--asset", "XCP").refused("unknown-asset")


# --- what is kept ---------------------------------------------------------------------------------------


def test_a_kept_world_comes_back_with_its_coins_assets_decrees_and_what_waits(tmp_path: Path) -> None:
    world = CounterpartyWorld(BitcoinWorld(), new_table_height=500)
    coin = world.bitcoin.fund(HOT.address, 50_000)
    world.issue(CARD.code, divisible=False)
    world.credit(HOT.address, "XCP", 600)
    world.attach(coin, "XCP", 5)
    world.require_memo(friend(1))
    world.bitcoin.mine(2)
    world.bitcoin.fund(friend(2), 7_000, confirmed=False)
    save_worlds(world, tmp_path / "kept")
    back = load_worlds(tmp_path / "kept")
    assert back.bitcoin.chain.active == world.bitcoin.chain.active
    assert back.bitcoin.chain.coins == world.bitcoin.chain.coins
    assert list(back.bitcoin.mempool.entries) == list(world.bitcoin.mempool.entries)
    assert (back.books().balances, back.books().options) == (world.books().balances, world.books().options)
    assert back.books().owners == {str(coin): HOT.address}
    assert (back.new_table_height, back.decrees()) == (500, world.decrees())
    back.bitcoin.mine()
    assert sum(coin.sats for coin in back.bitcoin.chain.coins.values() if coin.script == _script(2)) == 7_000


def test_a_kept_world_whose_blocks_were_altered_is_refused(tmp_path: Path) -> None:
    world = CounterpartyWorld(BitcoinWorld(premined=3))
    save_worlds(world, tmp_path / "kept")
    document = json.loads((tmp_path / "kept").read_text())
    raw = document["blocks"][1]
    document["blocks"][1] = raw[:-10] + ("1" if raw[-10] == "0" else "0") + raw[-9:]
    (tmp_path / "kept").write_text(json.dumps(document))
    with pytest.raises(ValueError, match="does not take"):
        load_worlds(tmp_path / "kept")


def _script(number: int) -> bytes:
    from online.devnet.bitcoin.scripts import script_of

    return script_of(Key(1_000 + number).address)


def test_a_miner_that_rests_gives_what_it_mined_its_confirmations_and_stops() -> None:
    world = BitcoinWorld()
    with Miner(world, 0.01, rest=3):
        world.fund(HOT.address, 5_000, confirmed=False)
        before = world.height
        _until(lambda: world.height == before + 4)
        time.sleep(0.2)
        assert world.height == before + 4


def _until(done: object, seconds: float = 5) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)
