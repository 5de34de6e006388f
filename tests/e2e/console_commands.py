"""Run console commands in forked processes that have the console loaded already."""

import os
import sys
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.console import main, quarantine
from infra.deploy import desks

_LOADED = (main, desks, quarantine)
"""Modules that the fork server imports once for all commands."""
_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])
_SECONDS = 120


def run(data: Path, *arguments: str) -> tuple[int, str]:
    """Run `deskbell …` for the local system in a folder; return its exit code and output."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        process = _processes.Process(target=_command, args=(data, arguments, said))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"deskbell {' '.join(arguments)} did not end")
        return process.exitcode, said.read_text("utf-8")


def _command(data: Path, arguments: tuple[str, ...], said: Path) -> None:
    file = os.open(said, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, sys.stdout.fileno())
    os.dup2(file, sys.stderr.fileno())
    os.environ["DESKBELL_DATA"] = str(data)
    sys.argv = ["deskbell", *arguments]
    main.main()
