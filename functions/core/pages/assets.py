"""The static files of the pages, served under names that contain a hash of the content.

A name never changes its content, so browsers keep it for a year and ask once (RFC 8246). Of style
sheets and scripts, indentation, empty lines and comments on lines of their own are not sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from functions.core.pages.addresses import nothing_here
from functions.core.platform.web import HttpResponse

FOLDER = Path(__file__).parent / "static"

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""The types of the files, by suffix; nothing else is served."""

_HASH = 12

_UNSENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*\n|^[ \t]+|^\n", re.MULTILINE)
"""The parts of a style sheet or script that are not sent."""


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """Return the path of a static file below the API's root, e.g. `static/page.0123456789ab.css`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    stem, _, suffix = name.rpartition(".")
    digest = sha256(content(name).encode()).hexdigest()[:_HASH]
    return f"static/{stem}.{digest}.{suffix}"


@lru_cache(maxsize=64)
def content(name: str) -> str:
    """Return the content of a static file as it is served.

    Raises:
        FileNotFoundError: there is no such file.
    """
    text = (FOLDER / name).read_text("utf-8")
    return _UNSENT.sub("", text) if name.endswith((".css", ".js")) else text


def serve(name: str) -> HttpResponse:
    """Return a static file by its hashed name.

    Raises:
        NotFound: there is none of that name, or its content is another.
    """
    stem, _, rest = name.partition(".")
    path = FOLDER / f"{stem}.{rest.partition('.')[2]}"
    if path.suffix not in TYPES or path.parent != FOLDER or not path.is_file():
        raise nothing_here()
    if asset(path.name) != f"static/{name}":
        raise nothing_here()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        # The chat's script is loaded by other sites.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(content(path.name), headers=headers, content_type=TYPES[path.suffix])
