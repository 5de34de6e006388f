"""Work that a handler's import must not do, so that a container starts fast."""

import json
import subprocess
import sys

import pytest

from infra.bench.import_time import HANDLERS
from infra.deploy.steps import ROOT

pytestmark = pytest.mark.requirement("G7")
FOR_SOME_CALLS = frozenset(
    {
        "cryptography", "holidays", "jinja2", "phonenumbers", "rich", "stdnum", "typer", "yaml",
    }
)  # fmt: skip
"""Modules that only some calls need, and no import of a handler."""

_CHECK = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
from pydantic import BaseModel
def below(model):
    for child in model.__subclasses__():
        yield child
        yield from below(child)
built = [model.__qualname__ for model in below(BaseModel)
         if model.__module__.startswith("functions.") and model.__pydantic_complete__]
print(json.dumps({"modules": list(sys.modules), "built": built}))
"""


@pytest.mark.parametrize("module", HANDLERS)
def test_importing_a_handler_loads_nothing_that_only_some_calls_need(module: str) -> None:
    """It builds no schema either."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, module], cwd=ROOT, capture_output=True, check=True
    )
    found = json.loads(done.stdout)
    assert FOR_SOME_CALLS & set(found["modules"]) == set()
    assert found["built"] == []
