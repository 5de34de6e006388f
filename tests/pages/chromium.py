"""The browser that the tests drive: the machine's own Chromium, installed where apt can do that."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("chromium", "fonts-noto-cjk")
"""Debian's packages; without the fonts Chinese is shown as boxes."""

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""The names under which machines have it."""

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"]
"""Root and containers have no sandbox of the kernel's, and little shared memory."""

MISSING = f"The tests of the pages need Chromium: apt-get install {' '.join(PACKAGES)}"


class MissingChromium(Exception):
    """There is no Chromium, and it could not be installed; the message says what to do."""


def find() -> str | None:
    """Return the path of the browser, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure() -> str:
    """Return the path of the browser, which is installed first if root can do that with apt.

    Raises:
        MissingChromium: there is none.
    """
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        found = _install()
    if found is None:
        raise MissingChromium(MISSING)
    return found


def _install() -> str | None:
    """Install it, one xdist worker at a time."""
    with Path(tempfile.gettempdir(), "deskbell-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found := find():
            return found
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "-q", "update"],
            ["apt-get", "-q", "install", "-y", "--no-install-recommends", *PACKAGES],
        ):
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
            if done.returncode:
                raise MissingChromium(f"{MISSING}\n{done.stderr.strip()[-800:]}")
    return find()


def must_run(environment: Mapping[str, str]) -> bool:
    """Return whether a missing browser fails the tests instead of skipping them: in CI."""
    return environment.get("CI", "").lower() not in {"", "0", "false"}
