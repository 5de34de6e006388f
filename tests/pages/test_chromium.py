"""A missing browser is installed, or its tests say what is missing."""

import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.pages import chromium

pytestmark = pytest.mark.requirement("H8")


@pytest.fixture(autouse=True)
def _without_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)


@pytest.mark.parametrize(("user", "apt"), [(1000, "/usr/bin/apt-get"), (0, None)])
def test_without_root_or_apt_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, user: int, apt: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: apt)
    with pytest.raises(chromium.MissingChromium, match="apt-get install chromium fonts-noto-cjk"):
        chromium.ensure()


def test_root_installs_it_with_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        monkeypatch.setattr(chromium, "find", lambda: "/usr/bin/chromium")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get")
    monkeypatch.setattr(subprocess, "run", run)
    assert chromium.ensure() == "/usr/bin/chromium"
    assert [command[2] for command in ran] == ["update", "install"]


@pytest.mark.parametrize(
    ("value", "must"), [("true", True), ("1", True), ("", False), ("0", False)]
)
def test_only_ci_fails_without_it(value: str, must: bool) -> None:
    assert chromium.must_run({"CI": value}) == must
