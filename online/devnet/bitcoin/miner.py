"""Mines a world's blocks by time, for demos, drills and rehearsals; tests mine by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from online.devnet.bitcoin.world import BitcoinWorld


class Miner:
    """Mines a block whenever the interval has passed and something waits, in a thread, until stopped.

    Behind a block that held something come `rest` empty ones, so that it gets its confirmations. With `idle` empty
    blocks never end; regtest's new money ends after some 5,000 blocks, so a world that shall live long leaves it off.
    `mined` is called after each block.
    """

    def __init__(self, world: BitcoinWorld, interval_seconds: float, *, idle: bool = False, rest: int = 0,
                 mined: Callable[[], None] = lambda: None) -> None:
        self._world, self._interval, self._idle = world, interval_seconds, idle
        self._rest, self._left, self._mined = rest, 0, mined
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Block until the thread ends."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            busy = bool(self._world.mempool.entries)
            if busy or self._idle or self._left:
                self._left = self._rest if busy else max(self._left - 1, 0)
                self._world.mine()
                self._mined()
