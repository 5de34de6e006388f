"""Work on many tickets at once, with results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8
"""The items under way; a client of boto3 keeps ten connections."""

WINDOW = 2 * AT_ONCE
"""The most items that are taken and whose results were not yielded yet."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(
    work: Callable[[Given], Made], items: Iterable[Given | None]
) -> Iterator[tuple[Given, Future[Made]]]:
    """Yield each item with its result, in the order of the items, of which few are held.

    None among the items waits until all before it are done.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[tuple[Given, Future[Made]]] = deque()
        for item in items:
            if item is not None:
                waiting.append((item, pool.submit(work, item)))
            while len(waiting) > (0 if item is None else WINDOW):
                yield waiting.popleft()
        yield from waiting
