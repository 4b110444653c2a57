"""Find out whether two cores share a cache: how fast one reads what the other wrote.

The cores of a virtual machine are threads that its host moves about. While two of them lie on
different parts of a processor, every tensor that one writes and the other reads goes the long way,
and a network on two threads may take half as long again. This can last for minutes, with nothing
else to show it.
"""

from __future__ import annotations

import os
import statistics
import threading
import time

import numpy as np

ENOUGH = 0.65
"""Fraction of the speed at which a core reads what it wrote itself. Measured here: 0.73 to 0.99
while networks ran fast, and 0.51 while they took half as long again."""
_KILOBYTES = 512
_TURNS = 60
_PATIENCE_S = 900.0


def handover() -> float | None:
    """Return the speed of reading what the other core wrote, over reading what it wrote itself.

    None where threads cannot be pinned to a core.
    """
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return None
    own, other = _seconds(0, 0), _seconds(0, 1)
    return own / other


def wait_for_shared_cache() -> float | None:
    """Wait until two cores share a cache, for at most a quarter of an hour.

    Returns the last `handover`.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        ratio = handover()
        if ratio is None or ratio >= ENOUGH or time.monotonic() > deadline:
            return ratio
        time.sleep(5)


def _seconds(writer_core: int, reader_core: int) -> float:
    """Return the median time in which a core copies what another, or itself, just wrote."""
    cores = sorted(os.sched_getaffinity(0))
    source = np.ones(_KILOBYTES * 256, np.float32)
    passed, copy = np.empty_like(source), np.empty_like(source)
    written, read = threading.Semaphore(0), threading.Semaphore(0)
    seconds = []

    def write() -> None:
        os.sched_setaffinity(0, {cores[writer_core]})  # of this thread alone
        for _ in range(_TURNS):
            np.add(source, 1, out=passed)
            written.release()
            read.acquire()

    def fetch() -> None:
        os.sched_setaffinity(0, {cores[reader_core]})
        for _ in range(_TURNS):
            written.acquire()
            started = time.perf_counter()
            np.copyto(copy, passed)
            seconds.append(time.perf_counter() - started)
            read.release()

    threads = [threading.Thread(target=write), threading.Thread(target=fetch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(seconds)


if __name__ == "__main__":
    print(handover())
