"""The Lambda package: built by Chalice, unpacked elsewhere, imported with nothing else around."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from infra.bench.package_size import build
from infra.deploy.steps import ROOT
from infra.simulator.simulator import FUNCTIONS

# One worker builds the package, once.
pytestmark = pytest.mark.xdist_group("package")

MODULES = sorted({"app", *(module for module, _name in FUNCTIONS.values())})
_CHECK = """
import importlib, sys
module = importlib.import_module(sys.argv[1])
assert module.__file__.startswith(sys.argv[2]), module.__file__
for name in sys.argv[3:]:
    assert callable(getattr(module, name)), name
allowed = (sys.argv[2], sys.base_prefix, BOTO)
strays = sorted(
    {m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)
     and not m.__file__.startswith(allowed)}
)
assert not strays, strays
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip, unpacked in a folder away from the source."""
    folder = tmp_path_factory.mktemp("package")
    return build(folder)


@pytest.fixture(scope="session")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with boto3 and its dependencies, which Lambda's runtime has."""
    folder = tmp_path_factory.mktemp("runtime")
    packages = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        (folder / name).symlink_to(packages / name)
    return folder


@pytest.mark.requirement("G7")
def test_the_package_has_at_most_15_mb(package: Path) -> None:
    assert package.stat().st_size <= 15 * 1024 * 1024


@pytest.mark.requirement("F10")
def test_the_package_holds_every_source_and_page_and_no_test(unpacked: Path) -> None:
    """Chalice omits folders silently."""
    wanted = {
        path.relative_to(ROOT)
        for path in (ROOT / "functions").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted
    assert {path for path in wanted if not (unpacked / path).is_file()} == set()
    for name in ("tests", "infra", "playbooks", "boto3", "botocore", "moto", "ministack"):
        assert not (unpacked / name).exists(), name


@pytest.mark.requirement("F7")
@pytest.mark.parametrize("module", MODULES)
def test_each_handler_imports_with_the_package_alone(
    module: str, unpacked: Path, boto: Path, tmp_path: Path
) -> None:
    """In a fresh process, away from the source, without environment variables."""
    names = [name for where, name in FUNCTIONS.values() if where == module] or ["app"]
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c"),
            f"BOTO = {str(boto.resolve())!r}\nimport sys\n"
            f"sys.path[:0] = [{str(unpacked)!r}, {str(boto)!r}]\n" + _CHECK,
            *(module, str(unpacked), *names),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.requirement("G2")
def test_the_package_holds_the_time_zones(unpacked: Path) -> None:
    """The image's zone files are not used."""
    assert (unpacked / "tzdata" / "zoneinfo" / "Asia" / "Shanghai").is_file()
