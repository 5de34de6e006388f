"""The changes for which `deskbell up` deploys again, and what is applied to what it runs."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from functions.administration.playbooks import Applied
from functions.core.domain.rules import Playbook
from infra.console.commands import playbooks
from infra.deploy import desks, local_stage
from infra.deploy.local_stage import Ports
from infra.deploy.trail import OperatorTrail
from infra.local import up
from tests.inprocess.conftest import ROOT

pytestmark = pytest.mark.requirement("G8")
PORTS = Ports(8700, 4566, 2525)
READ = (
    "app.py", "requirements.txt", ".chalice/config.json", "functions/core/storage/tickets.py",
    "functions/core/words/zh.txt", "infra/deploy/steps.py", "infra/deploy/functions.py",
    "infra/deploy/gateway.py", "infra/deploy/stacks.py", "infra/local/chalice_client.py",
    "infra/templates/foundation.yaml", "infra/templates/closing.asl.json",
    "infra/policies/notify.json",
)  # fmt: skip
LEFT = ("README.md", "infra/bench/budgets.py", "functions/core/__pycache__/store.pyc")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*READ, *LEFT):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one", "utf-8")
    monkeypatch.setattr(up, "ROOT", tmp_path)
    monkeypatch.setattr(up, "INFRA", tmp_path / "infra")
    return tmp_path


@pytest.mark.requirement("F7", "G8")
@pytest.mark.parametrize("name", READ)
def test_a_changed_or_deleted_source_needs_a_new_deployment(tree: Path, name: str) -> None:
    before = up._fingerprint(PORTS)
    (tree / name).write_text("two", "utf-8")
    changed = up._fingerprint(PORTS)
    assert changed != before
    (tree / name).unlink()
    assert up._fingerprint(PORTS) not in {before, changed}


def test_a_renamed_source_file_needs_a_new_deployment(tree: Path) -> None:
    before = up._fingerprint(PORTS)
    (tree / "functions/core/storage/tickets.py").rename(tree / "functions/core/shop.py")
    assert up._fingerprint(PORTS) != before


@pytest.mark.parametrize("name", LEFT)
def test_other_files_need_no_new_deployment(tree: Path, name: str) -> None:
    """An unchanged start takes seconds."""
    before = up._fingerprint(PORTS)
    (tree / name).write_text("two", "utf-8")
    assert up._fingerprint(PORTS) == before


@pytest.mark.requirement("F7", "G8")
def test_changed_parameters_of_the_foundation_need_a_new_deployment(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = up._fingerprint(PORTS)
    monkeypatch.setitem(up.FOUNDATION, "MailMaxReceives", "4")
    assert up._fingerprint(PORTS) != before


def test_changed_ports_need_a_new_deployment(tree: Path) -> None:
    """The functions know the API's address."""
    assert up._fingerprint(PORTS) != up._fingerprint(Ports(8701, 4566, 2525))


@pytest.mark.requirement("C4")
def test_a_playbook_that_is_applied_locally_asks_the_sample_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At once, not only after the next start."""
    stored: list[Playbook] = []

    def apply(trail: OperatorTrail, playbook: Playbook, now: datetime) -> Applied:
        stored.append(playbook)
        return Applied(playbook.desk, 2, stored=True, changes=())

    system = {"api": "http://127.0.0.1:8800", "aws_endpoint": "http://127.0.0.1:4566"}
    (tmp_path / "local.json").write_text(json.dumps(system), "utf-8")
    monkeypatch.setattr(desks, "apply", apply)
    monkeypatch.setattr(local_stage, "connect", lambda data: True)
    playbooks.apply(ROOT / "playbooks" / "assisted.yaml", data=tmp_path)
    assert stored[0].assistant is not None
    urls = [source.url for source in stored[0].assistant.sources.values()]
    assert all(url.startswith("http://127.0.0.1:8800/_deskbell/sample/") for url in urls)
