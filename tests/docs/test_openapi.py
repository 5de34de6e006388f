"""The description of the API: every call, nothing else, and what the code says today."""

import json
import re
from types import SimpleNamespace

import jsonschema_rs
import pytest

from app import app
from functions.core.domain.commands import agent_actions
from functions.core.domain.playbook_model import TICKET_TASKS
from infra.docs.generated import described
from infra.docs.openapi import ACT, FILE, NOT_CALLS, operations

pytestmark = pytest.mark.requirement("G14")
DESCRIPTION = json.loads(FILE.read_text("utf-8"))
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}


def test_the_description_is_up_to_date() -> None:
    assert FILE.read_text("utf-8") == described(), "run `python -m infra.docs.generated`"


def test_the_calls_described_are_the_routes() -> None:
    routes = {
        (method, path)
        for path, methods in app.routes.items()
        for method, route in methods.items()
        if route.view_name not in NOT_CALLS
    }
    actions = {
        (method, path)
        for method, path in OPERATIONS
        if path.startswith(ACT.removesuffix("{action}")) and path != ACT
    }
    assert set(OPERATIONS) - actions == routes
    named = {path.rpartition("/")[2] for _, path in actions}
    assert named == {*agent_actions(), "attachments", *TICKET_TASKS}
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


def test_a_route_without_a_description_fails() -> None:
    route = SimpleNamespace(
        view_name="new_call",
        content_types=["application/json"],
        view_function=SimpleNamespace(__module__="functions.portal.handler"),
        authorizer=None,
    )
    with pytest.raises(KeyError, match="new_call"):
        list(operations({"/new": {"GET": route}}))


def test_every_call_says_what_it_takes_answers_and_refuses() -> None:
    for (method, path), operation in OPERATIONS.items():
        given = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert given == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"
        secured = operation.get("security") == [{"token": []}]
        assert secured is path.startswith("/agent/"), f"{method} {path}"
        statuses = set(operation["responses"])
        assert statuses & {"200", "201", "202", "302"}, f"{method} {path}"
        assert {"429", "503"} <= statuses, f"{method} {path}"
        refuses = {"400", "413", "415"} <= statuses
        assert refuses is ("requestBody" in operation), f"{method} {path}"


def test_a_text_of_space_alone_is_described_as_invalid() -> None:
    note = jsonschema_rs.Draft202012Validator(DESCRIPTION["components"]["schemas"]["NoteBody"])
    assert [note.is_valid({"text": text}) for text in (" 好", "\x85\r")] == [True, False]


def test_every_example_of_an_error_has_its_shape() -> None:
    schema = {"$ref": "#/components/schemas/Problem", "components": DESCRIPTION["components"]}
    for example in DESCRIPTION["components"]["examples"].values():
        jsonschema_rs.Draft202012Validator(schema).validate(example["value"])
        assert {"title", "status", "detail"} <= set(example["value"])
