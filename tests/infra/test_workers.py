"""Workers of the emulator's functions share one unpacked package."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime

from infra.local import workers

pytestmark = pytest.mark.requirement("G8")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    workers.prepare(folder)
    monkeypatch.setattr(lambda_runtime, "zipfile", zipfile)
    workers.install(folder)
    return folder


def package(folder: Path, words: str) -> Path:
    path = folder / "code.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", words)
    return path


def worker(scratch: Path, name: str, words: str) -> Path:
    """Create a worker as the emulator does: its folder with the package, extracted."""
    folder = scratch / f"ministack-lambda-{name}"
    code = folder / "code"
    code.mkdir(parents=True)
    with runtime().ZipFile(package(folder, words)) as archive:
        archive.extractall(code)
    return folder


def runtime() -> Any:
    return vars(lambda_runtime)["zipfile"]


def packages(scratch: Path) -> list[Path]:
    return sorted((scratch / "packages").iterdir())


def test_workers_of_one_package_share_its_files(scratch: Path) -> None:
    """A package is on the disk once, whatever the number of workers."""
    first, second = worker(scratch, "intake", "one"), worker(scratch, "router", "one")
    assert (first / "code" / "app.py").samefile(second / "code" / "app.py")
    assert (first / "code" / "app.py").read_text() == "one"
    assert [path.name for path in first.iterdir()] == ["code"]
    shutil.rmtree(first)
    assert (second / "code" / "app.py").read_text() == "one"
    assert len(packages(scratch)) == 1


def test_each_package_has_its_folder(scratch: Path) -> None:
    """A deployed function runs its new code; workers of the old package keep theirs."""
    before, after = worker(scratch, "intake", "one"), worker(scratch, "intake-2", "two")
    assert (before / "code" / "app.py").read_text() == "one"
    assert (after / "code" / "app.py").read_text() == "two"


@pytest.mark.requirement("G3", "G8")
def test_leftovers_of_a_killed_emulator_are_deleted(scratch: Path) -> None:
    """Worker folders, half-unpacked and older packages, but not the last one."""
    old, last = worker(scratch, "a", "one"), worker(scratch, "b", "two")
    current = (last / "code").resolve()
    os.utime((old / "code").resolve(), (0, 0))
    (scratch / "packages" / "unpacking-x").mkdir()
    workers.prepare(scratch)
    assert packages(scratch) == [current]
    assert (current / "app.py").read_text() == "two"
    assert sorted(scratch.iterdir()) == [scratch / "packages"]


def test_the_last_used_package_stays(scratch: Path) -> None:
    """Returning to an earlier one makes it the last and does not unpack it again."""
    first = (worker(scratch, "a", "one") / "code").resolve()
    second = (worker(scratch, "b", "two") / "code").resolve()
    for age, path in enumerate((second, first)):
        os.utime(path, (1000 - age, 1000 - age))
    worker(scratch, "c", "one")
    workers.prepare(scratch)
    assert packages(scratch) == [first]


@pytest.mark.requirement("G3")
def test_a_partly_unpacked_package_is_not_used(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may fail for lack of disk space."""
    real = zipfile.ZipFile.extractall

    def full(self: zipfile.ZipFile, path: Any = None, *_rest: Any) -> None:
        (Path(path) / "app.py").write_text("on")
        raise OSError("no space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(OSError, match="no space"):
        worker(scratch, "a", "one")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", real)
    assert (worker(scratch, "b", "one") / "code" / "app.py").read_text() == "one"


def test_other_archives_of_the_emulator_are_not_linked(scratch: Path) -> None:
    assert runtime() is not zipfile
    assert zipfile.ZipFile.__module__ == "zipfile"
    assert runtime().BadZipFile is zipfile.BadZipFile
