"""The Lambda package, built by Chalice as a deployment builds it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from chalice.deploy.packager import DependencyBuilder, LambdaDeploymentPackager
from chalice.utils import UI, OSUtils

from infra.deploy.steps import ROOT

PYTHON = "python3.11"


class _Silent(UI):
    def write(self, msg: str) -> None:
        """Nobody reads it."""

    error = write


def package_bytes(root: Path = ROOT) -> int:
    """The size of the zip in bytes."""
    with tempfile.TemporaryDirectory(prefix="deskbell-package-") as folder:
        return build(Path(folder), root).stat().st_size


def build(folder: Path, root: Path = ROOT) -> Path:
    """Build the zip in an empty folder, from a copy, so that no deployment is in the way."""
    for name in ("app.py", "requirements.txt"):
        shutil.copy(root / name, folder / name)
    shutil.copytree(root / "vendor", folder / "vendor")
    osutils = OSUtils()
    packager = LambdaDeploymentPackager(
        osutils=osutils, dependency_builder=DependencyBuilder(osutils), ui=_Silent()
    )
    return Path(packager.create_deployment_package(str(folder), PYTHON))
