"""The words by which replies, bounces and automatic mail are told apart, in all languages.

Data, in the folder `words`: a word or a regular expression a line, below a comment that says what
they are. Verbose expressions, of which a file is one, are those of `origin`.
"""

import re
from functools import cache
from importlib.resources import files


@cache
def word_list(name: str) -> tuple[str, ...]:
    """Return the lines of a file of words."""
    text = files(__package__).joinpath("words", f"{name}.txt").read_text("utf-8")
    return tuple(line for line in text.rstrip("\n").split("\n") if not line.startswith("# "))


@cache
def any_of(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern of any of the words, compiled on first use."""
    return re.compile(f"(?:{'|'.join(alternatives)})", re.IGNORECASE)
