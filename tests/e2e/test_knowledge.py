"""A desk's knowledge base on the running system: the console and the API change the same one."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System

DESK = "rapid"
FILE = """articles:
  parcel-late:
    title: {zh-CN: 包裹迟到, en: A late parcel}
    asked: {zh-CN: [包裹怎么还没到], en: [where is my parcel]}
    solution: {zh-CN: "单号 {{ order_number }} 请等到明天", en: "Please wait until tomorrow"}
    needs: {order_number: asked}
"""


@pytest.mark.requirement("A9")
def test_articles_are_applied_found_edited_and_exported(system: System, tmp_path: Path) -> None:
    path = tmp_path / "articles.yaml"
    path.write_text(FILE, "utf-8")
    apply = ("knowledge", "apply", str(path), "--desk", DESK)
    assert "1 changed" in system.command(*apply)
    assert "no changes" in system.command(*apply)

    journey = SystemJourney(system, DESK)
    found = journey.as_agent("complaints-1", "GET", f"/articles?query={quote('包裹没到')}")
    assert [article["id"] for article in found.json["articles"]] == ["parcel-late"]

    at, supervisor = "/articles/parcel-late", "supervisors-1"
    shown = journey.as_agent(supervisor, "GET", at).json
    edited = {key: shown[key] for key in ("version", "title", "asked", "solution", "needs")}
    edited["solution"] |= {"en": "It comes tomorrow"}
    assert journey.as_agent("complaints-1", "PUT", at, edited).status == 403
    assert journey.as_agent(supervisor, "PUT", at, edited).json["version"] == shown["version"] + 1
    edited["solution"] |= {"en": "It is lost"}
    assert journey.as_agent(supervisor, "PUT", at, edited).status == 409
    history = journey.as_agent(supervisor, "GET", at).json["history"]
    assert history[0]["author"] == f"{DESK}-{supervisor}"
    assert history[1]["author"].startswith("console:")

    exported = system.command("knowledge", "export", DESK)
    assert "It comes tomorrow" in exported
    path.write_text(exported, "utf-8")
    assert "no changes" in system.command(*apply)
    assert "parcel-late" in system.command("knowledge", "list", DESK)
