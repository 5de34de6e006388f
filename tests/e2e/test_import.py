"""Moving in and out on the running system, by the console."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.e2e.running_system import ROOT, System
from tests.inprocess.test_moving import write_keys

EXPORT = ROOT / "tests" / "fixtures" / "imports" / "zendesk.jsonl"
CUSTOMERS = [f"customer-{n}@example.com" for n in (1, 2, 3)]


@pytest.mark.requirement("G4", "E11")
def test_a_desk_moves_in_and_out(system: System, tmp_path: Path) -> None:
    file = tmp_path / "zendesk.jsonl"
    shutil.copy(EXPORT, file)
    arguments = ("import", "--from", "zendesk", str(file), "--desk", "standard")
    assert "agent who is not on the roster" in system.command(*arguments)
    mapping = tmp_path / "zendesk.jsonl.mapping.yaml"
    words = yaml.safe_load(mapping.read_text("utf-8"))
    # All are ended, so that no agent of the other tests gets one.
    words["statuses"] = dict.fromkeys(words["statuses"], "solved")
    mapping.write_text(yaml.safe_dump(words, allow_unicode=True), "utf-8")
    again = (*arguments, "--mapping", str(mapping))
    assert "4 imported, 0 were there" in system.command(*again)
    assert "0 imported, 4 were there" in system.command(*again)

    desk = system.session().desk("standard")
    (found,) = desk.search("35436")
    ticket = desk.ticket(found["number"])
    assert ticket["status"] == "archived"
    assert "13800138000" not in json.dumps(ticket)
    assert [message["text"] for message in ticket["messages"]][-1] == "好了，谢谢"

    secret, public = write_keys(tmp_path, X25519PrivateKey.generate())
    sealed, opened = tmp_path / "desk.jsonl", tmp_path / "open.jsonl"
    system.command(
        "export", "standard", str(sealed), "--with-contacts", "--public-key", str(public),
        "--reason", "moving",
    )  # fmt: skip
    assert CUSTOMERS[0] not in sealed.read_text("utf-8")
    system.command(
        "export", "decrypt", str(sealed), "--private-key", str(secret), "--out", str(opened)
    )
    lines = [json.loads(line) for line in opened.read_text("utf-8").splitlines()[1:]]
    (line,) = [line for line in lines if line["number"] == found["number"]]
    assert line["contacts"]["1"]["contact"] == CUSTOMERS[0]
    # nobody was told
    assert not any(system.sent(address) for address in CUSTOMERS)
