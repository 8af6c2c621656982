"""The numbers behind ADR 002: our fountain code beside RaptorQ, draw by draw.

`python -m tests.test_transport_fountain_choice` prints the tables, with RaptorQ where `raptorq` is installed
(it is no dependency). As a test, a few draws of the same functions show that the measurement still runs.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

from shared.transport.collector import Collector
from shared.transport.frames import split

CAPACITY = 830  # a frame at version 20-L
DRAWS = {13: 3000, 41: 2000, 124: 500}

Draw = Callable[[random.Random, int, int], int]
Clock = Callable[[random.Random, int, int], tuple[int, int, float, float]]


def overhead_of_ours(lots: random.Random, count: int, loss_percent: int) -> int:
    """Show small frames one after another, lose some, and say how many more than K were needed."""
    frames, collector, index, arrived = split(lots.randbytes(17 * count), 34), Collector(), 0, 0
    while collector.message is None:
        if lots.randrange(100) >= loss_percent:
            collector.add(frames.frame(index))
            arrived += 1
        index += 1
    return arrived - count


def overhead_of_raptorq(lots: random.Random, count: int, loss_percent: int) -> int:
    raptorq: Any = import_module("raptorq")
    message = lots.randbytes(24 * count)
    repair = 60 + count * 200 // (100 - loss_percent)
    packets = raptorq.Encoder.with_defaults(message, 24).get_encoded_packets(repair)
    kept = [packet for packet in packets if lots.randrange(100) >= loss_percent]
    decoder = raptorq.Decoder.with_defaults(len(message), 24)
    return next(arrived for arrived, packet in enumerate(kept, 1) if decoder.decode(packet)) - count


def speed_of_ours(lots: random.Random, size: int, loss_percent: int) -> tuple[int, int, float, float]:
    """Return K, bytes a frame, and the milliseconds to make all frames and to rebuild the message."""
    frames, started = split(lots.randbytes(size), CAPACITY), time.perf_counter()
    count = frames.transfer.count
    shown = [frames.frame(index) for index in range(2 * count * 100 // (100 - loss_percent))]
    made = time.perf_counter()
    kept = [frame for frame in shown if lots.randrange(100) >= loss_percent]
    collector, opened = Collector(), time.perf_counter()
    assert any(collector.add(frame).done for frame in kept)
    return count, len(shown[0]), 1000 * (made - started), 1000 * (time.perf_counter() - opened)


def speed_of_raptorq(lots: random.Random, size: int, loss_percent: int) -> tuple[int, int, float, float]:
    raptorq: Any = import_module("raptorq")
    # 14 bytes: the packet does not say which transfer it is of, nor how long that is; a header of ours must.
    message, payload = lots.randbytes(size), CAPACITY - 4 - 14
    count = -(-size // (payload - payload % 8))
    started = time.perf_counter()
    repair = 2 * count * 100 // (100 - loss_percent) - count
    packets = raptorq.Encoder.with_defaults(message, payload).get_encoded_packets(repair)
    made = time.perf_counter()
    kept = [packet for packet in packets if lots.randrange(100) >= loss_percent]
    decoder, opened = raptorq.Decoder.with_defaults(size, payload), time.perf_counter()
    assert any(decoder.decode(packet) for packet in kept)
    return count, len(packets[0]), 1000 * (made - started), 1000 * (time.perf_counter() - opened)


def candidates() -> dict[str, tuple[Draw, Clock]]:
    found: dict[str, tuple[Draw, Clock]] = {"ours": (overhead_of_ours, speed_of_ours)}
    if find_spec("raptorq"):
        found["raptorq"] = (overhead_of_raptorq, speed_of_raptorq)
    return found


def test_the_measurement_still_runs() -> None:
    for draw, clock in candidates().values():
        lots = random.Random(1)
        assert all(draw(lots, 13, 30) <= 2 for _ in range(20))
        assert clock(lots, 10_000, 30)[:2] in {(13, 787), (13, 812)}


def main() -> None:
    for name, (draw, clock) in candidates().items():
        for size in (10_000, 33_000, 100_000, 200_000):
            runs = [clock(random.Random(turn), size, 30) for turn in range(5)]
            make, rebuild = (median(run[at] for run in runs) for at in (2, 3))
            print(f"{name} {size} bytes: K {runs[0][0]}, {runs[0][1]} a frame, {make:.1f} / {rebuild:.1f} ms")
        for count, draws in DRAWS.items():
            for loss_percent in (10, 30, 50, 70):
                lots = random.Random(count + loss_percent)
                seen = Counter(draw(lots, count, loss_percent) for _ in range(draws))
                print(f"{name} K {count}, loss {loss_percent} %: {dict(sorted(seen.items()))} of {draws}")


if __name__ == "__main__":
    main()
