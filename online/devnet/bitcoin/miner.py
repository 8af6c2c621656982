"""Mines a world's blocks by time, for demos and drills; tests mine by hand."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from online.devnet.bitcoin.world import BitcoinWorld


class Miner:
    """Mines a block whenever the interval has passed and something waits, in a thread, until stopped.

    With `idle` it mines empty blocks too; regtest's new money ends after some 5,000 blocks, so a world that shall
    live long leaves it off.
    """

    def __init__(self, world: BitcoinWorld, interval_seconds: float, *, idle: bool = False) -> None:
        self._world, self._interval, self._idle = world, interval_seconds, idle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            if self._idle or self._world.mempool.entries:
                self._world.mine()
