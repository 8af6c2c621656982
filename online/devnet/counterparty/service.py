"""Runs a small Bitcoin with a Counterparty on it as a service: both faces on this machine, and blocks by time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from online.devnet.bitcoin.http import RunningServer, serve_bitcoin
from online.devnet.bitcoin.miner import Miner
from online.devnet.bitcoin.world import BitcoinWorld
from online.devnet.counterparty.http import serve_counterparty
from online.devnet.counterparty.storage import load_worlds, save_worlds
from online.devnet.counterparty.world import CounterpartyWorld

REST: Final = 10
"""Empty blocks behind a busy one: more than coordinators usually wait for."""


def run_forever(port: int, counterparty_port: int, interval_seconds: float, state_path: Path | None = None, *,
                ready: Callable[[RunningServer, RunningServer], None] | None = None) -> None:
    """Serve both until interrupted or ended; with a path they outlive a restart.

    `ready` is called once with bitcoind's face and Counterparty's, to tell people their real addresses.

    Raises:
        OSError: if a port is taken. ValueError: if the path holds no such world.
    """
    kept = state_path is not None and state_path.exists()
    world = load_worlds(state_path) if kept and state_path else CounterpartyWorld(BitcoinWorld())

    def save() -> None:
        if state_path is not None:
            save_worlds(world, state_path)

    try:
        with ExitStack() as stack:
            node = stack.enter_context(serve_bitcoin(world.bitcoin, port))
            api = stack.enter_context(serve_counterparty(world, counterparty_port))
            miner = stack.enter_context(Miner(world.bitcoin, interval_seconds, rest=REST, mined=save))
            if ready is not None:
                ready(node, api)
            miner.wait()
    except KeyboardInterrupt:
        return
    finally:
        save()
