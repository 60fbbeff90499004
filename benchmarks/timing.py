"""Two things in turn, round after round; the median of the rounds' ratios."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

Timed = Callable[[], float]  # does something once and says how many seconds it took


@dataclass(frozen=True)
class Row:
    name: str
    ours: float
    against: str
    theirs: float
    ratio: float
    bar: float | None = None

    @property
    def ok(self) -> bool | None:
        return None if self.bar is None else self.ratio < self.bar

    def data(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def compared(
    name: str, ours: Timed, against: str, theirs: Timed, rounds: int, bar: float | None = None
) -> Row:
    """One round of each is thrown away: it fills whatever a running process has filled."""
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    mine, other = zip(*pairs, strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    return Row(name, statistics.median(mine), against, statistics.median(other), ratio, bar)


def timed(
    task: Callable[[], object], prepare: Callable[[], object] = lambda: None, times: int = 1
) -> Timed:
    """The wall time of a task in this process, without what prepares it.

    A task of milliseconds is done several ``times`` in a row and their median taken, since
    the other side's turn has emptied the processor's caches.
    """

    def once() -> float:
        prepare()
        start = time.perf_counter()
        task()
        return time.perf_counter() - start

    def run() -> float:
        gc.collect()
        gc.disable()
        try:
            return statistics.median(once() for _ in range(times))
        finally:
            gc.enable()

    return run
