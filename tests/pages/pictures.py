"""Pictures of pages: all of them in `build/pictures`, some of them in the documentation."""

import base64
import os
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "pictures"
DOCUMENTED = ROOT / "docs" / "day"
"""Pictures of the documentation, which a test run writes only if it is asked to."""

MOST_BYTES = 80 * 1024
"""The size of a picture in the documentation."""

_QUALITIES = (90, 80, 70, 60, 50, 40)


def record() -> bool:
    return os.environ.get("DESKBELL_RECORD_PICTURES") == "1"


def shot(page: Page, name: str, *, document: bool = False) -> None:
    """Write a picture of a window; `document` also for the documentation, if it is recorded."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", caret="hide")
    if document and record():
        DOCUMENTED.mkdir(exist_ok=True)
        (DOCUMENTED / f"{name}.webp").write_bytes(_small(page))


def _small(page: Page) -> bytes:
    """Return the picture as WebP, of the best quality that is small enough."""
    session = page.context.new_cdp_session(page)
    picture = b""
    for quality in _QUALITIES:
        taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        picture = base64.b64decode(taken["data"])
        if len(picture) <= MOST_BYTES:
            break
    session.detach()
    assert len(picture) <= MOST_BYTES, f"{len(picture)} bytes"
    return picture
