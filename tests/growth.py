"""How the time of a piece of work grows, told by the processor's clock.

A busy machine makes everything slower alike, so figures are compared within one run and never with
a clock on the wall.
"""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

LEAST = 0.0005
"""Seconds below which the clock says little."""


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The processor's seconds of the fastest of some runs."""
    taken = []
    for _ in range(times):
        begun = thread_time()
        work()
        taken.append(thread_time() - begun)
    return max(min(taken), LEAST)


def grows_with_length(work: Callable[[str], object], text: str, slack: float = 3.0) -> bool:
    """Whether eight times the text takes about eight times as long, not its square.

    A neighbour may spoil the processor's cache for one run; a square stays one each time.
    """
    eighth = text[: len(text) // 8]
    return any(
        seconds(lambda: work(text), 1) < 8 * slack * seconds(lambda: work(eighth)) for _ in range(3)
    )
