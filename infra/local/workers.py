"""Let all workers of the emulator's functions share one unpacked package.

The emulator unpacks the package, 40 MB in 3,700 files, for each worker that it starts, and each
worker compiles its libraries again. All functions have the same package (`.chalice/config.json`),
so it is unpacked once here and every worker gets a link to it.
"""

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
    """Create the folder for temporary files and remove the leftovers of a killed emulator.

    The most recently used package stays, because most starts use it again.
    """
    packages = scratch / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    complete = [path for path in packages.iterdir() if not path.name.startswith(_UNPACKING)]
    complete.sort(key=lambda path: path.stat().st_mtime)
    for path in [*scratch.glob(_WORKERS), *packages.glob(f"{_UNPACKING}*"), *complete[:-1]]:
        shutil.rmtree(path, ignore_errors=True)


def install(scratch: Path) -> None:
    """Patch the emulator in this process: workers share the packages in `scratch`."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    # The emulator keeps every new function pending for half a second.
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0.0
    packages = scratch / "packages"

    class Linked(zipfile.ZipFile):
        """A package whose extraction creates a link to its unpacked content."""

        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            package = Path(str(self.filename))
            os.rmdir(path)
            os.symlink(unpacked(package, packages), path)
            package.unlink()

    # Patched only in this module, so that other archives are extracted as usual.
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": Linked})


def unpacked(package: Path, packages: Path) -> Path:
    """Unpack a zip into a folder named for its hash, atomically, and return the folder."""
    content = packages / hashlib.sha256(package.read_bytes()).hexdigest()
    with _lock:
        if not content.exists():
            draft = tempfile.mkdtemp(prefix=_UNPACKING, dir=packages)
            with zipfile.ZipFile(package) as archive:
                archive.extractall(draft)
            os.rename(draft, content)
    os.utime(content)
    return content
