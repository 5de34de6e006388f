"""Static files: immutable under names that contain their hash, and nothing else."""

import gzip
import re

import pytest

from functions.core.domain.errors import NotFound
from functions.core.pages.assets import FOLDER, TYPES, asset, content, serve

FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in TYPES)


@pytest.mark.requirement("H8")
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_kept_for_a_year(name: str) -> None:
    path = asset(name)
    assert re.fullmatch(r"static/[a-z_]+\.[0-9a-f]{12}\.(css|js|svg)", path)
    answer = serve(path.removeprefix("static/"))
    assert answer.body == content(name)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content_type == TYPES[f".{name.rpartition('.')[2]}"]


@pytest.mark.requirement("H8")
@pytest.mark.parametrize("name", FILES)
def test_only_indentation_and_comments_are_not_sent(name: str) -> None:
    kept = (FOLDER / name).read_text("utf-8")
    if name.endswith(".svg"):
        assert content(name) == kept
        return
    # A comment of its own lines goes; one beside code stays.
    lines = [line.strip() for line in re.sub(r"(?sm)^ *(/\*.*?\*/)$", "", kept).splitlines()]
    assert content(name).splitlines() == [
        line for line in lines if line and not line.startswith("//")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "page.css",
        "page.000000000000.css",
        "..%2Fassets.py",
        "../assets.py",
        "htmx.LICENSE",
        "",
        "a.b.c.d",
        ".",
    ],
)
def test_nothing_else_is_served(name: str) -> None:
    with pytest.raises(NotFound):
        serve(name)


@pytest.mark.parametrize("part", ["", "board.css", "figures.css", "knowledge.css", "playbook.css"])
def test_the_pages_beside_queues_and_tickets_load_little_style(part: str) -> None:
    files = ["page.css", "workbench.css", "office.css", *filter(None, [part])]
    assert sum(len(gzip.compress(content(name).encode())) for name in files) <= 8 * 1024
