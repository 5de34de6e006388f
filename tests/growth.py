"""Measure how the CPU time of some work grows with its input.

Times are compared only with times of the same run, because other load slows all of them alike.
"""

from collections.abc import Callable
from time import thread_time

MIN_SECONDS = 0.0005
"""Shorter times are too imprecise to compare."""


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the CPU seconds of the fastest of several runs."""
    times_taken = []
    for _ in range(times):
        started = thread_time()
        work()
        times_taken.append(thread_time() - started)
    return max(min(times_taken), MIN_SECONDS)


def grows_with_length(work: Callable[[str], object], text: str, slack: float = 3.0) -> bool:
    """Return whether eight times the text takes about eight times, not 64 times, as long.

    One of three runs must show it, because other load can disturb a run.
    """
    eighth = text[: len(text) // 8]
    return any(
        seconds(lambda: work(text), 1) < 8 * slack * seconds(lambda: work(eighth)) for _ in range(3)
    )
