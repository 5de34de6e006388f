"""Build the Lambda package with Chalice as a deployment does, and measure it."""

import shutil
import tempfile
from pathlib import Path

from chalice.deploy.packager import DependencyBuilder, LambdaDeploymentPackager
from chalice.utils import UI, OSUtils

from infra.deploy.package import complete_packages
from infra.deploy.steps import ROOT

PYTHON = "python3.11"


class _Silent(UI):
    def write(self, msg: str) -> None:
        """Discard the message."""

    error = write


def package_bytes(root: Path = ROOT) -> int:
    with tempfile.TemporaryDirectory(prefix="deskbell-package-") as folder:
        return build(Path(folder), root).stat().st_size


def build(folder: Path, root: Path = ROOT, architecture: str = "x86_64") -> Path:
    """Build the package from a copy in an empty folder, apart from any deployment."""
    complete_packages()
    for name in ("app.py", "requirements.txt"):
        shutil.copy(root / name, folder / name)
    shutil.copytree(root / "vendor", folder / "vendor")
    osutils = OSUtils()
    packager = LambdaDeploymentPackager(
        osutils=osutils,
        dependency_builder=DependencyBuilder(osutils, architecture=architecture),
        ui=_Silent(),
        architecture=architecture,
    )
    return Path(packager.create_deployment_package(str(folder), PYTHON))
