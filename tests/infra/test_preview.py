"""Every message of every shipped desk in both languages, as `deskbell playbook preview` shows it.

`DESKBELL_RECORD_GOLDEN=1 pytest tests/infra/test_preview.py` writes the golden files anew; read
their changes as a customer would.
"""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions.core.playbook import load
from infra.console.commands.playbooks import app

GOLDEN = Path(__file__).parent / "golden"
RECORD = bool(os.environ.get("DESKBELL_RECORD_GOLDEN"))
DESKS = ("standard", "omnichannel", "aftersales", "rapid", "assisted")
ROOT = Path(__file__).parents[2]


def preview(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["preview", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
@pytest.mark.requirement("A4", "A8", "A11", "A12", "D11", "E4", "B13")
@pytest.mark.parametrize("desk", DESKS)
def test_every_message_of_a_desk_happens_and_matches_its_golden_file(desk: str) -> None:
    found = preview(desk, "--sample")
    shown = re.findall(r"^## (\w+) → ", found, re.MULTILINE)
    assert set(shown) == set(load(ROOT / "playbooks" / f"{desk}.yaml").messages)
    for locale in ("zh-CN", "en"):
        assert found.count(f"\n[{locale}] [") == len(shown)
    assert "# Other messages" not in found, "each message belongs to a sample ticket's life"
    path = GOLDEN / f"{desk}.txt"
    if RECORD:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found, "see DESKBELL_RECORD_GOLDEN above"


def test_a_message_that_no_life_reaches_is_shown_too(tmp_path: Path) -> None:
    text = (ROOT / "playbooks/standard.yaml").read_text("utf-8")
    extra = "\nmessages:\n  unheard: {subject: {zh-CN: 未用, en: Unused}, text: {zh-CN: 未, en: U}}"
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("\nmessages:", extra, 1), "utf-8")
    end = preview(str(path), "--sample").partition("# Other messages")[2]
    assert "## unheard → customer" in end


def test_a_preview_needs_a_playbook_and_says_what_it_shows() -> None:
    for arguments in (
        ["standard"],
        ["nobody", "--sample"],
        ["standard", "--sample", "--lang", "fr"],
    ):
        result = CliRunner().invoke(app, ["preview", *arguments])
        assert result.exit_code != 0


TWO_PARTS = {
    ("standard", "received", "zh-CN"): "A4",
    ("omnichannel", "received", "zh-CN"): "B1",
    ("rapid", "clarify", "zh-CN"): "E2",
}
"""Text messages whose wording a guide prescribes → the requirement."""


@pytest.mark.slow
@pytest.mark.parametrize("desk", DESKS)
def test_a_check_tells_the_parts_of_every_text_message_and_shipped_ones_have_one(desk: str) -> None:
    path = ROOT / "playbooks" / f"{desk}.yaml"
    result = CliRunner().invoke(app, ["check", str(path)])
    assert (result.exit_code, result.output.partition("\n")[0]) == (0, "OK")
    line = re.compile(
        r"^(\w+) (\S+)  SMS: \d+ characters, (\d+) parts?(  warning: .*)?$", re.MULTILINE
    )
    found = {(desk, m[1], m[2]): (int(m[3]), bool(m[4])) for m in line.finditer(result.output)}
    with_sms = {name for name, message in load(path).messages.items() if message.sms}
    assert {name for _, name, _ in found} == with_sms
    for key, (parts, warned) in found.items():
        assert parts == (2 if key in TWO_PARTS else 1), key
        assert warned == (parts > 1)
