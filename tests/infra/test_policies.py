"""Each function may do what it does and nothing else (decision on least privilege)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.functions import policy_for
from infra.deploy.permissions import UNUSED, granted, needed
from infra.deploy.steps import INFRA
from infra.simulator.simulator import FUNCTIONS

pytestmark = pytest.mark.requirement("G4")
FILES = sorted((INFRA / "policies").glob("*.json"))


def statements(path: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(path.read_text("utf-8"))["Statement"]


@pytest.mark.requirement("F7")
def test_each_function_has_a_policy_of_its_own() -> None:
    assert {path.stem for path in FILES} == {"api_handler", *FUNCTIONS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_granted_by_a_star(path: Path) -> None:
    """No `*` in an action, none that is all of a resource, and a reason to be found by its name."""
    for statement in statements(path):
        assert statement["Effect"] == "Allow"
        assert isinstance(statement["Action"], list)
        assert not any("*" in action for action in statement["Action"])
        assert statement.get("Resource") != "*"
        assert statement["Sid"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_resource_is_this_stage_s_own(path: Path) -> None:
    """What has a name of ours is named with its stage; the rest is bound to the account."""
    for statement in statements(path):
        resources = statement.get("Resource", [])
        for resource in [resources] if isinstance(resources, str) else resources:
            ours = "deskbell-prod" in resource or "/deskbell/prod/" in resource
            bound = "aws:ResourceAccount" in json.dumps(statement.get("Condition", {}))
            assert ours or bound, resource


@pytest.mark.requirement("G4")
def test_only_notify_opens_contacts_and_only_unseal_originals() -> None:
    """Of all policies two have `kms:Decrypt`, each for its own purpose; two may seal."""
    holders = {path.stem for path in FILES if "kms:Decrypt" in granted(path.stem)}
    assert holders == {"notify", "unseal"}
    for function, condition in (
        ("notify", {"Null": {"kms:EncryptionContext:what": "true"}}),
        ("unseal", {"StringEquals": {"kms:EncryptionContext:what": "original"}}),
    ):
        path = INFRA / "policies" / f"{function}.json"
        (opens,) = (s for s in statements(path) if "kms:Decrypt" in s["Action"])
        for operator, keys in condition.items():
            assert keys.items() <= opens["Condition"][operator].items()
    callers = {path.stem for path in FILES if "lambda:InvokeFunction" in granted(path.stem)}
    assert callers == {"api_handler"}
    sealing = {path.stem for path in FILES if "kms:Encrypt" in granted(path.stem)}
    assert sealing == {"api_handler", "intake_mail"}


@pytest.mark.requirement("G4")
def test_sms_are_published_to_numbers_and_not_to_topics() -> None:
    """What a phone number is to IAM: no ARN of a topic."""
    (sms,) = [s for s in statements(INFRA / "policies" / "notify.json") if s["Sid"] == "Sms"]
    assert sms["NotResource"] == "arn:aws:sns:*:*:*"


def test_what_no_call_uses_has_its_reason() -> None:
    """Each permission that Lambda itself or a rare path needs is explained, and still granted."""
    for function, reasons in UNUSED.items():
        assert set(reasons) <= granted(function), function
        assert all(len(reason) > 10 for reason in reasons.values())


@pytest.mark.requirement("F7")
def test_another_stage_has_its_own_names() -> None:
    """The stage is all that differs."""
    text = (INFRA / "policies" / "router.json").read_text("utf-8")
    other = policy_for(text, "trial")
    assert "deskbell-trial-router-dlq" in other
    for path in (INFRA / "policies").glob("*.json"):
        assert "prod" not in policy_for(path.read_text("utf-8"), "trial"), path.name


def test_operations_are_translated_to_actions() -> None:
    """A transaction needs the actions of its writes; the rest is called as in its API."""
    assert needed("dynamodb", "TransactWriteItems", {"Put", "Update"}) == {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    }
    assert needed("sesv2", "SendEmail") == {"ses:SendEmail"}
    assert needed("stepfunctions", "StartExecution") == {"states:StartExecution"}
    assert needed("cognito-idp", "InitiateAuth") == set()
    assert needed("dynamodb", "GetItem") == {"dynamodb:GetItem"}
