"""Makes a world's blocks by time, for demos and drills; tests make them by hand."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from online.devnet.near.world import NearWorld

PATIENCE_SECONDS = 2.0
_STEP_NS = 100_000_000


class Steps:
    """Time for a world that is funded by hand: blocks made at one moment are a tenth of a second apart all the same."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        """Give nanoseconds since 1970."""
        self._last = max(time.time_ns(), self._last + _STEP_NS)
        return self._last


class Blocks:
    """Makes a block whenever the interval has passed, in a thread, until stopped; answers then may take a while."""

    def __init__(self, world: NearWorld, interval_seconds: float = 0.2) -> None:
        self._world, self._interval = world, interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._world.pace.patience_seconds = PATIENCE_SECONDS
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._world.pace.patience_seconds = 0.0

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self._world.advance()
