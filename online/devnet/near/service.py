"""Runs a small NEAR as a service on this machine: a node's face, and blocks by time. It keeps nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from online.devnet.bitcoin.http import RunningServer
from online.devnet.near.http import serve_near
from online.devnet.near.ticker import Blocks, Steps
from online.devnet.near.world import NearWorld


def run_forever(port: int, interval_seconds: float, *, ready: Callable[[RunningServer], None]) -> None:
    """Serve until interrupted; `ready` is called once, to tell people the real address.

    Raises:
        OSError: if the port is taken.
    """
    world = NearWorld(clock=Steps())
    with suppress(KeyboardInterrupt), serve_near(world, port) as node, Blocks(world, interval_seconds):
        ready(node)
        threading.Event().wait()
