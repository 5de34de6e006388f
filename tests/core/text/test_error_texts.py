"""Every error that the code raises has a text in both languages."""

import ast
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from functions.core.domain import errors
from functions.core.domain.commands import agent_actions
from functions.core.domain.errors import InvalidInput, Phrase, Refused
from functions.core.services.create_ticket import NewTicket
from functions.core.text.error_texts import translated
from functions.core.text.json_body import parse_model
from functions.core.text.tables import read_table
from functions.portal.submissions import NewConfirmation, NewMessage, NewScore
from functions.workbench.articles import EditedArticle
from functions.workbench.calls import NewUpload, Presence
from functions.workbench.model_calls import NewDraft, NewPhrasings
from functions.workbench.session import ChallengeAnswer, Credentials, Enrolment, RefreshToken
from tests.sources import parsed

# One worker reads the sources for all of them.
pytestmark = pytest.mark.xdist_group("sources")
FUNCTIONS = Path(__file__).parents[3] / "functions"
RAISED = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {
    "NewPasswordRequired", "_Busy", "_Failed",
}  # fmt: skip
TEXTS = {"Phrase": 0, "FieldError": 1, "PydanticCustomError": 1}
"""Call → the position of its text; errors have it first."""
NOT_FOR_CALLERS = {
    "TryAgain", "Conflict", "AgentAtCapacity", "AgentContended", "Quarantined", "DeadLetter",
    "PlaybookError", "DeskbellError",
}  # fmt: skip
OF_PLAYBOOKS = {
    "domain/playbook_types.py", "domain/playbook_sms.py", "domain/recipients.py",
}  # fmt: skip
"""Messages of `deskbell playbook check`, which are English."""
CHINESE = {english: said["zh-CN"] for english, said in read_table("errors").items()}
HAN = re.compile(r"[\u4e00-\u9fff]")
BODIES: tuple[type[BaseModel], ...] = (
    NewTicket, NewMessage, NewConfirmation, NewScore, NewUpload, Presence, Credentials,
    ChallengeAnswer, Enrolment, RefreshToken, EditedArticle, NewDraft, NewPhrasings,
    *(a.body for a in agent_actions().values()),
)  # fmt: skip


def written() -> Iterator[tuple[str, ast.expr]]:
    """Every expression that becomes the text of a caller's error, with its place."""
    for path in sorted(FUNCTIONS.rglob("*.py")):
        if any(str(path).endswith(name) for name in OF_PLAYBOOKS):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                yield from (
                    (f"{path}:{node.lineno}", key.value)
                    for key in node.keywords
                    if key.arg == "title" and {"Refused"} & {ast.unparse(b) for b in node.bases}
                )
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            position = TEXTS.get(name, 0 if name in RAISED - NOT_FOR_CALLERS else 9)
            if len(node.args) > position:
                yield f"{path}:{node.lineno}", node.args[position]


def test_every_text_is_known_in_chinese() -> None:
    """A text is written in place; one with values is a `Phrase`."""
    for place, text in written():
        if isinstance(text, ast.Constant):
            assert text.value in {None, *CHINESE}, f"{place}: {text.value!r} is in English only"
        else:
            assert not isinstance(text, ast.JoinedStr | ast.BinOp), f"{place}: not a Phrase"


def test_no_text_is_left_over() -> None:
    said = {HTTPStatus(status).phrase for status in (400, 405, 415, 500)}
    for path in FUNCTIONS.rglob("*.py"):
        nodes = ast.walk(parsed(path))
        said |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    assert [text for text in CHINESE if text not in said] == []


def test_every_title_is_known_in_chinese() -> None:
    assert {kind.title for kind in Refused.__subclasses__()} <= set(CHINESE)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_whatever_does_not_fit_a_body_is_said_in_chinese(body: type[BaseModel]) -> None:
    """Of every field, for values of every kind."""
    values: list[Any] = [
        None,
        "",
        "x" * 9000,
        -1,
        10**9,
        1.5,
        [],
        [1],
        ["x"] * 99,
        {},
        True,
        {"a": 1},
    ]
    fields = [*body.model_fields, "no_such_field"]
    for content in (*([value] for value in values), *({f: v} for f in fields for v in values)):
        try:
            parse_model(body, json.dumps(content).encode())
        except InvalidInput as refused:
            for error in refused.errors:
                said = translated(error.message, "zh-CN")
                assert HAN.search(said), f"{body.__name__}.{error.field}: {error.message}"


def test_values_are_said_in_the_language_too() -> None:
    label = {"zh-CN": "已关闭", "en": "Closed"}
    purpose = Phrase("see the queue {queue}", queue="qa")
    names = Phrase("one of: {names}", names=[label, "x"])
    refused = Phrase(
        "You need one of these roles to {purpose}: {roles}.", purpose=purpose, roles=("qa", "admin")
    )
    assert [str(names), translated(names, "zh-CN")] == [
        "one of: Closed, x",
        "请填写其中之一：已关闭、x",
    ]
    assert str(refused) == "You need one of these roles to see the queue qa: qa, admin."
    assert translated(refused, "zh-CN") == "需要以下角色之一才能查看队列 qa：qa、admin。"
