"""The tables of texts say everything in each language, with the same values."""

import json
import re
from pathlib import Path

import pytest

from functions.core.domain.rules import LOCALES
from functions.core.text import tables

TABLES = sorted((Path(tables.__file__).parent / "texts").iterdir())
LEFT_OUT = {"{zone}", "{high}"}
"""Placeholders that only English texts have (docs/voice.md)."""


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.name)
def test_a_table_has_both_languages_and_a_text_a_line(table: Path) -> None:
    pairs = json.loads(table.read_text("utf-8"), object_pairs_hook=list)
    assert table.read_text("utf-8").count("\n") == len(pairs) + 2
    assert len({key for key, _ in pairs}) == len(pairs), "a key is there twice"
    for key, languages in pairs:
        said = dict(languages)
        if table.stem in {"acts", "errors"}:  # in English it is in the code
            said["en"] = key
        assert said.keys() == set(LOCALES), key
        assert all(said.values()), key
        values = {frozenset(re.findall(r"{[\w.]*}", text)) - LEFT_OUT for text in said.values()}
        assert len(values) == 1, key
