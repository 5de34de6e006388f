"""The Lambda package: built by Chalice, unpacked elsewhere, imported with nothing else around."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.util import source_from_cache
from pathlib import Path

import boto3
import pytest

from infra.bench.package_size import PYTHON, build
from infra.deploy.package import PackageError, complete
from infra.deploy.steps import ROOT
from infra.simulator.simulator import FUNCTIONS

# One worker builds the package, once; `make test` deploys one to the running system.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("package")]

MODULES = sorted({"app", *(module for module, _name in FUNCTIONS.values())})
_CHECK = """
import importlib, pathlib, sys
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
compiled_here = sorted(
    m.__file__ for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "")
    .startswith(sys.argv[2]) and m.__file__.endswith(".py")
    and not pathlib.Path(m.__cached__).exists()
)
assert not compiled_here, compiled_here
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
            *(sys.executable, "-I", "-S", "-B", "-c"),
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


@pytest.mark.requirement("B8")
def test_the_package_knows_accounts_and_phone_numbers(unpacked: Path) -> None:
    """Tables of numbers that no text is searched for are left out."""
    code = (
        "from stdnum import iban; import phonenumbers as p; "
        "print(iban.is_valid('DE89370400440532013000', check_country=False), "
        "iban.is_valid('DE89370400440532013001', check_country=False), "
        "p.is_valid_number(p.parse('13800138000', 'CN')), iban.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=unpacked, env={"PYTHONPATH": str(unpacked)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "False", "True", str(unpacked / "stdnum" / "iban.py")]


@pytest.mark.requirement("G7")
@pytest.mark.requirement("G2")
@pytest.mark.parametrize("country", ["CN", "DE", "JP"])
def test_the_package_knows_the_same_holidays(unpacked: Path, country: str) -> None:
    """In a process of its own: translations that were read stay in memory."""
    code = (
        f"from functions.core.domain.calendar import _public_days as days; "
        f"print([sorted(part) for part in days({country!r}, None, 2026)])"
    )
    found = [
        subprocess.run(
            [sys.executable, "-B", "-c", code],
            cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True,
        ).stdout
        for folder in (unpacked, ROOT)
    ]  # fmt: skip
    assert found[0] == found[1]


def test_bytecode_stands_beside_its_source_and_runs_without_a_check(unpacked: Path) -> None:
    """Tracebacks need the source; a check would read it at every cold start."""
    compiled = list(unpacked.rglob("*.pyc"))
    assert compiled
    for path in compiled:
        assert Path(source_from_cache(str(path))).is_file(), path
        # importlib: 1 is a hash instead of a time, 3 a hash that is checked.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 1, path


@pytest.fixture(scope="session")
def for_arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("for-arm"), architecture="arm64")


@pytest.mark.slow
@pytest.mark.requirement("F10")
def test_packages_of_the_same_files_are_the_same_on_every_architecture(
    package: Path, for_arm: Path
) -> None:
    """Built in another folder at another time, they differ only in the libraries' machine code."""
    with zipfile.ZipFile(package) as one, zipfile.ZipFile(for_arm) as other:
        (here, ours), (arm, theirs) = (
            (machine, [item for item in archive.infolist() if not _of_a_machine(item.filename)])
            for archive, machine in ((one, "x86_64"), (other, "aarch64"))
        )
        assert [(item.filename, item.CRC) for item in ours] == [
            (item.filename, item.CRC) for item in theirs
        ]
        assert {item.date_time for item in (*ours, *theirs)} == {(1980, 1, 1, 0, 0, 0)}
        for archive, machine in ((one, here), (other, arm)):
            tagged = [name for name in archive.namelist() if name.endswith("-linux-gnu.so")]
            assert tagged
            assert all(machine in name for name in tagged)


def _of_a_machine(name: str) -> bool:
    return name.endswith(".so") or ".dist-info/" in name


def _zip(path: Path, names: Sequence[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return path


@pytest.mark.requirement("F10")
def test_a_package_for_another_python_is_refused(tmp_path: Path) -> None:
    """Its bytecode would be ignored there, and every cold start would compile again."""
    package = _zip(tmp_path / "package.zip", ["app.py"])
    with pytest.raises(PackageError, match=r"python3\.99"):
        complete(package, ROOT, "python3.99")


@pytest.mark.requirement("F10")
def test_a_package_without_a_requirement_is_refused(tmp_path: Path) -> None:
    """Chalice only warns if no wheel of the architecture exists."""
    (tmp_path / "requirements.txt").write_text("Present_one==1.0\nabsent==2.0\n", "utf-8")
    package = _zip(tmp_path / "package.zip", ["app.py", "present_one-1.0.dist-info/METADATA"])
    with pytest.raises(PackageError, match=r"absent==2\.0") as refused:
        complete(package, tmp_path, PYTHON)
    assert "resent_one" not in str(refused.value)
