"""One unpacked package for all workers of the emulator's functions.

The emulator unpacks a function's package anew for each worker that it starts: 40 MB in 3,700 files,
whose libraries each worker then compiles for itself. All functions are deployed with one package
(`.chalice/config.json`), so it is unpacked once here; a worker gets a link to it and finds what an
earlier one compiled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_WORKERS = "ministack-lambda-*"
_UNPACKING = "unpacking-"
_lock = threading.Lock()


def prepare(scratch: Path) -> None:
    """Make the folder for what needs no keeping, without what a killed emulator left in it.

    The package that was used last stays: in most starts it is the one that is used next.
    """
    packages = scratch / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    whole = [path for path in packages.iterdir() if not path.name.startswith(_UNPACKING)]
    whole.sort(key=lambda path: path.stat().st_mtime)
    for path in [*scratch.glob(_WORKERS), *packages.glob(f"{_UNPACKING}*"), *whole[:-1]]:
        shutil.rmtree(path, ignore_errors=True)


def install(scratch: Path) -> None:
    """Let the workers of this process's emulator share what `scratch` holds (see `prepare`)."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    # It lets each function be pending for half a second, eleven times in a deployment, for nothing.
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0.0
    packages = scratch / "packages"

    class Linked(zipfile.ZipFile):
        """A package that is 'extracted' as a link to where its content is already."""

        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            package = Path(str(self.filename))
            os.rmdir(path)
            os.symlink(unpacked(package, packages), path)
            package.unlink()

    # Its own name for the module, so that nobody else's archives are linked.
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": Linked})


def unpacked(package: Path, packages: Path) -> Path:
    """The folder with a zip's content, by the zip's hash; whole or not there at all."""
    content = packages / hashlib.sha256(package.read_bytes()).hexdigest()
    with _lock:
        if not content.exists():
            draft = tempfile.mkdtemp(prefix=_UNPACKING, dir=packages)
            with zipfile.ZipFile(package) as archive:
                archive.extractall(draft)
            os.rename(draft, content)
    os.utime(content)
    return content
