"""Acts: who may carry one out, what it gets, and how a refusal comes back."""

import sys
from types import ModuleType
from typing import Any

import pytest

from functions.administration import acts
from functions.administration.acts import Administration, act
from functions.core.domain.acts import ActRequest, ActResult
from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.rules import Locale
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON
from tests.workbench.conftest import DEPLOYMENT, dynamodb, playbook, storage

__all__ = ["dynamodb", "playbook", "storage"]

pytestmark = pytest.mark.requirement("H7")


@act("supervisor")
def greet(administration: Administration, name: str) -> dict[str, str]:
    if not name:
        wrong = FieldError("name", Phrase("{max_length} characters at most", max_length=1))
        raise InvalidInput("The search is too long.", (wrong,))
    return {"text": f"{administration.playbook.desk} {name}", "by": administration.trail.actor}


def secret(administration: Administration) -> str:
    return "no act"


@pytest.fixture(autouse=True)
def _sample(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("functions.administration.sample")
    module.greet, module.secret = greet, secret
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(acts, "MODULES", frozenset({"sample"}))


def carried_out(
    storage: Storage, act: str, username: str, locale: Locale = "en", **given: Any
) -> ActResult:
    request = ActRequest(act=act, desk="testdesk", username=username, locale=locale, given=given)
    return acts.answer(request, DEPLOYMENT, storage, NOON)


def refused(result: ActResult) -> tuple[str, str]:
    assert result.refusal is not None
    return result.refusal.kind, result.refusal.detail


def test_an_act_knows_the_desk_and_who_asks(storage: Storage) -> None:
    result = carried_out(storage, "sample.greet", "supervisor-1", name="you")
    assert result.result == {"text": "testdesk you", "by": "supervisor-1"}


@pytest.mark.parametrize("name", ["sample.secret", "sample.act", "os.system", "sample", ""])
def test_only_what_is_declared_is_an_act(storage: Storage, name: str) -> None:
    assert refused(carried_out(storage, name, "supervisor-1"))[0] == "NotFound"


def test_roles_are_read_from_the_roster(storage: Storage) -> None:
    kind, detail = refused(carried_out(storage, "sample.greet", "agent-1", name="you"))
    assert (kind, "supervisor" in detail) == ("Forbidden", True)
    assert refused(carried_out(storage, "sample.greet", "nobody", name="x"))[0] == "Unauthorised"
    storage.roster.set_active("testdesk", "supervisor-1", False)
    left = carried_out(storage, "sample.greet", "supervisor-1", name="x")
    assert refused(left)[0] == "Unauthorised"


def test_a_refusal_is_in_the_language_of_the_person(storage: Storage) -> None:
    result = carried_out(storage, "sample.greet", "supervisor-1", "zh-CN", name="")
    assert refused(result) == ("InvalidInput", "搜索内容过长。")
    assert result.refusal
    assert result.refusal.errors == [("name", "最多 1 个字")]
