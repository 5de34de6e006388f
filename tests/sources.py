"""The sources as tests of rules read them: one worker parses each file once.

Such tests have the mark `xdist_group("sources")`.
"""

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text("utf-8"))
