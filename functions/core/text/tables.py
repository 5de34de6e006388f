"""The product's texts: a table for each part of it, as JSON files in `texts` with a text a line.

They are data, which translators read and edit too; a function reads those that it needs. A cold
start reads JSON as fast as bytecode; YAML would take it most of a second.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from functions.core.domain.rules import Locale

Texts = dict[str, dict[Locale, str]]
"""Key → the text in each language; what the code says in English itself has only the others."""


@cache
def read_table(name: str) -> Texts:
    """Return a table by the name of its file."""
    table = files(__package__).joinpath("texts", f"{name}.json").read_text("utf-8")
    found: Texts = json.loads(table)
    return found
