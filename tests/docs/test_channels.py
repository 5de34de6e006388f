"""docs/channels.md has a diagram for each channel and an action for each quarantine cause."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.channels.base import names
from functions.core.domain.rules import Checks
from functions.core.mail.origin import Origin
from functions.intake.mail_policy import Verdicts, trusts_sender
from tests.sources import parsed

pytestmark = [pytest.mark.requirement("G3"), pytest.mark.xdist_group("sources")]
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "channels.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
CAUSES = {
    word
    for row in re.findall(r"^\| (`[^|]+) \|", SECTIONS["Quarantine"], re.MULTILINE)
    for word in re.findall(r"`([^`]+)`", row)
}
CHANNELS = [
    "Web form and app", "Message by secret link", "Mail by SES", "Mail over HTTP",
    "Signed webhook", "Phone and counter",
]  # fmt: skip


def test_every_channel_has_a_diagram() -> None:
    assert all("```mermaid\nsequenceDiagram\n" in SECTIONS[channel] for channel in CHANNELS)


def test_the_page_names_every_intake_route() -> None:
    source = (ROOT / "functions" / "intake" / "handler.py").read_text("utf-8")
    for route in re.findall(r'@bp\.route\("[^"]*/([a-z]+|\{channel\})"', source):
        assert route.replace("{channel}", "<channel>") in TEXT


def _quarantine_causes() -> Iterator[str]:
    """The first words of each cause that intake passes to `Quarantined`."""
    for path in sorted((ROOT / "functions" / "intake").glob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Quarantined":
                cause = node.args[0]
                prefix = cause.values[0] if isinstance(cause, ast.JoinedStr) else cause
                if isinstance(prefix, ast.Constant):
                    yield str(prefix.value).partition(":")[0]


def test_the_page_explains_every_cause() -> None:
    causes = set(_quarantine_causes())
    assert {"loop", "limit", "repeated id", "nobody to answer"} <= causes <= CAUSES


@pytest.mark.parametrize("check", sorted(Checks.model_fields))
def test_a_check_and_its_cause_have_the_same_name(check: str) -> None:
    failing = {
        "virus": Verdicts(virus="FAIL"),
        "spam": Verdicts(spam="FAIL"),
        "dmarc": Verdicts(dmarc="FAIL", dmarc_policy="reject"),
        "authentication": Verdicts(spf="FAIL"),
        "unproven": Verdicts(),
    }
    if check in failing:
        assert check in CAUSES
        assert trusts_sender(failing[check], Checks(**{check: "accept"})) in {True, False}


def test_the_page_explains_origins_and_adapters_as_causes() -> None:
    origins = set(Origin.__args__) - {"human"}  # type: ignore[attr-defined]
    assert {*origins, *names(), "unknown recipient"} <= CAUSES
